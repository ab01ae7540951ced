"""Learned models as rewards of environments, and as files."""

from __future__ import annotations

import pickle
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from safetensors.numpy import save

import reward_synth
from reward_synth.envs import collect_many, describe_any
from reward_synth.errors import UsageError
from reward_synth.preference import (
    Factor,
    Fit,
    Inputs,
    Network,
    RewardModel,
    Segments,
    fit,
    heron_pairs,
)
from reward_synth.reward import Transition, lane

CAR = "MountainCarContinuous-v0"
SEEN = Inputs(("position", "velocity"), ("position",), action=True)


@pytest.fixture(scope="module")
def learned() -> RewardModel:
    """A model that prefers episodes that came far to the right, then frugal ones."""
    env = gym.make(CAR)
    rollouts = collect_many(
        env, describe_any(env, rollouts=0), episodes=6, max_steps=60
    )
    factors = np.array(
        [
            [item.steps.after["position"].max(), float((item.steps.action**2).sum())]
            for item in rollouts
        ]
    )
    pairs = heron_pairs(
        factors,
        (Factor("far", margin=0.1), Factor("effort", sign=-1)),
        np.random.default_rng(0),
        partners=5,
    )
    segments = Segments.of_rollouts(rollouts, SEEN)
    quick = Fit(steps=60, hidden=(8,), members=2, averaged=True)
    return fit(segments, pairs, quick, SEEN).model


def test_a_model_is_a_reward_that_wrap_takes(learned: RewardModel) -> None:
    """Each member is a component, computed from what the step shows, and they are paid."""
    env = reward_synth.wrap(gym.make(CAR), learned, "replace")
    before, _ = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(5):
        action = env.action_space.sample()
        after, paid, _, _, info = env.step(action)
        row = np.array([[*after, before[0], *action]], np.float64)
        expected = learned.scores(row)[:, 0]
        parts = info["reward_components"]
        assert [parts[name] for name in learned.names] == pytest.approx(
            expected.tolist()
        )
        assert paid == pytest.approx(expected.sum())
        before = after


def test_a_model_scores_vectors_as_it_scores_one(learned: RewardModel) -> None:
    """A vector pays its lanes what single environments pay."""
    envs = reward_synth.wrap(gym.make_vec(CAR, num_envs=2), learned, "uncertain")
    envs.reset(seed=5)
    actions = np.array([[0.5], [-1.0]], np.float32)
    _, paid, *_ = envs.step(actions)
    for number, action in enumerate(actions):
        env = reward_synth.wrap(gym.make(CAR), learned, "uncertain")
        env.reset(seed=5 + number)
        assert env.step(action)[1] == pytest.approx(paid[number])


def test_steps_and_transitions_score_alike(learned: RewardModel) -> None:
    """A batch of lanes gives what each lane gives alone; stored steps may be scored."""
    env = gym.make(CAR)
    (rollout,) = collect_many(
        env,
        describe_any(env, rollouts=0),
        policies=("random",),
        episodes=1,
        max_steps=20,
    )
    both = learned(rollout.steps)
    for number in range(20):
        one = learned(lane(rollout.steps, number))
        assert {name: values[number] for name, values in both.items()} == pytest.approx(
            one
        )
    assert learned.pure


def test_rows_are_brought_to_scale_first() -> None:
    """By hand: twice (5 - 1) / 2, and the chance against 3 is sigmoid(4 - 2)."""
    net = Network((np.array([[2.0]]),), (np.zeros(1),))
    model = RewardModel((net,), np.array([1.0]), np.array([2.0]))
    assert model.scores(np.array([[5.0]]))[0, 0] == 4.0
    chance = model.preferred(np.array([[5.0]]), np.array([[3.0]]))
    assert chance == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_a_saved_model_comes_back_bit_by_bit(
    learned: RewardModel, tmp_path: Path
) -> None:
    """Scores, kind and inputs survive a file; a general model's reference, too."""
    path = tmp_path / "model.safetensors"
    learned.save(path)
    found = RewardModel.load(path)
    rows = np.random.default_rng(0).normal(size=(9, 4))
    assert np.array_equal(found.scores(rows), learned.scores(rows))
    assert (found.kind, found.averaged, found.inputs) == ("scalar", True, SEEN)
    net = Network((np.eye(4, 2),), (np.ones(2),))
    one = RewardModel(
        (net,), np.zeros(4), np.ones(4), "general", references=(np.array([0.5, -2.0]),)
    )
    one.save(path)
    again = RewardModel.load(path)
    assert np.array_equal(again.scores(rows), one.scores(rows))
    assert again.inputs is None


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """Pickles, other tensors, NaN and nothing at all: one error, and nothing runs."""
    path = tmp_path / "model.safetensors"
    good = RewardModel(
        (Network((np.ones((1, 1)),), (np.zeros(1),)),), np.zeros(1), np.ones(1)
    )
    for data in (pickle.dumps({}), b"", save({"mean": np.zeros(1)})):
        path.write_bytes(data)
        with pytest.raises(UsageError, match="no reward model"):
            RewardModel.load(path)
    good.save(path)
    path.write_bytes(path.read_bytes()[:-8] + np.array([np.nan]).tobytes())
    with pytest.raises(UsageError, match="not finite"):
        RewardModel.load(path)
    with pytest.raises(UsageError, match="no reward model"):
        RewardModel.load(tmp_path / "missing")


def test_what_a_model_sees_must_be_there(learned: RewardModel) -> None:
    """Missing fields, unknown choices, and rows of another width are named."""
    step = Transition(
        {},
        np.array([0]),
        {"positon": np.zeros(())},
        0.0,
        terminated=False,
        truncated=False,
    )
    net = Network((np.ones((1, 1)),), (np.zeros(1),))
    bare = RewardModel((net,), np.zeros(1), np.ones(1))
    with pytest.raises(UsageError, match=r"model\.seeing"):
        bare(step)
    with pytest.raises(UsageError, match="Did you mean 'positon'"):
        bare.seeing(Inputs(("position",)))(step)
    with pytest.raises(UsageError, match="whole numbers from 0 to 1"):
        Inputs(choices=2).rows(
            lane_of(Transition({}, np.array(2), {}, 0.0, False, False))
        )
    with pytest.raises(UsageError, match="sees 4 numbers"):
        learned.scores(np.zeros((1, 3)))
    with pytest.raises(UsageError, match="nothing to look at"):
        Inputs()


def lane_of(one: Transition) -> reward_synth.reward.Step:
    """Return a step of one lane."""
    no = np.zeros(1, bool)
    return reward_synth.reward.Step(
        {}, np.asarray(one.action)[None], {}, np.zeros(1), no, no, ~no
    )
