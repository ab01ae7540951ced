"""Ranking: a network whose numbers agree with which of two was called better.

As ONI-Ranking (M. Klissarov and others, arXiv 2410.23022) and Motif (arXiv 2310.00166).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation import Label
from reward_synth.intrinsic.annotation.label import PENDING
from reward_synth.intrinsic.bonuses.protocol import State
from reward_synth.intrinsic.bonuses.scale import Moments, part
from reward_synth.intrinsic.models.classification import joined
from reward_synth.intrinsic.models.inputs import Encoder
from reward_synth.intrinsic.models.learned import Learned
from reward_synth.intrinsic.models.pairs import pair_text
from reward_synth.intrinsic.models.protocol import Fit, Seen
from reward_synth.intrinsic.models.retrieval import digest

_TIE = 0.5


class RankingModel(Learned):
    """Learns r from pairs by Bradley and Terry (1952), and pays it normalised.

    The chance that a is better than b is 1 / (1 + exp(r(b) - r(a))); a tie counts as half of each.
    What is paid is r_n · 1[r_n > ε], where r_n = (r - mean) / deviation over all steps
    that were scored while learning: both the scale and the threshold reach the
    learner. (ONI's published code computes them, then trains on r itself.)

    Args:
        encoder: What it reads.
        threshold: ε, in deviations; -0.5 after ONI.
        settings: As for :class:`Learned`.

    Raises:
        UsageError: The threshold is no number.

    Example:
        >>> model = RankingModel(seed=0, rate=0.1, threshold=0.0)
        >>> pair = Seen(["You see a key."]), Seen(["It is dark."])
        >>> model.fit_pairs(*pair, [Label("known", "first", 1.0)]).examples
        1
        >>> both = Seen(["You see a key.", "It is dark."])
        >>> [round(label.value, 3) for label in model.judge(both, learning=True)]
        [1.0, 0.0]
    """

    kind = "ranking"

    def __init__(
        self,
        encoder: Encoder | None = None,
        *,
        threshold: float = -0.5,
        **settings: Any,
    ) -> None:
        if math.isnan(threshold):
            raise UsageError("The threshold must be a number; received nan.")
        super().__init__(encoder, 1, **settings)
        self.threshold = threshold
        self.moments = Moments()
        self._first, self._second = Seen([]), Seen([])
        self._wanted: list[float] = []

    def raw(self, seen: Seen) -> Any:
        """Return r of each step, as learned, shape ``(n,)``."""
        with torch.no_grad():
            return self.outputs(seen)[:, 0].double().numpy()

    def judge(self, seen: Seen, /, *, learning: bool = False) -> list[Label]:
        """Return what each step is paid, pending before the first pair."""
        if not self.fitted or not len(seen):
            return [PENDING] * len(seen)
        raw = self.raw(seen)
        if learning:
            self.moments.add(raw[:, None])
        scaled = (raw - self.moments.mean[0]) / self.moments.deviation[0]
        paid = np.where(scaled > self.threshold, scaled, 0.0)
        return [Label("predicted", "", value, self.kind) for value in paid.tolist()]

    def fit_pairs(self, first: Seen, second: Seen, labels: Sequence[Label], /) -> Fit:
        """Learn from pairs; those without an answer teach nothing.

        Raises:
            UsageError: A label's worth is not in [0, 1].
        """
        rows = [n for n, label in enumerate(labels) if label.status == "known"]
        wanted = [_share(labels[row]) for row in rows]
        one, other = first.take(rows), second.take(rows)
        foreseen = self._foreseen(one, other, wanted)
        self._add(one, other, wanted)
        steps = self.descend(len(self._wanted), len(rows), self._loss_of)
        return Fit(len(self._wanted), len(rows), steps, self.last_loss, foreseen)

    def settings(self) -> dict[str, Any]:
        """Return what it was made with."""
        return {**super().settings(), "threshold": self.threshold}

    def state(self) -> State:
        """Return weights and moments."""
        moments = {f"moments.{n}": v for n, v in self.moments.state().items()}
        return {**super().state(), **moments}

    def load(self, state: State, /) -> None:
        """Take over what :meth:`state` gave."""
        super().load(state)
        self.moments.load(part(state, "moments."))

    def _add(self, one: Seen, other: Seen, wanted: list[float]) -> None:
        if not wanted:
            return
        if not self._wanted and not self.fitted:
            self.encoder.observe(joined(one, other, self.reads_obs))
        self._first = joined(self._first, one, self.reads_obs)
        self._second = joined(self._second, other, self.reads_obs)
        self._wanted += wanted
        for a, b, share in zip(one.captions, other.captions, wanted, strict=True):
            self._facts[digest(pair_text(a, b))] = share

    def _loss_of(self, rows: Any) -> Tensor:
        wanted = torch.tensor([self._wanted[row] for row in rows])
        gap = self._gap(self._first.take(rows), self._second.take(rows))
        least = functional.binary_cross_entropy(wanted, wanted)  # what ties leave
        return functional.binary_cross_entropy_with_logits(gap, wanted) - least

    def _gap(self, one: Seen, other: Seen) -> Tensor:
        return (self.outputs(one) - self.outputs(other))[:, 0]

    def _foreseen(self, one: Seen, other: Seen, wanted: list[float]) -> float:
        told = [n for n, share in enumerate(wanted) if share != _TIE]
        if not told or not self.fitted:
            return math.nan
        with torch.no_grad():
            gap = self._gap(one.take(told), other.take(told)).tolist()
        right = sum(
            (g > 0) == (wanted[n] > _TIE) for n, g in zip(told, gap, strict=True)
        )
        return float(right) / len(told)


def _share(label: Label) -> float:
    value = label.value
    if value is None or not 0 <= value <= 1:
        raise UsageError(
            f"A pair's label must be worth 1 (first), 0 (second) or 0.5; received {value}."
        )
    return value
