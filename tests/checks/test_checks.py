"""Checks: every finding comes from a program that has exactly that defect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from reward_synth.checks import (
    DEFAULT_CHECKS,
    Check,
    Examined,
    Examiner,
    Finding,
    Report,
)
from reward_synth.program import RewardProgram
from reward_synth.reward import Rollout
from reward_synth.sandbox import Execution, Job, Limits, ProcessSandbox, Sandbox
from reward_synth.task import Field, TaskSpec
from tests.checks.small import NINE, SMALL, episode, reward

LAST = (*(False,) * 8, True)


class Scripted:
    """A sandbox that answers with given values, to test what is done with them."""

    def __init__(self, values: Sequence[float], seconds: float = 0.0) -> None:
        self.values = np.array(values, np.float64)[:, None]
        self.seconds = seconds

    def run(self, job: Job, /) -> Execution:
        return Execution("ok", ("a",), self.values, "", None, 0.0, self.seconds, ())


def examine(
    source: str,
    *rollouts: Rollout,
    task: TaskSpec = SMALL,
    sandbox: Sandbox | None = None,
    checks: Sequence[Check] = DEFAULT_CHECKS,
    needs: str | None = None,
) -> Report:
    examiner = Examiner(
        task, rollouts or (episode(),), sandbox or ProcessSandbox(), checks, needs
    )
    return examiner.examine(RewardProgram.of(source, task))


def only(report: Report) -> Finding:
    (finding,) = report.findings
    return finding


def brief(report: Report) -> list[tuple[str, str, int | None]]:
    return [(item.severity, item.code, item.line) for item in report.findings]


def test_a_clean_program_has_no_finding() -> None:
    """A program with reward and potential that vary, stay finite and agree is clean."""
    source = reward('"a": np.tanh(x)', '"b": 0.5 * held', parameters="x, held")
    source = "import numpy as np\n\n\n" + source
    source += "\n\ndef compute_potential(pair):\n    return np.sum(pair[:1])\n"
    report = examine(source, episode(success=LAST))
    assert report.findings == ()
    assert report.ok


FLOATS = {
    "floats": ('"b": 1.0 if x == 0.5 else 0.0', True),
    "entries": ('"b": 1.0 if pair[0] != 0.5 else 0.0', True),
    "inside": ('"b": np.where(np.abs(x) == 0.5, x, 0.0)', True),
    "integers": ('"b": 1.0 if count == 3 else 0.0', False),
    "truth values": ('"b": 1.0 if held == (x > 0.25) else 0.0', False),
    "tolerance": ('"b": 1.0 if abs(x - 0.5) < 0.01 else 0.0', False),
}


@pytest.mark.parametrize(("component", "found"), FLOATS.values(), ids=FLOATS)
def test_measured_numbers_are_not_compared_for_equality(
    component: str, found: bool
) -> None:
    """== between floats is a warning at its line; between whole numbers it is right."""
    source = "import numpy as np\n" + reward('"a": x', component)
    expected = [("warning", "float-equality", 5)] if found else []
    assert brief(examine(source)) == expected


def test_equality_in_a_branch_is_found_once_a_line() -> None:
    """Tests of branches are looked at too; a line counts once."""
    source = (
        "def compute_reward(x, pair):\n"
        "    a = x\n"
        "    if x == 0.5 or pair[0] == 0.25:\n"
        "        a = 2.0\n"
        "    return {'a': a}\n"
    )
    assert brief(examine(source)) == [("warning", "float-equality", 3)]


def test_what_is_not_finite_is_named_with_an_example() -> None:
    """log of x is NaN at -1, -0.75, -0.5, -0.25 and -inf at 0: five of nine steps."""
    report = examine("import numpy as np\n" + reward('"good": x', '"bad": np.log(x)'))
    finding = only(report)
    assert brief(report) == [("error", "non-finite", 5)]
    assert "'bad' is nan on 5 of 9 steps" in finding.message
    assert "x=-1" in finding.message
    assert not report.ok


@pytest.mark.parametrize(
    ("component", "where"),
    [
        ('"a": 1.0 / x', "'a' is inf where all inputs are 0"),
        ('"a": np.sqrt(x + 1.0)', "'a' is nan at lowest inputs"),
        ('"a": np.log(4.0 - x)', "'a' is -inf at highest inputs"),
    ],
)
def test_extreme_inputs_are_tried_beside_the_real_ones(
    component: str, where: str
) -> None:
    """Steps met 0.5 to 2; the field's range is -3 to 4: at 0, -3 and 4 it may break."""
    field = Field("x", low=(-3.0,), high=(4.0,))
    task = replace(SMALL, fields=(field, *SMALL.fields[1:]))
    source = "import numpy as np\n" + reward(component, parameters="x")
    report = examine(source, episode((0.5, 1.0, 2.0)), task=task)
    assert brief(report) == [("warning", "non-finite-extreme", 4)]
    assert where in only(report).message


def test_plain_python_that_raises_is_an_error_at_its_line() -> None:
    """math.log raises where NumPy gives NaN: np.where hides it from the kernel alone."""
    source = (
        "import math\nimport numpy as np\n\n\n"
        "def compute_reward(x):\n"
        "    near = x\n"
        "    far = np.where(x > 0.0, math.log(x), 0.0)\n"
        "    return {'a': near + far}\n"
    )
    report = examine(source)
    assert brief(report) == [("error", "raises", 7)]
    assert "ValueError" in only(report).message


def test_plain_python_beyond_its_time_is_an_error() -> None:
    """256 rows of NumPy calls take more than 0.1 ms: the worker is stopped."""
    source = "import numpy as np\n" + reward('"a": np.tanh(np.sum(pair**2) + x)')
    sandbox = ProcessSandbox(Limits(seconds=1e-4))
    many = episode(tuple(np.linspace(-1, 1, 300)))
    assert [item[:2] for item in brief(examine(source, many, sandbox=sandbox))] == [
        ("error", "too-slow")
    ]


def test_slow_plain_python_is_a_warning_with_its_time() -> None:
    """A call of 3 ms is above the 2 ms that a program may take."""
    report = examine(reward('"a": x'), sandbox=Scripted(NINE, seconds=0.003))
    assert [item[:2] for item in brief(report)] == [("warning", "too-slow")]
    assert "3.0 ms" in only(report).message


def test_whole_numbers_that_overflow_are_ambiguous() -> None:
    """NumPy squares 1e5 twice in 64-bit integers, which wrap; the kernel uses floats.

    At x = -1 compiled: -1e20 * 1e-20 = -1. As Python: 1e20 - 5 * 2**64 is left of
    1e20, so -0.0776628.
    """
    report = examine(
        "import numpy as np\n"
        + reward('"b": 0.5 * x', '"a": x * np.square(np.square(100000)) * 1e-20')
    )
    finding = only(report)
    assert brief(report) == [("error", "ambiguous", 5)]
    left = -(10**20 - 5 * 2**64) * 1e-20
    assert f"'a' is {left:.6g} as plain Python, but -1 compiled" in finding.message
    assert "x=-1" in finding.message


def test_a_differing_value_is_shown_with_its_step() -> None:
    """A sandbox that answers 9 where the kernel gives 0.5: row 6 of -1, -0.75, …."""
    values = [9.0 if x == 0.5 else x for x in NINE]
    finding = only(examine(reward('"a": x'), sandbox=Scripted(values)))
    assert (finding.code, finding.line) == ("ambiguous", 3)
    assert "'a' is 9 as plain Python, but 0.5 compiled, at x=0.5" in finding.message


def test_rounding_is_not_ambiguous() -> None:
    """Differences of 1e-7 are rounding; of 1e-5 they are not."""
    for gap, found in ((1e-7, []), (1e-5, [("error", "ambiguous", 3)])):
        sandbox = Scripted([x + gap for x in NINE])
        assert brief(examine(reward('"a": x'), sandbox=sandbox)) == found


@pytest.mark.parametrize(
    "source",
    [
        reward('"a": 1.0'),
        reward('"a": 1.0', parameters=""),
        reward('"a": 0.0 * x', '"b": 2.0', parameters="x"),
    ],
)
def test_a_reward_that_never_changes_is_an_error(source: str) -> None:
    """The same number on all steps teaches nothing, with or without parameters."""
    assert brief(examine(source)) == [("error", "constant-reward", 3)]


CONSTANTS = {
    "zero, success never met": ("0.0", None, False, "note"),
    "zero, no success among steps": ("0.0", (False,) * 9, False, "note"),
    "zero, though success was met": ("0.0", LAST, False, "warning"),
    "not zero": ("0.5", None, False, "warning"),
    "cost of time": ("-0.5", None, True, ""),
    "cost without an end": ("-0.5", None, False, "warning"),
    "pay for time": ("0.5", None, True, "warning"),
}


@pytest.mark.parametrize(
    ("value", "success", "ends", "severity"), CONSTANTS.values(), ids=CONSTANTS
)
def test_a_component_that_never_changes(
    value: str, success: Sequence[bool] | None, ends: bool, severity: str
) -> None:
    """It may be right only if what it pays was never met, or if it is a cost of time."""
    report = examine(
        reward('"a": x', f'"b": {value}'),
        episode(success=success),
        task=replace(SMALL, ends_on_success=ends),
    )
    expected = [(severity, "constant-component", 4)] if severity else []
    assert brief(report) == expected


def test_a_component_that_drowns_the_others() -> None:
    """Mean sizes 5/9, 5/9 and k * 5/9: the median is 5/9, so k = 150 is out of scale."""
    for factor, expected in ((150, [("warning", "out-of-scale", 5)]), (99, [])):
        report = examine(reward('"a": x', '"b": -x', f'"c": {factor}.0 * x'))
        assert brief(report) == expected
    huge = only(examine(reward('"a": 20000.0 * x')))
    assert (huge.severity, huge.code) == ("warning", "out-of-scale")
    assert f"{20000 * 5 / 9:.3g}" in huge.message


def test_success_must_pay_best() -> None:
    """Success at x = 1 is paid 1 beside the reward.

    With 'a': -2 x it earns -2 + 1 = -1; steps at x = -1 earn 2. With 'a': x it earns
    2, all others at most 0.75.
    """
    bad = examine(reward('"a": -2.0 * x'), episode(success=LAST))
    assert brief(bad) == [("warning", "success-not-best", None)]
    assert "earn -1 on average" in only(bad).message
    assert "compute_reward" in only(bad).message
    assert examine(reward('"a": x'), episode(success=LAST)).findings == ()


def test_the_environments_own_reward_counts_where_it_is_sparse() -> None:
    """A sparse reward of 10 at success makes up for what the program takes there."""
    task = replace(SMALL, sparse=True)
    source = reward('"a": -2.0 * x')
    paid = episode(success=LAST, sparse=(*(0.0,) * 8, 10.0))
    assert examine(source, paid, task=task).findings == ()
    unpaid = episode(success=LAST)
    assert brief(examine(source, unpaid, task=task))[0][1] == "success-not-best"


def test_a_report_is_sorted_and_becomes_data() -> None:
    """Errors first, then warnings, then notes, whatever was found first."""
    source = reward('"a": x', '"b": -x', '"c": 0.0', '"d": 150.0 * x')
    report = examine(source)  # 0 is found before the scale is looked at
    assert brief(report) == [
        ("warning", "out-of-scale", 6),
        ("note", "constant-component", 5),
    ]
    assert report.ok
    assert report.errors == ()
    assert [item.code for item in report.warnings] == ["out-of-scale"]
    assert report.to_dict() == {
        "program": RewardProgram.of(source, SMALL).digest,
        "ok": True,
        "findings": [item.to_dict() for item in report.findings],
    }


def test_an_error_ends_the_examination_of_its_function_alone() -> None:
    """After an error no further check sees that function; the other one goes on."""
    seen: list[str] = []

    def broken(examined: Examined, /) -> Iterator[Finding]:
        if examined.function.name == "compute_reward":
            yield Finding("error", "broken", "It is broken.")

    def watch(examined: Examined, /) -> list[Finding]:
        seen.append(examined.function.name)
        return []

    source = reward('"a": x') + "\n\ndef compute_potential(x):\n    return x\n"
    report = examine(source, checks=(broken, watch))
    assert seen == ["compute_potential"]
    assert [item.message for item in report.findings] == [
        "compute_reward: It is broken."
    ]


def test_a_text_outside_the_language_is_not_run() -> None:
    """Findings of the parser are the report; no check sees the program."""

    def never(examined: Examined, /) -> list[Finding]:
        raise AssertionError("examined what does not parse")

    report = examine("import os\n", checks=(never,))
    assert [item.code for item in report.errors] == ["forbidden-import", "no-function"]


def test_a_needed_function_must_be_there() -> None:
    """combine='potential' needs compute_potential: its absence is an error."""
    report = examine(reward('"a": x'), needs="compute_potential")
    assert [item.code for item in report.errors] == ["no-function"]
    assert "compute_potential" in report.errors[0].message
    assert examine(reward('"a": x'), needs="compute_reward").ok


def test_success_counts_only_where_every_rollout_knows_it() -> None:
    """One rollout without a rule leaves nothing to compare: no finding either way."""
    report = examine(reward('"a": -2.0 * x'), episode(success=LAST), episode())
    assert report.findings == ()
