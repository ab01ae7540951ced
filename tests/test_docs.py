"""Every command and snippet in the documentation works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reward_synth.kernels import RewardKernel
from reward_synth.language import evaluate, parse
from tests.programs import TASK, random_values

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def blocks(name: str) -> list[str]:
    return BLOCK.findall((ROOT / name).read_text())


@pytest.mark.parametrize("source", blocks("docs/language.md"))
def test_every_example_of_the_language_compiles(source: str) -> None:
    """Each block on the language page is accepted, and kernel equals reference."""
    parsed = parse(source, TASK)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    function = parsed.ir.reward or parsed.ir.potential
    assert function is not None
    values = random_values(seed=0)
    compiled = RewardKernel(function).one(values)
    expected = evaluate(function, values)
    assert compiled.keys() == expected.keys()
    np.testing.assert_allclose(
        list(compiled.values()), list(expected.values()), rtol=1e-12, atol=1e-12
    )


def test_the_snippets_of_the_readme_run(tmp_path: Path) -> None:
    """The README's own Python prints a reward; its program is in the language."""
    usage, program = blocks("README.md")
    done = subprocess.run(
        [sys.executable, "-c", usage],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert "speed" in done.stdout
    assert parse(program, TASK).ir is not None


def test_the_snippet_of_the_kernels_page_runs(tmp_path: Path) -> None:
    """The page's Python scores eight environments, each component above 0."""
    (usage,) = blocks("docs/kernels.md")
    done = subprocess.run(
        [sys.executable, "-c", usage],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert done.stdout.count("0.0") >= 16


def test_every_command_of_the_readme_exists() -> None:
    """Verbs and options that the README names are in the command line's help."""
    text = (ROOT / "README.md").read_text()
    calls = re.findall(
        r"^reward_synth (\w+)((?: --[\w-]+(?: [^-\s][^\s]*)?)*)", text, re.M
    )
    assert len(calls) >= 8
    for verb, options in calls:
        done = subprocess.run(
            [sys.executable, "-m", "reward_synth", verb, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={"COLUMNS": "200", "PATH": ""},
        )
        for option in re.findall(r"--[\w-]+", options):
            assert option in done.stdout, (verb, option)


def test_the_figures_of_the_readme_are_the_committed_ones() -> None:
    """Every figure in the README comes from a file under benchmarks/results."""
    from reward_synth.benchmarks.tables import updated, updated_kernels

    text = (ROOT / "README.md").read_text()
    assert updated(text) == text
    page = (ROOT / "docs/kernels.md").read_text()
    assert updated_kernels(page) == page
