"""What a sandbox is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError

Column: TypeAlias = npt.NDArray[np.float64] | npt.NDArray[np.bool_]
"""The values of one argument, one row a call."""
Status: TypeAlias = Literal[
    "ok",
    "raised",
    "timeout",
    "memory",
    "crashed",
    "invalid_output",
    "nondeterministic",
    "mutated",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use.

    Example:
        >>> Limits(seconds=2.0).output_bytes
        16777216
        >>> Limits(seconds=0)
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: Limits.seconds is 0; it must be positive.
    """

    seconds: float = 10.0
    """Wall time from handing over the job to the answer, in seconds."""
    cpu_seconds: int = 10
    """Processor time that the program may use, in seconds."""
    memory_bytes: int = 1 << 30
    """Address space of the worker; Python and NumPy take about 0.15 GiB of it."""
    output_bytes: int = 16 << 20
    """Most bytes of values that are accepted as an answer."""

    def __post_init__(self) -> None:
        """Refuse limits that nothing could keep."""
        for name in self.__slots__:
            value = getattr(self, name)
            if not value > 0:
                raise UsageError(f"Limits.{name} is {value}; it must be positive.")


@dataclass(frozen=True, slots=True)
class Job:
    r"""One function of a program, and the rows to call it with.

    Row ``i`` of every input is passed, by name, to call ``i``: a scalar bool as
    ``bool``, any other scalar as ``np.float64`` (which is a ``float``), and an
    array, also one of bools, as a fresh writable float64 array.

    Example:
        >>> source = "def compute_reward(x):\n    return {'near': -abs(x)}"
        >>> job = Job(source, "compute_reward", ("x",), {"x": np.array([1.0, -2.0])})
        >>> job.rows
        2
    """

    source: str
    """Text of the program."""
    function: str
    """Name of the function to call."""
    arguments: tuple[str, ...]
    """Names of its parameters; each must be a key of ``inputs``."""
    inputs: Mapping[str, Column] = field(repr=False)
    """Name to values, shape ``(n, *shape)``, float64 or bool; ``n`` at least 1."""
    unrestricted: bool = False
    """Give the program all of Python's builtins.  For tests of the layers below."""

    def __post_init__(self) -> None:
        """Check names, types and numbers of rows."""
        missing = [name for name in self.arguments if name not in self.inputs]
        if missing:
            raise UsageError(
                f"Job.inputs lacks {', '.join(missing)}; it has "
                f"{', '.join(self.inputs) or 'nothing'}."
            )
        for name, column in self.inputs.items():
            _check_column(name, column)
        if len({len(column) for column in self.inputs.values()}) != 1:
            sizes = {name: len(column) for name, column in self.inputs.items()}
            raise UsageError(
                f"All of Job.inputs need one number of rows; received {sizes}."
            )

    @property
    def rows(self) -> int:
        """Number of calls in one pass."""
        return len(next(iter(self.inputs.values())))


def _check_column(name: str, column: Column) -> None:
    if not isinstance(column, np.ndarray) or column.dtype not in (np.float64, np.bool_):
        received = getattr(column, "dtype", type(column).__name__)
        raise UsageError(
            f"Job.inputs[{name!r}] must be a float64 or bool array; "
            f"received {received}."
        )
    if column.ndim == 0 or len(column) == 0:
        raise UsageError(
            f"Job.inputs[{name!r}] needs at least one row; its shape is {column.shape}."
        )


@dataclass(frozen=True, slots=True)
class Execution:
    """What came of a job.  Whatever the program did, it is told here as data.

    Example:
        >>> late = Execution.failed("timeout", "no answer after 10 s", rows=4)
        >>> late.ok, late.values.shape
        (False, (4, 0))
    """

    status: Status
    """``ok``, or the first thing that went wrong."""
    names: tuple[str, ...]
    """Names of the components; empty unless ``ok``."""
    values: npt.NDArray[np.float64] = field(repr=False)
    """Values, shape ``(n, len(names))``, in the order of the rows; may be NaN."""
    error: str
    """One sentence on what went wrong; empty when ``ok``."""
    line: int | None
    """Line of the program where it raised."""
    seconds: float
    """Wall time of the whole run, start of the worker included."""
    seconds_per_call: float
    """Mean time of one call in the first pass, by the worker's own clock."""
    layers: tuple[str, ...]
    """Names of the protections that were live."""

    @property
    def ok(self) -> bool:
        """Whether there are values."""
        return self.status == "ok"

    @classmethod
    def failed(
        cls, status: Status, error: str, *, rows: int, line: int | None = None
    ) -> Execution:
        """Return an execution without values; the times and layers come later."""
        empty = np.empty((rows, 0))
        return cls(status, (), empty, error, line, 0.0, 0.0, ())


class Sandbox(Protocol):
    """Runs programs where they can do no harm."""

    def run(self, job: Job, /) -> Execution:
        """Run a job; never raises for what the program does."""
        ...
