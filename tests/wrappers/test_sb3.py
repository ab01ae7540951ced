"""Stable-Baselines3's batches are scored as their environments are one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reward_synth import wrap
from reward_synth.wrappers import DenseReward
from tests.wrappers.test_vector import CASES, Reward, plain, singles
from tests.wrappers.walk import task

pytest.importorskip("stable_baselines3")


def vec_env(makers: Any) -> Any:
    from stable_baselines3.common.vec_env import DummyVecEnv

    return DummyVecEnv(makers)


@pytest.mark.parametrize(("reward", "combine"), CASES)
@pytest.mark.parametrize("keys", [False, True], ids=["box", "dict"])
def test_a_vec_env_is_scored_as_its_environments_are(
    reward: Reward, combine: str, keys: bool
) -> None:
    """Rewards and infos equal those of environments that are wrapped one by one, also
    where an episode ends and the next begins."""
    from reward_synth.wrappers.sb3 import VecDenseReward

    alone = vec_env(singles(reward, combine, keys))
    together = VecDenseReward(
        vec_env(plain(keys)), reward, task(keys=keys), combine, 0.9
    )
    for env in (alone, together):
        env.seed(5)
        env.reset()
    rng = np.random.default_rng(1)
    episodes = 0
    for _ in range(60):
        actions = rng.uniform(-1, 1, (alone.num_envs, 1)).astype(np.float64)
        _, expected, dones, told = alone.step(actions)
        _, found, _, infos = together.step(actions)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert found.dtype == expected.dtype
        for one, other in zip(told, infos, strict=True):
            for key in ("reward_components", "sparse_reward"):
                assert other[key] == pytest.approx(one[key], abs=1e-12)
            if "reward_synth" in one:
                assert other["reward_synth"].pop("components") == pytest.approx(
                    one["reward_synth"].pop("components")
                )
                assert other["reward_synth"] == pytest.approx(one["reward_synth"])
        episodes += int(dones.sum())
    assert episodes > alone.num_envs


def test_wrap_takes_a_vec_env() -> None:
    """``wrap`` gives a ``VecEnv`` its own wrapper, which PPO can learn from."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    from reward_synth.wrappers.sb3 import VecDenseReward

    venv = wrap(make_vec_env("CartPole-v1", 2), lambda t: {"upright": 2.0})
    assert isinstance(venv, VecDenseReward)
    PPO("MlpPolicy", venv, n_steps=8, batch_size=16).learn(16)


def test_one_environment_is_still_one() -> None:
    """A single environment keeps its wrapper."""
    import gymnasium as gym

    assert isinstance(wrap(gym.make("CartPole-v1"), lambda t: 1.0), DenseReward)
