"""How each operation of the language is made of scalar nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reward_synth.graph.nodes import Graph
from reward_synth.language import Op, Type

Entries = list[int]
"""Node numbers of a value, one an entry, in C order."""
_SMALL_POWERS = 8


def operation(graph: Graph, op: Op, args: list[Entries]) -> Entries:
    """Add one operation of the language; return a node for each entry of its result.

    Args:
        graph: Is added to.
        op: The operation.
        args: Nodes of the entries of each argument.
    """
    make = _Maker(graph, op.line)
    whole = _WHOLE.get(op.op)
    kinds = [item.type for item in op.args]
    if whole is not None:
        numbers = [[graph.number(entry) for entry in group] for group in args]
        return whole(make, numbers, kinds)
    spread = [
        _broadcast(group, kind, op.type.shape)
        for group, kind in zip(args, kinds, strict=True)
    ]
    return [make.scalar(op, list(group)) for group in zip(*spread, strict=True)]


def _broadcast(entries: Entries, kind: Type, shape: tuple[int, ...]) -> Entries:
    if kind.shape == shape:  # most are: long programs take half the time
        return entries
    numbers = np.broadcast_to(np.arange(kind.size).reshape(kind.shape), shape)
    return [entries[int(number)] for number in np.ravel(numbers)]


@dataclass(frozen=True, slots=True)
class _Maker:
    """Adds nodes of one source line."""

    graph: Graph
    line: int

    def __call__(self, op: str, *args: int) -> int:
        return self.graph.add(op, args, line=self.line)

    def test(self, op: str, *args: int) -> int:
        return self.graph.test(op, args, self.line)

    def select(self, test: int, yes: int, no: int) -> int:
        return self.graph.select(test, yes, no, line=self.line)

    def scalar(self, op: Op, args: Entries) -> int:
        if op.op == "where":
            return self.select(*args)
        if op.type.kind == "bool":
            return self._truth(op.op, args)
        numbers = [self.graph.number(entry) for entry in args]
        special = _SPECIAL.get(op.op)
        return special(self, numbers) if special else self(op.op, *numbers)

    def _truth(self, op: str, args: Entries) -> int:
        if op in ("logical_and", "logical_or", "logical_not"):
            return self.test(op, *args)
        numbers = [self.graph.number(entry) for entry in args]
        if op == "bool":
            return self.test("not_equal", *numbers, self.graph.const(0.0))
        return self.test(op, *numbers)

    def fold(self, op: str, entries: Entries) -> int:
        result = entries[0]
        for entry in entries[1:]:
            result = self(op, result, entry)
        return result

    def products(self, left: Entries, right: Entries) -> int:
        pairs = zip(left, right, strict=True)
        return self.fold("add", [self("multiply", a, b) for a, b in pairs])


def _power(make: _Maker, args: Entries) -> int:
    """Small whole powers are products, as NumPy computes squares."""
    base, exponent = args
    node = make.graph.nodes[exponent]
    number = node.value if node.op == "const" else 0.5
    if number == int(number) and 0 < number <= _SMALL_POWERS:
        return _product(make, base, int(number))
    if node.op == "const" and number == -1.0:
        return make("divide", make.graph.const(1.0), base)
    return make("power", base, exponent)


def _product(make: _Maker, base: int, count: int) -> int:
    if count == 1:
        return base
    half = _product(make, base, count // 2)
    square = make("multiply", half, half)
    return make("multiply", square, base) if count % 2 else square


_SPECIAL: dict[str, Callable[[_Maker, Entries], int]] = {
    "power": _power,
    "positive": lambda _, args: args[0],
    "float": lambda _, args: args[0],
    "square": lambda make, args: make("multiply", args[0], args[0]),
    "clip": lambda make, a: make("minimum", make("maximum", a[0], a[1]), a[2]),
    "zeros_like": lambda make, _: make.graph.const(0.0),
    "ones_like": lambda make, _: make.graph.const(1.0),
    "deg2rad": lambda make, a: make("multiply", a[0], make.graph.const(np.pi / 180)),
    "rad2deg": lambda make, a: make("multiply", a[0], make.graph.const(180 / np.pi)),
}
Whole = Callable[[_Maker, list[Entries], list[Type]], Entries]


def _folded(op: str) -> Whole:
    return lambda make, args, _: [make.fold(op, args[0])]


def _mean(make: _Maker, args: list[Entries], _: list[Type]) -> Entries:
    count = make.graph.const(float(len(args[0])))
    return [make("divide", make.fold("add", args[0]), count)]


def _var(make: _Maker, args: list[Entries], kinds: list[Type]) -> Entries:
    (mean,) = _mean(make, args, kinds)
    apart = [make("subtract", entry, mean) for entry in args[0]]
    return _mean(make, [[make("multiply", item, item) for item in apart]], kinds)


def _std(make: _Maker, args: list[Entries], kinds: list[Type]) -> Entries:
    return [make("sqrt", *_var(make, args, kinds))]


def _norm(make: _Maker, args: list[Entries], _: list[Type]) -> Entries:
    return [make("sqrt", make.products(args[0], args[0]))]


def _dot(make: _Maker, args: list[Entries], kinds: list[Type]) -> Entries:
    left = np.arange(kinds[0].size).reshape(kinds[0].shape)
    right = np.arange(kinds[1].size).reshape(kinds[1].shape)
    rows = left.reshape(-1, left.shape[-1])
    columns = np.moveaxis(right, -2, -1) if right.ndim > 1 else right[None]
    columns = columns.reshape(-1, left.shape[-1])
    return [
        make.products([args[0][i] for i in row], [args[1][j] for j in column])
        for row in rows
        for column in columns
    ]


def _cross(make: _Maker, args: list[Entries], _: list[Type]) -> Entries:
    a, b = args
    return [
        make("subtract", make("multiply", a[i], b[j]), make("multiply", a[j], b[i]))
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]


def _logic(op: str) -> Whole:
    def make_all(make: _Maker, args: list[Entries], _: list[Type]) -> Entries:
        zero = make.graph.const(0.0)
        tests = [make.test("not_equal", entry, zero) for entry in args[0]]
        result = tests[0]
        for item in tests[1:]:
            result = make.test(op, result, item)
        return [result]

    return make_all


_WHOLE: dict[str, Whole] = {
    "sum": _folded("add"),
    "prod": _folded("multiply"),
    "min": _folded("minimum"),
    "max": _folded("maximum"),
    "mean": _mean,
    "var": _var,
    "std": _std,
    "norm": _norm,
    "dot": _dot,
    "inner": _dot,
    "cross": _cross,
    "all": _logic("logical_and"),
    "any": _logic("logical_or"),
}
