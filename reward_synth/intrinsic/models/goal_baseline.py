"""A goal in words as the reward of frames: cosine, sharpened by a baseline.

J. Rocamonde and others, "Vision-Language Models are Zero-Shot Reward Models for
Reinforcement Learning", arXiv 2310.12921.
"""

from __future__ import annotations

import hashlib
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import State, Values
from reward_synth.intrinsic.models.frames import Rows

_SAME = 1e-6
"""Distance below which goal and baseline say the same."""


class GoalBaseline:
    """R(x) = 1 - |(x - g) P|² / 2 with P = a dᵀd / |d|² + (1 - a) I and d = g - b.

    x, g and b are the frame's, the goal's and the baseline's embeddings, each of length
    one, and a is ``alpha``. 0 is the cosine of x and g; 1 counts only the part along d,
    from what the baseline says ("a humanoid") to what the goal says ("a humanoid
    kneeling"), so that what both have in common, such as the background, does not count.

    Args:
        goal: The goal's embedding, by the encoder of texts that belongs to the frames'.
        baseline: What the scene is like anyway; None: alpha is 0.
        alpha: From 0 to 1.

    Raises:
        UsageError: The embeddings do not fit, say the same or have no length, or ``alpha``
            is no share.

    Example:
        >>> reward = GoalBaseline([1.0, 0.0], [0.0, 1.0], alpha=1.0)
        >>> reward(np.array([[2.0, 0.0], [0.0, 3.0]])).round(9).tolist()
        [1.0, 0.0]
    """

    kind = "goal-baseline"

    def __init__(
        self,
        goal: ArrayLike,
        baseline: ArrayLike | None = None,
        alpha: float = 0.0,
    ) -> None:
        if not 0.0 <= alpha <= 1.0 or (alpha > 0 and baseline is None):
            raise UsageError(
                f"alpha must lie in [0, 1], and above 0 it needs a baseline; received "
                f"{alpha} and {'no' if baseline is None else 'a'} baseline."
            )
        self.alpha = float(alpha)
        self.goal = _unit(np.asarray(goal, np.float64)[None], "goal")[0]
        plain = self.goal if baseline is None else baseline
        self.baseline = _unit(np.asarray(plain, np.float64)[None], "baseline")[0]
        if self.goal.shape != self.baseline.shape:
            raise UsageError(
                f"The goal has {self.goal.size} numbers and the baseline "
                f"{self.baseline.size}; take one encoder for both."
            )
        if alpha > 0 and np.linalg.norm(self.goal - self.baseline) < _SAME:
            raise UsageError(
                "Goal and baseline have the same embedding, so that there is no way from "
                "one to the other; word them differently, or set alpha=0."
            )

    @property
    def width(self) -> int:
        """Numbers of an embedding."""
        return int(self.goal.size)

    def __call__(self, rows: Rows, /) -> Values:
        """Return what each embedding is worth, from -1 to 1.

        Raises:
            UsageError: One has no length.
        """
        away = _unit(rows, "frame") - self.goal
        along = np.zeros(len(away))
        if self.alpha > 0:
            way = self.goal - self.baseline
            along = away @ way / np.linalg.norm(way)
        # |v P|² with P = a u uᵀ + (1 - a) I and |u| = 1, as a matrix is not needed for it
        mixed = self.alpha * (2.0 - self.alpha)
        squared = mixed * along**2 + (1.0 - self.alpha) ** 2 * (away**2).sum(1)
        values: Values = 1.0 - 0.5 * squared
        return values

    def settings(self) -> dict[str, Any]:
        """Return ``alpha``."""
        return {"alpha": self.alpha}

    def data(self) -> str:
        """Return a digest of goal and baseline."""
        return hashlib.sha256(self.goal.tobytes() + self.baseline.tobytes()).hexdigest()

    def state(self) -> State:
        """Return goal and baseline."""
        return {"goal": self.goal, "baseline": self.baseline}

    def load(self, state: State, /) -> None:
        """Take over goal and baseline."""
        self.goal, self.baseline = state["goal"], state["baseline"]

    @classmethod
    def saved(cls, settings: dict[str, Any], state: State) -> Self:
        """Make the one that a file holds."""
        made = cls(state["goal"], state["baseline"], **settings)
        made.load(state)
        return made


def _unit(rows: Rows, what: str) -> Rows:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if rows.ndim != 2 or not np.isfinite(rows).all() or not (lengths > 0).all():  # noqa: PLR2004 - rows
        raise UsageError(f"The embedding of a {what} has no length, or is not finite.")
    unit: Rows = rows / lengths
    return unit
