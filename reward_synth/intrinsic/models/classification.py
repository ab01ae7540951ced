"""Classification: a network that tells helpful captions, also those never labelled.

As ONI-Classification (M. Klissarov and others, arXiv 2410.23022): r = 1[p(helpful) > η].
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
from reward_synth.intrinsic.models.inputs import Encoder
from reward_synth.intrinsic.models.learned import Learned
from reward_synth.intrinsic.models.protocol import Fit, Seen
from reward_synth.intrinsic.models.retrieval import digest


class ClassificationModel(Learned):
    """Pays what the likeliest label is worth, if it is likelier than ``threshold``.

    With the labels 0 and 1 that is 1 where p(1) > η, else 0.

    Args:
        encoder: What it reads.
        worths: What the labels are worth; those of the grammar.
        threshold: η.
        settings: As for :class:`Learned`.

    Raises:
        UsageError: There are fewer than two labels, or η is not in [0.5, 1).

    Example:
        >>> model = ClassificationModel(seed=0, rate=0.1)
        >>> [label.status for label in model.judge(Seen(["a key"]))]
        ['pending']
        >>> given = [Label("known", "", 1.0), Label("known", "", 0.0)]
        >>> fit = model.fit(Seen(["You see a key.", "It is dark."]), given)
        >>> [label.value for label in model.judge(Seen(["a key", "dark"]))]
        [1.0, 0.0]
    """

    kind = "classification"

    def __init__(
        self,
        encoder: Encoder | None = None,
        *,
        worths: Sequence[float] = (0.0, 1.0),
        threshold: float = 0.5,
        **settings: Any,
    ) -> None:
        self.worths = tuple(sorted(set(worths)))
        if len(self.worths) < 2 or not 0.5 <= threshold < 1:  # noqa: PLR2004 - a choice
            raise UsageError(
                "A classifier needs at least two labels of different worth and a "
                f"threshold in [0.5, 1); received {list(worths)} and {threshold}."
            )
        super().__init__(encoder, len(self.worths), **settings)
        self.threshold = threshold
        self._seen = Seen([])
        self._targets: list[int] = []

    def judge(self, seen: Seen, /, *, learning: bool = False) -> list[Label]:
        """Return a guess for each step, pending before the first label."""
        del learning
        if not self.fitted or not len(seen):
            return [PENDING] * len(seen)
        with torch.no_grad():
            chances, kinds = self.outputs(seen).softmax(1).max(1)
        pairs = zip(chances.tolist(), kinds.tolist(), strict=True)
        return [self._label(chance, kind) for chance, kind in pairs]

    def fit(self, seen: Seen, labels: Sequence[Label], /) -> Fit:
        """Learn from labels that were given; abstentions teach nothing.

        Raises:
            UsageError: A label is worth something else than the model knows.
        """
        rows = [n for n, label in enumerate(labels) if label.status == "known"]
        fresh = seen.take(rows)
        targets = [self._target(labels[row]) for row in rows]
        foreseen = self._foreseen(fresh, targets)
        self._add(fresh, targets)
        steps = self.descend(len(self._targets), len(targets), self._loss_of)
        return Fit(len(self._targets), len(targets), steps, self.last_loss, foreseen)

    def settings(self) -> dict[str, Any]:
        """Return what it was made with."""
        worths = list(self.worths)
        return {**super().settings(), "worths": worths, "threshold": self.threshold}

    def _add(self, fresh: Seen, targets: list[int]) -> None:
        if not targets:
            return
        if not self._targets and not self.fitted:
            self.encoder.observe(fresh)
        self._seen = joined(self._seen, fresh, self.reads_obs)
        self._targets += targets
        for text, kind in zip(fresh.captions, targets, strict=True):
            self._facts[digest(text)] = self.worths[kind]

    def _loss_of(self, rows: Any) -> Tensor:
        wanted = torch.tensor([self._targets[row] for row in rows])
        return functional.cross_entropy(self.outputs(self._seen.take(rows)), wanted)

    def _target(self, label: Label) -> int:
        if label.value not in self.worths:
            raise UsageError(
                f"A label is worth {label.value}; the model knows {list(self.worths)}. "
                "Make it with worths=tuple(grammar.labels.values())."
            )
        return self.worths.index(label.value)

    def _foreseen(self, fresh: Seen, targets: list[int]) -> float:
        if not targets or not self.fitted:
            return math.nan
        with torch.no_grad():
            found = self.outputs(fresh).argmax(1).tolist()
        right = sum(a == b for a, b in zip(found, targets, strict=True))
        return float(right) / len(targets)

    def _label(self, chance: float, kind: int) -> Label:
        value = self.worths[kind] if chance > self.threshold else 0.0
        return Label("predicted", "", value, self.kind, chance)


def joined(one: Seen, other: Seen, with_obs: bool) -> Seen:
    """Return the steps of both; observations only where a model reads them.

    Example:
        >>> joined(Seen(["a"]), Seen(["b"]), False).captions
        ['a', 'b']
    """
    captions = [*one.captions, *other.captions]
    if not with_obs:
        return Seen(captions)
    return Seen(captions, _stacked(one.obs, other.obs))


def _stacked(one: Any, other: Any) -> Any:
    if one is None:
        return other
    if isinstance(other, dict):
        return {name: _stacked(one[name], value) for name, value in other.items()}
    return np.concatenate([one, other])
