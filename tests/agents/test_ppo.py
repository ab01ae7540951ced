"""Our PPO learns: from labels alone, with numbers as actions, and from what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.agents.ppo import PPO
from reward_synth.agents.ppo_config import PPOConfig
from reward_synth.agents.ppo_learn import Learner, Targets
from reward_synth.agents.ppo_network import ActorCritic
from reward_synth.agents.ppo_rollout import Lanes, blank, make_envs
from reward_synth.agents.ppo_sight import FlatSight, NetHackSight
from reward_synth.errors import UsageError
from reward_synth.intrinsic import Captioner
from reward_synth.intrinsic.annotation import (
    AnnotationService,
    Rule,
    RuleAnnotator,
    WarmStart,
)
from reward_synth.intrinsic.denormals import flushes
from reward_synth.intrinsic.models import (
    ClassificationModel,
    LabelledRewards,
    Observed,
    Seen,
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks wait for each other's threads more than they compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Corridor(gym.Env[Any, Any]):
    """Six places in a row; pays nothing, ends after 20 steps or at the last place."""

    observation_space = gym.spaces.Discrete(6)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place, self.steps = 0, 0
        return self.place, {}

    def step(self, action: Any) -> Any:
        self.place = int(np.clip(self.place + 2 * action - 1, 0, 5))
        self.steps += 1
        there = self.place == 5
        return self.place, 0.0, there, self.steps == 20, {"success": there}


class Aim(gym.Env[Any, Any]):
    """Pays most for the action 0.5 in a space from -1 to 1; one step an episode."""

    observation_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action)
        paid = -float((action[0] - 0.5) ** 2)
        return np.zeros(1, np.float32), paid, True, False, {}


class Recall(gym.Env[Any, Any]):
    """Shows a side, then nothing; pays for choosing the side at the end."""

    observation_space = gym.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.side, self.steps = int(self.np_random.integers(2)), 0
        return np.array([2.0 * self.side - 1.0, 0.0], np.float32), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        ends = self.steps == 2
        paid = float(ends and int(action) == self.side)
        return np.array([0.0, 1.0], np.float32), paid, ends, False, {}


def labels() -> LabelledRewards:
    rules = RuleAnnotator([Rule("lever", "helpful")], otherwise="unhelpful")
    return LabelledRewards(AnnotationService(rules))


AT = Captioner(lambda obs: "at the lever" if obs == 5 else "in the corridor")
SMALL: dict[str, Any] = {"rollout": 32, "rate": 3e-3, "hidden": (16,)}


def corridor(seed: int, rewards: LabelledRewards | None, **given: Any) -> PPO:
    return PPO(
        make_envs([Corridor] * 8),
        PPOConfig(**SMALL, intrinsic_weight=1.0),
        seed=seed,
        rewards=rewards,
        captioner=AT,
        **given,
    )


def late(agent: PPO, what: Callable[[Any], float]) -> float:
    """Return the mean over the last quarter of episodes."""
    episodes = agent.episodes
    return float(np.mean([what(one) for one in episodes[-len(episodes) // 4 :]]))


def test_labels_alone_teach_the_way() -> None:
    """Where the environment pays nothing, an agent that is paid for a caption goes to
    the lever nearly always and nearly straight, five steps; one that is not finds it by
    chance, and takes longer."""
    paid, unpaid = (corridor(0, rewards).learn(4096) for rewards in (labels(), None))
    assert late(paid, lambda one: float(bool(one.success))) > 0.95
    assert late(paid, lambda one: one.length) < 6.5
    assert late(unpaid, lambda one: one.length) > 9
    with torch.no_grad():
        near = paid.network.step(torch.eye(6)[4:5], paid.network.blank(1)).values[0]
    assert near.tolist() == pytest.approx([0.0, 1.0], abs=0.1)  # a step from the lever


def test_numbers_as_actions_are_learned() -> None:
    """The likeliest action of the trained policy is near 0.5, the best."""
    config = PPOConfig(rollout=32, rate=0.01, hidden=(8,), entropy=0.0, gamma=0.0)
    agent = PPO(make_envs([Aim] * 8), config, seed=0).learn(6000)
    action, _ = agent.act(np.zeros((1, 1), np.float32))
    assert action.item() == pytest.approx(0.5, abs=0.15)


def test_what_was_seen_before_is_remembered() -> None:
    """With memory the side that was shown a step ago is chosen; without, by chance."""
    shared: dict[str, Any] = {"rollout": 16, "rate": 0.02, "hidden": (), "epochs": 8}
    scores = []
    for memory in (8, 0):
        config = PPOConfig(**shared, memory=memory)
        agent = PPO(make_envs([Recall] * 16), config, seed=0).learn(4500)
        scores.append(late(agent, lambda one: one.paid))
    assert scores[0] > 0.9
    assert 0.3 < scores[1] < 0.7


def weights(agent: PPO) -> list[Any]:
    return [value.detach().numpy().copy() for value in agent.network.parameters()]


def test_a_seed_decides_a_training() -> None:
    """Two trainings of one seed give the same weights, bit for bit; another seed gives
    others; what else draws from torch's generator changes nothing."""
    agents: list[list[Any]] = []
    for seed in (1, 1, 2):
        torch.rand(seed + len(agents))
        agents.append(weights(corridor(seed, labels()).learn(512)))
    one, same, other = agents
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_warm_start_holds_learning_until_labels_are_there() -> None:
    """While too few steps have labels no weight changes; then they do."""
    rewards = labels()
    shut = WarmStart(share=1.0, most_steps=512)
    rewards.service.desk.instant = None  # type: ignore[attr-defined]
    agent = corridor(0, rewards, gate=shut)
    before = weights(agent)
    rates: list[float] = []
    agent.learn(256, lambda update: rates.append(update.rate))
    assert rates == [0.0]
    assert all(
        np.array_equal(a, b) for a, b in zip(before, weights(agent), strict=True)
    )
    agent.learn(512, lambda update: rates.append(update.rate))
    assert rates[1] == SMALL["rate"]
    assert not all(
        np.array_equal(a, b) for a, b in zip(before, weights(agent), strict=True)
    )


def test_a_model_that_reads_observations_is_served() -> None:
    """A reward model may judge what steps led to by its observation, last ones of
    episodes included, where all captions are the same."""
    model = ClassificationModel(Observed(1), seed=0, rate=0.05)
    places = np.arange(6)[:, None]
    given = RuleAnnotator([Rule("lever", "helpful")], otherwise="unhelpful")
    judged = [given.judge_now("lever" if n == 5 else "") for n in range(6)]
    model.fit(Seen([f"{n}" for n in range(6)], places), judged)
    for _ in range(5):
        model.fit(Seen([]), [])
    mute = AnnotationService(RuleAnnotator([]))
    rewards = LabelledRewards(mute, model, power=0.0)
    captioner = Captioner(lambda obs: f"place {obs}")
    agent = PPO(
        make_envs([Corridor] * 4),
        PPOConfig(rollout=64),
        seed=0,
        rewards=rewards,
        captioner=captioner,
    )
    rollout = agent.collector.collect(64)
    led = np.concatenate(rollout.obs).reshape(64, 4)
    assert (led == 5).any()
    paid = [label.value or 0.0 for label in model.judge(rollout.seen)]
    np.testing.assert_array_equal(np.reshape(paid, (64, 4)), led == 5)


def test_episodes_are_told_as_they_were() -> None:
    """Length, pay and success of each episode are the environment's own."""
    lanes = Lanes(make_envs([Corridor, Corridor]))
    lanes.reset(0)
    for step in range(20):
        lanes.step(np.array([1, step % 2]))
    first = [one for one in lanes.episodes if one.length == 5]
    assert [one.step for one in first] == [10, 20, 30, 40]
    assert all(one.success for one in first)
    (slow,) = (one for one in lanes.episodes if one.length == 20)
    assert slow.success is False


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_a_flat_sight_is_gymnasiums_flattening(seed: int) -> None:
    """For every kind of space a row holds what Gymnasium's own flatten gives; bytes are
    scaled to 0 to 1."""
    space = gym.spaces.Dict(
        {
            "box": gym.spaces.Box(-2, 2, (2, 3)),
            "choice": gym.spaces.Discrete(4, start=-1),
            "flags": gym.spaces.MultiBinary(3),
            "choices": gym.spaces.MultiDiscrete([2, 3]),
            "pair": gym.spaces.Tuple((gym.spaces.Discrete(2), gym.spaces.Box(0, 1))),
        }
    )
    space.seed(seed)
    one = space.sample()
    batch = gym.vector.utils.concatenate(
        space, [one, one], gym.vector.utils.create_empty_array(space, 2)
    )
    sight = FlatSight(space)
    rows = sight(batch)
    assert rows.shape == (2, sight.width)
    # Gymnasium orders the keys of a Dict by name, and so do spaces
    wanted: Any = gym.spaces.flatten(space, one)
    np.testing.assert_allclose(rows[0], wanted, rtol=1e-6)
    picture = gym.spaces.Box(0, 255, (2,), np.uint8)
    assert FlatSight(picture)(np.array([[0, 255]], np.uint8)).tolist() == [[0.0, 1.0]]
    with pytest.raises(UsageError, match="PPO sees Box"):
        FlatSight(gym.spaces.Text(3))


def test_nethacks_sight_is_what_lies_around_the_hero() -> None:
    """Of a screen with one staircase two columns east of the hero, the row marks the
    staircase at that place and nowhere else, also at the border of the map."""
    chars = np.full((2, 21, 79), ord("."), np.uint8)
    stats = np.zeros((2, 27), np.int64)
    for lane, (column, row) in enumerate([(10, 5), (0, 0)]):
        stats[lane, :2] = column, row
        chars[lane, row, column + 2] = ord(">")
    obs = {"chars": chars, "blstats": stats, "message": np.zeros((2, 256), np.uint8)}
    sight = NetHackSight(2)
    near = sight(obs)[:, : 25 * 24].reshape(2, 5, 5, 24)
    stairs = 7  # ">" is the eighth kind
    for lane in range(2):
        assert np.argwhere(near[lane, :, :, stairs]).tolist() == [[2, 4]]
    assert near.sum(-1).min() == 1.0
    with pytest.raises(UsageError, match="needs 'chars'"):
        sight({"message": obs["message"]})


def test_a_saved_policy_is_the_same(tmp_path: Path) -> None:
    """The file holds the network's weights."""
    from safetensors.torch import load_file

    agent = corridor(0, None).learn(256)
    agent.save(tmp_path / "policy.safetensors")
    for name, value in load_file(tmp_path / "policy.safetensors").items():
        assert torch.equal(value, agent.network.state_dict()[name])


@pytest.mark.parametrize(
    "wrong",
    [
        {"rollout": 0},
        {"gamma": 1.5},
        {"rate": 0.0},
        {"intrinsic_weight": float("inf")},
        {"hidden": (0,)},
        {"batches": 1000},
        {"batches": 3, "memory": 4},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: Any) -> None:
    """Each is named with the value that was given."""
    with pytest.raises(UsageError, match=r"\d|inf"):
        PPO(make_envs([Corridor] * 2), PPOConfig(**wrong), seed=0)


def test_actions_that_are_neither_choices_nor_numbers_are_refused() -> None:
    """A space of several choices is named, not misread."""

    class Odd(Corridor):
        action_space: Any = gym.spaces.MultiDiscrete([2, 2])

    with pytest.raises(UsageError, match="MultiDiscrete"):
        PPO(make_envs([Odd]), seed=0)


def test_moments_of_inputs_that_are_gone_do_not_slow_the_descent() -> None:
    """An input that was seen once: Adam's moments decay by a tenth a step, and are 0 as
    soon as they leave the usual form of a float, about 760 steps later."""
    network = ActorCritic(2, gym.spaces.Discrete(2), (4,))
    learner = Learner(network, PPOConfig(epochs=10, batches=4), seed=0)
    least = torch.finfo(torch.float32).tiny
    for number in range(25):  # 40 steps of the descent each
        rollout = blank(8, 1, 2, np.zeros(1, np.int64), torch.zeros(1, 0))
        rollout.rows[..., 0] = 1.0
        rollout.rows[..., 1] = float(number == 0)
        gains = np.linspace(-1.0, 1.0, 8)[:, None]
        returns = np.stack([gains, gains], -1)
        learner.improve(rollout, Targets(gains, returns, gains, []), 3e-4)
        kept = [row["exp_avg"] for row in learner._optimiser.state.values()]
        assert not any(((x != 0) & (x.abs() < least)).any() for x in kept)
    first: Any = network.actor[0].weight
    assert bool((learner._optimiser.state[first]["exp_avg"][:, 1] == 0).all())
    assert not flushes()
