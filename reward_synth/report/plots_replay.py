"""What recorded episodes are paid under a combiner, as a learner would be paid."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.combine import Combiner
from reward_synth.report.plots_data import Story
from reward_synth.reward import Array, Fields, Rollout
from reward_synth.task import TaskSpec
from reward_synth.wrappers import DenseReward, Guard, NonFiniteRewardWarning


class Recorded(gym.Env[dict[str, Array], Any]):
    """Plays recorded episodes again, one after another; actions change nothing.

    Args:
        rollouts: The episodes, in the order in which they are played.
        task: Their task.
    """

    def __init__(self, rollouts: Sequence[Rollout], task: TaskSpec) -> None:
        self.rollouts = rollouts
        self.task = replace(
            task,
            fields=tuple(
                replace(item, source=f"obs.{item.name}", check="")
                for item in task.fields
            ),
        )
        """The same task, read from these observations."""
        sample = rollouts[0].steps.after
        self.observation_space = gym.spaces.Dict(
            {name: _space(value) for name, value in sample.items()}
        )
        self.action_space = _space(rollouts[0].steps.action)
        self._episode, self._at = -1, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Array], dict[str, Any]]:
        """Begin the next episode."""
        super().reset(seed=seed, options=options)
        self._episode, self._at = self._episode + 1, 0
        steps = self.rollouts[self._episode].steps
        missing = {n: np.zeros_like(v) for n, v in steps.after.items()}
        return _lane({**missing, **steps.before}, 0), {}

    def step(
        self, action: Any
    ) -> tuple[dict[str, Array], float, bool, bool, dict[str, Any]]:
        """Return what was recorded next."""
        del action
        steps, at = self.rollouts[self._episode].steps, self._at
        self._at += 1
        ended, cut = bool(steps.terminated[at]), bool(steps.truncated[at])
        return _lane(steps.after, at), float(steps.sparse[at]), ended, cut, {}


def _space(values: Array) -> gym.spaces.Box:
    kind = values.dtype if values.dtype != np.bool_ else np.dtype(np.int8)
    low, high = (-np.inf, np.inf) if kind.kind == "f" else (-128, 127)
    return gym.spaces.Box(low, high, values.shape[1:], kind.type)


def _lane(fields: Mapping[str, Array] | Fields, at: int) -> dict[str, Array]:
    return {name: np.asarray(value[at]) for name, value in fields.items()}


def stories(
    rollouts: Sequence[Rollout],
    task: TaskSpec,
    reward: Any,
    combine: str | Combiner,
    gamma: float,
    weight: float,
) -> list[Story]:
    """Return what each step of each episode is paid.

    What a combiner learns it keeps from one episode to the next, as in a training.

    Args:
        rollouts: The episodes.
        task: Their task.
        reward: A program, or a function of a transition.
        combine: How it meets the environment's reward.
        gamma: The learner's discount.
        weight: Factor of the dense part.

    Raises:
        UsageError: The combiner cannot be used.
        ProgramError: The program cannot be used.

    Example:
        >>> from reward_synth.envs import collect
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "balance",
        ...     (Field("angle", source="obs[2]"),), Field("action", dtype="int"))
        >>> played = collect(gym.make("CartPole-v1"), task, seed=1, max_steps=2)
        >>> stories([played], task, lambda t: 2.0, "add", 0.9, 0.5)[0].combined
        array([2., 2.])
    """
    recorded = Recorded(rollouts, task)
    guard = Guard(stop_after=None)  # a picture shows what a training would stop at
    env = DenseReward(recorded, reward, recorded.task, combine, gamma, weight, guard)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonFiniteRewardWarning)  # told as faults
        return [_played(env, item) for item in rollouts]


def _played(env: DenseReward, rollout: Rollout) -> Story:
    before = env.faults.kinds.total()
    env.reset()
    paid, told = [], []
    for action in rollout.steps.action:
        _, reward, _, _, info = env.step(action)
        paid.append(float(reward))
        told.append(info["reward_components"])
    names = tuple(dict.fromkeys(name for row in told for name in row))
    parts = [[row.get(name, 0.0) for row in told] for name in names]
    return Story(
        rollout.policy,
        rollout.seed,
        rollout.succeeded,
        names,
        np.array(parts, np.float64).reshape(len(names), len(paid)),
        np.array(rollout.steps.sparse, np.float64),
        np.array(paid),
        env.faults.kinds.total() - before,
    )
