"""How strictly values are compared and what a mistake costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reward_synth.errors import UsageError
from reward_synth.verify.limits import Limits

Syntax = Literal["auto", "tags", "json", "python"]
_SYNTAXES = ("auto", "tags", "json", "python")


@dataclass(frozen=True, slots=True)
class ValuePolicy:
    """When two values count as equal.

    Texts are equal if their canonical compositions (Unicode NFC) are. True is never 1
    and ``"1"`` never 1; an integer equals a float of the same value.

    Example:
        >>> ValuePolicy(absolute=0.01).absolute
        0.01
    """

    absolute: float = 0.0
    """Numbers may differ by so much."""
    relative: float = 0.0
    """Numbers may differ by this share of the expected one. With large numbers a small
    share lets neighbours pass: 1e-4 accepts 10001 for 10000."""
    integers: bool = True
    """True: an integer is accepted where a float is expected, and the reverse."""
    case: bool = True
    """False: texts are compared without regard to case."""
    strip: bool = False
    """True: space around texts is ignored."""
    unordered: bool = False
    """True: lists are compared as multisets."""

    def __post_init__(self) -> None:
        """Refuse tolerances that accept everything or nothing."""
        for name, value in (("absolute", self.absolute), ("relative", self.relative)):
            if not 0 <= value < float("inf"):
                raise UsageError(
                    f"{name} must be a number from 0 upwards, received {value}."
                )


@dataclass(frozen=True, slots=True)
class Policy:
    r"""How an answer is read and scored.

    A predicted call that is matched to an expected one of its name earns

    .. math:: q = w_n + w_k\,J(\text{names of arguments}) + w_v\,V,

    where J is the Jaccard index and V the share of all named arguments whose values are
    right. With S the sum over the best matching, G expected and P predicted calls, of
    which U are superfluous, the score is

    .. math:: \frac{(1+\beta^2) S}{\beta^2 G + P} - \lambda \frac{U}{G + P}.

    Example:
        >>> Policy(beta=1.0, name=0.5, keys=0.25).values_weight
        0.25
    """

    beta: float = 1.4142135623730951
    """Above 1, a missing call costs more than a superfluous one."""
    name: float = 1 / 3
    """Share of a call's quality that its name earns."""
    keys: float = 1 / 3
    """Share of the names of its arguments; the rest is that of their values."""
    penalty: float = 0.5
    """λ: an answer of nothing but superfluous calls scores ``-penalty``."""
    order: float = 0.5
    """Share of the score that the right order decides where order is asked for."""
    compare: ValuePolicy = field(default_factory=ValuePolicy)
    limits: Limits = field(default_factory=Limits)
    syntax: Syntax = "auto"
    """How calls are written in a text: in tags, as JSON, as Python calls; ``auto``
    looks."""
    schema: bool = True
    """True: calls that break their tool's JSON schema earn their name alone."""

    def __post_init__(self) -> None:
        """Refuse settings under which the laws of the score do not hold."""
        if self.syntax not in _SYNTAXES:
            raise UsageError(f"syntax must be one of {_SYNTAXES}: {self.syntax!r}.")
        if not (0 <= self.order <= 1 and self.keys >= 0 and self.name + self.keys < 1):
            raise UsageError(
                "order is a share from 0 to 1, and name and keys are shares that leave "
                f"something for values (name + keys < 1); received {self.order:g}, "
                f"{self.name:g} and {self.keys:g}."
            )
        if not 0 < self.penalty <= 1:
            raise UsageError(
                f"penalty must lie above 0 and be at most 1, received {self.penalty}: "
                "at 0 a superfluous call would cost nothing beside abstaining."
            )
        if not 0 < self.beta < float("inf"):
            raise UsageError(f"beta must be a positive number, received {self.beta}.")
        least = 1 / (1 + self.beta**2)
        if self.name < least - 1e-9:
            raise UsageError(
                f"name={self.name:g} is below 1/(1+beta²)={least:.3g}: leaving out a "
                "right call could then raise the score. Raise name or beta."
            )

    @property
    def values_weight(self) -> float:
        """Share of a call's quality that the values of its arguments earn."""
        return 1.0 - self.name - self.keys
