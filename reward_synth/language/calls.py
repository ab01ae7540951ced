"""Turns calls of the documented functions into typed operations."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from reward_synth.errors import did_you_mean
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import FLOAT, Const, Expr, Pick
from reward_synth.language.operations import BUILTINS, dotted, op, stack
from reward_synth.language.scope import Scope
from reward_synth.language.spellings import (
    MATH_SPELLINGS,
    NUMPY_SPELLINGS,
    suggestion,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call under examination, with the parsers that its arguments need."""

    node: ast.Call
    scope: Scope
    parse: Callable[[ast.expr, Scope], Expr]
    static_int: Callable[[ast.expr, Scope], int]

    def args(self) -> list[Expr]:
        """Return the typed positional arguments."""
        return [self.parse(item, self.scope) for item in self.node.args]


def parse_call(
    node: ast.Call,
    scope: Scope,
    parse: Callable[[ast.expr, Scope], Expr],
    static_int: Callable[[ast.expr, Scope], int],
) -> Expr:
    """Return the typed form of a call.

    Raises:
        ProgramProblemError: The function or its arguments are outside the language.
    """
    return _call(Call(node, scope, parse, static_int))


def _call(call: Call) -> Expr:
    node, scope = call.node, call.scope
    name = dotted(node.func)
    if name is None:
        raise ProgramProblemError(
            "forbidden-call",
            f"{ast.unparse(node.func)!r} cannot be called.",
            "Call the documented NumPy functions by name.",
        )
    module, _, spelling = name.partition(".")
    if any(isinstance(item, ast.Starred) for item in node.args):
        raise ProgramProblemError("forbidden", "Starred arguments are not allowed.")
    if module == "np" and spelling in _MAKERS:
        return _MAKERS[spelling](call)
    if module == "np" and spelling in NUMPY_SPELLINGS:
        return _function(NUMPY_SPELLINGS[spelling], name, call)
    if module == "math" and spelling in MATH_SPELLINGS:
        return _function(MATH_SPELLINGS[spelling], name, call)
    if not spelling and module in BUILTINS and module not in scope.names:
        return _builtin(module, call)
    raise _unknown_call(name, module, spelling, scope)


def _unknown_call(
    name: str, module: str, spelling: str, scope: Scope
) -> ProgramProblemError:
    if module in ("np", "math"):
        known = NUMPY_SPELLINGS if module == "np" else MATH_SPELLINGS
        near = did_you_mean(spelling, [*known, *(_MAKERS if module == "np" else ())])
        return ProgramProblemError(
            "forbidden-call",
            f"{name!r} is not part of the reward language.{near}",
            suggestion(spelling),
        )
    if spelling and module in scope.names:
        method = spelling.rsplit(".", 1)[-1]
        fix = f"Write np.{method}({module})." if method in NUMPY_SPELLINGS else ""
        return ProgramProblemError(
            "forbidden-attribute", f"Methods such as .{method}() are not allowed.", fix
        )
    near = did_you_mean(name, BUILTINS)
    return ProgramProblemError(
        "forbidden-call",
        f"{name!r} cannot be called here.{near}",
        "Write the formula out with the documented NumPy functions.",
    )


def _function(name: str, spelling: str, call: Call) -> Expr:
    args: list[Expr | None] = list(call.args())
    for keyword in call.node.keywords:
        place = _CLIP.get(keyword.arg or "") if name == "clip" else None
        if place is not None:
            args += [None] * (place + 1 - len(args))
            if args[place] is not None:
                raise ProgramProblemError(
                    "wrong-arguments", f"{spelling} is given {keyword.arg!r} twice."
                )
            args[place] = call.parse(keyword.value, call.scope)
        elif not _drops(name, keyword, args, call):
            raise ProgramProblemError(
                "forbidden-keyword",
                f"{spelling} with {ast.unparse(keyword)!r} is not part of the language.",
                "Leave it out; select entries by index instead.",
            )
    given = tuple(item for item in args if item is not None)
    if len(given) < len(args):
        raise ProgramProblemError("wrong-arguments", f"{spelling} misses an argument.")
    return op(name, spelling, given, call.node)


_CLIP = {"a_min": 1, "a_max": 2, "min": 1, "max": 2}
_REDUCTIONS = ("sum", "mean", "min", "max", "prod", "std", "var", "norm", "all", "any")


def _drops(
    name: str, keyword: ast.keyword, args: list[Expr | None], call: Call
) -> bool:
    """Tell whether a keyword changes nothing: the only axis of a vector."""
    if keyword.arg != "axis" or name not in _REDUCTIONS or not args or args[0] is None:
        return False
    axis = call.static_int(keyword.value, call.scope)
    return axis in (0, -1) and len(args[0].type.shape) == 1


def _builtin(name: str, call: Call) -> Expr:
    node = call.node
    if name == "len":
        return Const(float(call.static_int(node, call.scope)), FLOAT)
    if name in ("range", "int"):
        raise ProgramProblemError(
            "forbidden-call",
            f"{name}() is only allowed where a constant integer is needed.",
            "Use np.floor to round down." if name == "int" else "Use it in a for loop.",
        )
    if node.keywords:
        raise ProgramProblemError("forbidden-keyword", f"{name} takes no keywords.")
    args = call.args()
    if name == "sum" and any(len(item.type.shape) != 1 for item in args):
        raise ProgramProblemError(
            "shape-mismatch", "sum() takes one vector.", "Use np.sum for other shapes."
        )
    if name in ("min", "max"):
        return _extremum(name, args, node)
    return op({"pow": "power"}.get(name, name), name, tuple(args), node)


def _extremum(name: str, args: list[Expr], node: ast.Call) -> Expr:
    """Python keeps the first of equal or unordered values: ``b if b < a else a``."""
    if len(args) == 1 and not args[0].type.scalar:
        args = [Pick(args[0], (i,), FLOAT) for i in range(args[0].type.size)]
    if len(args) < 2 or not all(item.type.scalar for item in args):  # noqa: PLR2004
        raise ProgramProblemError(
            "shape-mismatch",
            f"{name}() takes several numbers.",
            f"For vectors write np.{name}imum(a, b) or np.{name}(a).",
        )
    result = args[0]
    test = "less" if name == "min" else "greater"
    for value in args[1:]:
        better = op(test, "<", (value, result), node)
        result = op("where", name, (better, value, result), node)
    return result


_FLOATS = ("float", "np.float64")


def _array(call: Call) -> Expr:
    node = call.node
    for keyword in node.keywords:
        if keyword.arg != "dtype" or dotted(keyword.value) not in _FLOATS:
            raise ProgramProblemError(
                "forbidden-keyword", f"np.array takes no {ast.unparse(keyword)!r} here."
            )
    if len(node.args) != 1:
        raise ProgramProblemError("shape-mismatch", "np.array takes one list.")
    return call.parse(node.args[0], call.scope)


def _filled(value: float) -> Callable[[Call], Expr]:
    def make(call: Call) -> Expr:
        node = call.node
        if len(node.args) != 1 or node.keywords:
            raise ProgramProblemError(
                "shape-mismatch", "Give one constant size, for example np.zeros(3)."
            )
        size = call.static_int(node.args[0], call.scope)
        call.scope.charge(size)
        if size < 1:
            raise ProgramProblemError("shape-mismatch", f"Size {size} has no entries.")
        return stack([Const(value, FLOAT)] * size, nest=True)

    return make


def _concatenate(call: Call) -> Expr:
    node = call.node
    if len(node.args) != 1 or not isinstance(node.args[0], (ast.List, ast.Tuple)):
        raise ProgramProblemError(
            "shape-mismatch", "np.concatenate takes one list of vectors."
        )
    items = [call.parse(item, call.scope) for item in node.args[0].elts]
    if not items:
        raise ProgramProblemError("shape-mismatch", "Nothing to concatenate.")
    return stack(items, nest=False)


_MAKERS: dict[str, Callable[[Call], Expr]] = {
    "array": _array,
    "asarray": _array,
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "concatenate": _concatenate,
    "hstack": _concatenate,
}
