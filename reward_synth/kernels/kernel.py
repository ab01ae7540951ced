"""Compiled reward programs: the same values as the reference, at machine speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.kernels.compile import Machine, compile_batch, compile_one
from reward_synth.kernels.emit import DType, Layout
from reward_synth.kernels.given import checked_dtype, checked_threads
from reward_synth.kernels.plan import function_plan
from reward_synth.language import FunctionIR
from reward_synth.reward import Array

Rows = npt.NDArray[Any]
"""Floats of the kernel's type, shape ``(components + 1, N)``."""


class RewardKernel:
    r"""One compiled function of a reward program.

    Args:
        function: Its typed form.
        dtype: ``float64``, or ``float32``, which is about three times as fast in
            batches. Results have this type.
        threads: How many threads share large batches.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (2,)))
        >>> text = "def compute_reward(x):\n    return {'near': -abs(x), 'one': 1.0}"
        >>> kernel = RewardKernel(parse(text, task).ir.reward)
        >>> kernel.one({"x": np.array(2.0)})
        {'near': -2.0, 'one': 1.0}
        >>> kernel.batch({"x": np.array([1.0, -3.0])})
        array([[-1., -3.],
               [ 1.,  1.],
               [ 0., -2.]])
    """

    def __init__(
        self, function: FunctionIR, dtype: DType = "float64", threads: int = 1
    ) -> None:
        self.function = function
        self.dtype = checked_dtype(dtype)
        self.threads = checked_threads(threads)
        self.names = function.outputs
        self._parameters = tuple(
            (name, max(1, field.size)) for name, field in function.parameters
        )
        self._named = _namer(self.names)
        self._pick = _picker([name for name, _ in self._parameters])

    def __reduce__(self) -> tuple[type[RewardKernel], tuple[FunctionIR, DType, int]]:
        """Pickle as the typed form: machine code is found or compiled where it lands."""
        return RewardKernel, (self.function, self.dtype, self.threads)

    @cached_property
    def _packed(self) -> Machine:
        return self._compile(Layout.packed([self.function]))

    @cached_property
    def _separate(self) -> Machine:
        return self._compile(Layout.separate([self.function]))

    @cached_property
    def _one(self) -> Callable[..., tuple[float, ...]]:
        layout = Layout.separate([self.function])
        return compile_one(function_plan(self.function, layout, self.dtype))

    def _compile(self, layout: Layout) -> Machine:
        plan = function_plan(self.function, layout, self.dtype)
        return compile_batch(plan, parallel=self.threads > 1)

    def one(self, values: Mapping[str, Array]) -> dict[str, float]:
        """Return each component for one state.

        Args:
            values: Parameter name to a value of its field's shape; leading axes of
                length one are allowed.
        """
        return self._named(self._one(*self._pick(values)))

    def batch(self, values: Mapping[str, Array], out: Rows | None = None) -> Rows:
        """Return the components of N states, and their sum as the last row.

        Args:
            values: Parameter name to an array of shape ``(N, *shape)``. Contiguous
                arrays of the kernel's type are read where they are.
            out: Written to and returned, if given; shape ``(components + 1, N)``.
        """
        arrays = [
            np.ascontiguousarray(value, self.dtype) for value in self._pick(values)
        ]
        if out is None:
            count = len(arrays[0]) if arrays else 1
            out = np.empty((len(self.names) + 1, count), self.dtype)
        if any(len(array) != out.shape[1] for array in arrays):
            raise ValueError(
                f"Each parameter needs {out.shape[1]} states along its first axis; "
                f"received shapes {[array.shape for array in arrays]}."
            )
        return self._run(self._separate, arrays, out)

    def rows(self, packed: Rows, out: Rows | None = None) -> Rows:
        """Return the same for states whose parameters lie side by side.

        Args:
            packed: Shape ``(N, entries of all parameters)``, in the parameters' order.
            out: As for :meth:`batch`.
        """
        if out is None:
            out = np.empty((len(self.names) + 1, len(packed)), self.dtype)
        return self._run(self._packed, [np.ascontiguousarray(packed, self.dtype)], out)

    def _run(self, machine: Machine, arrays: list[Rows], out: Rows) -> Rows:
        if out.dtype != self.dtype:
            raise ValueError(f"out must be of {self.dtype}, received {out.dtype}.")
        run_machine(machine, arrays, out, self.threads)
        return out


def _namer(names: Sequence[str]) -> Callable[[Sequence[float]], dict[str, float]]:
    """Return what makes a dict of the first numbers: a literal, twice as fast as zip."""
    items = ", ".join(f"{name!r}: t[{place}]" for place, name in enumerate(names))
    named: Callable[[Sequence[float]], dict[str, float]] = eval(
        f"lambda t: {{{items}}}", {}
    )  # names are written as literals, so nothing of them is run
    return named


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Array]], tuple[Array, ...]]:
    """Return what reads several keys at once."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def compile_ahead(function: FunctionIR) -> None:
    """Compile for batches of float64 now, so that a later process finds the code."""
    values = {name: np.zeros((2, *field.shape)) for name, field in function.parameters}
    RewardKernel(function).batch(values)


def run_machine(
    machine: Machine, arrays: Sequence[Array], out: Rows, threads: int = 1
) -> None:
    """Run a compiled kernel.

    Raises:
        ValueError: An array holds another number of states than ``out``.
    """
    if machine.spread is not None and threads > 1 and out.shape[1] >= _WORTHWHILE:
        fits = machine.spread(*arrays, out, threads)
    else:
        fits = machine.run(*arrays, out)
    if not fits:
        sizes = [width * out.shape[1] for width in machine.layout.widths]
        raise ValueError(
            f"This kernel needs {machine.rows} rows and {sizes} numbers for "
            f"{out.shape[1]} states; received {out.shape[0]} rows and "
            f"{[array.size for array in arrays]}."
        )


_WORTHWHILE = 2048
"""States from which starting threads pays."""
