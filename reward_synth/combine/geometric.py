"""Geometric combination: a component near zero pulls the whole towards zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_synth.combine.basic import Names
from reward_synth.combine.protocol import Values
from reward_synth.errors import UsageError


@dataclass(frozen=True, slots=True)
class Geometric:
    """The geometric mean of the components' sizes, positive only if all are (KRC).

    sign x (product of |r_i|)^(1/n); two negative components stay negative; 0 if one is
    0. After the kinesthetic reward combination of Lucy-SKG (arXiv 2305.15801).

    Example:
        >>> Geometric()(np.array([[2.0, -2.0, 2.0], [8.0, -8.0, 0.0]]), ("a", "b"))
        array([ 4., -4.,  0.])
    """

    def __call__(self, table: Values, _names: Names) -> Values:
        """Combine."""
        count = len(table)
        if count == 1:
            return np.array(table[0])
        # Scaled by powers of two, so that no product overflows or vanishes.
        part, power = np.frexp(table)
        size = np.abs(part.prod(0)) ** (1.0 / count) * np.exp2(power.sum(0) / count)
        sign = np.where((table > 0).all(0), 1.0, -1.0)
        return np.where((table == 0).any(0), 0.0, sign * size)


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near something is, from 1 down to 0; a :class:`~reward_synth.combine.Shape`.

    exp(-½ d / (reach x dispersion))^(1 / density): ``dispersion`` widens the bell,
    ``density`` lifts it. After Lucy-SKG (arXiv 2305.15801). Distances below 0 count as 0.

    Raises:
        UsageError: A number is not above 0.

    Example:
        >>> Nearness(reach=2.0)(np.array([0.0, 4.0])).round(4)  # 1 and exp(-1)
        array([1.    , 0.3679])
    """

    reach: float
    """The distance that is far, in the distance's own unit."""
    dispersion: float = 1.0
    density: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no shape."""
        for name in ("reach", "dispersion", "density"):
            if not 0 < getattr(self, name) < np.inf:
                raise UsageError(
                    f"{name} must be above 0, received {getattr(self, name)!r}."
                )

    def __call__(self, values: Values) -> Values:
        """Return the nearness of distances."""
        scale = -0.5 / (self.reach * self.dispersion * self.density)
        return np.asarray(np.exp(scale * np.maximum(values, 0.0)))
