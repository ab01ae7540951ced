"""The examples of docs/statistics.md run, and its table is of the simulation's shape."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

from tests.statistics.coverage import WORLDS, cases

PAGE = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text()


def test_every_example_of_the_page_runs() -> None:
    """They share their names, from the top to the bottom."""
    names: dict[str, Any] = {}
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for number, block in enumerate(blocks):
        test = parser.get_doctest(block, names, f"block {number}", None, 0)
        runner.run(test, clear_globs=False)
        names.update(test.globs)
    assert runner.tries >= 15
    assert runner.failures == 0


def test_the_table_of_coverage_is_complete() -> None:
    """Each kind of interval, number of tasks and world has a row of three shares."""
    rows = re.findall(
        r"^\| ([^|]+) \| (\d+) \| ([^|]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$",
        PAGE,
        re.M,
    )
    named = [(kind, int(tasks), world) for kind, tasks, world, *_ in rows]
    assert named == [(*case, world) for case in cases() for world in WORLDS]
    assert all(60 < float(share) <= 100 for row in rows for share in row[3:])
