"""Reads the text of a reward program into its typed form; never executes it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from reward_synth.errors import did_you_mean
from reward_synth.language.finding import Finding, ProgramProblemError
from reward_synth.language.flow import own_names
from reward_synth.language.inlining import inline
from reward_synth.language.ir import Assign, Const, FunctionIR, ProgramIR, Type
from reward_synth.language.module import (
    POTENTIAL,
    REWARD,
    ignored,
    never_called,
    read_module,
    unused,
)
from reward_synth.language.outputs import Outputs
from reward_synth.language.scope import (
    Poison,
    Scope,
    SilentProblemError,
    Value,
    Work,
)
from reward_synth.language.signature import constant_item, defaults_of
from reward_synth.language.statements import Body, StatementParser
from reward_synth.language.unrolled import unroll
from reward_synth.language.values import Group
from reward_synth.task import PREVIOUS, Field, TaskSpec

__all__ = ["POTENTIAL", "REWARD", "Parsed", "parse"]
MAX_CHARACTERS = 16_000
MAX_NODES = 4_000
MAX_OPERATIONS = 6_000
"""Scalar operations of one function once its loops are unrolled."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What reading a program gave."""

    ir: ProgramIR | None
    """The typed form, or None if there is an error among the findings."""
    findings: tuple[Finding, ...]


def parse(source: str, task: TaskSpec) -> Parsed:
    r"""Read ``source`` as a program for ``task``.

    Example:
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (2,)))
        >>> good = "def compute_reward(x):\n    return {'near': -abs(x)}"
        >>> parse(good, task).ir.reward.outputs
        ('near',)
        >>> parse(good.replace("abs(x)", "abs(y)"), task).findings[0].message
        "There is no 'y' here."
    """
    try:
        return _parse_tree(_tree(source), task)
    except ProgramProblemError as problem:
        return Parsed(None, (problem.at(None),))
    except SyntaxError as error:
        finding = Finding(
            "error", "syntax", f"Python cannot read it: {error.msg}.", "", error.lineno
        )
        return Parsed(None, (finding,))
    except UnicodeEncodeError:
        finding = Finding("error", "syntax", "The program holds half a character.")
        return Parsed(None, (finding,))
    except (RecursionError, MemoryError):
        finding = Finding("error", "too-long", "The program is nested too deeply.")
        return Parsed(None, (finding,))


def _tree(source: str) -> ast.Module:
    if len(source) > MAX_CHARACTERS:
        raise ProgramProblemError(
            "too-long",
            f"The program has {len(source)} characters; {MAX_CHARACTERS} are allowed.",
        )
    if "\0" in source:
        raise ProgramProblemError("syntax", "The program holds a NUL character.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SyntaxWarning about `1 is 1` and the like
        tree = ast.parse(source)
    nodes = sum(1 for _ in ast.walk(tree))
    if nodes > MAX_NODES:
        raise ProgramProblemError(
            "too-long", f"The program has {nodes} parts; {MAX_NODES} are allowed."
        )
    return tree


def _parse_tree(tree: ast.Module, task: TaskSpec) -> Parsed:
    scope = Scope(task.id, {}, task.parameters, MAX_OPERATIONS)
    module = read_module(tree, scope)
    findings = list(module.findings)
    functions: dict[str, FunctionIR | None] = {}
    used: set[ast.FunctionDef] = set()
    for name in (REWARD, POTENTIAL):
        if name in module.functions:
            work = Work(MAX_OPERATIONS, inline=inline, unroll=unroll)
            node = module.functions[name]
            functions[name] = _function(node, task, scope, work)
            findings += work.problems
            used |= work.used
    if not functions:
        message = f"There is no function {REWARD} or {POTENTIAL}."
        findings.append(Finding("error", "no-function", message, "Define one."))
    if not findings:
        findings += unused(module, used)
    if any(item.severity == "error" for item in findings):
        return Parsed(None, _distinct(findings))
    ir = ProgramIR(functions.get(REWARD), functions.get(POTENTIAL))
    return Parsed(ir, _distinct(findings))


def _distinct(findings: list[Finding]) -> tuple[Finding, ...]:
    """Drop what was found again, in another call of a helper or time round a loop."""
    kept: dict[object, Finding] = {}
    for item in findings:
        again = item.message.startswith("In ")
        where = None if item.code == "too-long" else item.line
        about = None if again or item.code == "too-long" else item.message
        kept.setdefault((item.code, where, about), item)
    return tuple(kept.values())


def _function(
    node: ast.FunctionDef, task: TaskSpec, module: Scope, work: Work
) -> FunctionIR | None:
    available = task.parameters if node.name == REWARD else _potential_fields(task)
    parameters, constants = _parameters(node, task, available, module, work.problems)
    scope = module.inner(own_names(node), work)
    scope.available = tuple(available)
    scope.names |= constants | {
        name: Type(field.shape, "bool" if field.dtype == "bool" else "float")
        for name, field in parameters
    }
    outputs = Outputs(scope, potential=node.name == POTENTIAL)
    body = StatementParser(scope, outputs, inlined=False).block(_lines(node))
    if not work.problems:
        work.problems += _left_open(node, body, work)
    if work.problems:
        return None
    return FunctionIR(
        node.name,
        tuple(parameters),
        tuple(outputs.lines),
        tuple(outputs.lines.values()),
        (*_assigned(constants), *body.statements),
        scope.operations,
    )


def _lines(node: ast.FunctionDef) -> list[ast.stmt]:
    """Return the body without its docstring."""
    return node.body[1:] if ignored(node.body[0]) else node.body


def _left_open(node: ast.FunctionDef, body: Body, work: Work) -> Iterator[Finding]:
    if not body.returns:
        yield Finding(
            "error",
            "missing-return",
            f"{node.name} can end without returning anything.",
            "Return the components on every path.",
            node.lineno,
        )
    for helper in work.defined:
        if helper not in work.used:
            yield never_called(helper)


def _assigned(constants: dict[str, Value]) -> list[Assign]:
    """Give parameters that are constants their values; a branch may set them anew."""
    items = constants.items()
    return [Assign(name, value) for name, value in items if isinstance(value, Const)]


def _potential_fields(task: TaskSpec) -> dict[str, Field]:
    """A potential is a function of the state, also of the one that reset gives."""
    return {item.name: item for item in task.fields if item.at_reset}


def _parameters(
    node: ast.FunctionDef,
    task: TaskSpec,
    available: dict[str, Field],
    module: Scope,
    problems: list[Finding],
) -> tuple[list[tuple[str, Field]], dict[str, Value]]:
    """Return the field parameters, and parameters that are constants by default."""
    defaults = {
        name: _constant(name, value, module, problems)
        for name, value in defaults_of(node).items()
    }
    parameters: list[tuple[str, Field]] = []
    constants: dict[str, Value] = {}
    for item in (*node.args.args, *node.args.kwonlyargs):
        default = defaults.get(item.arg)
        if item.arg in available:
            parameters.append((item.arg, available[item.arg]))
        elif default is not None:
            constants[item.arg] = default
        else:
            if item.arg not in defaults:
                problems.append(_unknown_parameter(item, node.name, task, available))
            constants[item.arg] = Poison()
    return parameters, constants


def _constant(
    name: str, node: ast.expr, module: Scope, problems: list[Finding]
) -> Const | Group | None:
    try:
        item = constant_item(name, node, module)
    except ProgramProblemError as problem:
        problems.append(problem.at(node.lineno))
        return None
    except SilentProblemError:
        return None
    return item if isinstance(item, (Const, Group)) else None


def _unknown_parameter(
    item: ast.arg, function: str, task: TaskSpec, available: dict[str, Field]
) -> Finding:
    name = item.arg
    plain = name.removeprefix(PREVIOUS)
    known = {field.name: field for field in task.fields}
    if plain in known and not known[plain].at_reset:
        message = f"{name!r}: the reset does not deliver {plain!r}."
        fix = f"Use {plain!r} in {REWARD} only."
    elif plain in known:
        message = f"{function} is a function of one state and cannot take {name!r}."
        fix = "Leave it out."
    else:
        near = did_you_mean(name, available)
        message = f"{name!r} is not a field of task {task.id!r}.{near}"
        fix = f"The fields are {', '.join(known)}."
    return Finding("error", "unknown-field", message, fix, item.lineno)
