"""Calls of Python's own functions."""

from __future__ import annotations

import ast

from reward_synth.language.arguments import Call
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import FLOAT, Const, Expr
from reward_synth.language.operations import op
from reward_synth.language.values import as_value, as_vector, parts

_PLACES = {
    "int": "Use np.floor to round down.",
    "range": "Use it in a for loop: for i in range(3):",
    "enumerate": "Use it in a for loop: for i, x in enumerate(v):",
    "zip": "Use it in a for loop: for x, y in zip(a, b):",
    "dict": "Use it for what is returned: return dict(reach=reach).",
}


def builtin(name: str, call: Call) -> Expr:
    """Return the typed form of a call of one of Python's own functions.

    Raises:
        ProgramProblemError: The arguments are outside the language.
    """
    if name in _PLACES:
        raise ProgramProblemError(
            "forbidden-call",
            f"{name}() is only allowed where its result is known at once.",
            _PLACES[name],
        )
    if call.node.keywords:
        raise ProgramProblemError(
            "forbidden-keyword", f"{name} takes no keywords.", "Leave them out."
        )
    if name == "len":
        return _length(call)
    if name == "ord":
        return _ordinal(call)
    if name in ("sum", "any", "all"):
        return _over_all(name, call)
    if name in ("min", "max"):
        return _extremum(name, call)
    args = tuple(call.value(item) for item in call.node.args)
    return op({"pow": "power"}.get(name, name), name, args, call.node)


def _only(name: str, call: Call) -> ast.expr:
    if len(call.node.args) != 1:
        raise ProgramProblemError("wrong-arguments", f"{name}() takes one argument.")
    return call.node.args[0]


def _length(call: Call) -> Expr:
    return Const(float(len(parts(call.item(_only("len", call))))), FLOAT, whole=True)


def _ordinal(call: Call) -> Expr:
    node = _only("ord", call)
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        raise ProgramProblemError(
            "wrong-arguments", "ord() takes one letter in quotes."
        )
    if len(node.value) != 1:
        raise ProgramProblemError(
            "wrong-arguments", "ord() takes one letter in quotes."
        )
    return Const(float(ord(node.value)), FLOAT, whole=True)


def _listed(node: ast.expr, *, total: bool = False) -> ast.expr:
    """Return a list for a generator: Python's own functions take both alike.

    What an ``if`` leaves out adds 0 to a sum.
    """
    if not isinstance(node, (ast.GeneratorExp, ast.ListComp)):
        return node
    loops, elt = node.generators, node.elt
    if total and len(loops) == 1 and loops[0].ifs:
        (loop,) = loops
        test = ast.BoolOp(ast.And(), loop.ifs) if loop.ifs[1:] else loop.ifs[0]
        elt = ast.IfExp(test, elt, ast.Constant(0.0))
        loops = [ast.comprehension(loop.target, loop.iter, [], loop.is_async)]
    return ast.fix_missing_locations(ast.copy_location(ast.ListComp(elt, loops), node))


def _over_all(name: str, call: Call) -> Expr:
    value = as_vector(call.item(_listed(_only(name, call), total=name == "sum")))
    if len(value.type.shape) != 1:
        raise ProgramProblemError(
            "shape-mismatch",
            f"{name}() takes one vector.",
            f"Use np.{name} for other shapes.",
        )
    return op(name, name, (value,), call.node)


def _extremum(name: str, call: Call) -> Expr:
    """Python keeps the first of equal or unordered values: ``b if b < a else a``."""
    items = tuple(call.item(_listed(item)) for item in call.node.args)
    if len(items) == 1:
        items = parts(items[0])
    args = [as_value(item) for item in items]
    if not args or not all(item.type.scalar for item in args):
        raise ProgramProblemError(
            "shape-mismatch",
            f"{name}() takes several numbers.",
            f"For vectors write np.{name}imum(a, b) or np.{name}(a).",
        )
    result = args[0]
    test = "less" if name == "min" else "greater"
    for value in args[1:]:
        best, other = call.scope.held(result), call.scope.held(value)  # each read twice
        better = op(test, "<", (other, best), call.node)
        result = op("where", name, (better, other, best), call.node)
        call.scope.charge(2)
    return result
