"""Writes a graph as the text of a kernel: loads, scalar arithmetic, stores, one loop.

The author's own text is never part of it. Whatever the target, an operation that is not
an operator is called by its name in the language; the target decides what that means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reward_synth.graph import CONST, LOAD, Entry, Graph, Node
from reward_synth.language import FunctionIR

DType = Literal["float32", "float64"]
_INFIX = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}
_PREFIX = {"negative": "-", "logical_not": "not "}
_CALLED = {"logical_and": "both", "logical_or": "either"}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each entry of each parameter lies in the arrays that a kernel is given."""

    widths: tuple[int, ...]
    """Numbers a state of each array, whose shape is ``(N, width)``."""
    places: tuple[tuple[Entry, tuple[int, int]], ...]
    """Entry to the number of its array and its column there."""

    @classmethod
    def packed(cls, functions: Sequence[FunctionIR]) -> Layout:
        """One array that holds all parameters, in order."""
        entries = _entries(functions)
        places = [(entry, (0, column)) for column, entry in enumerate(entries)]
        return cls((len(entries),), tuple(places))

    @classmethod
    def separate(cls, functions: Sequence[FunctionIR]) -> Layout:
        """One array a parameter."""
        sizes = parameter_sizes(functions)
        places = [
            ((name, column), (number, column))
            for number, (name, size) in enumerate(sizes.items())
            for column in range(size)
        ]
        return cls(tuple(sizes.values()), tuple(places))


def parameter_sizes(functions: Sequence[FunctionIR]) -> dict[str, int]:
    """Return each parameter's number of entries, in the order of first use."""
    return {
        name: field.size
        for function in functions
        for name, field in function.parameters
    }


def _entries(functions: Sequence[FunctionIR]) -> list[Entry]:
    sizes = parameter_sizes(functions)
    return [(name, number) for name, size in sizes.items() for number in range(size)]


def kernel_text(digest: str, layout: Layout, rows: int, room: str = "") -> str:
    """Return the text of ``kernel``: the digest of what it computes, and its checks.

    ``kernel(x0, …, out)`` reads arrays of any shape and type and writes ``out``, shape
    ``(rows, N)``. It returns False, and does nothing, where an array holds another
    number of states. ``room``: an array that ``loop`` needs besides.

    Example:
        >>> print(kernel_text("1f", Layout((3,), ((("x", 0), (0, 1)),)), 1))
        # 1f
        def kernel(x0, out):
            y0 = flat(x0)
            if not (out.shape[0] == 1 and y0.size == 3 * out.shape[1]):
                return False
            loop((y0,), out, 0, out.shape[1])
            return True
    """
    arrays = [f"x{number}" for number in range(len(layout.widths))]
    return "\n".join(
        [
            f"# {digest}",
            f"def kernel({', '.join([*arrays, 'out'])}):",
            *_guard(layout, rows),
            f"    loop({_flat(layout, room)}, out, 0, out.shape[1])",
            "    return True",
        ]
    )


def _flat(layout: Layout, room: str = "") -> str:
    """Return the tuple of all arrays."""
    names = [f"y{number}" for number in range(len(layout.widths))]
    names += [room] if room else []
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def one_text(digest: str, layout: Layout) -> str:
    """Return the text of ``one``, which returns the outputs of a single state.

    ``one(x0, …)`` reads as ``kernel`` does, and raises ``ValueError`` where an array
    holds another number of entries than one state has.
    """
    widths = list(enumerate(layout.widths))
    tests = [f"y{number}.size == {width}" for number, width in widths] or ["True"]
    return "\n".join(
        [
            f"# {digest}",
            f"def one({', '.join(f'x{number}' for number, _ in widths)}):",
            *(f"    y{number} = flat(x{number})" for number, _ in widths),
            f"    if not ({' and '.join(tests)}):",
            "        raise ValueError('not one state')",
            f"    return single({_flat(layout)})",
        ]
    )


def _guard(layout: Layout, outputs: int) -> list[str]:
    """All indices are static, so right sizes mean that nothing else can be read."""
    tests = [f"out.shape[0] == {outputs}"]
    tests += [
        f"y{number}.size == {width} * out.shape[1]"
        for number, width in enumerate(layout.widths)
    ]
    arrays = [
        f"    y{number} = flat(x{number})" for number in range(len(layout.widths))
    ]
    return [*arrays, f"    if not ({' and '.join(tests)}):", "        return False"]


def spread_text(layout: Layout, outputs: int, room: str = "") -> str:
    """Return the text of ``spread``: ``loop`` on equal shares of the states."""
    arrays = [f"x{number}" for number in range(len(layout.widths))]
    return "\n".join(
        [
            f"def spread({', '.join([*arrays, 'out', 'threads'])}):",
            *_guard(layout, outputs),
            "    count = out.shape[1]",
            "    size = (count + threads - 1) // threads",
            "    for share in prange(threads):",
            "        low = min(count, share * size)",
            "        high = min(count, low + size)",
            f"        loop({_flat(layout, room)}, out, low, high)",
            "    return True",
        ]
    )


def statements(
    graph: Graph,
    outputs: Sequence[int],
    layout: Layout,
    dtype: DType,
    *,
    arrays: str = "x",
) -> tuple[list[str], list[str]]:
    """Return the lines that define constants, and those of state ``i``.

    ``arrays`` is what the names of the arrays begin with.
    """
    constants: list[str] = []
    body: list[str] = []
    places = dict(layout.places)
    for number in graph.needed(outputs):
        node = graph.nodes[number]
        if node.op == CONST:
            constants.append(f"v{number} = {_literal(node, dtype)}")
        elif node.op == LOAD:
            array, column = places[node.entry]
            width = layout.widths[array]
            body.append(f"v{number} = {dtype}({arrays}{array}[i * {width} + {column}])")
        else:
            body.append(f"v{number} = {_operation(node)}")
    return constants, body


def _operation(node: Node) -> str:
    args = [f"v{number}" for number in node.args]
    if node.op in _INFIX:
        return f"{args[0]} {_INFIX[node.op]} {args[1]}"
    if node.op in _PREFIX:
        return f"{_PREFIX[node.op]}{args[0]}"
    return f"{_CALLED.get(node.op, node.op)}({', '.join(args)})"


def _literal(node: Node, dtype: DType) -> str:
    if node.kind == "bool":
        return repr(bool(node.value))
    if math.isnan(node.value):
        return f"{dtype}(nan)"
    if math.isinf(node.value):
        return f"{dtype}({'inf' if node.value > 0 else '-inf'})"
    return f"{dtype}({float(node.value)!r})"
