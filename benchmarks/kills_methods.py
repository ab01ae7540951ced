r"""Kills the search of every method at random moments, and resumes it.

Each shipped method, with few samples and short trainings: what tells it from the others
stays (critics, analysts, islands, periods that share a replay buffer, decoders, planned
motions, steps of a ladder). A fresh run is killed after a random time, gone on with,
killed again, and at last let end, until so many processes were killed. After every kill a
copy of the folder is examined, and the server counts whether anything was asked whose
answer the run holds. What the run comes to, and every row of its store but for times,
must be those of a run that nobody broke.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 \\
        python -m reward_synth.benchmarks.kills_methods \\
        --json benchmarks/results/kills_methods.json
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reward_synth.benchmarks.crash_story import Search
from reward_synth.benchmarks.kills import at_random, campaign_of, save
from reward_synth.search import load_method, method_names
from reward_synth.search.method import method_text

KILLS = 20
_TRAINING = (
    *("--train-steps", "60", "--episodes", "1"),
    *("--env-kwargs", '{"max_episode_steps": 10}'),
)
_CAR = "MountainCarContinuous-v0"
_PLANNED = "Reacher-v5"
"""Planning needs MuJoCo."""


def small(name: str) -> str:
    """Return a shipped method's file with small numbers: what is its own stays.

    Example:
        >>> text = small("eureka")
        >>> "samples = 2" in text, "shown = 1" in text
        (True, True)
    """

    def fewer(line: re.Match[str]) -> str:
        return f"{line[1]} = {min(int(line[2]), 2)}"

    text = re.sub(
        r"^(samples|rounds|restarts|keep|islands|repairs) = (\d+)",
        fewer,
        method_text(name),
        flags=re.M,
    )
    text = re.sub(r"^elites = \d+", "elites = 1", text, flags=re.M)
    return re.sub(r"^seeds = \d+", "seeds = 1", text, flags=re.M)


def search_of(name: str, place: Path, url: str) -> Search:
    """Return the search of a small form of a method, whose file is put in a folder."""
    file = place / f"{name}.toml"
    file.write_text(small(name))
    planner = load_method(name).planner
    return Search(
        url,
        _PLANNED if planner else _CAR,
        None,
        more=("--method-file", str(file), *_TRAINING),
    )


def campaign(name: str, kills: int, seed: int) -> dict[str, Any]:
    """Kill searches of one method; return what was found."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:

        def made(url: str) -> Search:
            return search_of(name, Path(place), url)

        with campaign_of(made, seed) as found:
            at_random(found, kills, lambda: None)
            return found.result(time.monotonic() - began)


def main(given: Sequence[str] | None = None) -> None:
    """Run the campaigns, print what was found, and exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=method_names())
    parser.add_argument("--kills", type=int, default=KILLS, help="Of each method.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="Under a minute.")
    parser.add_argument("--json", type=Path, help="Its other parts are kept.")
    options = parser.parse_args(given)
    names = options.methods or method_names()
    if options.quick:
        names, options.kills = options.methods or ["zero-shot"], 2
    wrong = False
    for name in names:
        found = campaign(name, options.kills, options.seed)
        print(name, json.dumps(found), flush=True)
        save(options.json, {f"{name}, seed {options.seed}": found})
        wrong = wrong or bool(found["first troubles"] or found["processes left"])
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
