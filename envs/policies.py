"""Policies that look for what can happen in an environment, without learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from gymnasium import spaces

from reward_synth.errors import UsageError, did_you_mean

Policy: TypeAlias = Callable[[Any], Any]
"""``obs -> action``."""
PolicyName = Literal["random", "held"]

_LONGEST_HOLD = 60
_EXTREME = 0.5
"""Share of held actions that lie in a corner of the action space."""


class RandomPolicy:
    """Samples the action space anew at each step."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        self.space = space

    def __call__(self, obs: Any) -> Any:  # noqa: ARG002 - it does not look
        """Return a sample."""
        return self.space.sample()


class HeldPolicy:
    """Holds a random action for 1 to 60 steps, then draws another.

    Long pushes in one direction reach states that white noise never does: they swing
    a car up a hill. Half of the actions are extreme, each entry at one of its bounds.

    Args:
        space: The action space; seed it for repeatable samples.
        rng: Draws durations and extremes.

    Example:
        >>> policy = HeldPolicy(spaces.Discrete(3, seed=0), np.random.default_rng(0))
        >>> len({int(policy(None)) for _ in range(300)})
        3
    """

    def __init__(self, space: spaces.Space[Any], rng: np.random.Generator) -> None:
        self.space = space
        self.rng = rng
        self._left = 0
        self._action: Any = None

    def __call__(self, obs: Any) -> Any:  # noqa: ARG002 - it does not look
        """Return the held action."""
        if self._left == 0:
            self._left = int(self.rng.integers(1, _LONGEST_HOLD + 1))
            self._action = self._draw()
        self._left -= 1
        return self._action

    def _draw(self) -> Any:
        space = self.space
        if not isinstance(space, spaces.Box) or self.rng.random() >= _EXTREME:
            return space.sample()
        if not space.is_bounded():
            return space.sample()
        upper = self.rng.random(space.shape) < 0.5  # noqa: PLR2004 - a fair coin
        return np.where(upper, space.high, space.low).astype(space.dtype)


def make_policy(
    policy: PolicyName | str | Policy, space: spaces.Space[Any], *, seed: int
) -> tuple[str, Policy]:
    """Return a name for a policy, and the policy itself, seeded.

    Args:
        policy: ``"random"``, ``"held"``, or a function ``obs -> action``, which is
            called ``scripted``.
        space: The action space; it is seeded.
        seed: Seed of all draws.

    Raises:
        UsageError: No such policy.
    """
    space.seed(seed)
    if callable(policy):
        return "scripted", policy
    if policy == "random":
        return policy, RandomPolicy(space)
    if policy == "held":
        return policy, HeldPolicy(space, np.random.default_rng(seed))
    known = get_args(PolicyName)
    raise UsageError(
        f"Unknown policy {policy!r}; expected {' or '.join(known)}, or a function "
        f"obs -> action.{did_you_mean(policy, known)}"
    )
