"""Reads stored transitions as arrays whose first axis counts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reward_synth.envs import open_minari
from reward_synth.errors import UsageError
from reward_synth.reward import Array

Mask = npt.NDArray[np.bool_]
Actions = Literal["learner", "env"]


@dataclass(frozen=True, slots=True)
class Stored:
    """Transitions behind one another."""

    before: Any
    """Observations, an array or a dict of them."""
    after: Any
    act: Callable[[], Array]
    """Returns the actions as the environment received them."""
    rewards: Array
    """As stored, of any shape."""
    terminated: Mask
    known: Mask | None = None
    """Where ``after`` is the state after the step; None: everywhere."""

    @property
    def count(self) -> int:
        """Number of transitions."""
        return int(self.rewards.size)


def read_stored(buffer: Any, actions: Actions) -> Stored:
    """Read a buffer of Stable-Baselines3 or a Minari data set.

    Args:
        buffer: The buffer, the data set, or the data set's id.
        actions: Whether a buffer's actions are the learner's or the environment's.

    Raises:
        UsageError: It is none of these, is empty, or was taken apart.
        NotAvailableError: The data set of this id is not on this machine.

    Example:
        >>> from types import SimpleNamespace
        >>> one = np.ones((1, 2))
        >>> buffer = SimpleNamespace(observations=one, next_observations=one, pos=0,
        ...     actions=one, rewards=one, dones=one, timeouts=0 * one, full=True)
        >>> read_stored(buffer, "env").terminated.tolist()
        [True, True]
    """
    if isinstance(buffer, str) or hasattr(buffer, "iterate_episodes"):
        return _episodes(open_minari(buffer))
    if not hasattr(buffer, "rewards") or not hasattr(buffer, "observations"):
        raise UsageError(
            f"{type(buffer).__name__} cannot be relabelled. Give a ReplayBuffer or "
            "RolloutBuffer of Stable-Baselines3, or a Minari data set or its id."
        )
    size = len(buffer.rewards) if buffer.full else buffer.pos
    if not size:
        raise UsageError("The buffer is empty: collect transitions first.")
    if hasattr(buffer, "episode_starts"):
        return _rollout(buffer, size, actions)
    return _replay(buffer, size, actions)


def _replay(buffer: Any, size: int, actions: Actions) -> Stored:
    done = buffer.dones[:size] != 0
    # Without timeouts they are stored as 0: the learner takes every end as terminal.
    terminated = done & (buffer.timeouts[:size] == 0)
    known = None
    if getattr(buffer, "optimize_memory_usage", False):
        # The first observation of the next episode lies over the last one of this.
        after = _each(buffer.observations, lambda x: np.roll(x, -1, 0)[:size])
        known = ~done.reshape(-1)
    else:
        after = buffer.next_observations
    return Stored(
        _each(buffer.observations, lambda x: _flat(x[:size])),
        _each(after, lambda x: _flat(x[:size])),
        lambda: _unscaled(buffer, _flat(buffer.actions[:size]), actions),
        buffer.rewards[:size],
        terminated.reshape(-1),
        known,
    )


def _rollout(buffer: Any, size: int, actions: Actions) -> Stored:
    if getattr(buffer, "generator_ready", False):
        raise UsageError(
            "The rollout buffer was reordered for the update (generator_ready). "
            "Relabel it before the learner samples from it."
        )
    known = np.zeros(buffer.rewards[:size].shape, np.bool_)
    known[:-1] = buffer.episode_starts[1:size] == 0
    return Stored(
        _each(buffer.observations, lambda x: _flat(x[:size])),
        _each(buffer.observations, lambda x: _flat(np.roll(x[:size], -1, 0))),
        lambda: _clipped(buffer, _flat(buffer.actions[:size]), actions),
        buffer.rewards[:size],
        np.zeros(known.size, np.bool_),  # where one may be, `known` is False
        known.reshape(-1),
    )


def _each(value: Any, change: Callable[[Array], Array]) -> Any:
    """Change an array, or every one of a dict."""
    if isinstance(value, Mapping):
        return {key: _each(item, change) for key, item in value.items()}
    return change(np.asarray(value))


def _flat(array: Array) -> Array:
    """Join the axes of time and environments; contiguous arrays are not copied."""
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])


def _bounds(buffer: Any) -> tuple[Array, Array] | None:
    """Return the bounds of a continuous action, one number an entry."""
    space: Any = getattr(buffer, "action_space", None)
    if not hasattr(space, "low") or not np.issubdtype(space.dtype, np.floating):
        return None
    return np.reshape(space.low, -1), np.reshape(space.high, -1)


def _unscaled(buffer: Any, stored: Array, actions: Actions) -> Array:
    """Undo what off-policy learners do to actions before they store them."""
    bounds = _bounds(buffer)
    if actions == "env" or bounds is None:
        return stored
    low, high = bounds
    if (low == -1).all() and (high == 1).all():
        return stored
    if np.abs(stored).max() > 1 + np.finfo(np.float32).eps:
        raise UsageError(
            f"The buffer holds an action of {np.abs(stored).max():.4g}, beyond the "
            "[-1, 1] to which learners scale what they store. If it was filled with "
            "the environment's own actions, give actions='env'."
        )
    unscaled: Array = low + 0.5 * (stored + 1.0) * (high - low)
    return unscaled


def _clipped(buffer: Any, stored: Array, actions: Actions) -> Array:
    """Do what on-policy learners do to actions after they store them."""
    bounds = _bounds(buffer)
    if actions == "env" or bounds is None:
        return stored
    clipped: Array = np.clip(stored, *bounds)
    return clipped


def _episodes(dataset: Any) -> Stored:
    episodes = list(dataset.iterate_episodes())
    if not episodes:
        raise UsageError("The data set holds no episodes.")
    observations = [episode.observations for episode in episodes]
    action = _joined([episode.actions for episode in episodes])
    return Stored(
        _joined([_each(item, lambda x: x[:-1]) for item in observations]),
        _joined([_each(item, lambda x: x[1:]) for item in observations]),
        lambda: action,
        np.concatenate([episode.rewards for episode in episodes]),
        np.concatenate([episode.terminations for episode in episodes]) != 0,
    )


def _joined(values: list[Any]) -> Any:
    """Put episodes behind one another, in each array of a dict."""
    if isinstance(values[0], Mapping):
        return {key: _joined([value[key] for value in values]) for key in values[0]}
    return np.concatenate([np.asarray(value) for value in values])
