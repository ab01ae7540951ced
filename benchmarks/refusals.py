"""How many plausible rewards the language refuses, and what its hints are worth.

    python -m reward_synth.benchmarks.refusals [--quick] --json FILE

The programs are written as models write rewards, for tasks of four families; they are
accepted as they stand, after the printed hints were followed, or not at all.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reward_synth.benchmarks import (
    refusals_eureka,
    refusals_held_out,
    refusals_maniskill,
    refusals_metaworld,
    refusals_nethack,
)
from reward_synth.benchmarks.refusals_repairs import REPAIRS, repaired
from reward_synth.language import parse
from reward_synth.task import TaskSpec

Row = dict[str, Any]
STYLES = {
    "ManiSkill": refusals_maniskill,
    "Meta-World": refusals_metaworld,
    "Eureka": refusals_eureka,
    "NetHack": refusals_nethack,
}
HELD_OUT = "written afterwards"
FIRST_LOOK = {
    "four styles": {"programs": 64, "at_once": 41},
    HELD_OUT: {"programs": 24, "at_once": 16},
}
"""What the language took when the programs were first tried.  After the four styles,
comprehensions over known values, constant dicts, ``dict(...)``, named lambdas, ``from
math import``, ``from typing import``, ``ord`` and five NumPy functions were added; after
the programs that were written afterwards, three NumPy functions and ``[a] * 3``."""


def programs() -> Iterator[tuple[str, str, TaskSpec, str]]:
    """Yield style, name, task and text.

    Example:
        >>> len([style for style, *_ in programs() if style != HELD_OUT]) >= 60
        True
    """
    for style, module in STYLES.items():
        for name, text in module.PROGRAMS.items():
            yield style, name, module.TASK, text
    for name, (task, text) in refusals_held_out.PROGRAMS.items():
        yield HELD_OUT, name, task, text


def tried(style: str, name: str, task: TaskSpec, text: str) -> Row:
    """Return how many rounds of repair a program needs; None: it stays refused."""
    said: list[list[str]] = []
    for rounds in range(len(REPAIRS.get(name, ())) + 1):
        parsed = parse(text, task)
        if parsed.ir is not None:
            return {"style": style, "name": name, "rounds": rounds, "said": said}
        said.append([str(item) for item in parsed.findings])
        if rounds < len(REPAIRS.get(name, ())):
            repair = REPAIRS[name][rounds]
            if not any(repair.hint in item for item in said[-1]):
                raise ValueError(f"{name}: the hint {repair.hint!r} was not printed.")
            text = repaired(text, repair)
    return {"style": style, "name": name, "rounds": None, "said": said}


def summary(rows: list[Row]) -> Row:
    """Return counts and shares.

    Example:
        >>> summary([{"rounds": 0}, {"rounds": 1}])["at_once_share"]
        0.5
    """
    at_once = sum(row["rounds"] == 0 for row in rows)
    in_the_end = sum(row["rounds"] is not None for row in rows)
    return {
        "programs": len(rows),
        "at_once": at_once,
        "at_once_share": round(at_once / len(rows), 4),
        "after_repair": in_the_end,
        "after_repair_share": round(in_the_end / len(rows), 4),
    }


def measure() -> Row:
    """Return everything that the campaign shows."""
    rows = [tried(*item) for item in programs()]
    styles = [*STYLES, HELD_OUT]
    known = [row for row in rows if row["style"] != HELD_OUT]
    return {
        "all_four_styles": summary(known),
        "all": summary(rows),
        "first_look": FIRST_LOOK,
        "by_style": {
            style: summary([row for row in rows if row["style"] == style])
            for style in styles
        },
        "refused_at_first": [row for row in rows if row["rounds"] != 0],
    }


def main() -> None:
    """Try all programs and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="the same; it is quick")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    found = measure()
    for name, item in (
        ("all", found["all"]),
        ("four styles", found["all_four_styles"]),
        *found["by_style"].items(),
    ):
        print(
            f"{name:<20}{item['programs']:>4} programs, {item['at_once_share']:>6.1%} at "
            f"once, {item['after_repair_share']:>6.1%} after the hints"
        )
    for row in found["refused_at_first"]:
        print(f"{row['style']} {row['name']}: {row['said'][0]}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
