"""Compiles the text of kernels with numba, once a machine where it can be kept."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from reward_synth.graph import Graph
from reward_synth.kernels.emit import DType, Layout, kernel_text, one_text, spread_text
from reward_synth.kernels.intrinsics import flatten
from reward_synth.kernels.loops import Code, loop, single

CACHE = "REWARD_SYNTH_CACHE"
"""Environment variable: the folder of compiled kernels; empty: keep none."""
_PRIVATE = 0o700
_MOST_KEPT = 4000
"""About 300 MB."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
# Contraction alone: other fast-math flags delete guards such as np.isnan(x).
_FLAGS: Any = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True}


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


def compile_one(
    graph: Graph, outputs: Sequence[int], layout: Layout, dtype: DType = "float64"
) -> Callable[..., tuple[float, ...]]:
    """Compile ``outputs`` of one state: ``(array, …) -> numbers``.

    It raises ``ValueError`` where an array holds another number of entries.
    """
    code = Code(graph, outputs, layout, dtype)
    return _compiled_one(_Job(one_text(graph, outputs, layout, dtype), code))


@dataclass(frozen=True, slots=True)
class _Job:
    """What is compiled; known by its text."""

    text: str
    code: Code = field(compare=False, repr=False)


@lru_cache(maxsize=256)
def _compiled_one(job: _Job) -> Callable[..., tuple[float, ...]]:
    table, flags = _named(job, single=single(job.code))
    one: Callable[..., tuple[float, ...]] = _compiler(**flags)(table["one"])
    return one


def compile_graph(
    graph: Graph,
    outputs: Sequence[int],
    layout: Layout,
    dtype: DType = "float64",
    *,
    parallel: bool = False,
) -> Machine:
    """Compile ``outputs`` of ``graph``.

    Machine code is made on the first call for each combination of arrays' types, once
    a process, and loaded from the user's cache folder in later ones.
    """
    text = kernel_text(graph, outputs, layout, dtype)
    if parallel:
        text += "\n" + spread_text(layout, len(outputs))
    code = Code(graph, outputs, layout, dtype)
    run, spread = _compiled(_Job(text, code), parallel)
    return Machine(layout, len(outputs), dtype, run, spread)


@lru_cache(maxsize=256)
def _compiled(
    job: _Job, parallel: bool
) -> tuple[Callable[..., bool], Callable[..., bool] | None]:
    table, flags = _named(job, loop=loop(job.code))
    # Compiled on the first call, for the types of the arrays that it is given.
    run = _compiler(**flags)(table["kernel"])
    if not parallel:
        return run, None
    return run, _compiler(parallel=True, **flags)(table["spread"])


def _named(job: _Job, **names: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the text defines, and how numba is to compile it."""
    import numba  # noqa: PLC0415 - takes seconds to import

    path = _kept(job.text)
    table: dict[str, Any] = {"flat": flatten(), "prange": numba.prange, **names}
    table["__name__"] = __name__
    name = str(path) if path else "<reward kernel>"
    exec(compile(job.text, name, "exec"), table)  # our own text, never an author's
    return table, {**_FLAGS, "cache": path is not None}


class _Forgiving:
    """numba's cache of one function, which takes a damaged file as none.

    numba itself stops with whatever unpickling raises.
    """

    def __init__(self, cache: Any) -> None:
        self._inner = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def load_overload(self, *args: Any) -> Any:
        """Return kept code, or None; damaged files are emptied."""
        try:
            return self._inner.load_overload(*args)
        except Exception:  # unpickling damaged bytes may raise anything
            self._inner.flush()
            return None

    def save_overload(self, *args: Any) -> None:
        """Keep code; on a full disk it is not kept."""
        with suppress(OSError):
            self._inner.save_overload(*args)


def _compiler(**flags: Any) -> Callable[[Any], Any]:
    """Return ``numba.njit`` whose cache survives damaged files."""
    import numba  # noqa: PLC0415 - takes seconds to import

    def compiled(function: Any) -> Any:
        dispatcher = numba.njit(**flags)(function)
        if flags.get("cache"):
            dispatcher._cache = _Forgiving(dispatcher._cache)
        return dispatcher

    return compiled


def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, or None where none can be trusted.

    Compiled code is loaded from it, so it must belong to the user alone.
    """
    named = os.environ.get(CACHE)
    if named == "":
        return None
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(named) if named else Path(base) / "reward_synth" / "kernels"
    try:
        folder = folder.expanduser()
        code = folder / "__pycache__"  # where numba puts it
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        code.mkdir(mode=_PRIVATE, exist_ok=True)
        trusted = all(map(_private, (folder, code)))
    except (OSError, RuntimeError):
        return None
    return folder if trusted else None


def _private(folder: Path) -> bool:
    """Tell whether the user, and nobody else, can write to a folder."""
    found = folder.stat()
    owned = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return owned and os.access(folder, os.W_OK) and not found.st_mode & _OTHERS_WRITE


def keeps_code() -> bool:
    """Tell whether machine code is kept for later processes."""
    return cache_folder() is not None


def _kept(text: str) -> Path | None:
    """Write the text where numba keeps compiled code beside it."""
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / f"generated_{_digest(text)}.py"
    if path.exists():  # numba compares its time of change
        return path
    _prune(folder)
    try:
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(text)
        part.rename(path)
    except OSError:
        return None
    return path


def _prune(folder: Path) -> None:
    """Drop the older half where too many kernels are kept."""
    kept = list(folder.glob("generated_*.py"))
    if len(kept) < _MOST_KEPT:
        return
    with suppress(OSError):  # another process may prune, too
        kept.sort(key=lambda path: path.stat().st_mtime)
        for path in kept[: _MOST_KEPT // 2]:
            for code in folder.glob(f"__pycache__/{path.stem}.*"):
                code.unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def _digest(text: str) -> str:
    return hashlib.sha256((_formulas() + text).encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _formulas() -> str:
    """Return what else the machine code depends on: the text of our formulas."""
    names = (
        "lanes",
        "coefficients",
        "approximations",
        "intrinsics",
        "loops",
        "outlined",
        "compile",
    )
    return "".join((Path(__file__).parent / f"{name}.py").read_text() for name in names)
