"""Call a program row by row, twice, and compare.  Runs in the locked worker."""

from __future__ import annotations
import __future__

import builtins
import math
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from time import perf_counter
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.sandbox.result import (
    Components,
    Outcome,
    StopError,
    as_array,
    common_names,
    components_of,
)
from reward_synth.sandbox.wire import MAX_MESSAGE

Column: TypeAlias = npt.NDArray[Any]
_Function: TypeAlias = Callable[..., object]

FILE_NAME = "<reward>"
_FLAGS = __future__.annotations.compiler_flag
"""Annotations say something to readers only, and are not run."""
_SHUFFLE_SEED = 0
_BUILTINS = (
    "abs", "all", "any", "bool", "dict", "enumerate", "float", "int", "len", "max", "min",
    "ord", "pow", "range", "round", "sum", "zip",
)  # fmt: skip
_MODULES = {"numpy": np, "math": math}


class _Typing:
    """Stands for :mod:`typing`: annotations are not evaluated."""

    def __getattr__(self, name: str) -> None:
        return None


_FROM = {"math": math, "typing": _Typing()}
"""What ``from ... import`` may name."""
_ROTATION = "reward_synth.rotation"
_rotation = import_module(_ROTATION)
"""Loaded before the worker is locked."""


class Task(NamedTuple):
    """What the worker was asked to run; the fields are those of a ``Job``."""

    source: str
    function: str
    columns: dict[str, Column]
    rows: int
    output_bytes: int
    unrestricted: bool


def evaluate(task: Task) -> Outcome:
    """Run a task; whatever the program does comes back as an outcome."""
    try:
        order = _shuffled(task.rows)
        function = _load(task)
        first, seconds = _run_pass(task, function, range(task.rows))
        names = common_names(first)
        values = as_array(first, names, task.output_bytes)
        _compare(first, _second_pass(task, function, order))
        return Outcome("ok", names, values, seconds_per_call=seconds / task.rows)
    except StopError as stop:
        return stop.outcome
    except MemoryError:
        return Outcome("memory", error="the results did not fit into memory")


def _load(task: Task) -> _Function:
    space: dict[str, object] = {"__name__": "reward", "np": np, "math": math}
    space["__builtins__"] = builtins if task.unrestricted else few_builtins()

    def execute() -> object:
        code = compile(task.source, FILE_NAME, "exec", _FLAGS, dont_inherit=True)
        exec(code, space)
        return None

    _guarded(execute)
    function = space.get(task.function)
    if not callable(function):
        raise StopError("raised", f"NameError: the program defines no {task.function}")
    return function


def few_builtins() -> dict[str, object]:
    """Return what a program has in place of Python's builtins."""
    few = {name: getattr(builtins, name) for name in _BUILTINS}
    return {**few, "__import__": _import_known}


def _import_known(
    name: str,
    _globals: Mapping[str, object] | None = None,
    _locals: Mapping[str, object] | None = None,
    fromlist: Iterable[str] | None = (),
    level: int = 0,
) -> object:
    if type(name) is str and not level:
        if name == _ROTATION and fromlist:
            return _rotation
        if name in _MODULES and not fromlist:
            return _MODULES[name]
        if name in _FROM and fromlist:
            return _FROM[name]
    raise ImportError(
        "only 'import numpy as np', 'import math' and "
        f"'from {_ROTATION} import ...' are allowed"
    )


def _guarded(action: Callable[[], object]) -> object:
    """Run code of the program; all that it can raise ends the run as data."""
    try:
        return action()
    except MemoryError as error:
        raise StopError("memory", _describe(error), _line_of(error)) from None
    except BaseException as error:
        raise StopError("raised", _describe(error), _line_of(error)) from None


def _describe(error: BaseException) -> str:
    try:
        message = str(error)[:MAX_MESSAGE]
    except BaseException:
        message = "(its message could not be read)"
    return f"{type(error).__name__}: {message}"[:MAX_MESSAGE]


def _line_of(error: BaseException) -> int | None:
    """Return the innermost line of the program's text in a traceback."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE_NAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _shuffled(rows: int) -> list[int]:
    """Return another order of the rows, the same each time."""
    order: list[int] = np.random.default_rng(_SHUFFLE_SEED).permutation(rows).tolist()
    return order[::-1] if order == sorted(order) else order


def _second_pass(
    task: Task, function: _Function, order: Iterable[int]
) -> list[Components]:
    try:
        return _run_pass(task, function, order)[0]
    except StopError as stop:
        if stop.outcome.status in ("memory", "mutated"):
            raise
        _, _, _, error, line, _ = stop.outcome
        raise StopError(
            "nondeterministic", f"only when called again: {error}", line
        ) from None


def _run_pass(
    task: Task, function: _Function, order: Iterable[int]
) -> tuple[list[Components], float]:
    """Return the components by row, and the time spent in the function."""
    results: list[Components] = [{} for _ in range(task.rows)]
    seconds = 0.0
    for row in order:
        arguments = {name: _cell(column[row]) for name, column in task.columns.items()}
        before = _fingerprints(arguments)
        start = perf_counter()
        result = _guarded(lambda: function(**arguments))  # noqa: B023
        seconds += perf_counter() - start
        _check_unchanged(before, _fingerprints(arguments))
        results[row] = components_of(result, task.function)
    return results, seconds


def _cell(value: Any) -> object:
    if isinstance(value, np.ndarray):
        return np.array(value, dtype=np.float64, order="C")
    return bool(value) if isinstance(value, np.bool_) else value


def _fingerprints(arguments: Mapping[str, object]) -> dict[str, tuple[object, ...]]:
    return {
        name: (array.shape, array.strides, array.dtype.str, array.tobytes())
        for name, array in arguments.items()
        if isinstance(array, np.ndarray)
    }


def _check_unchanged(before: Mapping[str, object], after: Mapping[str, object]) -> None:
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        raise StopError("mutated", f"the program changes its argument {changed[0]}")


def _compare(first: list[Components], second: list[Components]) -> None:
    for row, (one, two) in enumerate(zip(first, second, strict=True)):
        if one.keys() != two.keys():
            raise StopError(
                "nondeterministic", f"row {row} has other components when called again"
            )
        for name in one:
            if not _same(one[name], two[name]):
                raise StopError(
                    "nondeterministic",
                    f"component {name} of row {row} is {one[name]!r}, "
                    f"and {two[name]!r} when called again in another order",
                )


def _same(one: float, two: float) -> bool:
    return one == two or (math.isnan(one) and math.isnan(two))
