"""One named quantity of a task."""

from __future__ import annotations

import keyword
import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from reward_synth.errors import TaskSpecError
from reward_synth.task.source import Source

Dtype = Literal["float", "int", "bool"]
Numbers = tuple[float, ...]
ACTION = "action"
PREVIOUS = "prev_"
_ANSWER = ("reward", "success", "score", "return", "episode")
"""``info`` keys with these words in them hold the answer: programs never get them."""


def holds_answer(info_key: str) -> bool:
    """Tell whether an ``info`` key would give a program the answer.

    Example:
        >>> holds_answer("reward_forward"), holds_answer("x_position")
        (True, False)
    """
    return any(word in info_key.lower() for word in _ANSWER)


@dataclass(frozen=True, slots=True)
class Field:
    """One named quantity of a task."""

    name: str
    """An identifier; reward programs use it as a parameter."""
    shape: tuple[int, ...] = ()
    dtype: Dtype = "float"
    unit: str = ""
    """For example ``m``, ``rad/s``; empty if none or unknown."""
    meaning: str = ""
    """One sentence."""
    source: str = "obs"
    """Where it is read, see :mod:`reward_synth.task.source`."""
    check: str = ""
    """A second place that must hold the same value; compared at binding."""
    low: Numbers = ()
    """Declared lower bounds, one an entry in C order; empty if unknown."""
    high: Numbers = ()
    """Declared upper bounds."""
    seen_low: Numbers = ()
    """Smallest values met in rollouts, one an entry."""
    seen_high: Numbers = ()
    """Largest values met in rollouts."""
    at_reset: bool = True
    """True if the field can be read after ``reset``, so ``prev_<name>`` exists."""
    train_only: bool = False
    """True if the agent's observation does not hold it (read from the simulator)."""

    def __post_init__(self) -> None:
        """Check what the field's docstrings promise."""
        usable = self.name.isidentifier() and not keyword.iskeyword(self.name)
        if not usable or self.name.startswith(PREVIOUS):
            raise TaskSpecError(
                f"Field name {self.name!r} must be a Python identifier that does not "
                f"begin with {PREVIOUS!r}."
            )
        if self.dtype not in get_args(Dtype):
            raise TaskSpecError(
                f"Field {self.name!r} has dtype {self.dtype!r}; expected one of "
                f"{', '.join(get_args(Dtype))}."
            )
        for label in ("low", "high", "seen_low", "seen_high"):
            numbers = getattr(self, label)
            if numbers and len(numbers) != self.size:
                raise TaskSpecError(
                    f"Field {self.name!r}: {label} has {len(numbers)} numbers, but shape "
                    f"{self.shape} has {self.size} entries."
                )
        source = Source.parse(self.source)
        if source.kind == "info" and any(map(holds_answer, source.path)):
            raise TaskSpecError(
                f"Field {self.name!r} reads {self.source!r}, which holds the answer; "
                "a reward must not see it."
            )
        if self.check:
            Source.parse(self.check)

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def signature(self) -> str:
        """Name, type and shape, the part that a program depends on.

        Example:
            >>> Field("goal_pos", (3,)).signature
            'goal_pos: float[3]'
        """
        shape = f"[{', '.join(map(str, self.shape))}]" if self.shape else ""
        return f"{self.name}: {self.dtype}{shape}"

    @property
    def range(self) -> tuple[Numbers, Numbers]:
        """The seen range, else the finite declared one, else ``((), ())``."""
        if self.seen_low:
            return self.seen_low, self.seen_high
        if self.low and np.isfinite(self.low).all() and np.isfinite(self.high).all():
            return self.low, self.high
        return (), ()
