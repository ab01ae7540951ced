"""Components as statements: all of them, any of them, the softly least or greatest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from reward_synth.combine.basic import Names, factors
from reward_synth.combine.protocol import Values
from reward_synth.combine.shapes import log_sigmoid
from reward_synth.errors import UsageError

_SMALL = 1e-10
_WITHIN = 600.0
"""exp of it and one over that are floats."""


def _centred(
    table: Values, names: Names, references: Mapping[str, float], k: float
) -> Values:
    if not references and k == 1.0:
        return table
    if not references:
        return k * table
    middle = np.array(factors(references, names, "references"))
    made: Values = k * (table - middle[:, None])
    return made


def _bends(x: Values) -> Values:
    """Return the sum over rows of log(1 + exp(-|x|)), by one logarithm.

    The product of 1 + e is kept less 1, so that nothing is lost where all e are small.
    """
    part = np.abs(x)
    np.negative(part, out=part)
    np.exp(part, out=part)
    product = part[0]
    for row in part[1:]:
        product = product + row + product * row
    return np.asarray(np.log1p(product))


@dataclass(frozen=True, slots=True)
class And:
    """log of the chance that all components are good, were they independent.

    The sum of log sigmoid(k (r_i - reference_i)), at most 0. (Wang et al., "Transforming
    and Combining Rewards", ICML 2024.)

    Example:
        >>> And()(np.array([[0.0], [1000.0]]), ("a", "b")).round(4)  # log ½ + log 1
        array([-0.6931])
    """

    references: Mapping[str, float] = field(default_factory=dict)
    """What counts as even, by component; empty: 0 for all."""
    k: float = 1.0

    def __call__(self, table: Values, names: Names) -> Values:
        """Sum up log-sigmoids."""
        x = _centred(table, names, self.references, self.k)
        return np.asarray(np.minimum(x, 0.0).sum(0) - _bends(x))


@dataclass(frozen=True, slots=True)
class Or:
    """log of the chance that any component is good, were they independent.

    log(1 - product of (1 - sigmoid(k (r_i - reference_i)))), at most 0; after the rule
    for ``And`` and De Morgan.

    Example:
        >>> Or()(np.array([[-1000.0], [0.0]]), ("a", "b")).round(4)  # log ½
        array([-0.6931])
    """

    references: Mapping[str, float] = field(default_factory=dict)
    k: float = 1.0

    def __call__(self, table: Values, names: Names) -> Values:
        """Combine the chances that each is bad."""
        x = _centred(table, names, self.references, self.k)
        if np.abs(x).max() * len(x) <= _WITHIN:
            odds = np.exp(x)
            some = odds[0]  # the product of 1 + odds, less 1
            for row in odds[1:]:
                some = some + row + some * row
            return np.asarray(-np.log1p(1.0 / some))
        # log of the chance that no one is good
        none = -(np.maximum(x, 0.0).sum(0) + _bends(x))
        near = none > -_SMALL  # 1 - exp(-tiny) would vanish; the chances then add up
        if not near.any():
            return np.asarray(np.log(-np.expm1(none)))
        rough = np.log(-np.expm1(np.where(near, -1.0, none)))
        chances = log_sigmoid(x)
        most = chances.max(0)
        added = most + np.log(np.exp(chances - most).sum(0))
        return np.where(near, added, rough)


@dataclass(frozen=True, slots=True)
class Soft:
    """tau log mean exp(r / tau): the greatest softly, the least for negative ``tau``.

    Lies between the mean (tau far from 0) and the greatest or least (tau near 0).

    Raises:
        UsageError: ``tau`` is 0 or not finite; that is ``max`` or ``min``.

    Example:
        >>> Soft(0.01)(np.array([[1.0], [5.0]]), ("a", "b")).round(2)
        array([4.99])
        >>> Soft(-0.01)(np.array([[1.0], [5.0]]), ("a", "b")).round(2)
        array([1.01])
    """

    tau: float = 1.0

    def __post_init__(self) -> None:
        """Refuse the limits."""
        if not np.isfinite(self.tau) or self.tau == 0.0:
            raise UsageError(
                f"tau must be finite and not 0, received {self.tau!r}; near 0 it is the "
                "greatest, or for negative tau the least."
            )

    def __call__(self, table: Values, _names: Names) -> Values:
        """Take the soft extreme."""
        edge = table.max(0) if self.tau > 0 else table.min(0)
        apart = np.exp((table - edge) / self.tau).mean(0)
        return np.asarray(edge + self.tau * np.log(apart))
