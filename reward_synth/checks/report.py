"""Examines reward programs: every check yields findings, a report collects them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reward_synth.errors import NotAvailableError
from reward_synth.kernels import RewardKernel, parameters
from reward_synth.language import Finding, FunctionIR, parse
from reward_synth.program import RewardProgram
from reward_synth.reward import Array, Rollout, Step
from reward_synth.sandbox import Sandbox
from reward_synth.task import TaskSpec

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Examined:
    """One function of a program, with what checks need to judge it."""

    program: RewardProgram
    """The whole program."""
    task: TaskSpec
    """The task it is meant for."""
    function: FunctionIR
    """The typed function under examination."""
    rollouts: tuple[Rollout, ...]
    """Steps met by simple policies; never empty."""
    sandbox: Sandbox
    """Where the program's own text may run."""

    @cached_property
    def kernel(self) -> RewardKernel:
        """The compiled function."""
        return RewardKernel(self.function)

    @cached_property
    def inputs(self) -> dict[str, Array]:
        """Every parameter on all steps of all rollouts, shape ``(N, *shape)``."""
        rows = [self._inputs(rollout.steps) for rollout in self.rollouts]
        names = [name for name, _ in self.function.parameters]
        return {name: np.concatenate([row[name] for row in rows]) for name in names}

    def _inputs(self, step: Step) -> dict[str, Array]:
        given = parameters(self.kernel, step)
        return {
            name: given[name].astype(np.bool_ if field.dtype == "bool" else np.float64)
            for name, field in self.function.parameters
        }

    @cached_property
    def values(self) -> Values:
        """Components on all steps, shape ``(N, number of components)``."""
        count = sum(len(rollout) for rollout in self.rollouts)
        out = np.empty((len(self.function.outputs) + 1, count))
        return self.kernel.batch(self.inputs, out)[:-1].T

    @cached_property
    def success(self) -> npt.NDArray[np.bool_] | None:
        """Success after each step, or None where the task has no rule."""
        marks = [rollout.success for rollout in self.rollouts]
        known = [mark for mark in marks if mark is not None]
        return np.concatenate(known) if len(known) == len(marks) else None

    def line(self, component: int) -> int | None:
        """Return the line in which a component is returned."""
        return self.function.output_lines[component] or None


class Check(Protocol):
    """One examination of a program."""

    def __call__(self, examined: Examined, /) -> Iterable[Finding]:
        """Yield what is wrong or remarkable."""


@dataclass(frozen=True, slots=True)
class Report:
    """The findings about one program."""

    digest: str
    """The program's identity."""
    findings: tuple[Finding, ...]
    """All findings, errors first."""

    @property
    def ok(self) -> bool:
        """True if there is no error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the program unusable."""
        return tuple(item for item in self.findings if item.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that lower its rank."""
        return tuple(item for item in self.findings if item.severity == "warning")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "program": self.digest,
            "ok": self.ok,
            "findings": [item.to_dict() for item in self.findings],
        }


class Examiner:
    """Runs a list of checks over programs for one task.

    Args:
        task: The task.
        rollouts: Steps to try programs on; collected once for all programs.
        sandbox: Where the programs' own text runs.
        checks: In order; a check that finds an error ends the examination.
        needs: The function that every program must define, or None: any.
        compiler: Compiles a function before it is used and returns why it failed, or
            ``""``; by default functions are compiled where they are used.
    """

    def __init__(
        self,
        task: TaskSpec,
        rollouts: Sequence[Rollout],
        sandbox: Sandbox,
        checks: Sequence[Check],
        needs: str | None = None,
        compiler: Callable[[FunctionIR], str] = lambda _: "",
    ) -> None:
        self.task = task
        self.rollouts = tuple(rollouts)
        self.sandbox = sandbox
        self.checks = tuple(checks)
        self.needs = needs
        self.compiler = compiler

    def examine(self, program: RewardProgram) -> Report:
        """Return everything that is found; never raises for what a program does."""
        parsed = parse(program.source, self.task)
        findings = list(parsed.findings)
        if parsed.ir is not None:
            given = (parsed.ir.reward, parsed.ir.potential)
            functions = [item for item in given if item is not None]
            findings += self._missing([item.name for item in functions])
            for function in functions:
                findings += self._guarded(program, function)
        order = ("error", "warning", "note")
        findings.sort(key=lambda item: order.index(item.severity))
        return Report(program.digest, tuple(findings))

    def _missing(self, names: list[str]) -> list[Finding]:
        if self.needs is None or self.needs in names:
            return []
        message = f"The program does not define {self.needs}."
        return [Finding("error", "no-function", message, f"Define {self.needs}.")]

    def _guarded(self, program: RewardProgram, function: FunctionIR) -> list[Finding]:
        """Make a finding of whatever a program brings about in a check."""
        try:
            return self._function(program, function)
        except NotAvailableError:  # the sandbox cannot be had at all
            raise
        except Exception as cause:
            reason = " ".join(str(cause).split())[:300]
            message = (
                f"{function.name} cannot be examined: {type(cause).__name__}: {reason}"
            )
            return [Finding("error", "not-examined", message, "Write it more simply.")]

    def _function(self, program: RewardProgram, function: FunctionIR) -> list[Finding]:
        failure = self.compiler(function)
        if failure:
            message = f"{function.name} cannot be compiled: {failure}"
            return [Finding("error", "not-compiled", message, "Write it more simply.")]
        examined = Examined(program, self.task, function, self.rollouts, self.sandbox)
        findings: list[Finding] = []
        for check in self.checks:
            found = list(check(examined))
            findings += found
            if any(item.severity == "error" for item in found):
                break
        return [_named(item, function.name) for item in findings]


def _named(item: Finding, function: str) -> Finding:
    """Say which function is meant where the line does not."""
    if item.line or function in item.message:
        return item
    return replace(item, message=f"{function}: {item.message}")


def describe_row(inputs: dict[str, Array], row: int, *, most: int = 4) -> str:
    """Return the inputs of one step in a few words.

    Example:
        >>> describe_row({"x": np.array([[0.0, 1.0]])}, 0)
        'x=[0, 1]'
    """
    parts = []
    for name, value in list(inputs.items())[:most]:
        numbers = np.reshape(value[row], -1).astype(float)
        text = ", ".join(f"{number:.4g}" for number in numbers)
        parts.append(f"{name}=[{text}]" if value[row].ndim else f"{name}={text}")
    return ", ".join(parts)
