"""The quick ways give what the general ones do, and are quick."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.benchmarks.verify import speed, worst
from reward_synth.verify import Limits, Policy, ToolCall, ToolCallVerifier, expect
from reward_synth.verify import score as scoring
from reward_synth.verify.plain_calls import calls_in, usual_call
from reward_synth.verify.quality import CallScorer
from reward_synth.verify.strict_json import StrictJSON
from tests.verify.test_laws import ANSWERS, CALLS, GOLD, POLICIES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(
    st.sampled_from(["name", "arguments", "parameters", "id", "function", "f"]), JSON
)


def general(gold: Any, calls: Any, scorer: CallScorer) -> Any:
    """Grade without the quick way."""
    quick = scoring._aligned
    try:
        scoring._aligned = lambda *_: None
        return scoring.grade(gold, calls, scorer)
    finally:
        scoring._aligned = quick


@given(GOLD, st.data(), POLICIES, st.booleans())
def test_aligned_calls_are_graded_as_all_others_are(
    gold: Any, data: st.DataObject, policy: Policy, ordered: bool
) -> None:
    """Score, sums and counts, for calls that name the expected tools in their order."""
    made = [
        data.draw(st.sampled_from([call, {**data.draw(CALLS), "name": call["name"]}]))
        for call in gold
    ]
    calls = [ToolCall(item["name"], item["arguments"]) for item in made]
    expected, scorer = expect(gold, ordered=ordered), CallScorer(policy)
    quick = scoring.grade(expected, calls, scorer)
    slow = general(expected, calls, scorer)
    assert quick[:-1] == pytest.approx(slow[:-1])
    assert sum(q for *_, q in quick.pairs) == pytest.approx(
        sum(q for *_, q in slow.pairs)
    )


@given(OBJECTS)
def test_a_usual_call_is_read_as_any_other_is(value: dict[str, Any]) -> None:
    """What the quick way reads, the general one reads alike."""
    found = usual_call(value)
    if found is not None:
        assert list(calls_in(value, StrictJSON(Limits()))) == [found]


@given(ANSWERS, GOLD)
def test_a_text_scores_the_same_whichever_way_it_is_read(
    answer: Any, gold: Any
) -> None:
    """With a limit on values that a long text passes, sizes are looked at again."""
    lines = "\n".join(json.dumps(call) for call in answer)
    text = f"<tool_call>\n{lines}\n</tool_call>" if answer else "Nothing."
    careful = ToolCallVerifier(policy=Policy(limits=Limits(max_values=len(text) - 1)))
    quick, slow = ToolCallVerifier()(text, gold), careful(text, gold)
    if "more than" not in slow.message:
        assert (quick.score, quick.error_type) == (slow.score, slow.error_type)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"name": "f", "arguments": ' + '{"a": ' * 40 + "1" + "}" * 41, "too_deep"),
        ('{"name": "f", "arguments": {"a": NaN}}', "not_finite"),
        ('{"name": "f", "arguments": {"a": 1, "a": 2}}', "duplicate_key"),
        ('{"name": "f", "arguments": {"a": ' + "9" * 400 + "}}", "too_long"),
        ('{"name": "", "arguments": {}}', "malformed"),
        ('{"name": "f", "arguments": {}, "x": 1}', "malformed"),
        ('{"name": "f", "arguments": {}, "arguments": {}}', "duplicate_key"),
    ],
)
def test_the_quick_way_refuses_what_the_limits_say(text: str, error: str) -> None:
    """A usual spelling is no way round a limit."""
    verifier = ToolCallVerifier()
    answer = f"<tool_call>{text}</tool_call>"
    assert verifier(answer, [{"name": "f"}]).error_type == error


def test_the_benchmark_tells_both_times_and_the_slowest_case() -> None:
    """Right answers within a small factor of ToolRL's; no case beyond half a second."""
    rows = {row["kind"]: row for row in speed(200, 5, seed=0)}
    assert len(rows) == 5
    assert rows["right"]["of_toolrl"] < 4.0
    cases = worst(1)
    assert len(cases) >= 120
    assert cases[0]["ms"] < 500.0
    assert [row["ms"] for row in cases] == sorted(
        (r["ms"] for r in cases), reverse=True
    )
