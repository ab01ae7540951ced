"""What is paid beside the environment reaches each learner, at the intended horizon."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from reward_synth.agents.intrinsic_sb3 import (
    LabelledDictReplayBuffer,
    LabelledDictRolloutBuffer,
    LabelledReplayBuffer,
    LabelledRolloutBuffer,
    VecCaptions,
)
from reward_synth.agents.ppo import PPO
from reward_synth.agents.ppo_advantage import advantages
from reward_synth.agents.ppo_config import PPOConfig
from reward_synth.agents.ppo_rollout import make_envs
from reward_synth.errors import UsageError
from reward_synth.intrinsic import Captioner
from reward_synth.intrinsic.bonuses import EpisodicCount, Shape, ShapedBonus
from reward_synth.intrinsic.models import ClassificationModel, LabelledRewards, Observed
from reward_synth.wrappers.bonus import VectorBonusReward
from tests.agents.line import BELL, CAPTIONER, Line, caption, labelled, response

GAMMA, INNER, LAM, WEIGHT = 0.97, 0.8, 0.9, 0.25
STEPS, LENGTH = 13, 5


def agent(
    rewards: Any, *, lengths: tuple[int, ...] = (LENGTH, LENGTH), **given: Any
) -> PPO:
    """Return an agent in lines of these lengths."""
    cut = given.get("cut", False)
    envs = make_envs([partial(Line, n, cut=cut) for n in lengths])
    settings = {name: x for name, x in given.items() if name != "cut"}
    config = PPOConfig(
        rollout=STEPS,
        gamma=GAMMA,
        intrinsic_gamma=INNER,
        lam=LAM,
        intrinsic_weight=WEIGHT,
        batches=2,
        **settings,
    )
    return PPO(envs, config, seed=0, rewards=rewards, captioner=CAPTIONER)


@pytest.mark.parametrize("memory", [0, 4])
@pytest.mark.parametrize("cut", [False, True])
def test_an_impulse_reaches_our_ppo_at_its_own_horizon(memory: int, cut: bool) -> None:
    """A label that comes after the steps were taken adds (INNER LAM)^(b - k) to the
    intrinsic advantage and target of each step k before the bell b of its episode, WEIGHT
    times that to what the policy learns from, and nothing to the extrinsic value; also
    where the bell is the last state of its episode, which no action follows."""
    rewards = labelled(hidden=True)
    ppo = agent(rewards, lengths=(5, BELL), memory=memory, cut=cut)
    rollout = ppo.collector.collect(STEPS)
    before = ppo.targets(rollout)
    assert not before.intrinsic.any()
    rewards.update()
    after = ppo.targets(rollout)
    wanted = np.stack([response(STEPS, n, INNER * LAM) for n in (5, BELL)], 1)
    gained = after.returns - before.returns
    np.testing.assert_allclose(gained[..., 1], wanted, atol=1e-12)
    np.testing.assert_array_equal(gained[..., 0], 0.0)
    mixed = after.advantages - before.advantages
    np.testing.assert_allclose(mixed, WEIGHT * wanted, atol=1e-12)


def test_without_episodes_the_impulse_reaches_back_over_their_ends() -> None:
    """With episodic=False the intrinsic return goes on: step k gets the sum of
    (INNER LAM)^(b - k) over all bells b from it on."""
    rewards = labelled(hidden=True)
    ppo = agent(rewards, episodic=False)
    rollout = ppo.collector.collect(STEPS)
    before = ppo.targets(rollout)
    rewards.update()
    gained = (ppo.targets(rollout).returns - before.returns)[:, 0, 1]
    bells = [b for b in range(STEPS) if b % LENGTH == BELL - 1]
    wanted = [
        sum((INNER * LAM) ** (b - k) for b in bells if b >= k) for k in range(STEPS)
    ]
    np.testing.assert_allclose(gained, wanted, atol=1e-12)


def valued(cut: bool) -> Any:
    """Return the targets of an agent whose values are the place, and ten times that."""
    ppo = agent(None, lengths=(2,), cut=cut, hidden=())
    with torch.no_grad():
        (layer,) = ppo.network.heads.children()
        assert isinstance(layer, torch.nn.Linear)
        layer.weight.copy_(torch.tensor([[1.0], [10.0]]))
        layer.bias.zero_()
    rollout = ppo.collector.collect(STEPS)
    return ppo.targets(rollout)


def test_a_time_limit_is_bootstrapped_from_its_own_last_state() -> None:
    """Places 0, 1, 2 with V(s) = s: the last step's gain is GAMMA 2 - 1 where a limit
    cut the episode, and -1 where the task ended it; so for the intrinsic value, ten times
    as large, with its own discount."""
    for cut, last in ((True, 2.0), (False, 0.0)):
        for stream, gamma, scale in ((0, GAMMA, 1.0), (1, INNER, 10.0)):
            second = gamma * last * scale - 1.0 * scale
            first = gamma * 1.0 * scale - 0.0 + gamma * LAM * second
            found = valued(cut).returns[:4, 0, stream]
            wanted = [first + 0.0, second + scale] * 2
            np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_a_rollout_that_stops_in_the_middle_is_bootstrapped_too() -> None:
    """The last of 13 steps leads from place 0 to place 1: its target is GAMMA V(1)."""
    found = valued(cut=True).returns[-1, 0]
    np.testing.assert_allclose(found, [GAMMA * 1.0, INNER * 10.0], rtol=1e-6)


def test_advantages_are_the_sum_of_discounted_gains() -> None:
    """The recursion equals the definition, written out as a sum over the steps that
    follow in the episode, for random rewards, values and ends."""
    rng = np.random.default_rng(3)
    rewards, values, led = rng.normal(size=(3, 20, 2))
    terminated, truncated = rng.random((2, 20, 2)) < 0.15
    found = advantages(
        rewards, values, led, terminated, truncated, gamma=GAMMA, lam=LAM
    )
    for lane in range(2):
        for step in range(20):
            total, decay = 0.0, 1.0
            for later in range(step, 20):
                at = later, lane
                after = 0.0 if terminated[at] else GAMMA * led[at]
                total += decay * (rewards[at] + after - values[at])
                decay *= GAMMA * LAM
                if terminated[at] or truncated[at]:
                    break
            assert found[step, lane] == pytest.approx(total)


def test_a_bonus_is_paid_to_the_intrinsic_value_alone() -> None:
    """What a wrapper tells as a bonus is in the intrinsic stream, not in the reward."""
    bonus = ShapedBonus(EpisodicCount(2), Shape(weight=0.5))
    envs = VectorBonusReward(make_envs([lambda: Line(LENGTH)] * 2), bonus, "tell")
    ppo = PPO(envs, PPOConfig(rollout=4), seed=0)
    rollout = ppo.collector.collect(4)
    assert not rollout.rewards.any()
    np.testing.assert_array_equal(ppo.targets(rollout).intrinsic, 0.5)


def test_memory_begins_anew_with_each_episode_in_play_and_in_learning() -> None:
    """Chances and values of the same steps are the same when the network reads them
    again as a sequence: memory is forgotten where episodes begin, in both."""
    ppo = agent(None, lengths=(3, 4), memory=6)
    for _ in range(2):  # the second rollout begins in the middle of episodes
        rollout = ppo.collector.collect(STEPS)
    told = ppo.network.sequence(
        torch.from_numpy(rollout.rows), rollout.memory, torch.from_numpy(rollout.begins)
    )
    chances = told.policy.log_prob(torch.from_numpy(rollout.actions))
    np.testing.assert_allclose(chances.detach(), rollout.chances, atol=1e-5)
    np.testing.assert_allclose(told.values.detach(), rollout.values, atol=1e-5)


def on_policy(rewards: Any, as_dict: bool = False, length: int = LENGTH) -> Any:
    """Return the buffer of an SB3 agent after one rollout."""
    import stable_baselines3 as sb3
    from stable_baselines3.common.vec_env import DummyVecEnv

    def make() -> Any:
        return Told(Line(length)) if as_dict else Line(length)

    captioner = Captioner(lambda obs: caption(obs["x"])) if as_dict else CAPTIONER
    venv = VecCaptions(DummyVecEnv([make] * 2), captioner, rewards)
    kind = LabelledDictRolloutBuffer if as_dict else LabelledRolloutBuffer
    model = sb3.PPO(
        "MultiInputPolicy" if as_dict else "MlpPolicy",
        venv,
        n_steps=STEPS,
        batch_size=STEPS,
        n_epochs=1,
        gamma=GAMMA,
        gae_lambda=LAM,
        rollout_buffer_class=kind,
        rollout_buffer_kwargs={"source": venv, "weight": WEIGHT},
        seed=0,
        device="cpu",
    )
    model.learn(STEPS * 2)
    return model.rollout_buffer


class Told(gym.ObservationWrapper[Any, Any, Any]):
    """The same in a Dict."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.observation_space = gym.spaces.Dict({"x": env.observation_space})

    def observation(self, observation: Any) -> Any:
        return {"x": observation}


@pytest.mark.parametrize(("as_dict", "length"), [(False, LENGTH), (True, BELL)])
def test_an_impulse_reaches_sb3s_on_policy_agents(as_dict: bool, length: int) -> None:
    """Of two rollouts that differ in the label alone, which comes after the steps,
    advantages and targets differ by WEIGHT (GAMMA LAM)^(b - k)."""
    silent = on_policy(labelled(rings=False), as_dict, length)
    ringing = on_policy(labelled(hidden=True), as_dict, length)
    wanted = WEIGHT * response(STEPS, length, GAMMA * LAM)
    for name in ("advantages", "returns"):
        gained = getattr(ringing, name) - getattr(silent, name)
        shaped = gained.reshape(2, STEPS).T if gained.shape[1] == 1 else gained
        np.testing.assert_allclose(shaped, np.stack([wanted] * 2, 1), atol=1e-6)


def test_the_published_recipe_is_caught() -> None:
    """Adding rewards to finished advantages, as a published notebook does, reaches the
    step of the bell and none before it: the response is not the theory's."""
    silent = on_policy(labelled(rings=False))
    bells = np.arange(STEPS) % LENGTH == BELL - 1
    silent.advantages = silent.advantages.reshape(2, STEPS).T
    gained = (silent.advantages + bells[:, None]) - silent.advantages
    theory = response(STEPS, LENGTH, GAMMA * LAM)[:, None]
    assert not np.allclose(gained, theory)
    np.testing.assert_allclose(
        gained[bells], np.broadcast_to(theory[bells], (3, 2)), atol=1e-6
    )


def off_policy(rewards: Any, as_dict: bool = False) -> Any:
    """Return an SB3 agent with values for each place alone, that has played."""
    from stable_baselines3 import DQN
    from stable_baselines3.common.vec_env import DummyVecEnv

    def make() -> Any:
        line = Line(LENGTH, one_hot=True)
        return Told(line) if as_dict else line

    captioner = Captioner(lambda obs: caption(obs["x"])) if as_dict else CAPTIONER
    venv = VecCaptions(DummyVecEnv([make] * 2), captioner, rewards)
    kind = LabelledDictReplayBuffer if as_dict else LabelledReplayBuffer
    model = DQN(
        "MultiInputPolicy" if as_dict else "MlpPolicy",
        venv,
        learning_rate=0.1,
        buffer_size=200,
        learning_starts=10**6,
        batch_size=64,
        gamma=GAMMA,
        exploration_final_eps=1.0,
        target_update_interval=2,
        replay_buffer_class=kind,
        replay_buffer_kwargs={"rewards": rewards, "weight": WEIGHT, "every": 10**6},
        policy_kwargs={"net_arch": []},
        seed=0,
        device="cpu",
    )
    model.learn(100)
    return model


@pytest.mark.parametrize("as_dict", [False, True])
def test_a_late_label_reaches_sb3s_off_policy_agents(as_dict: bool) -> None:
    """Steps that were stored before their label came are drawn with it afterwards, and
    no other step is paid; what is drawn again is not paid twice."""
    rewards = labelled(hidden=True)
    model = off_policy(rewards, as_dict)
    buffer = model.replay_buffer
    assert not buffer.sample(64).rewards.any()
    rewards.update()
    for _ in range(3):
        drawn = buffer.sample(64)
        places = drawn.next_observations
        places = places["x"] if as_dict else places
        rung = places.argmax(1) == BELL
        assert rung.any()
        np.testing.assert_allclose(drawn.rewards[:, 0], WEIGHT * rung.float())


def test_off_policy_values_reach_the_theorys_horizon() -> None:
    """A learner of values that is trained on the drawn steps gets WEIGHT GAMMA^(b - k) for
    each step k up to the bell, and 0 after it."""
    rewards = labelled(hidden=True)
    model = off_policy(rewards)
    rewards.update()
    for rate in (0.1, 0.02, 0.004):
        model.lr_schedule = lambda _, rate=rate: rate
        for _ in range(12):
            model.train(gradient_steps=15, batch_size=64)
            model.q_net_target.load_state_dict(model.q_net.state_dict())
    places = torch.eye(LENGTH + 1)[:LENGTH]
    with torch.no_grad():
        found = model.q_net(places).max(1).values.numpy()
    wanted = WEIGHT * response(LENGTH, LENGTH, GAMMA)
    np.testing.assert_allclose(found, wanted, atol=0.01)


def test_what_cannot_be_served_is_refused() -> None:
    """Vectors that reset later, rewards without captions, models that read observations
    where none are kept, and steps without captions: each is said in a line."""
    from stable_baselines3.common.vec_env import DummyVecEnv

    later = SyncVectorEnv([Line], autoreset_mode=AutoresetMode.NEXT_STEP)
    with pytest.raises(UsageError, match="reset in the same step"):
        PPO(later, seed=0)
    with pytest.raises(UsageError, match="need a captioner"):
        PPO(make_envs([Line]), PPOConfig(batches=1), seed=0, rewards=labelled())
    service = labelled().service
    reads = LabelledRewards(service, ClassificationModel(Observed(1), seed=0))
    lines = DummyVecEnv([Line])
    with pytest.raises(UsageError, match="reads observations"):
        VecCaptions(lines, CAPTIONER, reads)
    buffer = off_policy(labelled()).replay_buffer
    step = np.zeros((2, LENGTH + 1)), np.zeros((2, LENGTH + 1)), np.zeros((2, 1))
    with pytest.raises(UsageError, match="no 'caption'"):
        buffer.add(*step, np.zeros(2), np.zeros(2), [{}, {}])
