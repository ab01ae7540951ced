"""Turns typed functions into a graph: vectors into scalars, branches into selections."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reward_synth.graph.nodes import Graph
from reward_synth.graph.operations import Entries, operation
from reward_synth.language import (
    Assign,
    Const,
    Expr,
    FunctionIR,
    If,
    Name,
    Pick,
    Stack,
    Statement,
)


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
        return operation(self.graph, expression, [self.of(i) for i in expression.args])


def with_total(graph: Graph, outputs: Entries) -> Entries:
    """Return ``outputs`` and the node of their sum."""
    total = outputs[0]
    for node in outputs[1:]:
        total = graph.add("add", (total, node))
    return [*outputs, total]
