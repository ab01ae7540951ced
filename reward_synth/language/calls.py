"""Turns calls of the documented functions into typed operations."""

from __future__ import annotations

import ast
from importlib import import_module
from typing import Any

from reward_synth.errors import did_you_mean
from reward_synth.language.arguments import Call
from reward_synth.language.builtin import builtin
from reward_synth.language.derived import DERIVED, IN_MATH
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Expr
from reward_synth.language.makers import MAKERS
from reward_synth.language.methods import method
from reward_synth.language.operations import BUILTINS, dotted, op
from reward_synth.language.reductions import REDUCTIONS, reduced
from reward_synth.language.scope import Alias, Helper, Poison, Scope, SilentProblemError
from reward_synth.language.spellings import (
    MATH_SPELLINGS,
    NUMPY_SPELLINGS,
    suggestion,
)
from reward_synth.language.values import Item

__all__ = ["Call", "parse_call"]
_ROTATION: Any = import_module("reward_synth.rotation")


def parse_call(call: Call) -> Item:
    """Return the typed form of a call.

    Raises:
        ProgramProblemError: The function or its arguments are outside the language.
    """
    node, scope = call.node, call.scope
    if any(isinstance(item, ast.Starred) for item in node.args):
        raise ProgramProblemError(
            "forbidden",
            "Starred arguments are not allowed.",
            "Write the arguments one by one.",
        )
    name = dotted(node.func) or ""
    module, _, spelling = name.partition(".")
    if module == "np":
        return _numpy(spelling, call)
    if module == "math":
        return _math(spelling, call)
    if isinstance(node.func, ast.Attribute):
        return method(call, node.func.attr, call.value(node.func.value))
    if isinstance(node.func, ast.Name):
        return _named(node.func.id, call, scope)
    raise ProgramProblemError(
        "forbidden-call",
        f"{ast.unparse(node.func)!r} cannot be called.",
        "Call the documented NumPy functions by name.",
    )


def _named(name: str, call: Call, scope: Scope) -> Item:
    value, _ = scope.find(name)
    if isinstance(value, Helper):
        return scope.inline(value, call)
    if isinstance(value, Alias):
        return _math(value.spelling.removeprefix("math."), call)
    if isinstance(value, Poison):
        raise SilentProblemError
    if value is None and name in scope.own:
        scope.look_up(name)  # explains that it is set later
    if value is None and name in BUILTINS:
        return builtin(name, call)
    near = did_you_mean(name, (*BUILTINS, *scope.helpers()))
    raise ProgramProblemError(
        "forbidden-call", f"{name!r} cannot be called here.{near}", _instead(name)
    )


def _instead(name: str) -> str:
    if name.startswith("quat_") and hasattr(_ROTATION, name):
        return f"Begin with `from {_ROTATION.__name__} import {name}`."
    usual = (
        "Define it with def, or write the formula out with the documented functions."
    )
    return suggestion(name) or usual


def _numpy(spelling: str, call: Call) -> Expr:
    if spelling in MAKERS:
        return MAKERS[spelling](call)
    if spelling in DERIVED:
        return DERIVED[spelling](call)
    if spelling not in NUMPY_SPELLINGS:
        raise _unknown("np", spelling, (*NUMPY_SPELLINGS, *MAKERS, *DERIVED))
    name, args = NUMPY_SPELLINGS[spelling], call.node.args
    if name in REDUCTIONS and args:
        return reduced(name, call, call.vector(args[0]), args[1:])
    call.refuse_keywords()
    return op(name, call.name, tuple(call.vectors()), call.node)


def _math(spelling: str, call: Call) -> Expr:
    if spelling in IN_MATH:
        return DERIVED[spelling](call)
    if spelling not in MATH_SPELLINGS:
        raise _unknown("math", spelling, MATH_SPELLINGS)
    call.refuse_keywords()
    args = tuple(call.value(item) for item in call.node.args)
    if not all(item.type.scalar for item in args):
        raise ProgramProblemError(
            "shape-mismatch",
            f"{call.name} takes single numbers.",
            "Write the same of np, for example np.exp(x), for vectors.",
        )
    return op(MATH_SPELLINGS[spelling], call.name, args, call.node)


def _unknown(module: str, spelling: str, known: object) -> ProgramProblemError:
    near = did_you_mean(spelling, known)  # type: ignore[arg-type]
    return ProgramProblemError(
        "forbidden-call",
        f"'{module}.{spelling}' is not part of the reward language.{near}",
        suggestion(spelling),
    )
