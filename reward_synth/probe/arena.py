"""Plays given actions in an environment with a dense reward, and says what they earn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from reward_synth.language.success import SuccessTest
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction
from reward_synth.task import FieldReader, TaskSpec, as_number
from reward_synth.wrappers import DenseReward

Values = npt.NDArray[np.float64]
_START = "probe_start"


@dataclass(frozen=True, slots=True)
class Start:
    """A state of a MuJoCo simulation that an episode is begun in."""

    qpos: Values
    qvel: Values


@dataclass(frozen=True, slots=True)
class Played:
    """What some actions earned."""

    seed: int
    """Of the reset."""
    actions: npt.NDArray[Any]
    """Those that were taken before the episode ended, shape ``(T, ...)``."""
    paid: Values
    """What the learner is paid, ``(T,)``."""
    sparse: Values
    """What the environment paid, ``(T,)``."""
    succeeded: bool
    """Whether the task's success rule held after any step."""
    start: Start | None = None

    def worth(self, gamma: float) -> float:
        """Return the discounted sum of what is paid.

        Example:
            >>> two = np.array([1.0, 1.0])
            >>> Played(0, two, two, two, False).worth(0.5)
            1.5
        """
        return float(self.paid @ gamma ** np.arange(len(self.paid)))


class Arena:
    """An environment with a dense reward, for playing given actions.

    Args:
        env: The environment, without a dense reward.
        task: Its description, with a success rule.
        reward: The dense reward.
        combine: How it meets the environment's reward.
        gamma: The learner's discount.
        weight: Factor of the dense part.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "go", (Field("x", source="obs[0]"),),
        ...     Field("action", dtype="int")).with_success("x > 2")
        >>> arena = Arena(gym.make("CartPole-v1"), task, lambda t: 2.0)
        >>> arena.play(np.array([0, 1]), seed=0).paid
        array([3., 3.])
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        task: TaskSpec,
        reward: RewardProgram | RewardFunction,
        combine: str = "add",
        gamma: float = 0.99,
        weight: float = 1.0,
    ) -> None:
        self.task = task
        self.gamma = gamma
        self.env = DenseReward(Placed(env), reward, task, combine, gamma, weight)
        self._test = SuccessTest(task)
        self._reader = FieldReader(task, self.env, self._test.names)

    def play(
        self, actions: npt.NDArray[Any], seed: int, start: Start | None = None
    ) -> Played:
        """Play actions from a seeded reset, or from a state, until the episode ends.

        Args:
            actions: Shape ``(T, ...)``.
            seed: Of the reset.
            start: Of MuJoCo: the state to begin in.
        """
        options = None if start is None else {_START: start}
        self.env.reset(seed=seed, options=options)
        paid, sparse, succeeded = [], [], False
        for action in actions:
            given = action if np.ndim(action) else action.item()
            obs, reward, terminated, truncated, info = self.env.step(given)
            paid.append(as_number(reward))
            sparse.append(float(info["sparse_reward"]))
            fields = self._reader.read(obs, info)
            succeeded = succeeded or self._test(fields, info, sparse[-1])
            if terminated or truncated:
                break
        return Played(
            seed,
            np.asarray(actions)[: len(paid)],
            np.array(paid),
            np.array(sparse),
            succeeded,
            start,
        )

    def close(self) -> None:
        """Close the environment."""
        self.env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types


class Placed(gym.Wrapper[Any, Any, Any, Any]):
    """Begins an episode in a given state of a MuJoCo simulation."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset, then go to ``options["probe_start"]``, if given."""
        start = (options or {}).get(_START)
        if start is None:
            return self.env.reset(seed=seed, options=options)
        _, info = self.env.reset(seed=seed)
        base: Any = self.env.unwrapped
        base.set_state(np.array(start.qpos), np.array(start.qvel))
        return base._get_obs(), info


def can_be_placed(env: gym.Env[Any, Any]) -> bool:
    """Tell whether an episode can begin in a given state.

    Example:
        >>> can_be_placed(gym.make("CartPole-v1"))
        False
    """
    base = env.unwrapped
    return all(hasattr(base, x) for x in ("set_state", "_get_obs", "init_qpos"))
