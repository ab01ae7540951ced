"""What stands at the top of a program's file: imports, constants and functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from reward_synth.errors import did_you_mean
from reward_synth.language.assignments import check_name
from reward_synth.language.derived import IN_MATH
from reward_synth.language.evaluate import constant
from reward_synth.language.expressions import parse_item
from reward_synth.language.finding import Finding, ProgramProblemError
from reward_synth.language.ir import BOOL, FLOAT, Const, Stack
from reward_synth.language.outputs import entries, is_dict
from reward_synth.language.remarks import named_lambda
from reward_synth.language.scope import (
    Alias,
    Helper,
    Poison,
    Scope,
    SilentProblemError,
    Table,
    Value,
)
from reward_synth.language.signature import (
    annotation_problems,
    constant_item,
    defaults_of,
    signature_problems,
)
from reward_synth.language.spellings import CONSTANTS, MATH_SPELLINGS
from reward_synth.language.values import Group, Item, parts

REWARD = "compute_reward"
POTENTIAL = "compute_potential"
ROTATION = "reward_synth.rotation"
_ROTATION_FILE = Path(__file__).parents[1] / "rotation.py"
_IMPORTS = ("import numpy as np", "import math", "from __future__ import annotations")
_BUDGET = 6_000


@dataclass(slots=True)
class Module:
    """The top of a file."""

    scope: Scope
    """Constants and helper functions."""
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    """All functions, in the order of the text."""
    findings: list[Finding] = field(default_factory=list)
    """What was found outside the functions."""


def read_module(tree: ast.Module, scope: Scope) -> Module:
    r"""Read everything but the bodies of the functions.

    Example:
        >>> tree = ast.parse("SCALE = 2.0 * 3.0\ndef near(x):\n    return SCALE * x")
        >>> module = read_module(tree, Scope("T", {}, (), 100))
        >>> module.scope.names["SCALE"].value, [*module.functions]
        (6.0, ['near'])
    """
    module = Module(scope)
    for node in tree.body:
        try:
            _read(node, module)
        except ProgramProblemError as problem:
            module.findings.append(problem.at(node.lineno))
        except SilentProblemError:
            pass
    return module


def _read(node: ast.stmt, module: Module) -> None:
    if ignored(node):
        return
    if isinstance(node, ast.FunctionDef):
        _function(node, module)
    elif isinstance(node, ast.ImportFrom) and node.module == ROTATION:
        _import(node, module)
    elif isinstance(node, ast.ImportFrom) and node.module == "math":
        _from_math(node, module)
    elif isinstance(node, ast.Assign) and (function := named_lambda(node)):
        _function(function, module)
    elif isinstance(node, ast.Assign) and is_dict(node.value):
        _table(node, module)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        _constant(node, node.value, module)
    else:
        raise _outside(node)


def ignored(node: ast.stmt) -> bool:
    """Tell whether a line at the top of a file changes nothing."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return isinstance(node.value.value, str)
    if isinstance(node, ast.ImportFrom) and node.module == "typing":
        return not node.level  # its names stand in annotations, which are dropped
    if not isinstance(node, (ast.Import, ast.ImportFrom)):
        return False
    return ast.unparse(node) in _IMPORTS


def _outside(node: ast.stmt) -> ProgramProblemError:
    text = ast.unparse(node).splitlines()[0][:60]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return ProgramProblemError(
            "forbidden-import",
            f"{text!r} is refused.",
            "Only `import numpy as np`, `import math` and "
            f"`from {ROTATION} import <names>` are allowed.",
        )
    return ProgramProblemError(
        "forbidden",
        f"{text!r} stands outside a function.",
        f"Move it into {REWARD}; only constants, imports and functions stand here.",
    )


def _define(name: str, value: Value, module: Module) -> None:
    check_name(name)
    if name in module.scope.names or name in module.functions:
        raise ProgramProblemError(
            "forbidden",
            f"{name!r} is defined twice.",
            "Give each function and constant its own name.",
        )
    module.scope.names[name] = value


def _function(node: ast.FunctionDef, module: Module) -> None:
    module.findings += signature_problems(node)
    if node.name == REWARD:  # called by nobody: it returns components
        if node.name in module.functions:
            raise ProgramProblemError("forbidden", f"{node.name!r} is defined twice.")
    else:
        _define(node.name, Poison(), module)
        module.functions[node.name] = node
        defaults = {
            name: constant_item(name, value, module.scope)
            for name, value in defaults_of(node).items()
        }
        module.scope.names[node.name] = Helper(node, module.scope, defaults)
    module.functions[node.name] = node


def _from_math(node: ast.ImportFrom, module: Module) -> None:
    for item in node.names:
        spelling = f"math.{item.name}"
        if spelling in CONSTANTS:
            value: Value = Const(float(CONSTANTS[spelling]), FLOAT)
        elif item.name in MATH_SPELLINGS or item.name in IN_MATH:
            value = Alias(spelling)
        else:
            near = did_you_mean(item.name, MATH_SPELLINGS)
            raise ProgramProblemError(
                "forbidden-import",
                f"{spelling!r} is not part of the reward language.{near}",
                "Import the documented functions only.",
            )
        _define(item.asname or item.name, value, module)


def _table(node: ast.Assign, module: Module) -> None:
    """Take a dict of constants, to be read by name."""
    target = node.targets[0]
    if len(node.targets) > 1 or not isinstance(target, ast.Name):
        raise _outside(node)
    table = Table()
    for key, value in entries(node.value):
        known = _folded(parse_item(value, module.scope), module.scope)
        if not isinstance(known, Const):
            raise ProgramProblemError(
                "forbidden",
                f"{target.id}[{key!r}] is not one number.",
                "Write vectors and tuples as constants of their own.",
            )
        table.entries[key] = (known, value.lineno)
    _define(target.id, table, module)


def _constant(
    node: ast.Assign | ast.AnnAssign, value: ast.expr, module: Module
) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if isinstance(node, ast.AnnAssign):
        module.findings += annotation_problems(node.annotation)
    first = targets[0]
    several: Sequence[ast.expr] = targets
    if len(targets) == 1 and isinstance(first, ast.Tuple):
        several = first.elts
    names = [item.id for item in several if isinstance(item, ast.Name)]
    if len(names) != len(several):
        raise _outside(node)
    module.scope.work.pending.clear()
    try:
        known = _folded(parse_item(value, module.scope), module.scope)
    except (ProgramProblemError, SilentProblemError):
        for name in names:
            module.scope.names[name] = Poison()
        raise
    unpacked = several is not targets
    values = parts(known) if unpacked else (known,) * len(names)
    if len(values) != len(names):
        raise _outside(node)
    for name, each in zip(names, values, strict=True):
        _define(name, _folded(each, module.scope), module)


def _folded(item: Item, scope: Scope) -> Const | Stack | Group:
    """Compute what is made of constants, so that it is a few numbers from now on."""
    statements = tuple(scope.work.pending)
    if isinstance(item, Group):
        parts = tuple(_folded(part, scope) for part in item.items)
        return Group(parts, item.text)
    if isinstance(item, Const):
        return item
    array = constant(statements, item)
    numbers = tuple(_number(value) for value in np.ravel(array))
    return Stack(numbers, item.type) if item.type.shape else numbers[0]


def _number(value: np.float64 | np.bool_) -> Const:
    if isinstance(value, np.bool_):
        return Const(bool(value), BOOL)
    return Const(float(value), FLOAT)


def _import(node: ast.ImportFrom, module: Module) -> None:
    known = library()
    for item in node.names:
        if item.name not in known or node.level:
            near = did_you_mean(item.name, known)
            raise ProgramProblemError(
                "forbidden-import",
                f"{ROTATION} has no function {item.name!r}.{near}",
                f"It has {', '.join(known)}.",
            )
        _define(item.asname or item.name, known[item.name], module)


@lru_cache(maxsize=1)
def library() -> dict[str, Helper]:
    """Return the functions of :mod:`reward_synth.rotation`, read from its text.

    Example:
        >>> "quat_rotate" in library()
        True
    """
    tree = ast.parse(_ROTATION_FILE.read_text())
    scope = Scope("", {}, (), _BUDGET)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in functions:
        scope.names[node.name] = Helper(node, scope, {}, library=True)
    return {
        name: item
        for name, item in scope.names.items()
        if isinstance(item, Helper) and not name.startswith("_")
    }


def unused(module: Module, used: set[ast.FunctionDef]) -> Iterator[Finding]:
    """Find helpers that are never called: their lines go unexamined."""
    for name, node in module.functions.items():
        if name not in (REWARD, POTENTIAL) and node not in used:
            yield never_called(node)


def never_called(node: ast.FunctionDef) -> Finding:
    """Return the finding about a helper that is never called."""
    message = f"The function {node.name!r} is never called."
    fix = f"Drop it, or call it in {REWARD}."
    return Finding("error", "unreachable", message, fix, node.lineno)
