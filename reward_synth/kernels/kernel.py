"""Compiled reward programs: the same values as the reference, at machine speed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.kernels.lower import lower
from reward_synth.kernels.scalar import NUMPY_NAMES
from reward_synth.language import FunctionIR
from reward_synth.reward import Array

Row = npt.NDArray[np.float64]

# No fast-math: it would delete an author's own guards such as np.isnan(x).
_FLAGS: Any = {"error_model": "numpy", "fastmath": False, "nogil": True}


class RewardKernel:
    r"""One compiled function of a reward program.

    Args:
        function: Its typed form.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (2,)))
        >>> ir = parse("def compute_reward(x):\n    return {'near': -abs(x)}", task).ir
        >>> kernel = RewardKernel(ir.reward)
        >>> kernel.one({"x": np.array(2.0)})
        {'near': -2.0}
        >>> kernel.batch({"x": np.array([1.0, -3.0])})
        array([[-1.],
               [-3.]])
    """

    def __init__(self, function: FunctionIR) -> None:
        self.function = function
        self.names = function.outputs
        self._width = sum(field.size for _, field in function.parameters)
        self._row = np.zeros(max(1, self._width))
        self._out = np.zeros(len(self.names))
        self._one, self._batch = _compiled(lower(function))

    def __reduce__(self) -> tuple[type[RewardKernel], tuple[FunctionIR]]:
        """Pickle as the typed form: machine code is compiled anew where it lands."""
        return RewardKernel, (self.function,)

    def one(self, values: Mapping[str, Array]) -> dict[str, float]:
        """Return each component for one state.

        Args:
            values: Parameter name to a value of its field's shape; leading axes of
                length one are allowed.
        """
        offset = 0
        for name, field in self.function.parameters:
            self._row[offset : offset + field.size] = np.reshape(values[name], -1)
            offset += field.size
        self._one(self._row, self._out)
        return dict(zip(self.names, self._out.tolist(), strict=True))

    def batch(self, values: Mapping[str, Array], out: Row | None = None) -> Row:
        """Return components for N states, shape ``(N, number of components)``.

        Args:
            values: Parameter name to an array of shape ``(N, *shape)``.
            out: Written to and returned, if given.
        """
        parts = [
            np.asarray(values[name], np.float64).reshape(-1, max(1, field.size))
            for name, field in self.function.parameters
        ]
        if not parts:
            count = 1 if out is None else len(out)
            parts = [np.zeros((count, 1))]
        rows = np.ascontiguousarray(np.concatenate(parts, axis=1))
        if out is None:
            out = np.empty((len(rows), len(self.names)))
        self._batch(rows, out)
        return out


@lru_cache(maxsize=256)
def _compiled(text: str) -> tuple[Callable[..., None], Callable[..., None]]:
    """Compile generated text; equal texts are compiled once a process."""
    import numba  # noqa: PLC0415 - takes seconds to import

    table: dict[str, Any] = {name: getattr(np, name) for name in NUMPY_NAMES}
    table |= {"inf": math.inf, "nan": math.nan, "abs": abs}
    exec(
        compile(text, "<reward kernel>", "exec"), table
    )  # our own text, never an author's
    one = numba.njit("void(float64[::1], float64[::1])", **_FLAGS)(table["kernel"])

    def batch(rows: Any, out: Any) -> None:
        for number in range(rows.shape[0]):
            one(rows[number], out[number])

    signature = "void(float64[:, ::1], float64[:, ::1])"
    return one, numba.njit(signature, **_FLAGS)(batch)
