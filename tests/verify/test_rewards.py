"""Repaired twins: the same idea, without what pays there for nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.verify.compat import Turn
from reward_synth.verify.rewards import (
    Executed,
    Judgement,
    Verdict,
    executed_calls,
    holds,
    implicit_loss,
    implicit_rewards,
    information_gain,
    judgements,
    nugget_score,
    prime_advantages,
    renorm,
    state_check,
    turn_states,
    word_f1,
)

UNIT = st.floats(0.0, 1.0)
OUTPUTS = st.sampled_from(["1", "2", "3", "none"])
CALLS = st.lists(st.builds(Executed, st.sampled_from("fg"), OUTPUTS, st.booleans()))
WANTED = st.dictionaries(
    st.sampled_from("fg"), st.lists(st.sampled_from("123"), max_size=3)
)


@pytest.mark.parametrize(
    ("calls", "wanted", "score"),
    [
        ([Executed("f", "It is 2,100,000.")], {"f": ["2100000"]}, 1.0),
        ([Executed("f", "argument x5 unknown", True)], {"f": ["5"]}, 0.0),
        ([Executed("f", "15")], {"f": ["5"]}, 0.0),
        ([Executed("f", "5")] + [Executed("f", "no")] * 4, {"f": ["5"]}, 2 / 6),
        ([Executed("f", "1")], {"f": ["1", "2"]}, 2 / 3),
        ([Executed("f", "1")], {}, 0.0),
    ],
    ids=["honest", "echo", "within", "shotgun", "half", "nothing wanted"],
)
def test_executed_calls(calls: Any, wanted: Any, score: float) -> None:
    """2q/(n+N) of whole words and numbers; what failed says nothing."""
    assert executed_calls(calls, wanted) == pytest.approx(score)


@given(CALLS, WANTED)
def test_executed_calls_are_bounded_and_a_wrong_one_costs(
    calls: Any, wanted: Any
) -> None:
    """From 0 to 1; a failing call more never raises it; what is given stays as it is."""
    before = {key: list(value) for key, value in wanted.items()}
    score = executed_calls(calls, wanted) if calls else 0.0
    assert 0.0 <= score <= 1.0
    more = executed_calls([*calls, Executed("f", "1", True)], wanted)
    assert more <= score
    assert wanted == before


@pytest.mark.parametrize(
    ("content", "score"),
    [("1,000", 1 / 2), ("1 2 1000 3", 0.0), ("anything", 0.0), ("", 0.0)],
)
def test_a_final_answer_is_the_answer_alone(content: str, score: float) -> None:
    """A list of every candidate is none; one answer is still wanted of a tool."""
    assert executed_calls([], {"f": ["9"]}, content=content, answer="1000") == score


@pytest.mark.parametrize("answer", ["", " ", "…", "!?"])
def test_an_answer_that_all_would_hold_is_refused(answer: str) -> None:
    """Gold without a word or number raises, and is not solved by anything."""
    with pytest.raises(UsageError, match="no word"):
        executed_calls([Executed("f", "x")], {"f": [answer]})


@pytest.mark.parametrize(
    ("text", "answer", "found"),
    [
        ("15", "5", False),
        ("-5", "5", False),
        ("5.0 people", "5", True),
        ("Costs 1,500.50.", "1500.5", True),
        ("New York City", "york city", True),
        ("City York", "york city", False),
        ("\uff2e\uff25\uff37", "new", True),
        ("1,2", "12", False),
    ],
)
def test_words_and_numbers_are_whole(text: str, answer: str, found: bool) -> None:
    """Commas group only thousands; signs count; width and capitals do not."""
    assert holds(text, answer) is found


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.integers(2, 4))
def test_repeating_words_never_raises_f1(words: list[str], times: int) -> None:
    """An answer said several times earns less than once, if it earned anything."""
    once, often = " ".join(words), " ".join(words * times)
    assert word_f1(often, "a b") <= word_f1(once, "a b")


def test_states_are_compared_with_their_types() -> None:
    """1 is 1.0 but not True; 5 is not told by 15; a list is not a dict."""
    assert state_check({"a": 1}, {"a": 1.0}).score == 1.0
    assert state_check({"a": True}, {"a": 1}).score == 0.0
    told = state_check({}, {}, ["It is 15."], ["5"])
    assert (told.score, told.told) == (0.0, {"5": False})


def test_doing_nothing_is_not_rewarded() -> None:
    """Where no change and no output is asked for, the score says nothing; an agent that
    changed something is wrong all the same."""
    base = {"seats": 3}
    assert state_check(base, base, initial=base).status == "not_applicable"
    spoilt = state_check({"seats": 2}, base, initial=base)
    assert (spoilt.score, spoilt.status) == (0.0, "ok")
    assert state_check(base, base, ["5"], ["5"], initial=base).status == "ok"


@pytest.mark.parametrize(
    ("turns", "score"),
    [
        ([Turn({"n": 1}, {"n": 1}, ["a"], ["a"]), Turn({}, {}, ["b"], ["b"])], 1.0),
        ([Turn({"n": 2}, {"n": 1}), Turn({}, {})], 0.0),
        ([Turn({}, {}), Turn({"n": True}, {"n": 1})], 0.5),
        ([Turn({}, {}, ["a"], []), Turn({}, {})], 0.0),
        ([Turn({}, {}, ["a"], ["a", "a"])], 0.0),
    ],
)
def test_turns_count_up_to_the_first_wrong_one(turns: Any, score: float) -> None:
    """A call where none is expected is wrong; what an earlier turn returned is no help."""
    assert turn_states(turns).score == score


def knows(context: str, answer: str) -> list[float]:
    """A model that is surer, the more often the answer stands before it."""
    return [math.log(0.1 + 0.2 * min(4, context.count(answer)))] * 3


@given(st.lists(st.sampled_from(["x", "Paris", "Paris Paris"]), min_size=1, max_size=6))
def test_gains_sum_to_the_whole_gain(turns: list[str]) -> None:
    """Telescoping: together they are what the last turn but one left, less the start."""
    gains = information_gain("?", turns, "Paris", knows, 7.0)
    assert gains[-1] == 7.0
    seen = "".join(turns[:-1]).count("Paris")
    assert sum(gains[:-1]) == pytest.approx(0.2 * min(4, seen))


def test_equal_turns_are_told_apart() -> None:
    """Two turns of the same text: the second brings as much as the first."""
    gains = information_gain("?", ["Paris", "Paris", "end"], "Paris", knows, 0.0)
    assert gains == pytest.approx([0.2, 0.2, 0.0])


@pytest.mark.parametrize("logs", [[], [math.nan], [0.5]])
def test_what_is_no_log_probability_is_refused(logs: list[float]) -> None:
    """None, NaN and probabilities above 1 are told."""
    with pytest.raises(UsageError, match="log_prob"):
        information_gain("?", ["a"], "b", lambda c, a: logs, 0.0)


@given(st.lists(st.floats(-20, 0), min_size=1, max_size=5), st.floats(0.01, 1.0))
def test_implicit_rewards_are_nil_where_models_agree(
    logs: list[float], beta: float
) -> None:
    """The same model twice gives 0 for each token, and a loss of log 2."""
    rewards = implicit_rewards(logs, logs, beta)
    assert not rewards.any()
    assert implicit_loss([rewards], [1.0]) == pytest.approx(math.log(2))


def test_the_implicit_loss_does_not_overflow() -> None:
    """A sum of 10,000: right costs nothing, wrong as much."""
    sure = [np.array([1e4])]
    assert implicit_loss(sure, [1.0]) == pytest.approx(0.0)
    assert implicit_loss(sure, [0.0]) == pytest.approx(1e4)


def test_prime_s_advantages_by_hand() -> None:
    """Token rewards 1, 3 | 2 and outcomes 1 | 0. Means 2 and 2: r·2 - 4 = -2, 2 | 0, summed
    to the end 0, 2 | 0; outcomes 1·2 - 1 = 1 | -1."""
    found = prime_advantages([np.array([1.0, 3.0]), np.array([2.0])], [1.0, 0.0])
    np.testing.assert_allclose(found[0], [1.0, 3.0])
    np.testing.assert_allclose(found[1], [-1.0])
    with pytest.raises(UsageError, match="two responses"):
        prime_advantages([np.array([1.0])], [1.0])


@given(st.lists(UNIT, min_size=1, max_size=6))
def test_renorm_pays_nothing_for_steps_to_a_wrong_end(process: list[float]) -> None:
    """With the outcome 0 no step is positive; with 1 none is negative."""
    assert max(renorm(process, 0.0)) <= 0.0
    assert min(renorm(process, 1.0)) >= 0.0


@pytest.mark.parametrize("grades", [[], [1.5], [math.nan], [-0.1]])
def test_renorm_takes_grades(grades: list[float]) -> None:
    """What is not from 0 to 1 is refused."""
    with pytest.raises(UsageError, match="from 0 to 1"):
        renorm(grades, 1.0)


@given(st.lists(st.builds(Judgement, st.sampled_from(["gold", "x"]), st.booleans())))
def test_judgements_are_bounded(made: list[Judgement]) -> None:
    """Without a right answer at most 0, with it at most 1.3, however many there are; and
    as many times as many change nothing."""
    assert judgements(made, "wrong", "gold") <= 0.0
    assert judgements(made, "gold", "gold") <= 1.3
    assert judgements(made * 3, "gold", "gold") == pytest.approx(
        judgements(made, "gold", "gold")
    )


def test_nuggets_need_a_quote() -> None:
    """Two of three facts are said, one in part: (1 + ½ + 0) / 3; a quote that does not
    stand in the answer counts as not said, and in the published form it counts."""
    verdicts = {
        "a b": Verdict("support", "alpha"),
        "c": Verdict("partial", "beta"),
        "d": Verdict("support", "omega"),
    }

    def judge(nugget: str, answer: str) -> Verdict:
        return verdicts[nugget]

    found = nugget_score("Alpha and beta.", list(verdicts), judge)
    assert found.score == pytest.approx(0.5)
    assert found.labels == ("support", "partial", "not")
    loose = nugget_score("Alpha and beta.", list(verdicts), judge, repaired=False)
    assert loose.score == pytest.approx(2.5 / 3)
    long = nugget_score("alpha beta " * 500, list(verdicts), judge, words=500)
    assert long.score == pytest.approx(0.25)


def test_a_judge_that_fails_is_no_verdict() -> None:
    """An outage, and a label that is none, are infra_error; published: not said."""

    def down(nugget: str, answer: str) -> Verdict:
        raise ConnectionError("down")

    assert nugget_score("x", ["fact"], down).status == "infra_error"
    assert nugget_score("x", ["fact"], down, repaired=False).score == 0.0
    odd: Any = Verdict("maybe")  # type: ignore[arg-type]
    assert nugget_score("x", ["fact"], lambda n, a: odd).status == "infra_error"


@pytest.mark.parametrize("nuggets", [[], [""], ["A b", "a  B!"]])
def test_a_rubric_has_facts(nuggets: list[str]) -> None:
    """Nothing, an empty one and the same twice are refused."""
    with pytest.raises(UsageError, match="one nugget"):
        nugget_score("x", nuggets, lambda n, a: Verdict("not"))
