"""The parts of annotation, each against its law."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation import (
    Grammar,
    Pace,
    Rule,
    RuleAnnotator,
    Spending,
    WaitingCaptions,
)
from reward_synth.intrinsic.annotation.purse import Purse
from reward_synth.intrinsic.annotation.throttle import Throttle
from reward_synth.llm import ChatRequest, Prices, Usage
from reward_synth.llm.answer import Answer

words = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=9)


@given(st.lists(words, min_size=1, max_size=4), st.integers(0, 4))
def test_a_label_amid_other_words_is_none(others: list[str], place: int) -> None:
    """Whatever stands beside it, a label in a sentence is not taken for an answer."""
    said = " ".join([*others[:place], "helpful", *others[place:]])
    assert Grammar().read(said) is None


@given(
    st.sampled_from(["helpful", "unhelpful", "unsure"]),
    st.sampled_from(
        ["{}", " {} ", '"{}"', "{}.", "**{}**", '{{"label": "{}"}}', "{}\n"]
    ),
    st.booleans(),
)
def test_a_label_alone_is_read(label: str, form: str, upper: bool) -> None:
    """A label by itself, quoted or in its JSON, in either case, is read."""
    said = form.format(label.upper() if upper else label)
    assert Grammar().read(said) == label


def weight(seen: list[int], recent: float, patient: float) -> float:
    """Return the logarithm of a caption's weight, up to what all share."""
    return math.log(len(seen)) + seen[-1] / recent - seen[0] / patient


@given(st.lists(st.integers(0, 9), min_size=1, max_size=120))
def test_the_most_important_is_asked_first(stream: list[int]) -> None:
    """With recency and patience so long that counts alone matter, each caption that
    comes out was submitted more than half as often as any that still waits."""
    waiting = WaitingCaptions(recent=1e9, patient=1e9)
    for step, number in enumerate(stream):
        waiting.add(str(number), step, 0.0)
    counts = {str(number): stream.count(number) for number in stream}
    while counts:
        taken = waiting.pop()
        assert taken is not None
        text, item = taken
        assert item.count == counts[text]
        assert counts.pop(text) > max(counts.values(), default=0) / 2
    assert waiting.pop() is None


def test_recency_and_patience_count_as_told() -> None:
    """Seen once, 20 steps later weighs e times more after recent=20; waiting 20 steps
    longer weighs more where patience is shorter than memory."""
    fresh = WaitingCaptions(recent=20.0, patient=1e9)
    stale = WaitingCaptions(recent=1e9, patient=20.0)
    for waiting in (fresh, stale):
        waiting.add("old", 0, 0.0)
        waiting.add("new", 20, 0.0)
    first, second = fresh.pop(), stale.pop()
    assert first is not None
    assert second is not None
    assert (first[0], second[0]) == ("new", "old")
    assert weight([20], 20.0, 1e9) - weight([0], 20.0, 1e9) == pytest.approx(1.0)


@pytest.mark.parametrize(("order", "wanted"), [("lifo", "321"), ("fifo", "012")])
def test_orders_of_age(order: str, wanted: str) -> None:
    """LIFO takes the newest first and drops the oldest, FIFO the other way round."""
    waiting = WaitingCaptions(most=3, order=order)  # type: ignore[arg-type]
    for step in range(4):
        waiting.add(str(step), step, 0.0)
        waiting.add("0", step, 0.0) if "0" in waiting else None
    taken = [waiting.pop() for _ in range(3)]
    assert "".join(item[0] for item in taken if item) == wanted
    assert waiting.dropped == 1


def test_the_least_important_is_dropped() -> None:
    """What came first and often stays; what came once makes room for what is new."""
    waiting = WaitingCaptions(most=3, recent=1e9, patient=1e9)
    for step in range(9):
        waiting.add("often", step, 0.0)
    for step in range(9, 29):
        waiting.add(f"once {step}", step, 0.0)
    assert "often" in waiting
    assert waiting.dropped == 20 + 1 - 3


@given(st.lists(st.integers(0, 50), max_size=400), st.integers(1, 8))
def test_the_queue_is_bounded(stream: list[int], most: int) -> None:
    """Never more wait than allowed, none twice, and what is lost is counted."""
    waiting = WaitingCaptions(most=most)
    entered = 0
    for step, number in enumerate(stream):
        entered += str(number) not in waiting
        waiting.add(str(number), step, 0.0)
        assert len(waiting) <= most
        assert len(waiting._best) + len(waiting._worst) <= 8 * 64 + 2
    left = []
    while (taken := waiting.pop()) is not None:
        left.append(taken[0])
    assert len(set(left)) == len(left)
    assert entered == len(left) + waiting.dropped


@given(st.lists(st.integers(0, 100), max_size=60), st.integers(300, 3000))
def test_a_purse_is_never_overdrawn(answers: list[int], limit: int) -> None:
    """However much of what was asked for the answers use, with some in flight at once,
    no more than the limit is ever spent."""
    purse = Purse(Spending(tokens=limit))
    request = ChatRequest("tiny", (("user", "Hi"),), max_tokens=100)
    flying = []
    for tokens in answers:
        held = purse.reserve(request)
        if held is not None:
            flying.append((held, Answer("ok", "x", "stop", 50, tokens)))
        if len(flying) > 2 or held is None:
            for one in flying:
                purse.settle(*one)
            flying = []
        assert purse.spent.tokens <= limit
    if purse.reached:
        assert (
            purse.spent.tokens + Usage.worst_case(request).prompt_tokens + 100 > limit
        )


def test_what_nobody_counted_is_charged_in_full() -> None:
    """An attempt that may have cost something is charged as reserved; one that was never
    sent costs nothing."""
    prices = Prices(prompt=1.0, completion=2.0)
    purse = Purse(Spending(money=1.0, prices=prices))
    request = ChatRequest("tiny", (("user", "Hi"),), max_tokens=100)
    held = purse.reserve(request)
    assert held is not None
    purse.settle(held, Answer("timeout", uncounted=True))
    worst = (2 + 64) * 1e-6 + 100 * 2e-6
    assert purse.spent.money == pytest.approx(worst)
    held = purse.reserve(request)
    assert held is not None
    purse.settle(held, None)
    assert purse.spent.money == pytest.approx(worst)


def test_a_throttle_halves_and_recovers() -> None:
    """Each complaint halves the pace, and a good answer brings back a tenth of the whole
    divided by the requests that go out at once."""
    throttle = Throttle(Pace(at_once=16, tokens_per_minute=6000), lambda: 0.0)
    throttle.complain()
    throttle.complain()
    assert (throttle.share, throttle.at_once) == (0.25, 4)
    for _ in range(2):
        throttle.praise()
    assert throttle.share == pytest.approx(0.25 + 2 * 0.1 / 4)
    for _ in range(99):
        throttle.praise()
    assert throttle.share == 1.0
    throttle.complain()
    assert throttle.take(50) == 0.0
    assert throttle.take(50) == pytest.approx(1.0)  # 50 tokens at half of 100 a second
    for _ in range(20):
        throttle.complain()
    assert throttle.at_once == 1


def test_the_first_rule_that_fits_decides() -> None:
    """Rules are asked in their order, and a pattern that is none is refused."""
    rules = [Rule("unlock", "helpful"), Rule("lock", "unhelpful")]
    annotator = RuleAnnotator(rules)
    said = [
        annotator.judge_now(text).name for text in ("You UNLOCK it.", "locked", "?")
    ]
    assert said == ["helpful", "unhelpful", "unsure"]
    with pytest.raises(UsageError, match="no regular expression"):
        Rule("(", "helpful")
