"""Reads the text of a reward program into its typed form; never executes it."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

from reward_synth.errors import did_you_mean
from reward_synth.language.expressions import parse_expression
from reward_synth.language.finding import Finding, ProgramProblemError
from reward_synth.language.ir import Assign, Const, FunctionIR, ProgramIR, Type
from reward_synth.language.scope import Scope, Value
from reward_synth.language.statements import StatementParser
from reward_synth.task import PREVIOUS, Field, TaskSpec

REWARD = "compute_reward"
POTENTIAL = "compute_potential"
MAX_CHARACTERS = 16_000
MAX_NODES = 4_000
MAX_OPERATIONS = 6_000
"""Scalar operations of one function once its loops are unrolled."""
_ANNOTATION = (
    ast.Name,
    ast.Attribute,
    ast.Constant,
    ast.Subscript,
    ast.Tuple,
    ast.Load,
)
"""What an annotation may consist of: nothing that is called."""
_IMPORTS = ("import numpy as np", "import math", "from __future__ import annotations")


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
    findings: list[Finding] = []
    functions: dict[str, FunctionIR | None] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name not in functions:
            functions[node.name], problems = _function(node, task)
            findings += problems
        elif not _ignored(node):
            findings.append(_outside(node))
    if not {REWARD, POTENTIAL} & functions.keys():
        message = f"There is no function {REWARD} or {POTENTIAL}."
        findings.append(Finding("error", "no-function", message, "Define one."))
    if any(item.severity == "error" for item in findings):
        return Parsed(None, tuple(findings))
    ir = ProgramIR(functions.get(REWARD), functions.get(POTENTIAL))
    return Parsed(ir, tuple(findings))


def _ignored(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return isinstance(node.value.value, str)
    return ast.unparse(node) in _IMPORTS


def _outside(node: ast.stmt) -> Finding:
    text = ast.unparse(node).splitlines()[0][:60]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        fix = "Only `import numpy as np` and `import math` are allowed."
        return Finding(
            "error", "forbidden-import", f"{text!r} is refused.", fix, node.lineno
        )
    if isinstance(node, ast.FunctionDef):
        message = f"{node.name!r} is defined twice."
        return Finding("error", "forbidden", message, "", node.lineno)
    return Finding(
        "error",
        "forbidden",
        f"{text!r} stands outside a function.",
        f"Move it into {REWARD}.",
        node.lineno,
    )


def _function(
    node: ast.FunctionDef, task: TaskSpec
) -> tuple[FunctionIR | None, list[Finding]]:
    if node.name not in (REWARD, POTENTIAL):
        message = f"The function {node.name!r} is neither {REWARD} nor {POTENTIAL}."
        fix = "Write its lines where it is called."
        return None, [Finding("error", "forbidden", message, fix, node.lineno)]
    available = task.parameters if node.name == REWARD else _potential_fields(task)
    problems: list[Finding] = []
    parameters, constants = _parameters(node, task, available, problems)
    names: dict[str, Value] = {
        name: Type(field.shape, "bool" if field.dtype == "bool" else "float")
        for name, field in parameters
    }
    scope = Scope(task.id, names | constants, available, MAX_OPERATIONS)
    statements = StatementParser(scope, potential=node.name == POTENTIAL)
    body = statements.block(_without_docstring(node.body))
    problems += statements.problems
    if not body.returns and not problems:
        problems.append(
            Finding(
                "error",
                "missing-return",
                f"{node.name} can end without returning anything.",
                "Return the components on every path.",
                node.lineno,
            )
        )
    if problems:
        return None, problems
    lines = statements.outputs.lines
    ir = FunctionIR(
        node.name,
        tuple(parameters),
        tuple(lines),
        tuple(lines.values()),
        (*_assigned(constants), *body.statements),
        scope.operations,
    )
    return ir, problems


def _assigned(constants: dict[str, Value]) -> list[Assign]:
    """Give parameters that are constants their values; a branch may set them anew."""
    items = constants.items()
    return [Assign(name, value) for name, value in items if isinstance(value, Const)]


def _potential_fields(task: TaskSpec) -> dict[str, Field]:
    """A potential is a function of the state, also of the one that reset gives."""
    return {item.name: item for item in task.fields if item.at_reset}


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    return body[1:] if _ignored(body[0]) else body


def _parameters(
    node: ast.FunctionDef,
    task: TaskSpec,
    available: dict[str, Field],
    problems: list[Finding],
) -> tuple[list[tuple[str, Field]], dict[str, Value]]:
    """Return the field parameters, and parameters that are constants by default."""
    args = node.args
    if args.vararg or args.kwarg or node.decorator_list or args.posonlyargs:
        message = f"{node.name} takes plain parameters and no decorators."
        problems.append(Finding("error", "forbidden", message, "", node.lineno))
    plain = [*args.args, *args.kwonlyargs]
    problems += _unexamined(node, plain)
    late = [None] * (len(args.args) - len(args.defaults))
    defaults = [*late, *args.defaults, *args.kw_defaults]
    parameters: list[tuple[str, Field]] = []
    constants: dict[str, Value] = {}
    for item, default in zip(plain, defaults, strict=True):
        if default is not None and _constant(default) is None:
            message = f"The default of {item.arg!r} must be a number."
            problems.append(Finding("error", "forbidden", message, "", item.lineno))
        if item.arg in available:
            parameters.append((item.arg, available[item.arg]))
        elif default is not None and (value := _constant(default)) is not None:
            constants[item.arg] = value
        else:
            problems.append(_unknown_parameter(item, node.name, task, available))
            constants[item.arg] = Const(0.0, Type())
    return parameters, constants


def _unexamined(node: ast.FunctionDef, plain: list[ast.arg]) -> list[Finding]:
    """Refuse what Python runs when the saved file is imported."""
    findings = []
    names = [item.arg for item in plain]
    if len(set(names)) != len(names):
        message = "A parameter is named twice."
        findings.append(Finding("error", "syntax", message, "", node.lineno))
    for note in (node.returns, *(item.annotation for item in plain)):
        if note is not None and not all(
            isinstance(part, _ANNOTATION) for part in ast.walk(note)
        ):
            message = f"The annotation {ast.unparse(note)!r} is more than a type."
            findings.append(Finding("error", "forbidden", message, "", node.lineno))
    return findings


def _constant(node: ast.expr) -> Const | None:
    try:
        value = parse_expression(node, Scope("", {}, (), budget=10))
    except ProgramProblemError:
        return None
    return value if isinstance(value, Const) else None


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
