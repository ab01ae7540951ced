"""The laws of the graded score, on answers made at random."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reward_synth.verify import Policy, ToolCall, ToolCallVerifier, expect

VALUES = st.sampled_from(
    [0, 1, 1.5, "x", "1", True, False, None, [1], [1, 2], {"k": 1}]
)
ARGUMENTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
CALLS = st.builds(
    lambda name, arguments: {"name": name, "arguments": arguments},
    st.sampled_from(["f", "g", "h"]),
    ARGUMENTS,
)
GOLD = st.lists(CALLS, max_size=4)
ANSWERS = st.lists(CALLS, max_size=6)
POLICIES = st.sampled_from(
    [
        Policy(),
        Policy(beta=1.0, name=0.5, keys=0.25),
        Policy(beta=3.0, name=0.1, keys=0.0, penalty=1.0),
        Policy(beta=2.0, name=0.9, keys=0.0, penalty=0.01),
    ]
)
ORDERED = st.booleans()


@st.composite
def near_gold(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return an answer that holds right, near and spurious calls, and its gold."""
    gold = draw(st.lists(CALLS, min_size=1, max_size=4))
    right = draw(st.lists(st.sampled_from(gold), max_size=4))
    near = [
        {"name": draw(st.sampled_from(gold))["name"], "arguments": draw(ARGUMENTS)}
        for _ in range(draw(st.integers(0, 2)))
    ]
    other = draw(st.lists(CALLS, max_size=1))
    return draw(st.permutations(right + near + other)), gold


def score(answer: Any, gold: Any, policy: Policy, ordered: bool = False) -> float:
    verifier = ToolCallVerifier(policy=policy)
    return verifier(answer, expect(gold, ordered=ordered)).score


def key(call: dict[str, Any]) -> str:
    return json.dumps(call, sort_keys=True)


def is_right(call: dict[str, Any], gold: list[dict[str, Any]]) -> bool:
    return any(score([call], [item], Policy()) == 1.0 for item in gold)


def count(name: str, calls: list[dict[str, Any]]) -> int:
    return sum(call["name"] == name for call in calls)


@given(GOLD, POLICIES, ORDERED)
def test_gold_scores_one(gold: Any, policy: Policy, ordered: bool) -> None:
    """What is expected scores exactly 1."""
    assert score(gold, gold, policy, ordered) == 1.0


@given(ANSWERS, GOLD, POLICIES, ORDERED)
def test_scores_are_bounded(
    answer: Any, gold: Any, policy: Policy, ordered: bool
) -> None:
    """Every score is finite and lies in [-penalty, 1]."""
    found = score(answer, gold, policy, ordered)
    assert math.isfinite(found)
    assert -policy.penalty - 1e-12 <= found <= 1.0


@given(near_gold())
def test_only_gold_scores_one(pair: Any) -> None:
    """An answer scores 1 only if it holds as many calls as are expected, each right."""
    answer, gold = pair
    exact = Counter(c["name"] for c in answer) == Counter(c["name"] for c in gold)
    possible = exact and all(is_right(call, gold) for call in answer)
    assert possible or score(answer, gold, Policy()) < 1.0


@given(near_gold(), st.data(), POLICIES, ORDERED)
@settings(max_examples=300)
def test_repeating_a_call_never_pays(
    pair: Any, data: st.DataObject, policy: Policy, ordered: bool
) -> None:
    """A call that stands in the answer already, and is not expected once more, never
    raises the score."""
    answer, gold = pair
    assume(answer)
    call = data.draw(st.sampled_from(answer))
    asked = sum(is_right(call, [item]) for item in gold)
    made = sum(is_right(call, [{**item}]) for item in answer)
    assume(asked <= made)
    place = data.draw(st.integers(0, len(answer)))
    more = [*answer[:place], call, *answer[place:]]
    before, after = (score(x, gold, policy, ordered) for x in (answer, more))
    assert after <= before + 1e-12


@given(near_gold(), CALLS, st.data(), POLICIES, ORDERED)
@settings(max_examples=300)
def test_a_call_without_an_open_partner_never_pays(
    pair: Any, call: Any, data: st.DataObject, policy: Policy, ordered: bool
) -> None:
    """A call of a tool that is not expected, or was called often enough already (copies
    aside), never raises the score."""
    answer, gold = pair
    unlike = list({key(item): item for item in answer}.values())
    assume(count(call["name"], gold) <= count(call["name"], unlike))
    place = data.draw(st.integers(0, len(answer)))
    more = [*answer[:place], call, *answer[place:]]
    before, after = (score(x, gold, policy, ordered) for x in (answer, more))
    assert after <= before + 1e-12


@given(near_gold(), st.data(), POLICIES)
@settings(max_examples=300)
def test_leaving_out_a_right_call_never_pays(
    pair: Any, data: st.DataObject, policy: Policy
) -> None:
    """Without an expected order, leaving out a right call that is no copy never raises the
    score, unless its tool is expected several times and was called more often still."""
    answer, gold = pair
    right = [i for i, call in enumerate(answer) if is_right(call, gold)]
    assume(right)
    place = data.draw(st.sampled_from(right))
    name = answer[place]["name"]
    alike = [c for c in answer if c["name"] == name and is_right(c, gold)]
    asked = sum(is_right(answer[place], [item]) for item in gold)
    assume(sum(key(c) == key(answer[place]) for c in answer) <= asked)  # no copy
    assume(
        count(name, answer) <= count(name, gold)
        or (count(name, gold) == 1 and len(alike) == 1)
    )
    less = answer[:place] + answer[place + 1 :]
    before, after = (score(x, gold, policy) for x in (answer, less))
    assert after <= before + 1e-12


@given(st.lists(CALLS, min_size=1, max_size=5), POLICIES)
def test_calling_where_none_is_expected_scores_below_abstaining(
    answer: Any, policy: Policy
) -> None:
    """Where no call is expected, abstaining scores 1 and any call the least."""
    assert score([], [], policy) == 1.0
    assert score(answer, [], policy) == -policy.penalty


@given(st.lists(CALLS, min_size=1, max_size=4), st.integers(1, 5), POLICIES)
def test_spurious_calls_score_below_abstaining(
    gold: Any, spurious: int, policy: Policy
) -> None:
    """Where calls are expected, abstaining scores 0 and calls of other tools less."""
    others = [{"name": f"other{i}", "arguments": {}} for i in range(spurious)]
    assert score([], gold, policy) == 0.0
    assert score(others, gold, policy) < 0.0


@given(ANSWERS, GOLD, st.randoms(use_true_random=False))
def test_order_of_calls_and_keys_means_nothing(
    answer: Any, gold: Any, random: Any
) -> None:
    """Without an expected order, neither the order of calls nor of keys changes it."""
    turned = [
        {"arguments": dict(reversed(call["arguments"].items())), "name": call["name"]}
        for call in answer
    ]
    random.shuffle(turned)
    assert math.isclose(
        score(turned, gold, Policy()), score(answer, gold, Policy()), abs_tol=1e-12
    )


@given(ANSWERS, GOLD, st.sampled_from([None, 2, "\t"]))
def test_the_spelling_of_json_means_nothing(
    answer: Any, gold: Any, indent: int | str | None
) -> None:
    """White space within the JSON of tags changes nothing."""
    blocks = [
        f"<tool_call>\n{json.dumps(call, indent=indent)}\n</tool_call>"
        for call in answer
    ]
    assert score("\n".join(blocks), gold, Policy()) == score(answer, gold, Policy())


@given(ANSWERS, GOLD, ORDERED)
def test_verifying_is_pure(answer: Any, gold: Any, ordered: bool) -> None:
    """Neither the answer nor the gold is changed, and a second look gives the same."""
    before = json.dumps([answer, gold])
    first = ToolCallVerifier()(answer, expect(gold, ordered=ordered))
    assert ToolCallVerifier()(answer, expect(gold, ordered=ordered)) == first
    assert json.dumps([answer, gold]) == before


@given(st.lists(CALLS, max_size=5), st.lists(CALLS, max_size=3))
def test_results_have_one_shape(answer: Any, gold: Any) -> None:
    """Every path gives the same keys and an error type where the answer is not right."""
    verifier = ToolCallVerifier()
    good = verifier(answer, gold)
    bad = verifier("<tool_call>{", gold)
    assert good.components.keys() == bad.components.keys()
    assert good.success == (good.error_type == "")
    assert good.explain()
    assert all(isinstance(m.call or m.gold, ToolCall | object) for m in good.matches)
