"""Compiles the text of kernels with numba, once a machine where it can be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.kernels.cache import CACHE, Checked, kept
from reward_synth.kernels.emit import DType, Layout, kernel_text, one_text, spread_text
from reward_synth.kernels.intrinsics import flatten
from reward_synth.kernels.loops import loop, single
from reward_synth.kernels.plan import Plan

__all__ = ["CACHE", "Machine", "compile_batch", "compile_one"]
# Contraction alone: other fast-math flags delete guards such as np.isnan(x).
_FLAGS: Any = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True}
Compiler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Machine:
    """A compiled kernel: arrays in, shape ``(rows, N)`` out."""

    layout: Layout
    rows: int
    """Number of outputs."""
    dtype: DType
    run: Callable[..., bool]
    """``(array, …, out)``, on one thread; False if the sizes do not fit."""
    spread: Callable[..., bool] | None
    """``(array, …, out, threads)``, or None if it was not asked for."""


def compile_one(plan: Plan) -> Callable[..., tuple[float, ...]]:
    """Compile the outputs of one state: ``(array, …) -> numbers``.

    It raises ``ValueError`` where an array holds another number of entries.
    """
    return _compiled_one(plan)


@lru_cache(maxsize=256)
def _compiled_one(plan: Plan) -> Callable[..., tuple[float, ...]]:
    text = one_text(plan.digest, plan.layout)
    made = single(plan.code, plan.rows, plan.dtype)
    table, compiler = _named(text, single=made)
    one: Callable[..., tuple[float, ...]] = compiler(table["one"])
    return one


def compile_batch(plan: Plan, *, parallel: bool = False) -> Machine:
    """Compile a kernel for batches.

    Machine code is made on the first call for each combination of arrays' types, once
    a process, and loaded from the user's cache folder in later ones.
    """
    run, spread = _compiled(plan, parallel)
    return Machine(plan.layout, plan.rows, plan.dtype, run, spread)


@lru_cache(maxsize=256)
def _compiled(
    plan: Plan, parallel: bool
) -> tuple[Callable[..., bool], Callable[..., bool] | None]:
    room = f"np.empty({plan.room}, np.{plan.dtype})" if plan.room else ""
    text = kernel_text(plan.digest, plan.layout, plan.rows, room)
    if parallel:
        text += "\n" + spread_text(plan.layout, plan.rows, room)
    table, compiler = _named(text, loop=loop(plan.code))
    # Compiled on the first call, for the types of the arrays that it is given.
    run = compiler(table["kernel"])
    return run, compiler(table["spread"], parallel=True) if parallel else None


def _named(text: str, **names: Any) -> tuple[dict[str, Any], Compiler]:
    """Return what the text defines, and what compiles it."""
    import numba  # noqa: PLC0415 - takes seconds to import

    digest = hashlib.sha256((_formulas() + text).encode()).hexdigest()
    path = kept(text, digest)
    table: dict[str, Any] = {"flat": flatten(), "prange": numba.prange, "np": np}
    table |= {"__name__": __name__, **names}
    name = str(path) if path else "<reward kernel>"
    exec(compile(text, name, "exec"), table)  # our own text, never an author's
    return table, partial(_dispatcher, digest if path else "")


def _dispatcher(digest: str, function: Any, **flags: Any) -> Any:
    """Return what numba compiles on its first call, or finds by ``digest`` if given."""
    import numba  # noqa: PLC0415 - takes seconds to import

    made = numba.njit(**_FLAGS, **flags, cache=bool(digest))(function)
    if digest:
        made._cache = Checked(made._cache, digest)
    return made


@lru_cache(maxsize=1)
def _formulas() -> str:
    """Return what else the machine code depends on: the text that makes it."""
    kernels = Path(__file__).parent
    names = (
        *("lanes", "coefficients", "approximations", "intrinsics", "outlined"),
        *("code", "loops", "stages", "plan", "compile"),
    )
    package = kernels.parent
    paths = [kernels / f"{name}.py" for name in names]
    paths += sorted((package / "graph").glob("*.py"))
    paths += [package / "language" / "functions.py"]  # constants are computed with it
    return "".join(path.read_text() for path in paths)
