"""How the author wrote what an operation of a graph works on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from reward_synth.language.spellings import MATH_SPELLINGS, NUMPY_SPELLINGS

_SIGNS = {
    "divide": ast.Div,
    "floor_divide": ast.FloorDiv,
    "mod": ast.Mod,
    "power": ast.Pow,
    "multiply": ast.Mult,
}
_SECOND = ("divide", "floor_divide", "mod")
"""Operations whose second argument is the one to speak of."""
_LONGEST = 60


def quoted(tree: ast.AST, line: int, op: str) -> str:
    """Return the argument that matters of an operation, or the text of a comparison.

    Args:
        tree: The program.
        line: Where the operation is.
        op: Its name; ``compare`` for any comparison.

    Returns:
        The text with a leading blank and quotes, or nothing if it is long or if several
        operations of this kind are in the line.

    Example:
        >>> quoted(ast.parse("y = 1.0 / (x - 0.5)"), 1, "divide")
        " 'x - 0.5'"
        >>> quoted(ast.parse("y = 1.0 / x + 1.0 / z"), 1, "divide")
        ''
    """
    found = {
        ast.unparse(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and node.lineno == line
        for part in _parts(node, op)
    }
    text = found.pop() if len(found) == 1 else ""
    return f" {text!r}" if 0 < len(text) <= _LONGEST else ""


def _parts(node: ast.expr, op: str) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare) and op == "compare":
        yield node
    elif isinstance(node, ast.BinOp) and isinstance(node.op, _SIGNS.get(op, ())):
        yield node.right if op in _SECOND else node.left
    elif isinstance(node, ast.Call) and _operation(node) == op:
        yield from node.args[1:2] if op in _SECOND else node.args[:1]


def _operation(call: ast.Call) -> str:
    module, _, spelling = ast.unparse(call.func).partition(".")
    table = {"np": NUMPY_SPELLINGS, "math": MATH_SPELLINGS}.get(module, {})
    return table.get(spelling, "")
