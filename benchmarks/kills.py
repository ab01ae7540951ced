r"""Kills searches at random moments and at every step of the journal, and resumes them.

Three campaigns, each with resumes that are killed too:

* ``random``: a fresh run is killed after a random time, gone on with, killed again, and
  at last let end;
* ``steps``: one run for every step by which the run's folder changes (see
  ``journal_steps``), killed right before it, or in the middle of it where it is a write;
  the run that goes on is killed at a step of its own;
* ``training``: as ``random``, with trainings in the search.

After every kill a copy of the folder is examined; after the end the table, the reward
and the report must be, byte for byte, those of a run that nobody broke.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 \
        python -m reward_synth.benchmarks.kills --json benchmarks/results/kills.json
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from statistics import median
from typing import Any

from reward_synth.benchmarks.crash_story import (
    Search,
    Story,
    summary,
    warm_up,
)
from reward_synth.benchmarks.journal_steps import Action, Plan
from reward_synth.benchmarks.loopback import serving

PARTS = ("random", "steps", "training")
_IN_A_ROW = 4
"""Most kills of one run before it may end."""
_TRAINING = ("--train-steps", "256", "--train-top", "1", "--episodes", "2")


@dataclass(slots=True)
class Campaign:
    """Stories of one search, and what an unbroken one gives."""

    root: Path
    search: Search
    log: Path
    rng: random.Random
    stories: list[Story] = field(default_factory=list)
    differing: int = 0
    """Runs whose outcome is not the unbroken one's."""
    expected: str = ""
    seconds: float = 0.0
    """An unbroken run takes."""
    steps: int = 0
    """An unbroken run makes."""

    def measure(self) -> None:
        """Make two unbroken runs: the outcome, the steps, the time."""
        runs = [self.begin() for _ in range(2)]
        ends = [story.go(plan=Plan(story.folder)) for story in runs]
        outcomes = {story.outcome(end) for story, end in zip(runs, ends, strict=True)}
        if len(outcomes) != 1 or any(end.code for end in ends):
            said = [*_differing(outcomes), *(end.err[-300:] for end in ends)]
            raise RuntimeError(f"Two unbroken runs differ: {said}")
        self.expected = outcomes.pop()
        self.seconds = median(end.seconds for end in ends)
        self.steps = min(end.steps for end in ends)

    def begin(self) -> Story:
        """Return a story with an empty folder and a key of its own."""
        number = len(self.stories)
        place = self.root / f"story-{number:05d}"
        place.mkdir()
        key = f"sk-canary-{self.rng.getrandbits(64):016x}-{number:05d}"
        story = Story(place, self.search, self.log, key)
        if self.stories:
            story.offset = self.stories[-1].offset
        self.stories.append(story)
        return story

    def end(self, story: Story) -> None:
        """Let a run end, and compare what it gives."""
        ended = story.finish()
        if ended.code:
            return
        found = story.outcome(ended)
        if found != self.expected:
            self.differing += 1
            lines = _differing([self.expected, found])
            story.wrong.append(f"outcome differs: {lines} {ended.err[-200:]}")

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(story.kills for story in self.stories)

    def result(self, seconds: float) -> dict[str, Any]:
        """Return what was found, as JSON-ready data."""
        resumed = sum(max(0, story.kills - 1) for story in self.stories)
        return {
            "runs": len(self.stories),
            "kills": self.kills,
            "of these while going on": resumed,
            "steps of an unbroken run": self.steps,
            "outcomes that differ": self.differing,
            **summary(self.stories),
            "first troubles": [text for story in self.stories for text in story.wrong][
                :5
            ],
            "seconds": round(seconds),
        }


def _differing(texts: Iterable[str]) -> list[str]:
    lines = [text.splitlines() for text in texts]
    return list(unified_diff(lines[0], lines[-1], n=0, lineterm=""))[:20]


def at_random(campaign: Campaign, kills: int, tell: Callable[[], None]) -> None:
    """Kill after random times until ``kills`` processes were killed."""
    while campaign.kills < kills:
        story = campaign.begin()
        for _ in range(campaign.rng.randint(1, _IN_A_ROW)):
            story.go(kill_after=campaign.rng.uniform(0.0, campaign.seconds))
        campaign.end(story)
        tell()


def at_steps(campaign: Campaign, every: int, tell: Callable[[], None]) -> None:
    """Kill at every step, or each ``every``-th, then at a random one of the resume."""
    for step in range(1, campaign.steps + 1, every):
        story = campaign.begin()
        action: Action = campaign.rng.choice(("kill", "torn"))
        story.go(plan=Plan(story.folder, action, step))
        again = campaign.rng.randint(1, campaign.steps)
        story.go(plan=Plan(story.folder, "kill", again))
        campaign.end(story)
        tell()


@contextmanager
def campaign_of(search_of: Callable[[str], Search], seed: int) -> Iterator[Campaign]:
    """Give the block a campaign with a server and folders of its own."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        with serving(root / "requests.jsonl", seed=seed) as url:
            warm_up(url)
            campaign = Campaign(
                root, search_of(url), root / "requests.jsonl", random.Random(seed)
            )
            campaign.measure()
            yield campaign


def run_part(part: str, given: argparse.Namespace) -> dict[str, Any]:
    """Run one campaign and return what it found."""
    more = _TRAINING if part == "training" else ()
    began = time.monotonic()
    with campaign_of(lambda url: Search(url, more=more), given.seed) as campaign:

        def tell() -> None:
            if len(campaign.stories) % 25 == 0:
                found = campaign.result(time.monotonic() - began)
                print(f"  {part}: {json.dumps(found)}", flush=True)

        if part == "steps":
            at_steps(campaign, given.every, tell)
        else:
            count = given.training_kills if part == "training" else given.kills
            at_random(campaign, count, tell)
        return campaign.result(time.monotonic() - began)


def save(path: Path | None, found: Mapping[str, Any]) -> None:
    """Write results into a file that keeps what others have written there."""
    if path is not None:
        old = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**old, **found}, indent=1) + "\n")


def main() -> None:
    """Run the campaigns, print what was found, and exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--kills", type=int, default=500, help="Of `random`.")
    parser.add_argument("--training-kills", type=int, default=12)
    parser.add_argument("--every", type=int, default=1, help="Of the journal's steps.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="Under a minute.")
    parser.add_argument("--json", type=Path, help="Its other parts are kept.")
    given = parser.parse_args()
    if given.quick:
        given.parts, given.kills, given.every = ["random", "steps"], 6, 60
    found = {
        f"{part}, seed {given.seed}": run_part(part, given) for part in given.parts
    }
    for part, result in found.items():
        print(part)
        for name, value in result.items():
            print(f"  {name}: {value}")
    save(given.json, found)
    if any(item["first troubles"] or item["processes left"] for item in found.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
