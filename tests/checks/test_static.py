"""Findings by ranges alone: each from a program with that defect, none from its cure."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reward_synth.checks import DEFAULT_CHECKS, Examined, Examiner, Finding
from reward_synth.checks.behaviour import finite
from reward_synth.checks.quoted import quoted
from reward_synth.checks.static import sound_within_ranges
from reward_synth.language import parse
from reward_synth.program import RewardProgram
from reward_synth.sandbox import ProcessSandbox
from reward_synth.search import SymbolicProposer
from reward_synth.task import Field, Success, TaskSpec
from tests.checks.small import episode
from tests.programs import TASK

FAR = float("inf")
LINE = TaskSpec(
    "Line",
    "Go right.",
    (
        Field("x", low=(-2.0,), high=(3.0,)),
        Field("p", low=(0.5,), high=(3.0,)),
        Field("pair", (2,), low=(-1.0, -1.0), high=(1.0, 1.0)),
        Field("seen", seen_low=(1.0,), seen_high=(2.0,)),
        Field("free", low=(-FAR,), high=(FAR,)),
        Field("unknown"),
        Field("held", (), "bool"),
    ),
    Field("action", (1,), low=(-1.0,), high=(1.0,)),
)
NAMES = "x, p, pair, seen, free, unknown, held"


def found(source: str, task: TaskSpec = LINE) -> list[Finding]:
    """The findings about all functions of a program; nothing is run."""
    program = RewardProgram.of(source, task)
    parsed = parse(source, task)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    functions = [item for item in (parsed.ir.reward, parsed.ir.potential) if item]
    examined = [Examined(program, task, f, (), ProcessSandbox()) for f in functions]
    return [finding for item in examined for finding in sound_within_ranges(item)]


def of(*components: str) -> str:
    """A program whose components stand in lines 2, 3, …."""
    lines = ",\n    ".join(f'"{"abc"[i]}": {text}' for i, text in enumerate(components))
    return f"def compute_reward({NAMES}): return {{\n    {lines}}}\n"


def brief(findings: Sequence[Finding]) -> list[tuple[str, str, int | None]]:
    return [(item.severity, item.code, item.line) for item in findings]


DEFECTS = {
    "zero divisor": ("1.0 / (x - 0.5)", "note", "may-divide-by-zero"),
    "zero remainder": ("p % (x - 0.5)", "note", "may-divide-by-zero"),
    "negative power": ("(x - 0.5) ** -3", "note", "may-divide-by-zero"),
    "root": ("np.sqrt(x * (p - 1.0) + 3.5)", "note", "outside-domain"),
    "logarithm": ("np.log(np.abs(x - 0.5))", "note", "outside-domain"),
    "arc": ("np.arccos(pair[0] - pair[1])", "note", "outside-domain"),
    "overflow": ("np.exp(30.0 * np.abs(p))", "note", "may-overflow"),
    "always zero": ("p * np.tanh(1.0 / (x - x))", "warning", "may-divide-by-zero"),
    "always too large": ("1.0 / (1.0 + np.exp(1e3 * p))", "warning", "may-overflow"),
    "flat": ("np.tanh(20.0 * p)", "warning", "saturated"),
    "flat below": ("np.tanh(-20.0 * p)", "warning", "saturated"),
    "never": ("1.0 if x > 4.0 else p", "warning", "unreachable"),
    "always": ("p if x < 4.0 else 1.0", "warning", "unreachable"),
    "guard": ("1.0 if p > 1e-6 else x", "note", "unreachable"),
    "still": ("0.0 * x + 2.0", "note", "never-changes"),
    "no bound": ("free", "note", "unbounded"),
}


@pytest.mark.parametrize(("text", "severity", "code"), DEFECTS.values(), ids=DEFECTS)
def test_each_defect_is_found_at_its_line(text: str, severity: str, code: str) -> None:
    """x in [-2, 3] meets 0.5 but not 4; p in [0.5, 3] times 20 is at least 10."""
    expected = [(severity, code, 2)] if code else []
    assert brief(found(of(text))) == expected


CURED = {
    "larger": "1.0 / np.maximum(np.abs(x), 1e-6)",
    "added": "x / (np.linalg.norm(pair) + 1e-6)",
    "tested": "p / x if x > 1e-6 else 0.0",
    "tested by size": "p / x if abs(x) > 1e-6 else 0.0",
    "tested both ways": "0.0 if -1e-6 < x < 1e-6 else p / (x * x + 1e-9)",
    "not zero": "p / x if x != 0.0 else 0.0",
    "where": "np.where(np.abs(x) > 1e-3, p / x, 0.0)",
    "tested with more": "p / x if held and x > 0.1 else 0.0",
    "tested needlessly too": "p / x if p > 1e-6 and x > 0.1 else 0.0",
    "NaN tested": "0.0 if np.isnan(np.sqrt(x - 0.5)) else np.sqrt(x - 0.5)",
    "infinity tested": "np.where(np.isfinite(p / (x - 0.5)), p / (x - 0.5), 0.0)",
    "tested twice": "(p / x + 1.0 if held else 2.0) if x > 0.1 else 0.0",
    "root": "np.sqrt(np.maximum(x, 0.0)) + np.sqrt(x * x)",
    "tested root": "np.sqrt(x) if x >= 0.0 else 0.0",
    "logarithm": "np.log(np.maximum(x, 1e-6)) + np.log(p)",
    "arc": "np.arccos(np.clip(2.0 * x, -1.0, 1.0))",
    "falling": "np.exp(-1e3 * np.abs(x))",
    "not flat": "1.0 - np.tanh(5.0 * np.abs(x))",
    "open test": "1.0 if x > 2.9 else 0.0",
    "smaller": "min(p, 5.0) + max(p, 0.1)",
    "isnan": "0.0 if np.isnan(p) else p",
    "share": "pair[0] / (np.linalg.norm(pair) + 1e-6)",
    "bounded": "np.tanh(free)",
    "unknown": "unknown / (unknown - 0.5) + np.sqrt(unknown)",
}


@pytest.mark.parametrize("text", CURED.values(), ids=CURED)
def test_guards_and_bounded_forms_are_silent(text: str) -> None:
    """What cannot fail within the ranges is not reported; nor is what has no range."""
    assert found(of(text)) == []


def test_an_early_return_is_a_guard() -> None:
    """After ``if x < 0.1: return``, x is no longer zero."""
    source = (
        f"def compute_reward({NAMES}):\n"
        "    if x < 0.1:\n"
        "        return {'a': 0.0}\n"
        "    return {'a': 1.0 / x}\n"
    )
    assert found(source) == []


def test_messages_name_value_range_and_fields() -> None:
    """x - 0.5 lies in [-2 - 0.5, 3 - 0.5]; the fix is a larger divisor or a test."""
    (finding,) = found(of("1.0 / (x - 0.5)"))
    assert "'x - 0.5' can be zero: it lies in [-2.5, 2.5]" in finding.message
    assert "x in [-2, 3]" in finding.message
    assert "np.maximum" in finding.fix


def test_seen_ranges_are_widened_and_the_message_says_so() -> None:
    """Seen in [1, 2], taken in [0, 3] for what can be, in [-9, 12] for what cannot."""
    (finding,) = found(of("1.0 / (seen - 0.5)"))
    assert "seen in [0, 3]; what was seen is widened by 1 times" in finding.message
    assert found(of("1.0 / (seen + 0.5)")) == []
    (never,) = found(of("1.0 if seen > 13.0 else p"))
    assert (never.severity, never.code) == ("note", "unreachable")
    assert "seen in [-9, 12]; what was seen is widened by 10 times" in never.message
    assert found(of("1.0 if seen > 11.0 else p")) == []


def test_a_line_has_one_finding_of_a_kind() -> None:
    """Two divisors and a root in one line: one finding of each kind.

    x * p is at least -6 and p at most 3, so the root's argument is at least -2.
    """
    text = "1.0 / (x - 0.5) + 1.0 / (x - 0.25) + np.sqrt(x * p + 7.0 - p)"
    assert [item.code for item in found(of("p + held", text))] == [
        "may-divide-by-zero",
        "outside-domain",
    ]


def test_rare_peaks_are_found_and_plain_factors_left_to_real_steps() -> None:
    """1 / (|x| + 1e-3) reaches 1000, p only 3; 1000 * x is large in most states."""
    (finding,) = found(of("p", "1.0 / (np.abs(x) + 1e-3)"))
    assert (finding.severity, finding.code, finding.line) == ("note", "may-dominate", 3)
    assert "'b' can reach a size of 1e+03, all others together 3" in finding.message
    assert found(of("p", "1.0 / (np.abs(x) + 0.1)")) == []
    assert found(of("p", "1000.0 * x")) == []
    assert found(of("p", "1000.0 if held else 0.0")) == []


@pytest.mark.parametrize("text", ["1.0 / x", "np.sqrt(x)", "np.log(3.0 - x)"])
def test_what_the_extremes_show_is_told_once(text: str) -> None:
    """Zero, lowest and highest inputs are tried later and named there, not twice."""
    source = "import numpy as np\n" + of("1.0 * held", text).replace(NAMES, "x, held")
    assert found(source) == []
    checks = (sound_within_ranges, finite)
    examiner = Examiner(LINE, [episode((0.5, 1.0, 2.0))], ProcessSandbox(), checks)
    report = examiner.examine(RewardProgram.of(source, LINE))
    assert [item.code for item in report.findings] == ["non-finite-extreme"]


def test_helpers_and_loops_are_judged_by_all_their_uses() -> None:
    """A test that is decided for one entry alone is needed for the others."""
    source = (
        "def near(v, most):\n"
        "    return 1.0 if v < most else 0.0\n"
        f"def compute_reward({NAMES}):\n"
        "    return {'a': near(x, 1.0) + near(p, 9.0)}\n"
    )
    assert found(source) == []
    both = source.replace("near(x, 1.0)", "near(x, 8.0)")
    assert brief(found(both)) == [("warning", "unreachable", 2)]


def known(task: TaskSpec) -> TaskSpec:
    """The toy task as random play would have measured it."""
    fields = tuple(
        item
        if item.dtype == "bool"
        else replace(item, seen_low=(-0.3,) * item.size, seen_high=(0.4,) * item.size)
        for item in task.fields
    )
    action = replace(task.action, low=(-1.0,) * 4, high=(1.0,) * 4)
    return replace(task, fields=fields, action=action)


CAR = TaskSpec(
    "Car",
    "Reach the top.",
    (
        Field(
            "position", low=(-1.2,), high=(0.6,), seen_low=(-0.6,), seen_high=(-0.4,)
        ),
        Field("velocity", unit="m/s", low=(-0.07,), high=(0.07,)),
        Field("depth", seen_low=(0.1,), seen_high=(0.2,)),
    ),
    Field("action", (1,), low=(-1.0,), high=(1.0,)),
    Success("position >= 0.45 and depth >= 1.0"),
    ends_on_success=True,
)


@pytest.mark.parametrize("task", [known(TASK), TASK, CAR], ids=["seen", "bare", "car"])
def test_the_built_in_proposers_programs_are_clean(task: TaskSpec) -> None:
    """The forms that it composes divide safely and test what can be reached."""
    for program in SymbolicProposer(task, seed=0).ask(20):
        assert [str(item) for item in found(program.source, task)] == []


@pytest.mark.parametrize(
    "source",
    re.findall(
        r"```python\n(.*?)```",
        (Path(__file__).parents[2] / "docs/language.md").read_text(),
        re.DOTALL,
    ),
)
def test_documented_examples_get_no_warning(source: str) -> None:
    """What the language page shows is good practice."""
    assert all(item.severity == "note" for item in found(source, known(TASK)))


def test_it_is_among_the_default_checks_before_what_runs() -> None:
    """Nothing has to run for it, so it comes before what runs."""
    order = list(DEFAULT_CHECKS)
    assert order.index(sound_within_ranges) < order.index(finite)


def test_the_authors_words_are_quoted_if_they_are_clear() -> None:
    """One operation of a kind in the line is quoted; of two, nobody knows which."""
    tree = ast.parse(
        "a = np.sqrt(x)\nb = 1 / u + 1 / v\nc = math.log(w) if y < 0 else 0"
    )
    assert quoted(tree, 1, "sqrt") == " 'x'"
    assert quoted(tree, 2, "divide") == ""
    assert quoted(tree, 3, "log") == " 'w'"
    assert quoted(tree, 3, "compare") == " 'y < 0'"
