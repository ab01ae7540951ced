"""From random play to a reward of trajectories, with a model behind real HTTP."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest

from reward_synth.errors import NothingUsableError, UsageError
from reward_synth.preference import Fit
from reward_synth.verify.armap import (
    Lesson,
    Trajectory,
    Turn,
    explore,
    fit_reward,
    others_as_negatives,
    random_actor,
    replay,
    synthesise,
)
from tests.llm.server import Behaviour, Good, Received, Status
from tests.verify.judging import parts, serving

GOODS = ("tea", "milk", "cake", "salt", "rice", "soap")
PLACES = ("table", "shelf", "garden")
ACTIONS = [f"put {good} on {place}" for good in GOODS for place in PLACES]


class Kitchen:
    """Goods are put to places; three actions an episode; no reward at all."""

    def reset(self, *, seed: int | None = None) -> tuple[str, dict[str, Any]]:
        self.left = 3
        return f"A kitchen, number {seed}.", {}

    def step(self, action: str) -> tuple[str, None, bool, bool, dict[str, Any]]:
        self.left -= 1
        known = action in ACTIONS
        said = f"Done: {action}." if known else "That cannot be done."
        return said, None, self.left == 0, False, {}


def author(received: Received) -> Behaviour:
    """Write of the last action what was asked for; the worse way puts it elsewhere."""
    text = parts(received)["trajectory"]
    done = [line[2:] for line in text.splitlines() if line.startswith("> ")]
    good, place = done[-1].split()[1], done[-1].split()[3]
    others = [item for item in ACTIONS if good in item and place not in item]
    worse = [item for item in done[:-1] if item != done[-1]]
    worse.append(random.Random(text).choice(others))
    intent = f"Please bring the {good} to the {place}."
    return Good(json.dumps({"intent": intent, "negative": worse}))


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    env = Kitchen()
    played = explore(env, random_actor(ACTIONS), 120, seed=0)
    with serving(author) as (_, juror):
        return synthesise(juror, env, played)


def test_exploration_is_seeded_and_ends_with_its_episodes() -> None:
    """The same seed plays the same; three actions each; a replay is what was played."""
    env, actor = Kitchen(), random_actor(ACTIONS)
    played = explore(env, actor, 4, seed=7)
    assert played == explore(env, actor, 4, seed=7)
    assert played != explore(env, actor, 4, seed=8)
    assert [len(item.turns) for item in played] == [3] * 4
    assert replay(env, played[1].seed, played[1].actions) == played[1]
    assert [len(x.turns) for x in explore(env, actor, 2, seed=0, longest=2)] == [2, 2]


def test_worse_ways_are_played_and_not_made_up(lessons: list[Lesson]) -> None:
    """Each lesson's worse trajectory is what the environment gives for its actions."""
    assert len(lessons) == 120
    for lesson in lessons[:20]:
        assert (
            replay(Kitchen(), lesson.worse.seed, lesson.worse.actions) == lesson.worse
        )
        assert lesson.worse.first == lesson.better.first
        assert str(lesson.worse) != str(lesson.better)


def test_the_best_of_several_is_chosen_for_intents_never_seen(
    lessons: list[Lesson],
) -> None:
    """Of eight episodes one fulfils the intent: chance is ⅛, the model is far above.

    Goods of the intents that are asked about never stood in a lesson's intent.
    """
    held = [item for item in lessons if "soap" not in item.intent]
    more = others_as_negatives(held, 2, np.random.default_rng(0))
    settings = Fit(hidden=(16,), steps=150, decay=1e-2)
    reward = fit_reward([*held, *more], settings=settings)
    assert reward.accuracy > 0.8
    rng = random.Random(1)
    right = 0
    for number in range(40):
        place = rng.choice(PLACES)
        wanted = f"put soap on {place}"
        wrong = [item for item in ACTIONS if item != wanted]
        ways = [rng.sample(wrong, 3) for _ in range(7)]
        ways.insert(number % 8, [*rng.sample(wrong, 2), wanted])
        several = [replay(Kitchen(), 1000 + number, way) for way in ways]
        right += (
            reward.best(f"Please bring the soap to the {place}.", several) == number % 8
        )
    assert right >= 20  # of 40; by chance more than 12 come once in a thousand times


@pytest.mark.parametrize(
    "said",
    [
        {"intent": "x"},
        {"intent": "", "negative": []},
        {"intent": "x", "negative": "wait"},
        {"intent": "x", "negative": [1]},
        {"intent": "x", "negative": ["a"] * 41},
        {"intent": "x", "negative": ["same"]},
        {"intent": "x" * 501, "negative": []},
    ],
)
def test_what_is_no_lesson_is_left_out(said: Any) -> None:
    """Where none is left it is told, with what became of the first."""
    played = [Trajectory("A room.", (Turn("same", "ok"),), 0)]
    with (
        serving([Good(json.dumps(said))]) as (_, juror),
        pytest.raises(NothingUsableError, match="no answer of the form"),
    ):
        synthesise(juror, Kitchen(), played)


def test_an_outage_and_nothing_to_learn_from_are_told() -> None:
    """No lesson is made up."""
    played = [Trajectory("A room.", (Turn("wait", "ok"),), 0)]
    with (
        serving([Status(500)]) as (_, juror),
        pytest.raises(NothingUsableError, match="server_error"),
    ):
        synthesise(juror, Kitchen(), played)
    with pytest.raises(UsageError, match="one lesson"):
        fit_reward([])
    with pytest.raises(UsageError, match="an action"):
        random_actor([])
