"""How each operation of the language is written on scalars."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reward_synth.language.ir import Op, Type

Fresh = Callable[[str], str]
Entries = list[str]

_INFIX = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "mod": "%",
    "floor_divide": "//",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
    "logical_and": "and",
    "logical_or": "or",
}
_NUMPY = (
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "tanh",
    "sinh",
    "cosh",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "floor",
    "ceil",
    "deg2rad",
    "rad2deg",
)


def lower_operation(op: Op, args: list[tuple[Entries, Type]], fresh: Fresh) -> Entries:
    """Return one scalar name an entry of the operation's result.

    Args:
        op: The operation.
        args: Entries and type of each argument.
        fresh: Emits an assignment and returns the new name.
    """
    if op.op in _WHOLE:
        entries = [[_number(e, kind) for e in group] for group, kind in args]
        return _WHOLE[op.op](entries, [kind for _, kind in args], fresh)
    spread = [_broadcast(group, kind, op.type.shape) for group, kind in args]
    arithmetic = op.type.kind == "float" and op.op != "where"
    if arithmetic:
        spread = [
            [_number(entry, kind) for entry in group]
            for group, (_, kind) in zip(spread, args, strict=True)
        ]
    write = _writer(op)
    return [fresh(write(*entries)) for entries in zip(*spread, strict=True)]


def _number(entry: str, kind: Type) -> str:
    """Write a truth value as 1.0 or 0.0."""
    return f"(1.0 if {entry} else 0.0)" if kind.kind == "bool" else entry


def _broadcast(entries: Entries, kind: Type, shape: tuple[int, ...]) -> Entries:
    numbers = np.broadcast_to(np.arange(kind.size).reshape(kind.shape), shape)
    return [entries[int(number)] for number in np.ravel(numbers)]


def _writer(op: Op) -> Callable[..., str]:
    name = op.op
    if name in _INFIX:
        return lambda a, b: f"{a} {_INFIX[name]} {b}"
    if name == "power":
        return _power
    if name == "where":
        as_float = op.type.kind == "float"
        return lambda c, a, b: _where(c, a, b, op, as_float=as_float)
    return _CALL_WRITERS.get(name) or (lambda *items: f"{name}({', '.join(items)})")


def _where(c: str, a: str, b: str, op: Op, *, as_float: bool) -> str:
    if as_float:
        a, b = _number(a, op.args[1].type), _number(b, op.args[2].type)
    return f"{a} if {c} else {b}"


def _power(base: str, exponent: str) -> str:
    """Small whole powers are products, as NumPy computes squares."""
    if exponent in ("1.0", "2.0", "3.0"):
        return " * ".join([base] * int(float(exponent)))
    return f"power({base}, {exponent})"


_CALL_WRITERS: dict[str, Callable[..., str]] = {
    "negative": lambda a: f"-{a}",
    "positive": lambda a: f"+{a}",
    "square": lambda a: f"{a} * {a}",
    "logical_not": lambda a: f"not {a}",
    "clip": lambda x, a, b: f"minimum(maximum({x}, {a}), {b})",
    "float": lambda a: f"{a}",
    "bool": lambda a: f"{a} != 0.0",
    "zeros_like": lambda _: "0.0",
    "ones_like": lambda _: "1.0",
}


def _sum(entries: Entries, fresh: Fresh) -> str:
    return fresh(" + ".join(entries)) if entries else "0.0"


def _fold(name: str) -> Callable[[list[Entries], list[Type], Fresh], Entries]:
    def write(args: list[Entries], _: list[Type], fresh: Fresh) -> Entries:
        result = args[0][0]
        for entry in args[0][1:]:
            result = fresh(f"{name}({result}, {entry})")
        return [result]

    return write


def _mean(args: list[Entries], _: list[Type], fresh: Fresh) -> Entries:
    return [fresh(f"{_sum(args[0], fresh)} / {float(len(args[0]))}")]


def _var(args: list[Entries], kinds: list[Type], fresh: Fresh) -> Entries:
    (mean,) = _mean(args, kinds, fresh)
    apart = [fresh(f"{entry} - {mean}") for entry in args[0]]
    squares = [fresh(f"{entry} * {entry}") for entry in apart]
    return _mean([squares], kinds, fresh)


def _norm(args: list[Entries], _: list[Type], fresh: Fresh) -> Entries:
    squares = [fresh(f"{entry} * {entry}") for entry in args[0]]
    return [fresh(f"sqrt({_sum(squares, fresh)})")]


def _dot(args: list[Entries], kinds: list[Type], fresh: Fresh) -> Entries:
    left = np.arange(kinds[0].size).reshape(kinds[0].shape)
    right = np.arange(kinds[1].size).reshape(kinds[1].shape)
    rows = left.reshape(-1, left.shape[-1])
    columns = np.moveaxis(right, -2, -1) if right.ndim > 1 else right[None]
    columns = columns.reshape(-1, left.shape[-1])
    result: Entries = []
    for row in rows:
        for column in columns:
            pairs = zip(row, column, strict=True)
            products = [fresh(f"{args[0][i]} * {args[1][j]}") for i, j in pairs]
            result.append(_sum(products, fresh))
    return result


def _cross(args: list[Entries], _: list[Type], fresh: Fresh) -> Entries:
    a, b = args
    turns = ((1, 2), (2, 0), (0, 1))
    return [fresh(f"{a[i]} * {b[j]} - {a[j]} * {b[i]}") for i, j in turns]


def _logic(word: str) -> Callable[[list[Entries], list[Type], Fresh], Entries]:
    def write(args: list[Entries], _: list[Type], fresh: Fresh) -> Entries:
        return [fresh(f" {word} ".join(f"({entry}) != 0.0" for entry in args[0]))]

    return write


_WHOLE: dict[str, Callable[[list[Entries], list[Type], Fresh], Entries]] = {
    "sum": lambda args, _, fresh: [_sum(args[0], fresh)],
    "prod": lambda args, _, fresh: [fresh(" * ".join(args[0]))],
    "mean": _mean,
    "var": _var,
    "std": lambda a, k, fresh: [fresh(f"sqrt({_var(a, k, fresh)[0]})")],
    "min": _fold("minimum"),
    "max": _fold("maximum"),
    "norm": _norm,
    "dot": _dot,
    "inner": _dot,
    "cross": _cross,
    "all": _logic("and"),
    "any": _logic("or"),
}
NUMPY_NAMES = (
    *_NUMPY,
    "isnan",
    "isfinite",
    "minimum",
    "maximum",
    "arctan2",
    "hypot",
    "sign",
    "power",
)
"""Functions that the generated text calls; numba knows each on scalars."""
