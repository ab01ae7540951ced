"""Success rules: a key of ``info`` or a comparison in the reward language."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from reward_synth.errors import TaskSpecError
from reward_synth.language.evaluate import evaluate
from reward_synth.language.expressions import parse_condition
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import FunctionIR, Return, Type
from reward_synth.language.scope import Scope, SilentProblemError, Value
from reward_synth.reward import Fields
from reward_synth.task import Field, TaskSpec, as_array

SPARSE = "sparse_reward"
_INFO = "info."


class SuccessTest:
    """Decides whether a task's success rule holds.

    Args:
        task: A task with a success rule.

    Raises:
        TaskSpecError: There is no rule, or it cannot be read.

    Example:
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (1,)))
        >>> test = SuccessTest(task.with_success("x >= 0.45 and sparse_reward > 0"))
        >>> test({"x": np.array([0.5])}, {}, 1.0), test({"x": np.array([0.4])}, {}, 1.0)
        (True, False)
    """

    def __init__(self, task: TaskSpec) -> None:
        if task.success is None:
            raise TaskSpecError(
                f"Task {task.id!r} has no success rule. Give one, for example "
                "--success 'position >= 0.45' or --success info.success."
            )
        self.rule = task.success.rule.strip()
        self._key = _info_key(self.rule)
        self._function = None if self._key else _condition(self.rule, task)
        self.names = self._field_names()
        """The fields that the rule reads."""

    def __call__(self, after: Fields, info: Mapping[str, Any], sparse: float) -> bool:
        """Return whether the rule holds.

        Args:
            after: Fields after the step, shapes ``(1, *shape)``.
            info: The step's info.
            sparse: The environment's own reward.

        Raises:
            TaskSpecError: The rule names a key that ``info`` lacks.
        """
        if self._key:
            return self._from_info(info)
        if self._function is None:
            raise RuntimeError("a rule is a key or a condition")
        values = {name: after[name][0] for name in self.names}
        return bool(
            evaluate(self._function, values | {SPARSE: np.asarray(sparse)})["ok"]
        )

    def _from_info(self, info: Mapping[str, Any]) -> bool:
        value: Any = info
        for key in self._key.split("."):
            if not isinstance(value, Mapping) or key not in value:
                found = sorted(map(str, value)) if isinstance(value, Mapping) else value
                raise TaskSpecError(
                    f"The success rule {self.rule!r} needs the key {key!r}, but info "
                    f"holds {found}."
                )
            value = value[key]
        return bool(np.all(as_array(value)))

    def _field_names(self) -> tuple[str, ...]:
        if self._function is None:
            return ()
        used = {name for name, _ in self._function.parameters}
        return tuple(sorted(used - {SPARSE}))


def _info_key(rule: str) -> str:
    """Return ``"a.b"`` for ``info.a.b``, else ``""``."""
    if not rule.startswith(_INFO):
        return ""
    key = rule.removeprefix(_INFO)
    return key if all(part.isidentifier() for part in key.split(".")) else ""


def _condition(rule: str, task: TaskSpec) -> FunctionIR:
    fields = {item.name: item for item in task.fields} | {SPARSE: Field(SPARSE)}
    names: dict[str, Value] = {
        name: Type(item.shape, "bool" if item.dtype == "bool" else "float")
        for name, item in fields.items()
    }
    scope = Scope(task.id, names, fields, budget=500)
    try:
        node = ast.parse(rule, mode="eval").body
        test = parse_condition(node, scope)
    except (ProgramProblemError, SilentProblemError) as problem:
        raise TaskSpecError(_bad_rule(rule, str(problem), task)) from problem
    except (SyntaxError, ValueError, RecursionError) as error:
        raise TaskSpecError(_bad_rule(rule, str(error), task)) from error
    used = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
    parameters = tuple((name, fields[name]) for name in fields if name in used)
    body = (*scope.work.pending, Return((test,)))
    return FunctionIR("success", parameters, ("ok",), (1,), body, 1)


def _bad_rule(rule: str, reason: str, task: TaskSpec) -> str:
    fields = ", ".join(item.name for item in task.fields)
    return (
        f"The success rule {rule!r} cannot be used: {reason} Write a comparison of "
        f"{fields} or {SPARSE}, or info.<key>."
    )
