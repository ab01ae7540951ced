"""What annotation will cost, when learning may begin, and who farms labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation import (
    AnnotationService,
    FarmingWatch,
    LabelPrompt,
    Pace,
    Rule,
    RuleAnnotator,
    WarmStart,
    forecast,
)
from reward_synth.llm import Prices

PROMPT = LabelPrompt("Open the door.")


def stream(power: float, steps: int) -> list[str]:
    """Return captions of which about ``n ** power`` differ among the first n."""
    seen: list[str] = []
    kinds = 0
    for number in range(1, steps + 1):
        kinds = max(kinds, round(number**power))
        seen.append(f"text {kinds:06d}")
    return seen


@pytest.mark.parametrize("power", [0.3, 0.66, 1.0])
def test_a_power_law_is_gone_on_with(power: float) -> None:
    """Of a stream that grows as a power of the steps, a twentieth tells the whole to
    within a tenth."""
    told = forecast(stream(power, 2000), 40_000, PROMPT)
    assert told.captions == pytest.approx(40_000**power, rel=0.1)
    assert told.growth == pytest.approx(power, abs=0.03)


def test_costs_follow_from_captions() -> None:
    """Tokens are captions times a question and ten of an answer; money and minutes
    follow from prices and pace."""
    texts = [f"text {number % 40:02d}" for number in range(400)]
    prices, pace = Prices(prompt=1.0, completion=4.0), Pace(requests_per_minute=20)
    told = forecast(texts, 10_000, PROMPT, prices=prices, pace=pace)
    assert told.captions == 40
    system, user = (len(content) for _, content in PROMPT.messages("text 00"))
    question = -(-system // 4) + -(-user // 4)  # four characters a token, rounded up
    assert told.tokens == 40 * (question + 10)
    assert told.money == pytest.approx(40 * (question + 4 * 10) * 1e-6)
    assert told.minutes == pytest.approx(2.0)
    assert (told.for_half, told.for_most) == (20, 38)


def test_too_short_a_run_tells_nothing() -> None:
    """Fewer than a hundred captions, or more than the run has steps, are refused."""
    with pytest.raises(UsageError, match="received 3 captions"):
        forecast(["a", "b", "c"], 1000, PROMPT)
    with pytest.raises(UsageError, match="for 150 steps"):
        forecast(["a"] * 200, 150, PROMPT)


def test_learning_waits_for_labels() -> None:
    """It opens when nine tenths of the recent steps are labelled, or after the most
    steps, and stays open."""
    rules = RuleAnnotator([Rule("key", "helpful")])  # abstains from all else
    service = AnnotationService(rules)
    gate, patient = WarmStart(0.9, 3000, meanwhile=0.1), WarmStart(0.99, 3000)
    service.submit(["dark"] * 100)
    assert gate.factor(service.metrics()) == 0.1
    service.submit(["a key"] * 1900)
    assert gate.factor(service.metrics()) == 1.0  # 0.95 of 2000 steps
    assert patient.factor(service.metrics()) == 0.0
    service.submit(["dark"] * 1000)
    assert gate.factor(service.metrics()) == 1.0
    assert patient.factor(service.metrics()) == 1.0


def test_farming_is_noticed_and_learning_is_not() -> None:
    """An agent that reads the same message over and over is suspected; one that is paid
    once an episode for the same is not."""
    farmer, learner = FarmingWatch(2), FarmingWatch(2)
    for step in range(60):
        farmer.add(["a key", "dark"], [1.0, 0.0], [step % 20 == 19, False])
        learner.add(
            ["a key", "dark"], [float(step % 20 == 5), 0.0], [step % 20 == 19] * 2
        )
    told = farmer.farming()
    assert told.suspected
    assert (told.caption, told.share) == ("a key", 1.0)
    assert told.again == pytest.approx(57 / 60)
    assert learner.farming().again == 0.0
    assert not learner.farming().suspected
    assert not FarmingWatch(1).farming().suspected


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60))
def test_shares_are_shares(steps: list[tuple[int, bool]]) -> None:
    """What is earned again is never more than all but each caption's first payment."""
    watch = FarmingWatch(1)
    for number, ended in steps:
        watch.add([str(number)], [float(number)], [ended])
    told = watch.farming()
    paid = [number for number, _ in steps if number]
    firsts = sum(set(paid))
    assert 0 <= told.again <= 1
    if paid:
        assert told.again <= 1 - firsts / sum(paid) + 1e-9
        best = max(np.bincount(paid) * np.arange(max(paid) + 1))
        assert told.share == pytest.approx(best / sum(paid))
