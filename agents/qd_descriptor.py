"""What tells behaviours apart: fields of a task, or what an autoencoder learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from reward_synth.agents.qd_policy import Table
from reward_synth.errors import UsageError
from reward_synth.task import Field

_STEPS = 200
"""Of the autoencoder's optimiser, each time."""
_RATE = 3e-3
_FEW = 8


class Descriptor(Protocol):
    """Turns what policies came to into points whose distances count."""

    width: int
    """Numbers of a point."""
    learns: bool
    """Whether points of the same look change with :meth:`learn`."""

    def __call__(self, looks: Table, /) -> Table:
        """Return the points, shape ``(n, width)``."""

    def learn(self, looks: Table, /) -> None:
        """Learn from all that is kept."""

    def surprise(self, looks: Table, /) -> Table | None:
        """Return how unlike all that was learned each is; None: it cannot tell."""


class Scaled:
    """Points within bounds, each side brought to length one.

    Args:
        low: Of each number.
        high: Likewise.

    Raises:
        UsageError: They are not finite, or not in order.

    Example:
        >>> Scaled([0.0, -1.0], [10.0, 1.0])(np.array([[5.0, 0.0]]))
        array([[0.5, 0.5]])
    """

    learns = False

    def __init__(self, low: ArrayLike, high: ArrayLike) -> None:
        self.low, self.high = np.asarray(low, float), np.asarray(high, float)
        if not (
            np.isfinite(self.high - self.low).all() and (self.high > self.low).all()
        ):
            raise UsageError(
                "The bounds of behaviours must be finite and in order; received "
                f"{self.low.tolist()} and {self.high.tolist()}."
            )
        self.width = int(self.low.size)

    def __call__(self, looks: Table, /) -> Table:
        """Return the points."""
        points: Table = (looks - self.low) / (self.high - self.low)
        return points

    def learn(self, looks: Table, /) -> None:
        """Do nothing: bounds are given."""

    def surprise(self, looks: Table, /) -> Table | None:
        """Return None."""
        del looks
        return None


def field_descriptor(fields: Sequence[Field]) -> Scaled:
    """Return points of fields, scaled by what was seen of them, or by their bounds.

    Raises:
        UsageError: A field has neither.

    Example:
        >>> field_descriptor([Field("x", low=(0.0,), high=(4.0,))])(np.array([[1.0]]))
        array([[0.25]])
    """
    low: list[float] = []
    high: list[float] = []
    for one in fields:
        least, most = one.range
        if not least:
            raise UsageError(
                f"The field {one.name!r} has no finite bounds. Give them: "
                "Scaled([...], [...])."
            )
        size = int(np.prod(one.shape))
        low += np.broadcast_to(np.asarray(least, float), (size,)).tolist()
        high += np.broadcast_to(np.asarray(most, float), (size,)).tolist()
    return Scaled(low, high)


class Autoencoder:
    """Points that a small autoencoder learns from what policies came to.

    After TAXONS (G. Paolo and others, arXiv 1909.05508), which reads pictures.

    Args:
        looked: Numbers of a look.
        width: Numbers of a point.
        hidden: Units of the layer between.
        seed: Of the weights and of what is drawn.

    Raises:
        UsageError: A size is below 1.

    Example:
        >>> learned = Autoencoder(6, width=2, seed=0)
        >>> looks = np.random.default_rng(0).normal(size=(20, 6))
        >>> learned.learn(looks)
        >>> learned(looks).shape, learned.surprise(looks).shape
        ((20, 2), (20,))
    """

    learns = True

    def __init__(
        self, looked: int, width: int = 10, hidden: int = 32, *, seed: int
    ) -> None:
        if min(looked, width, hidden) < 1:
            raise UsageError(
                "looked, width and hidden must be at least 1; received "
                f"{looked}, {width} and {hidden}."
            )
        self.width = width
        self._random = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = _stack(looked, hidden, width)
            self.decoder = _stack(width, hidden, looked)
        parts = [*self.encoder.parameters(), *self.decoder.parameters()]
        self._optimiser = torch.optim.Adam(parts, _RATE)
        self.mean, self.scale = np.zeros(looked), np.ones(looked)

    def __call__(self, looks: Table, /) -> Table:
        """Return the points."""
        with torch.no_grad():
            found: Table = self.encoder(self._given(looks)).double().numpy()
        return found

    def learn(self, looks: Table, /) -> None:
        """Take the scale of all looks, and train on them."""
        if len(looks) < _FEW:
            return
        self.mean, self.scale = looks.mean(0), np.maximum(looks.std(0), 1e-6)
        given = self._given(looks)
        for _ in range(_STEPS):
            rows = torch.randint(len(given), (64,), generator=self._random)
            loss = self._errors(given[rows]).mean()
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()

    def surprise(self, looks: Table, /) -> Table | None:
        """Return the error with which each is told from its point."""
        with torch.no_grad():
            found: Table = self._errors(self._given(looks)).double().numpy()
        return found

    def _errors(self, given: Tensor) -> Tensor:
        errors: Tensor = ((self.decoder(self.encoder(given)) - given) ** 2).mean(1)
        return errors

    def _given(self, looks: Table) -> Tensor:
        return torch.from_numpy((looks - self.mean) / self.scale).float()


def _stack(wide: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(wide, hidden), nn.Tanh(), nn.Linear(hidden, out))
