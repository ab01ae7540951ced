"""What a call returned, checked and turned into numbers.  Runs in the worker."""

from __future__ import annotations

from typing import NamedTuple, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.sandbox.wire import MAX_MESSAGE, MAX_NAME

Components: TypeAlias = dict[str, float]
"""Component name to value, for one row."""

_POTENTIAL = "compute_potential"
_NUMBERS = frozenset({bool, int, float, np.bool_, *(
    np.dtype(code).type for code in (*np.typecodes["AllInteger"], *"efdg")
)})  # fmt: skip
"""Exact types, so that a program's own subclass of ``float`` is not among them."""


class Outcome(NamedTuple):
    """What the worker answers; the fields are those of an ``Execution``."""

    status: str
    names: tuple[str, ...] = ()
    values: npt.NDArray[np.float64] = np.empty((0, 0))
    error: str = ""
    line: int | None = None
    seconds_per_call: float = 0.0

    def header(self) -> dict[str, object]:
        """Return everything but the values."""
        return {key: item for key, item in self._asdict().items() if key != "values"}


class StopError(Exception):
    """Ends a run early with an outcome."""

    def __init__(self, status: str, error: str, line: int | None = None) -> None:
        """Keep the outcome."""
        super().__init__(error)
        self.outcome = Outcome(status, error=error, line=line)


def components_of(result: object, function: str) -> Components:
    """Return what a call returned as named numbers.

    One number is named after the function: ``compute_potential`` gives
    ``potential``, and must return one number.

    Raises:
        StopError: It is neither a dict of named numbers nor a number.

    Example:
        >>> components_of(np.float32(0.5), "compute_potential")
        {'potential': 0.5}
    """
    if type(result) is not dict:
        name = function.removeprefix("compute_")
        return {name: _number(result, f"{function} returned")}
    if function == _POTENTIAL:
        _invalid(f"{function} returned a dict, not one number")
    if not result:
        _invalid(f"{function} returned a dict without components")
    for name in result:
        _check_name(name)
    return {
        name: _number(item, f"component {name} is") for name, item in result.items()
    }


def _check_name(name: object) -> None:
    if type(name) is not str:
        _invalid(f"a component's name is of type {type(name).__name__}, not str")
    elif not (name.isprintable() and 0 < len(name) <= MAX_NAME):
        _invalid(f"a component's name is not 1 to {MAX_NAME} printable characters")


def _number(value: object, said: str) -> float:
    if type(value) is np.ndarray and value.ndim == 0:
        value = value[()]
    if type(value) not in _NUMBERS:
        _invalid(f"{said} {_kind(value)}, not a number")
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        _invalid(f"{said} an int that is too large for a float")


def _kind(value: object) -> str:
    if type(value) is np.ndarray:
        return f"an array of shape {value.shape}"
    return f"of type {type(value).__name__}"


def _invalid(sentence: str) -> NoReturn:
    raise StopError("invalid_output", sentence[:MAX_MESSAGE])


def common_names(results: list[Components]) -> tuple[str, ...]:
    """Return the names in the first row's order.

    Raises:
        StopError: A row has other names.
    """
    names = tuple(results[0])
    for row, components in enumerate(results):
        if components.keys() != results[0].keys():
            _invalid(
                f"row {row} has the components {', '.join(components)}, "
                f"but row 0 has {', '.join(names)}"
            )
    return names


def as_array(
    results: list[Components], names: tuple[str, ...], output_bytes: int
) -> npt.NDArray[np.float64]:
    """Return the values, shape ``(rows, names)``.

    Raises:
        StopError: They are more bytes than an answer may have.
    """
    size = 8 * len(results) * len(names)
    if size > output_bytes:
        _invalid(f"{size} bytes of components are over the limit of {output_bytes}")
    return np.array([[row[name] for name in names] for row in results], dtype="<f8")
