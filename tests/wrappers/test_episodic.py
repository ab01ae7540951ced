"""Returns at the end of an episode: what is paid, when, and what is not told."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from reward_synth.wrappers import EpisodicReturn, VectorEpisodicReturn
from tests.wrappers.walk import Walk

LANES = 3


class Paying(Walk):
    """Pays its position; tells the payment in ``info`` too, as MuJoCo's tasks do."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        obs, _, ended, cut, info = super().step(action)
        return obs, self.x, ended, cut, {**info, "reward_place": self.x}


def play(env: gym.Env[Any, Any], seed: int) -> list[tuple[Any, ...]]:
    env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    steps: list[tuple[Any, ...]] = []
    while not steps or not (steps[-1][2] or steps[-1][3]):
        steps.append(env.step(rng.uniform(-1, 1, 1)))
    return steps


@pytest.mark.parametrize("seed", range(6))
def test_the_last_step_pays_the_sum(seed: int) -> None:
    """0 before; the last step pays what the steps paid in all, however it ends."""
    own = play(Paying(), seed)
    paid = [step[1] for step in play(EpisodicReturn(Paying()), seed)]
    assert paid[:-1] == [0.0] * (len(own) - 1)
    assert paid[-1] == pytest.approx(sum(step[1] for step in own), abs=1e-12)


def test_both_ends_were_met() -> None:
    """The seeds above hold episodes that ended and episodes that were cut."""
    ends = [play(Paying(), seed)[-1][2] for seed in range(6)]
    assert set(ends) == {True, False}


def test_nothing_tells_the_steps_own_reward() -> None:
    """Keys that hold "reward" are gone, others stay; both come back when asked."""
    silent = play(EpisodicReturn(Paying()), 0)[0][4]
    assert set(silent) == {"pace"}
    own = play(Paying(), 0)[0][1]
    told = play(EpisodicReturn(Paying(), tell=True), 0)[0][4]
    assert (told["step_reward"], told["reward_place"]) == (own, own)


def test_an_episode_that_is_over_pays_no_more() -> None:
    """A step after the end asks for a reset instead of paying anew."""
    env = EpisodicReturn(Paying(2))
    play(env, 1)
    with pytest.raises(gym.error.ResetNeeded):
        env.step(np.zeros(1))


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.name)
def test_a_vector_pays_what_its_environments_would(mode: AutoresetMode) -> None:
    """Each lane equals a vector of single wrappers, over many episodes' ends."""
    makers = [partial(Paying, limit) for limit in range(3, 3 + LANES)]
    together = VectorEpisodicReturn(SyncVectorEnv(makers, autoreset_mode=mode))
    alone: Any = SyncVectorEnv(
        [lambda make=make: EpisodicReturn(make()) for make in makers],  # type: ignore[misc]
        autoreset_mode=mode,
    )
    together.reset(seed=5)
    alone.reset(seed=5)
    rng, ends = np.random.default_rng(0), 0
    for _ in range(40):
        actions = rng.uniform(-1, 1, (LANES, 1))
        _, expected, ended, cut, _ = alone.step(actions)
        _, found, *_, infos = together.step(actions)
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert not any("reward" in key for key in infos)
        over = ended | cut
        ends += int(over.sum())
        if mode is AutoresetMode.DISABLED and over.any():
            for envs in (alone, together):
                envs.reset(options={"reset_mask": over.copy()})
    assert ends > LANES


def test_a_vector_tells_when_asked() -> None:
    """``step_reward`` holds what each lane's step paid."""
    envs = VectorEpisodicReturn(SyncVectorEnv([Paying] * 2), tell=True)
    envs.reset(seed=3)
    obs, rewards, *_, infos = envs.step(np.zeros((2, 1)))
    np.testing.assert_array_equal(rewards, [0.0, 0.0])
    np.testing.assert_allclose(infos["step_reward"], obs[:, 0])
