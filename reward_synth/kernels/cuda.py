"""The same kernels on an NVIDIA GPU: one thread a state, tensors read where they are.

The statements are those that the CPU runs. What differs is what an operation's name is
bound to: here a device function made of C's mathematics.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from reward_synth.errors import MissingExtraError, NotAvailableError, UsageError
from reward_synth.graph import Graph, add_function, with_total
from reward_synth.kernels.emit import DType, Layout, parameter_sizes, statements
from reward_synth.language import FunctionIR

THREADS = 128
"""Threads a block."""
_C_NAMES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"}
_C_NAMES |= {"power": "pow", "abs": "fabs"}
_WAVES = ("tanh", "sinh", "cosh", "sin", "cos", "tan", "arcsin", "arccos", "arctan")
_LOGS = ("exp", "expm1", "log", "log1p", "log2", "log10")
_ONE = (*_WAVES, *_LOGS, "abs", "sqrt", "floor", "ceil")
_TWO = ("arctan2", "hypot", "power")
_OWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "select": ("t, a, b", ("return a if t else b",)),
    "both": ("a, b", ("return a and b",)),
    "either": ("a, b", ("return a or b",)),
    "isnan": ("a", ("return a != a",)),
    "isfinite": ("a", ("return math.fabs(a) < inf",)),
    "minimum": ("a, b", ("return a if a != a or a < b else b",)),
    "maximum": ("a, b", ("return a if a != a or a > b else b",)),
    "sign": (
        "a",
        (
            "if a != a:",
            "    return a",
            "return real(1.0) if a > 0 else (real(-1.0) if a < 0 else real(0.0))",
        ),
    ),
    "mod": (
        "a, b",
        (
            "rest = real(math.fmod(a, b))",
            "if rest == 0:",
            "    return real(math.copysign(real(0.0), b))",
            "return rest + b if (rest < 0) != (b < 0) else rest",
        ),
    ),
    "floor_divide": (
        "a, b",
        (
            "if b == 0:",
            "    return a / b",
            "rest = real(math.fmod(a, b))",
            "quotient = (a - rest) / b",
            "if rest != 0 and (rest < 0) != (b < 0):",
            "    quotient = quotient - real(1.0)",
            "if quotient == 0:",
            "    return real(math.copysign(real(0.0), a / b))",
            "whole = real(math.floor(quotient))",
            "return whole + real(1.0) if quotient - whole > real(0.5) else whole",
        ),
    ),
}
"""Name to parameters and body of what C has not, or has with another meaning."""


def _device_text() -> str:
    """Return the text of all device functions."""
    calls = {name: ("a", f"{_C_NAMES.get(name, name)}(a)") for name in _ONE}
    calls |= {name: ("a, b", f"{_C_NAMES.get(name, name)}(a, b)") for name in _TWO}
    table = {
        name: (given, (f"return real(math.{call})",))
        for name, (given, call) in calls.items()
    } | _OWN
    return "\n".join(
        "\n    ".join([f"@device\ndef {name}({given}):", *lines])
        for name, (given, lines) in table.items()
    )


def cuda_text(function: FunctionIR, dtype: DType = "float32") -> str:
    r"""Return the text of a function's kernel for the GPU.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (2,)))
        >>> text = "def compute_reward(x):\n    return {'far': 2.0 * x}"
        >>> print(cuda_text(parse(text, task).ir.reward).split("@launched\n")[1])
        def kernel(x0, out):
            i = cuda.grid(1)
            if i < out.shape[1]:
                v0 = float32(x0[i * 1 + 0])
                v3 = v2 * v0
                out[0, i] = v3
                out[1, i] = v3
    """
    graph, layout = Graph(), Layout.separate([function])
    outputs = with_total(graph, add_function(graph, function))
    constants, body = statements(graph, outputs, layout, dtype)
    arrays = [f"x{number}" for number in range(len(layout.widths))]
    stores = [f"out[{row}, i] = v{node}" for row, node in enumerate(outputs)]
    return "\n".join(
        [
            *constants,
            _device_text(),
            "@launched",
            f"def kernel({', '.join([*arrays, 'out'])}):",
            "    i = cuda.grid(1)",
            "    if i < out.shape[1]:",
            *(f"        {line}" for line in [*body, *stores]),
        ]
    )


class CudaKernel:
    r"""One compiled function of a reward program, on the current GPU.

    Args:
        function: Its typed form.
        dtype: Type of arithmetic and results; GPUs are fastest in ``float32``.

    Raises:
        NotAvailableError: There is no GPU that numba can use; the reason is given.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> kernel = CudaKernel(program.ir(task).reward)  # doctest: +SKIP
        >>> kernel.batch({"x": torch.ones(3, device="cuda")}).shape  # doctest: +SKIP
        torch.Size([2, 3])
    """

    def __init__(self, function: FunctionIR, dtype: DType = "float32") -> None:
        self._cuda = require_cuda()
        self.function = function
        self.dtype = dtype
        self.names = function.outputs
        self._sizes = parameter_sizes([function])
        self._kernel = _compiled(cuda_text(function, dtype), dtype)

    def __reduce__(self) -> tuple[type[CudaKernel], tuple[FunctionIR, DType]]:
        """Pickle as the typed form: it is compiled where it lands."""
        return CudaKernel, (self.function, self.dtype)

    def batch(self, values: Mapping[str, Any], out: Any = None) -> Any:
        """Return the components of N states, and their sum as the last row.

        The work is queued: on torch's current stream for its tensors, else on the
        default stream.

        Args:
            values: Parameter name to a contiguous array of shape ``(N, *shape)`` on the
                GPU: a torch or CuPy tensor, or anything else that has
                ``__cuda_array_interface__``; of any number type. Nothing is copied.
            out: Written to and returned, if given; on the GPU, shape
                ``(components + 1, N)``. By default a new array of the library that the
                first parameter comes from.

        Raises:
            UsageError: An array is elsewhere, not contiguous, or of another length.
        """
        given = {name: _unwatched(values[name]) for name in self._sizes}
        views = [self._view(name, value) for name, value in given.items()]
        if out is None:
            if not given:
                raise UsageError(
                    "This program has no parameters, so the number of states is not "
                    "known; give out=... of shape (components + 1, N)."
                )
            name, size = next(iter(self._sizes.items()))
            count = views[0].size // max(1, size)
            out = self._empty(given[name], (len(self.names) + 1, count))
        target = self._view("out", out, flat=False)
        self._check(views, tuple(target.shape))
        blocks = -(-target.shape[1] // THREADS)
        if blocks:
            stream = self._stream(out)
            self._kernel[blocks, THREADS, stream](*views, target)
        return out

    def _check(self, views: list[Any], shape: tuple[int, ...]) -> None:
        rows, count = shape
        found = {name: view.size for name, view in zip(self._sizes, views, strict=True)}
        wanted = {name: size * count for name, size in self._sizes.items()}
        if rows != len(self.names) + 1 or found != wanted:
            raise UsageError(
                f"This kernel needs {len(self.names) + 1} rows and {wanted} numbers for "
                f"{count} states; received {rows} rows and {found}."
            )

    def _view(self, name: str, value: Any, *, flat: bool = True) -> Any:
        """Return numba's view of an array on the GPU."""
        if hasattr(value, "__cuda_array_interface__"):
            view = self._cuda.as_cuda_array(value, sync=False)
        elif _simulated() and hasattr(value, "reshape"):
            view = value
        else:
            raise UsageError(
                f"{name!r} is not on the GPU ({type(value).__name__}); move it there, for "
                "example with torch.as_tensor(value, device='cuda')."
            )
        if not (_simulated() or view.is_c_contiguous()):
            raise UsageError(
                f"{name!r} is not contiguous, so it cannot be read where it lies; give "
                "value.contiguous() (torch) or cupy.ascontiguousarray(value)."
            )
        return view.reshape(-1) if flat else view

    def _empty(self, like: Any, shape: tuple[int, int]) -> Any:
        library = sys.modules.get(type(like).__module__.partition(".")[0])
        if hasattr(like, "new_empty"):  # torch
            return like.new_empty(shape, dtype=getattr(library, self.dtype))
        if library is not None and library.__name__ in ("cupy", "numpy"):
            return library.empty(shape, self.dtype)
        return self._cuda.device_array(shape, self.dtype)

    def _stream(self, array: Any) -> Any:
        if not hasattr(array, "new_empty"):
            return 0
        number = sys.modules["torch"].cuda.current_stream(array.device).cuda_stream
        return self._cuda.external_stream(number) if number else 0


def require_cuda() -> Any:
    """Return ``numba.cuda`` if it has a GPU, or a simulated one, to run on.

    Raises:
        MissingExtraError: This numba comes without it.
        NotAvailableError: The driver or the GPU is missing.
    """
    try:
        cuda: Any = import_module("numba.cuda")
    except ImportError as cause:
        raise MissingExtraError("numba-cuda", "cuda") from cause
    try:
        cuda.current_context()
    except Exception as cause:  # the driver's own errors differ between packages
        reason = " ".join(str(cause).split()) or type(cause).__name__
        raise NotAvailableError(
            f"No GPU can be used: {reason} Score on the CPU with RewardKernel, or "
            "simulate a GPU, slowly, with the environment variable "
            "NUMBA_ENABLE_CUDASIM=1."
        ) from cause
    return cuda


def _simulated() -> bool:
    return bool(import_module("numba").config.ENABLE_CUDASIM)


def _unwatched(value: Any) -> Any:
    """Return a torch tensor without its gradient; anything else as it is."""
    return value.detach() if hasattr(value, "detach") else value


@lru_cache(maxsize=512)
def _compiled(text: str, dtype: DType) -> Any:
    """Compile on first launch, once a process."""
    cuda = require_cuda()
    real = getattr(np, dtype)
    table: dict[str, Any] = {dtype: real, "real": real, "cuda": cuda}
    table |= {"inf": real(math.inf), "nan": math.nan, "launched": cuda.jit}
    table |= {"device": cuda.jit(device=True), "math": _mathematics()}
    exec(compile(text, "<reward kernel>", "exec"), table)  # our own text
    return table["kernel"]


def _mathematics() -> Any:
    """Return C's functions; simulated ones do not raise where C gives NaN."""
    if not _simulated():
        return math
    names = (*_ONE, *_TWO, "fmod", "copysign")
    return SimpleNamespace(
        **{_C_NAMES.get(name, name): getattr(np, name) for name in names}
    )
