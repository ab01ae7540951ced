"""ToolRL's reward beside the numbers that its own code prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reward_synth.errors import UsageError
from reward_synth.verify import verify
from reward_synth.verify.compat import ToolRL, toolrl_correctness

GOLDEN = Path(__file__).parents[1] / "data" / "toolrl_golden.json"
NAMES = {
    "default": "default",
    "REFINEDREWARD": "refined",
    "COARSEREWARD": "coarse",
    "INTERMEDIATEREWARD": "intermediate",
}


@pytest.mark.parametrize("mode", NAMES)
def test_correctness_is_bit_equal_to_the_original(mode: str) -> None:
    """On 200 random pairs the reward equals what the original code printed, bit for
    bit."""
    for row in json.loads(GOLDEN.read_text()):
        found = toolrl_correctness(row["gt"], row["pd"], NAMES[mode])  # type: ignore[arg-type]  # four literals
        assert found == row[mode]


def call(**parameters: Any) -> dict[str, Any]:
    return {"name": "f", "parameters": parameters}


def test_greedy_matching_misses_the_best_assignment() -> None:
    """The first expected call takes what the second needs: greedy pairs f(a=1) with the
    first of two equally good calls, where the optimal assignment makes both right."""
    gold = [call(a=1), call(a=1, b=2)]
    predicted = [call(a=1, b=2), call(a=1)]
    # The first gold scores 0.5 + 1 against f(a=1, b=2) and 1 + 1 against f(a=1): greedy
    # is right here, so the case below turns the two in the gold's disfavour.
    assert toolrl_correctness(gold, predicted) == pytest.approx(3.0)
    gold = [call(a=1, b=9), call(a=1, c=3)]
    predicted = [call(a=1, c=3), call(a=1, b=2)]
    # keys {a,b} with {a,c}: 1/3, with {a,b}: 1; greedy takes 1 + 1 = 2 for the first and
    # the second is whole: 1 + 2 = 3; names 1; possible 1 + 3 + 3.
    assert toolrl_correctness(gold, predicted) == pytest.approx(6 * 6 / 7 - 3)


def test_graded_score_matches_optimally() -> None:
    """Where greedy pairing loses, the graded score finds the whole answer."""
    gold = [
        {"name": "f", "arguments": {"a": 1}},
        {"name": "f", "arguments": {"a": 1, "b": 2}},
    ]
    assert verify(list(reversed(gold)), gold).score == 1.0


@pytest.mark.parametrize(
    ("step", "expected"), [(0, (2.0, 2.0)), (75, (1.5, 2.5)), (150, (1.0, 3.0))]
)
def test_smooth_schedule(step: int, expected: tuple[float, float]) -> None:
    """Over 150 steps the format's share falls from 2 to 1, and correctness grows from 2
    to 3."""
    gold = (
        '<think>t</think>\n<tool_call>\n{"name": "f", "parameters": {}}\n</tool_call>'
    )
    found = ToolRL(schedule="smooth")(gold, gold, step)
    assert (found.format, found.correctness) == pytest.approx(expected)


@pytest.mark.parametrize(("step", "expected"), [(29, (1.0, 1.0)), (30, (0.5, 3.0))])
def test_two_stage_schedule(step: int, expected: tuple[float, float]) -> None:
    """Before step 30 correctness counts a third, from there on format counts half."""
    gold = (
        '<think>t</think>\n<tool_call>\n{"name": "f", "parameters": {}}\n</tool_call>'
    )
    found = ToolRL(schedule="two_stage")(gold, gold, step)
    assert (found.format, found.correctness) == expected


def test_calls_where_none_is_expected_cost_nothing_there() -> None:
    """The known gap: correctness is 0 whatever is called if the gold holds no call; the
    graded score gives its least."""
    gold = "<think>t</think>\n<response>Hi</response>"
    spam = '<tool_call>\n{"name": "rm", "parameters": {}}\n</tool_call>'
    assert ToolRL()(spam, gold).correctness == 0.0
    assert verify(spam, []).score == -0.5


def test_broken_gold_is_the_callers() -> None:
    """An expected response whose calls are no JSON is refused, not scored."""
    with pytest.raises(UsageError, match="no JSON"):
        ToolRL()("", "<tool_call>\n{\n</tool_call>")


def test_length_counts_words_of_the_thoughts() -> None:
    """256 of 512 words of thoughts earn one half."""
    text = f"<think>{'w ' * 256}</think>"
    assert ToolRL(length=True)(text, "<think>t</think>").length == 0.5
