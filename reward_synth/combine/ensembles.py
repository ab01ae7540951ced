"""Several opinions on one step: how much to trust them together.

Each is a :class:`~reward_synth.combine.Mix`. Mean, worst case and uncertainty weighting:
Coste et al., "Reward Model Ensembles Help Mitigate Overoptimization", ICLR 2024.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_synth.combine.basic import Names
from reward_synth.combine.protocol import Values
from reward_synth.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of the components.

    Example:
        >>> Mean()(np.array([[1.0], [5.0]]), ("a", "b"))
        array([3.])
    """

    def __call__(self, table: Values, _names: Names) -> Values:
        """Average."""
        return np.asarray(table.mean(0))


@dataclass(frozen=True, slots=True)
class Worst:
    """The least component (worst-case optimisation).

    Example:
        >>> Worst()(np.array([[1.0], [5.0]]), ("a", "b"))
        array([1.])
    """

    def __call__(self, table: Values, _names: Names) -> Values:
        """Take the least."""
        return np.asarray(table.min(0))


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The mean less ``strength`` times the variance (uncertainty-weighted optimisation).

    The authors' code has the variance of the members (``ddof=0``) when it picks the best
    of n, and the estimate from them (``ddof=1``) in training: for two members a factor
    of 2. One member has no variance.

    Raises:
        UsageError: ``ddof`` is neither 0 nor 1, or ``strength`` is negative.

    Example:
        >>> Uncertain(1.0, ddof=0)(np.array([[1.0], [5.0]]), ("a", "b"))  # 3 - 4
        array([-1.])
    """

    strength: float = 1.0
    ddof: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no variance."""
        if self.ddof not in (0, 1) or not self.strength >= 0:
            raise UsageError(
                f"ddof must be 0 or 1 and strength at least 0; received ddof={self.ddof!r}, "
                f"strength={self.strength!r}."
            )

    def __call__(self, table: Values, _names: Names) -> Values:
        """Average, less the variance."""
        count = len(table)
        mean = table.mean(0)
        apart = table - mean
        square = np.einsum("kn,kn->n", apart, apart)
        return np.asarray(mean - self.strength * square / max(1, count - self.ddof))


@dataclass(frozen=True, slots=True)
class Robust:
    """Between the nominal component and the least (BRME).

    ``trust`` x nominal + (1 - ``trust``) x least; after Yan et al., "Reward-Robust RLHF in
    LLMs", arXiv 2409.15360, which mixes the objective of a Bayesian ensemble's nominal
    member with that of its minimum.

    Raises:
        UsageError: ``trust`` is outside [0, 1].

    Example:
        >>> Robust(0.25, nominal="b")(np.array([[1.0], [5.0]]), ("a", "b"))
        array([2.])
    """

    trust: float = 0.5
    nominal: str = ""
    """The component that is believed; empty: their mean."""

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not 0.0 <= self.trust <= 1.0:
            raise UsageError(f"trust must lie in [0, 1], received {self.trust!r}.")

    def __call__(self, table: Values, names: Names) -> Values:
        """Mix the nominal with the least.

        Raises:
            UsageError: The nominal component is missing.
        """
        if self.nominal and self.nominal not in names:
            raise UsageError(
                f"nominal={self.nominal!r} is not a component; there are "
                f"{', '.join(names)}.{did_you_mean(self.nominal, names)}"
            )
        believed = table[names.index(self.nominal)] if self.nominal else table.mean(0)
        return np.asarray(self.trust * believed + (1 - self.trust) * table.min(0))
