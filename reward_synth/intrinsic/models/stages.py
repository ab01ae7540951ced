"""Rewards of frames from a few demonstrations, without labels.

After P. Sermanet, K. Xu and S. Levine, "Unsupervised Perceptual Rewards for Imitation
Learning", arXiv 1612.06699: demonstrations are cut into stages, the features that tell a
stage from the rest are selected, and later stages count more. The cuts are exact here
(dynamic programming), and a stage's reward is the probability that Gaussians of its
selected features give.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import State, Values
from reward_synth.intrinsic.models.frames import Rows

_LEAST = 1e-2
"""Of a feature's deviation, in its deviations over all demonstrations."""
_TWO = 2


class Stages:
    """Pays for what belongs to the later stages of a task.

    R(x) = Σ 2^(i-1) p_i(x) / Σ 2^(i-1) over the stages from the second on, where p_i is
    the probability that x is of stage i, by the mean evidence of its selected features:
    of 0 where a frame looks like the beginning, of 1 where it looks like the end.

    Args:
        demonstrations: Encoded frames of each, in order, shape ``(steps, width)``.
        stages: How many.
        features: That are selected for each stage.
        alpha: In the selection, weight of the distance between the means of a stage's
            frames and of all others, from which the sum of both deviations is taken.

    Raises:
        UsageError: A demonstration is too short, or numbers are out of range.

    Example:
        >>> demo = np.array([[0.0, 1.0], [0.1, 5.0], [1.0, 3.0], [0.9, 2.0]])
        >>> reward = Stages([demo], stages=2, features=1)
        >>> reward.selected.tolist(), bool(np.diff(reward(demo[[0, 2]]))[0] > 0.9)
        ([[0]], True)
    """

    kind = "stages"

    def __init__(
        self,
        demonstrations: Sequence[npt.ArrayLike],
        stages: int = 3,
        features: int = 32,
        alpha: float = 5.0,
    ) -> None:
        demos = [np.asarray(demo, np.float64) for demo in demonstrations]
        _require(demos, stages, features, alpha)
        self.stages, self.features, self.alpha = stages, features, float(alpha)
        rows = np.concatenate(demos)
        self._digest = hashlib.sha256(rows.tobytes()).hexdigest()
        self.scale = np.maximum(rows.std(0), np.finfo(np.float64).tiny)
        self.still = rows.std(0) == 0.0
        scaled = [demo / self.scale for demo in demos]
        marks = np.concatenate([cut_stages(demo, stages) for demo in scaled])
        found = [self._learn(np.concatenate(scaled), marks == k) for k in self._later]
        self.selected = np.array([one[0] for one in found])
        """Features of each stage from the second on."""
        self.means = np.array([one[1] for one in found])
        """Of the stage's frames and of the others, shape ``(stages - 1, 2, features)``."""
        self.deviations = np.array([one[2] for one in found])

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return int(self.scale.size)

    def __call__(self, rows: Rows, /) -> Values:
        """Return what each row is worth, from 0 to 1."""
        weights = 2.0 ** np.arange(self.stages - 1)
        values: Values = self.chances(rows) @ weights / weights.sum()
        return values

    def chances(self, rows: Rows) -> Rows:
        """Return the probability of each stage from the second on, one a column."""
        scaled = rows / self.scale
        columns = []
        for k, chosen in enumerate(self.selected):
            seen = scaled[:, None, chosen]
            spread = self.deviations[k]
            logs = -0.5 * ((seen - self.means[k]) / spread) ** 2 - np.log(spread)
            evidence = np.clip((logs[:, 0] - logs[:, 1]).mean(1), -60.0, 60.0)
            columns.append(1.0 / (1.0 + np.exp(-evidence)))
        return np.stack(columns, 1)

    def settings(self) -> dict[str, Any]:
        """Return stages, features and alpha."""
        return {"stages": self.stages, "features": self.features, "alpha": self.alpha}

    def data(self) -> str:
        """Return a digest of the demonstrations."""
        return self._digest

    def state(self) -> State:
        """Return what was learned."""
        return {
            "scale": self.scale,
            "selected": self.selected,
            "means": self.means,
            "deviations": self.deviations,
        }

    def load(self, state: State, /) -> None:
        """Take over what :meth:`state` gave."""
        self.scale, self.selected = state["scale"], state["selected"]
        self.means, self.deviations = state["means"], state["deviations"]

    @classmethod
    def saved(cls, settings: dict[str, Any], state: State) -> Self:
        """Make the one that a file holds."""
        made = cls.__new__(cls)
        made.stages, made.features = settings["stages"], settings["features"]
        made.alpha, made._digest = settings["alpha"], ""
        made.still = np.zeros(len(state["scale"]), np.bool_)
        made.load(state)
        return made

    @property
    def _later(self) -> range:
        return range(1, self.stages)

    def _learn(self, rows: Rows, mine: npt.NDArray[np.bool_]) -> tuple[Any, ...]:
        """Return the features that tell a stage, with means and deviations."""
        sides = rows[mine], rows[~mine]
        means = np.stack([side.mean(0) for side in sides])
        spread = np.stack([side.std(0) for side in sides])
        told = self.alpha * np.abs(means[0] - means[1]) - spread.sum(0)
        told[self.still] = -np.inf
        chosen = np.sort(np.argsort(-told, kind="stable")[: self.features])
        spread = np.maximum(spread, _LEAST)
        return chosen, means[:, chosen], spread[:, chosen]


def cut_stages(rows: Rows, stages: int) -> npt.NDArray[np.int64]:
    """Cut a sequence so that rows within each stage differ least; exact.

    Args:
        rows: Shape ``(steps, width)``.
        stages: How many, each of at least one row.

    Returns:
        Each row's stage, from 0, shape ``(steps,)``.

    Example:
        >>> cut_stages(np.array([[0.0], [0.1], [5.0], [5.1], [5.0], [9.0]]), 3).tolist()
        [0, 0, 1, 1, 1, 2]
    """
    steps = len(rows)
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, 0)])
    squares = np.concatenate([[0.0], np.cumsum((rows**2).sum(1))])

    def cost(ends: int) -> npt.NDArray[np.float64]:
        """Squares around the mean, of the rows from each begin to ``ends``."""
        size = ends - np.arange(ends)
        mean = ((sums[ends] - sums[:ends]) ** 2).sum(1) / size
        found: npt.NDArray[np.float64] = squares[ends] - squares[:ends] - mean
        return found

    costs = [cost(ends) for ends in range(1, steps + 1)]
    best = np.full((stages + 1, steps + 1), np.inf)
    best[0, 0] = 0.0
    begins = np.zeros((stages + 1, steps + 1), np.int64)
    for stage in range(1, stages + 1):
        for ends in range(stage, steps + 1):
            total = best[stage - 1, :ends] + costs[ends - 1]
            begins[stage, ends] = total.argmin()
            best[stage, ends] = total[begins[stage, ends]]
    marks = np.zeros(steps, np.int64)
    ends = steps
    for stage in range(stages, 0, -1):
        begin = int(begins[stage, ends])
        marks[begin:ends], ends = stage - 1, begin
    return marks


def _require(demos: list[Rows], stages: int, features: int, alpha: float) -> None:
    if stages < _TWO or features < 1 or not alpha > 0:
        raise UsageError(
            "There must be at least 2 stages and 1 feature, and alpha above 0; received "
            f"{stages}, {features} and {alpha}."
        )
    if not demos:
        raise UsageError("Stages need at least one demonstration; received none.")
    for number, demo in enumerate(demos):
        if demo.ndim != _TWO or demo.shape[1] != demos[0].shape[-1]:
            raise UsageError(
                f"Demonstration {number} must be rows of {demos[0].shape[-1]} numbers; it "
                f"has shape {demo.shape}. Encode its frames first: encoded(encoder, frames)."
            )
        if len(demo) < stages or not np.isfinite(demo).all():
            raise UsageError(
                f"Demonstration {number} must have at least {stages} frames, a frame a "
                f"stage, of finite numbers; it has {len(demo)}."
            )
