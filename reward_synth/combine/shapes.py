"""Functions that bound or centre a reward before it is used.

Each takes numbers of any shape. References are rewards of what should be beaten, for
example of the policy before it is trained. After "Reward Shaping to Mitigate Reward
Hacking in RLHF" (arXiv 2502.18770), whose code compares all of them but the soft ones: a
shaped reward should be bounded, grow fast at first and slowly then, and be centred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Protocol, get_args

import numpy as np

from reward_synth.combine.basic import Names
from reward_synth.combine.compiled import relative_sigmoid
from reward_synth.combine.protocol import Values
from reward_synth.errors import UsageError

_LEVEL = 1.0364333894937898
"""The 85 % quantile of a standard normal distribution."""
_EDGE = 5.0
Against = Literal["sigmoid", "centred", "tanh", "arctan", "fitted", "slow"]


class Shape(Protocol):
    """Changes a reward."""

    def __call__(self, values: Values) -> Values:
        """Return an array of the same shape."""


@dataclass(frozen=True, slots=True)
class Relative:
    """The mean over references of a function of what the reward has more than each.

    | ``how`` | function |
    |---|---|
    | ``sigmoid`` | 1 / (1 + exp(-k x)): PAR, preference as reward |
    | ``centred`` | x |
    | ``tanh``, ``arctan`` | tanh(k x), arctan(k x) |
    | ``fitted`` | the polynomial of degree 5 next to the sigmoid on [-5, 5], in [0, 1] |
    | ``slow`` | sigmoid 3 later: grows fast only late (SgFc) |

    Raises:
        UsageError: There is no such function, no reference, or one is not finite.

    Example:
        >>> Relative(references=(1.0, 3.0), how="centred")(np.array([4.0]))
        array([2.])
        >>> Relative()(np.array([0.0, 1000.0]))
        array([0.5, 1. ])
    """

    references: Sequence[float] = (0.0,)
    how: Against = "sigmoid"
    k: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be compared with."""
        if self.how not in get_args(Against):
            raise UsageError(
                f"how={self.how!r} is not one of {', '.join(get_args(Against))}."
            )
        if not len(self.references) or not np.isfinite(self.references).all():
            raise UsageError(
                f"references must be one or more finite numbers; received "
                f"{self.references!r}."
            )

    def __call__(self, values: Values) -> Values:
        """Compare with each reference."""
        known = np.asarray(self.references, np.float64)
        if self.how == "centred":
            made: Values = values - known.mean()
            return made
        if self.how in ("sigmoid", "slow"):
            late = 3.0 if self.how == "slow" else 0.0
            return relative_sigmoid(values, known + late, self.k)
        bend = _BENDS[self.how]
        result = np.zeros_like(values)
        for reference in known:
            result += bend(values - reference, self.k)
        result /= len(known)
        return result


@lru_cache(maxsize=1)
def sigmoid_polynomial() -> tuple[float, ...]:
    """Return the six coefficients, highest first, of the fitted polynomial.

    Example:
        >>> len(sigmoid_polynomial())
        6
    """
    x = np.linspace(-_EDGE, _EDGE, 100)
    return tuple(np.polyfit(x, 1 / (1 + np.exp(-x)), 5).tolist())


def _fitted(values: Values, k: float) -> Values:
    x = np.clip(k * values, -_EDGE, _EDGE)
    return np.clip(np.polyval(sigmoid_polynomial(), x), 0.0, 1.0)


def _tanh(values: Values, k: float) -> Values:
    return np.asarray(np.tanh(k * values))


def _arctan(values: Values, k: float) -> Values:
    return np.asarray(np.arctan(k * values))


_BENDS: dict[str, Callable[[Values, float], Values]] = {
    "tanh": _tanh,
    "arctan": _arctan,
    "fitted": _fitted,
}


@dataclass(frozen=True, slots=True)
class LogSigmoid:
    """log sigmoid(k (r - reference)): steep below the reference, flat above (LSC).

    Wang et al., "Transforming and Combining Rewards for Aligning Large Language Models",
    ICML 2024; :meth:`at` puts the reference at the 85 % quantile of a normal fit, as the
    code of arXiv 2502.18770 does.

    Example:
        >>> LogSigmoid()(np.array([0.0])).round(4)
        array([-0.6931])
    """

    reference: float = 0.0
    k: float = 1.0

    @classmethod
    def at(cls, rewards: Sequence[float], k: float = 1.0) -> LogSigmoid:
        """Return the shape for rewards of what should be beaten.

        Raises:
            UsageError: There are fewer than two.

        Example:
            >>> round(LogSigmoid.at([0.0, 2.0]).reference, 3)
            2.466
        """
        given = np.asarray(rewards, np.float64)
        if given.size < 2 or not np.isfinite(given).all():  # noqa: PLR2004 - a spread
            raise UsageError("LogSigmoid.at needs two or more finite rewards.")
        spread = given.std(ddof=1) + 1e-5  # as in the authors' code
        return cls(float(given.mean() + _LEVEL * spread), k)

    def __call__(self, values: Values) -> Values:
        """Return log sigmoid."""
        return log_sigmoid(self.k * (values - self.reference))


def log_sigmoid(values: Values) -> Values:
    """Return log(1 / (1 + exp(-x))), without overflow.

    Example:
        >>> log_sigmoid(np.array([-1000.0, 1000.0])).tolist()
        [-1000.0, 0.0]
    """
    part = np.abs(values)  # one array serves all steps, which is a third faster
    np.negative(part, out=part)
    np.exp(part, out=part)
    np.log1p(part, out=part)
    return np.subtract(np.minimum(values, 0.0), part, out=part)


@dataclass(frozen=True, slots=True)
class Shaped:
    """A shape of the components' sum, or the sum of their shapes; a mixture.

    Example:
        >>> table = np.array([[0.0], [0.0]])
        >>> Shaped(Relative())(table, ("a", "b")), Shaped(Relative(), each=True)(table, ())
        (array([0.5]), array([1.]))
    """

    shape: Shape = field(default_factory=Relative)
    each: bool = False
    """Shape each component and not their sum."""

    def __call__(self, table: Values, _names: Names) -> Values:
        """Sum up and shape."""
        if self.each:
            return np.asarray(self.shape(table).sum(0))
        return self.shape(table.sum(0))
