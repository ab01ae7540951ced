"""NumPy functions that only make, join and turn arrays: nothing is computed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from reward_synth.language.arguments import Call
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import FLOAT, Const, Expr, Kind, Stack, Type
from reward_synth.language.operations import dotted, pick
from reward_synth.language.values import Group, as_vector, parts

_FLOATS = ("float", "np.float64")
_MATRIX = 2


def is_float(node: ast.expr) -> bool:
    """Tell whether an expression names the type of all numbers here."""
    return dotted(node) in _FLOATS


def _no_dtype(call: Call, *others: str) -> None:
    """Accept ``dtype=float``, which changes nothing."""
    call.refuse_keywords("dtype", *others)
    for keyword in call.node.keywords:
        if keyword.arg == "dtype" and not is_float(keyword.value):
            raise call.forbidden(keyword)


def _array(call: Call) -> Expr:
    _no_dtype(call)
    if len(call.node.args) != 1:
        raise ProgramProblemError("shape-mismatch", "np.array takes one list.")
    return call.vector(call.node.args[0])


def _shape(call: Call, node: ast.expr) -> tuple[int, ...]:
    sizes = node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node]
    if len(sizes) == 1 and isinstance(node, (ast.Name, ast.Attribute)):
        item = call.item(node)
        if isinstance(item, Group):  # x.shape
            return tuple(int(as_number(part)) for part in item.items)
    shape = tuple(call.integer(size) for size in sizes)
    if not shape or min(shape) < 1:
        raise ProgramProblemError(
            "shape-mismatch", f"Size {ast.unparse(node)} has no entries."
        )
    size = 1
    for length in shape:
        size *= length
        call.scope.charge(size)
    return shape


def as_number(item: object) -> float:
    """Return a constant.

    Raises:
        ProgramProblemError: It is none.
    """
    if isinstance(item, Const):
        return float(item.value)
    raise ProgramProblemError("not-constant", "A size must be a constant integer.")


def _constants(values: npt.NDArray[np.float64]) -> Expr:
    items = tuple(Const(float(value), FLOAT) for value in np.ravel(values))
    return Stack(items, Type(values.shape))


def _filled(value: float) -> Callable[[Call], Expr]:
    def make(call: Call) -> Expr:
        _no_dtype(call)
        if len(call.node.args) != 1:
            raise ProgramProblemError(
                "shape-mismatch", "Give one constant size, for example np.zeros(3)."
            )
        return _constants(np.full(_shape(call, call.node.args[0]), value))

    return make


def _full(call: Call) -> Expr:
    _no_dtype(call)
    if len(call.node.args) != 2:  # noqa: PLR2004 - the shape and the value
        raise ProgramProblemError("wrong-arguments", "Write np.full(3, value).")
    shape, value = _shape(call, call.node.args[0]), call.value(call.node.args[1])
    if not value.type.scalar:
        raise ProgramProblemError("shape-mismatch", "np.full takes one number.")
    return pick(value, np.zeros(shape, np.intp))


def _eye(call: Call) -> Expr:
    _no_dtype(call)
    if len(call.node.args) != 1:
        raise ProgramProblemError("wrong-arguments", "Write np.eye(3).")
    size = call.integer(call.node.args[0])
    call.scope.charge(max(1, size) ** 2)
    if size < 1:
        raise ProgramProblemError("shape-mismatch", f"Size {size} has no entries.")
    return _constants(np.eye(size))


_Numbers = npt.NDArray[np.intp]


def _joiner(join: Callable[..., _Numbers], *, axis: bool) -> Callable[[Call], Expr]:
    """NumPy's own function says where each entry goes."""

    def make(call: Call) -> Expr:
        given = call.named(call.node.args[1:], *(("axis",) if axis else ()))
        place = {"axis": call.integer(given["axis"])} if "axis" in given else {}
        if not call.node.args:
            raise ProgramProblemError("shape-mismatch", f"{call.name} takes one list.")
        items = [as_vector(part) for part in parts(call.item(call.node.args[0]))]
        try:
            numbers = join(_numbered(items), **place)
        except (ValueError, IndexError):
            shown = ", ".join(f"a {item.type}" for item in items)
            raise ProgramProblemError(
                "shape-mismatch",
                f"{call.name} cannot put together {shown or 'nothing'}.",
            ) from None
        return _joined(items, numbers)

    return make


def _numbered(items: Sequence[Expr]) -> list[_Numbers]:
    starts = np.cumsum([0, *(item.type.size for item in items)])
    return [
        np.arange(start, start + item.type.size).reshape(item.type.shape)
        for start, item in zip(starts, items, strict=False)
    ]


def _joined(items: Sequence[Expr], numbers: _Numbers) -> Expr:
    kind: Kind = "bool" if all(item.type.kind == "bool" for item in items) else "float"
    flat = np.ravel(numbers)
    if np.array_equal(flat, np.arange(flat.size)):
        return Stack(tuple(items), Type(numbers.shape, kind))
    return pick(Stack(tuple(items), Type((flat.size,), kind)), numbers)


def turned(value: Expr) -> Expr:
    """Return ``value.T``.

    Example:
        >>> from reward_synth.language.ir import Name
        >>> turned(Name("m", Type((2, 3)))).entries
        (0, 3, 1, 4, 2, 5)
    """
    if len(value.type.shape) < _MATRIX:
        return value
    return pick(value, np.arange(value.type.size).reshape(value.type.shape).T)


def reshaped(call: Call, value: Expr, sizes: list[ast.expr]) -> Expr:
    """Return ``value.reshape(*sizes)``."""
    call.refuse_keywords()
    if len(sizes) == 1 and isinstance(sizes[0], (ast.Tuple, ast.List)):
        sizes = sizes[0].elts
    shape = [call.integer(size) for size in sizes]
    try:
        return pick(value, np.arange(value.type.size).reshape(shape))
    except (ValueError, TypeError):
        raise ProgramProblemError(
            "shape-mismatch", f"A {value.type} cannot take the shape {tuple(shape)}."
        ) from None


def flattened(value: Expr) -> Expr:
    """Return ``value.ravel()``."""
    return pick(value, np.arange(value.type.size))


def _of_one(make: Callable[[Expr], Expr]) -> Callable[[Call], Expr]:
    def call_with(call: Call) -> Expr:
        call.refuse_keywords()
        if len(call.node.args) != 1:
            raise ProgramProblemError(
                "wrong-arguments", f"{call.name} takes one array."
            )
        return make(call.vector(call.node.args[0]))

    return call_with


def _reshape(call: Call) -> Expr:
    if len(call.node.args) != 2:  # noqa: PLR2004 - the array and its shape
        raise ProgramProblemError("wrong-arguments", "Write np.reshape(x, (2, 3)).")
    return reshaped(call, call.vector(call.node.args[0]), call.node.args[1:])


def _append(call: Call) -> Expr:
    if len(call.node.args) != 2:  # noqa: PLR2004 - both, laid out flat
        raise ProgramProblemError("wrong-arguments", "Write np.append(a, b).")
    call.refuse_keywords()
    items = [flattened(item) for item in call.vectors()]
    return _joined(items, np.arange(sum(item.type.size for item in items)))


MAKERS: dict[str, Callable[[Call], Expr]] = {
    "array": _array,
    "asarray": _array,
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "full": _full,
    "eye": _eye,
    "identity": _eye,
    "append": _append,
    "concatenate": _joiner(np.concatenate, axis=True),
    "stack": _joiner(np.stack, axis=True),
    "hstack": _joiner(np.hstack, axis=False),
    "vstack": _joiner(np.vstack, axis=False),
    "column_stack": _joiner(np.column_stack, axis=False),
    "transpose": _of_one(turned),
    "ravel": _of_one(flattened),
    "reshape": _reshape,
}
"""``np.<name>`` to what it makes."""
