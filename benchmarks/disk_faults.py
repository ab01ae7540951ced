r"""Lets the disk fill up or fail at every step of a run, and goes on when it works again.

* ``steps``: at every step by which the run's folder changes (see ``journal_steps``)
  the operation fails: once or from then on, with "no space" or with "input/output error";
* ``full``: a real small disk (tmpfs) with room for more and more pages. Needs the right
  to mount.

Allowed are the exit codes 75 and 0 (the step did not matter, or was made again); then
the disk works, the same command goes on, and what it gives must be, byte for byte, what
an unbroken run gives. Nothing acknowledged may be lost, nothing asked twice that the
journal holds.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 \
        python -m reward_synth.benchmarks.disk_faults --json benchmarks/results/disk_faults.json
"""

from __future__ import annotations

import argparse
import errno
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reward_synth.benchmarks.crash_story import RUN, Search, Story
from reward_synth.benchmarks.journal_steps import Action, Plan
from reward_synth.benchmarks.kills import Campaign, campaign_of, save

PARTS = ("steps", "full")
TRY_AGAIN = 75
_WAYS: tuple[tuple[Action, int], ...] = (
    ("always", errno.ENOSPC),
    ("once", errno.EIO),
    ("once", errno.ENOSPC),
    ("always", errno.EIO),
)
_OFTEN = 10
"""Runs after which what was found is told."""
_PAGE = 4096
_DISK = 16 * 1024 * 1024
"""Bytes; far more than a run takes."""


def at_steps(campaign: Campaign, given: argparse.Namespace) -> dict[str, int]:
    """Fail at every step in one of four ways, which differ with the seed."""
    codes: Counter[str] = Counter()
    steps = list(range(1, campaign.steps + 1, given.every))
    ways = {step: _WAYS[(n + given.seed) % len(_WAYS)] for n, step in enumerate(steps)}
    campaign.rng.shuffle(steps)  # stopped early, it has still been everywhere
    for step in steps:
        action, error = ways[step]
        story = campaign.begin()
        plan = Plan(story.folder, action, step, error)
        codes[
            f"{action} {errno.errorcode[error]}: {_broken(campaign, story, plan)}"
        ] += 1
        _tell(campaign, codes, given)
    return dict(sorted(codes.items()))


def on_a_full_disk(campaign: Campaign, given: argparse.Namespace) -> dict[str, int]:
    """Give a real disk room for more and more pages, until a run fits."""
    codes: Counter[str] = Counter()
    pages, fits = 0, False
    while not fits:
        with _disk(campaign.root / "disk") as disk:
            story = campaign.begin()
            (disk / RUN).mkdir()
            (story.place / RUN).symlink_to(disk / RUN)
            _leave_free(disk, pages * _PAGE)
            code = _broken(campaign, story, None, disk / "ballast")
        codes[f"exit code {code}"] += 1
        fits = code == 0
        pages += given.pages
        _tell(campaign, codes, given)
    return dict(codes) | {
        "bytes that a run needs, at most": (pages - given.pages) * _PAGE
    }


def _broken(
    campaign: Campaign, story: Story, plan: Plan | None, ballast: Path | None = None
) -> int:
    """Run on a disk that fails, then on one that works; return the first exit code."""
    ended = story.go(plan=plan)
    if ended.code not in {0, TRY_AGAIN}:
        story.wrong.append(f"exit code {ended.code} at {plan}: {ended.err[-300:]}")
    if ballast is not None:
        ballast.unlink()
    campaign.end(story)
    return ended.code


@contextmanager
def _disk(place: Path) -> Iterator[Path]:
    place.mkdir(exist_ok=True)
    size = f"size={_DISK}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def _leave_free(disk: Path, size: int) -> None:
    with open(disk / "ballast", "wb", buffering=0) as file:
        file.write(bytes(_DISK - size - 2 * _PAGE))  # two pages hold the folders
        try:
            while True:
                file.write(bytes(_PAGE))
        except OSError:
            file.truncate(max(0, file.tell() - size))


def _tell(campaign: Campaign, codes: Counter[str], given: argparse.Namespace) -> None:
    if len(campaign.stories) % _OFTEN == 0:
        found = _result(campaign, codes, time.monotonic() - given.began)
        print(f"  {json.dumps(found)}", flush=True)
        save(given.json, {given.part: found | {"stopped early": True}})


def run_part(part: str, given: argparse.Namespace) -> dict[str, Any]:
    """Run one campaign and return what it found."""
    given.began, given.part = time.monotonic(), f"{part}, seed {given.seed}"
    with campaign_of(Search, given.seed) as campaign:
        run = at_steps if part == "steps" else on_a_full_disk
        codes = run(campaign, given)
        return _result(campaign, codes, time.monotonic() - given.began)


def _result(
    campaign: Campaign, codes: Mapping[str, int], seconds: float
) -> dict[str, Any]:
    found = campaign.result(seconds)
    del found["kills"], found["of these while going on"]
    return found | {"exit codes": dict(sorted(codes.items()))}


def main() -> None:
    """Run the campaigns, print what was found, and exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--every", type=int, default=1, help="Of the run's steps.")
    parser.add_argument("--pages", type=int, default=8, help="More room each time.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="Under a minute.")
    parser.add_argument("--json", type=Path, help="Its other parts are kept.")
    given = parser.parse_args()
    if given.quick:
        given.parts, given.every = ["steps"], 60
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
