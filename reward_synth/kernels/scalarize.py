"""Turns typed functions into a graph: vectors into scalars, branches into selections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from reward_synth.kernels.graph import Graph
from reward_synth.language import (
    Assign,
    Const,
    Expr,
    FunctionIR,
    If,
    Name,
    Op,
    Pick,
    Stack,
    Statement,
    Type,
)

Entries = list[int]
"""Node numbers of a value, one an entry, in C order."""
_SMALL_POWERS = 8


def add_function(graph: Graph, function: FunctionIR) -> Entries:
    r"""Add a function to ``graph`` and return the node of each output.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x", (2,)),), Field("action", (2,)))
        >>> text = "def compute_reward(x):\n    return {'a': x[0] - x[1]}"
        >>> graph = Graph()
        >>> (output,) = add_function(graph, parse(text, task).ir.reward)
        >>> graph.nodes[output].op, graph.nodes[output].args
        ('subtract', (0, 1))
    """
    return _Scalarizer(graph, function).outputs()


@dataclass(frozen=True, slots=True)
class _State:
    """What is known at one place of the function."""

    names: dict[str, Entries]
    done: int
    """Whether a return was reached."""
    outputs: Entries | None = None
    """What was returned, where ``done`` holds."""


class _Scalarizer:
    """Walks one function."""

    def __init__(self, graph: Graph, function: FunctionIR) -> None:
        self.graph = graph
        self.function = function

    def outputs(self) -> Entries:
        names = {
            name: [
                self._load(name, entry, field.dtype == "bool")
                for entry in range(field.size)
            ]
            for name, field in self.function.parameters
        }
        state = _State(names, self.graph.const(False))
        end = self._block(self.function.body, state)
        if end.outputs is None:  # the parser proved that every path returns
            raise RuntimeError(f"{self.function.name} ended without a return")
        return end.outputs

    def _load(self, name: str, entry: int, truth: bool) -> int:
        node = self.graph.load((name, entry))
        if not truth:
            return node
        return self.graph.test("not_equal", (node, self.graph.const(0.0)))

    def _block(self, statements: tuple[Statement, ...], state: _State) -> _State:
        for statement in statements:
            values = _Values(self.graph, state.names)
            if isinstance(statement, Assign):
                names = {**state.names, statement.name: values.of(statement.value)}
                state = replace(state, names=names)
            elif isinstance(statement, If):
                state = self._if(statement, values.one(statement.test), state)
            else:
                entries = [
                    self.graph.number(values.one(item)) for item in statement.values
                ]
                state = self._returned(state, entries)
        return state

    def _returned(self, state: _State, entries: Entries) -> _State:
        """A return where an earlier one was taken changes nothing."""
        if state.outputs is not None:
            entries = self._merge(state.done, state.outputs, entries)
        return _State(state.names, self.graph.const(True), entries)

    def _if(self, statement: If, test: int, state: _State) -> _State:
        body = self._block(statement.body, state)
        orelse = self._block(statement.orelse, state)
        names = self._names(test, body, orelse)
        outputs = body.outputs if orelse.outputs is None else orelse.outputs
        if body.outputs is not None and orelse.outputs is not None:
            outputs = self._merge(test, body.outputs, orelse.outputs)
        (done,) = self._merge(test, [body.done], [orelse.done])
        return _State(names, done, outputs)

    def _names(self, test: int, body: _State, orelse: _State) -> dict[str, Entries]:
        """Return what follows sees: nothing of a side that has returned."""
        ended = self.graph.const(True)
        if body.done == ended:
            return orelse.names
        if orelse.done == ended:
            return body.names
        return {
            name: self._merge(test, body.names[name], orelse.names[name])
            for name in body.names.keys() & orelse.names.keys()
            if len(body.names[name]) == len(orelse.names[name])  # else unused
        }

    def _merge(self, test: int, yes: Entries, no: Entries) -> Entries:
        pairs = zip(yes, no, strict=True)
        return [self.graph.select(test, a, b) for a, b in pairs]


@dataclass(slots=True)
class _Values:
    """Values of the expressions of one statement; shared parts are made once."""

    graph: Graph
    names: dict[str, Entries]
    _known: dict[int, Entries] = field(default_factory=dict)

    def one(self, expression: Expr) -> int:
        (entry,) = self.of(expression)
        return entry

    def of(self, expression: Expr) -> Entries:
        key = id(expression)
        if key not in self._known:
            entries = self._entries(expression)
            if expression.type.kind == "float":
                entries = [self.graph.number(entry) for entry in entries]
            self._known[key] = entries
        return self._known[key]

    def _entries(self, expression: Expr) -> Entries:
        if isinstance(expression, Const):
            return [self.graph.const(expression.value)]
        if isinstance(expression, Name):
            return self.names[expression.name]
        if isinstance(expression, Pick):
            inner = self.of(expression.value)
            return [inner[number] for number in expression.entries]
        if isinstance(expression, Stack):
            return [entry for item in expression.items for entry in self.of(item)]
        return _operation(self.graph, expression, [self.of(i) for i in expression.args])


def _operation(graph: Graph, op: Op, args: list[Entries]) -> Entries:
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
    """Small whole powers are products; halves are roots."""
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
