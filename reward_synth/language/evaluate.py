"""The reference: evaluates a typed function on one state with NumPy, in float64."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from reward_synth.language.functions import FUNCTIONS
from reward_synth.language.ir import (
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
from reward_synth.reward import Array


def evaluate(function: FunctionIR, values: Mapping[str, Array]) -> dict[str, float]:
    r"""Return each output for one state.

    Args:
        function: The typed function.
        values: Parameter name to a value of its field's shape.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (2,)))
        >>> ir = parse("def compute_reward(x):\n    return {'near': -abs(x)}", task).ir
        >>> evaluate(ir.reward, {"x": np.array(2.0)})
        {'near': -2.0}
    """
    names: dict[str, Array] = {}
    for name, field in function.parameters:
        kind = np.bool_ if field.dtype == "bool" else np.float64
        names[name] = np.asarray(values[name], kind).reshape(field.shape)
    with np.errstate(all="ignore"):
        result = _run(function.body, names)
    if result is None:  # the parser proved that every path returns
        raise RuntimeError(f"{function.name} ended without a return")
    return dict(zip(function.outputs, map(float, result), strict=True))


def constant(statements: tuple[Statement, ...], value: Expr) -> Array:
    """Return a value that is made of constants alone, after ``statements``.

    Example:
        >>> from reward_synth.language.ir import FLOAT, Const
        >>> float(constant((), Const(2.0, FLOAT)))
        2.0
    """
    names: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        _run(statements, names)
        return _Values(names).of(value)


def _run(
    statements: tuple[Statement, ...], names: dict[str, Array]
) -> list[Array] | None:
    for statement in statements:
        if isinstance(statement, Assign):
            names[statement.name] = _Values(names).of(statement.value)
        elif isinstance(statement, If):
            taken = bool(_Values(names).of(statement.test))
            result = _run(statement.body if taken else statement.orelse, names)
            if result is not None:
                return result
        else:
            values = _Values(names)
            return [values.of(item) for item in statement.values]
    return None


class _Values:
    """Values of the expressions of one statement; shared parts are computed once."""

    def __init__(self, names: dict[str, Array]) -> None:
        self.names = names
        self._known: dict[int, Array] = {}

    def of(self, expression: Expr) -> Array:
        key = id(expression)
        if key not in self._known:
            self._known[key] = self._compute(expression)
        return self._known[key]

    def _compute(self, expression: Expr) -> Array:
        kind = np.bool_ if expression.type.kind == "bool" else np.float64
        if isinstance(expression, Name):
            return np.asarray(self.names[expression.name], kind)
        if isinstance(expression, Const):
            return np.asarray(expression.value)
        if isinstance(expression, Pick):
            flat = np.reshape(self.of(expression.value), -1)
            return flat[list(expression.entries)].reshape(expression.type.shape)
        if isinstance(expression, Stack):
            parts = [np.reshape(self.of(item), -1) for item in expression.items]
            return np.concatenate(parts).astype(kind).reshape(expression.type.shape)
        args = [self.of(item) for item in expression.args]
        return np.asarray(FUNCTIONS[expression.op].evaluate(*args), kind)
