"""Compiled rewards that read observations where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from reward_synth.errors import FieldMismatchError
from reward_synth.graph import Entry
from reward_synth.kernels.compile import Machine, compile_batch, compile_one
from reward_synth.kernels.emit import DType, Layout
from reward_synth.kernels.given import native
from reward_synth.kernels.kernel import Rows, run_machine
from reward_synth.kernels.plan import Plan, function_plan
from reward_synth.language import FunctionIR
from reward_synth.reward import Array
from reward_synth.task import ACTION, PREVIOUS, Field, Roots, TaskSpec

Place = tuple[int, tuple[int, ...]]


class FusedReward:
    r"""One function of a program, scored on observations as they come.

    Nothing is copied but what ``prev_`` parameters need from one step to the next.

    Args:
        function: Its typed form.
        task: Says where the fields lie.
        env: The one environment to read from, or None for a batch of ``lanes``.
        lanes: Number of environments.
        dtype: The type to compute in.

    Example:
        >>> from reward_synth.language import parse
        >>> task = TaskSpec("T", "go", (Field("x", source="obs[1]"),), Field("action"))
        >>> text = "def compute_reward(x, prev_x):\n    return {'gain': x - prev_x}"
        >>> fused = FusedReward(parse(text, task).ir.reward, task, lanes=2)
        >>> fused.begin(np.array([[0.0, 1.0], [0.0, 5.0]]), {})
        >>> fused(np.array([[0.0, 4.0], [0.0, 7.0]]), {}, np.zeros(2))
        array([[3., 2.],
               [3., 2.]])
    """

    def __init__(
        self,
        function: FunctionIR,
        task: TaskSpec,
        env: Any = None,
        lanes: int = 1,
        dtype: DType = "float64",
    ) -> None:
        fields = {item.name: item for item in task.fields}
        names = [name for name, _ in function.parameters]
        self.function = function
        self.names = function.outputs
        self.lanes = lanes
        self.dtype = dtype
        self.uses_action = ACTION in names
        self.after = Roots(_chosen(names, fields, ""), env)
        self.before = Roots(_chosen(names, fields, PREVIOUS), env)
        self._kept: list[Array] = []
        self._out = np.empty((len(self.names) + 1, lanes), dtype)
        self._machine: Machine | None = None
        self._single: Callable[..., tuple[float, ...]] | None = None
        self._foreign: bool | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out machine code: it is found or compiled where it lands."""
        return self.__dict__ | {"_machine": None, "_single": None}

    def begin(
        self, obs: Any, info: Mapping[str, Any], lanes: Array | None = None
    ) -> None:
        """Take the first observations of episodes.

        Args:
            obs: Observations of all environments.
            info: Likewise.
            lanes: Where episodes begin, a mask of shape ``(lanes,)``; by default all.
        """
        if not len(self.before):
            return
        fresh = self.before.read(obs, info)
        if lanes is None or not self._kept:
            self._kept = [np.array(item) for item in fresh]
        else:
            for old, new in zip(self._kept, fresh, strict=True):
                old[lanes] = new[lanes]

    def __call__(self, obs: Any, info: Mapping[str, Any], action: Any) -> Rows:
        """Return components and their sum, shape ``(components + 1, lanes)``.

        The array is written anew by the next call.
        """
        arrays = self._arrays(obs, info, action)
        if self._machine is None:
            self._machine = compile_batch(self._plan(arrays))
        run_machine(self._machine, arrays, self._out)
        return self._out

    def one(self, obs: Any, info: Mapping[str, Any], action: Any) -> tuple[float, ...]:
        """Return components and their sum as numbers, where there is one environment.

        Raises:
            FieldMismatchError: The environment gives other shapes than at first.
        """
        arrays = self._arrays(obs, info, action)
        if self._single is None:
            self._single = compile_one(self._plan(arrays))
        try:
            return self._single(*arrays)
        except ValueError as cause:
            raise FieldMismatchError(
                "The environment gives other shapes than it gave at first: now "
                f"{[item.shape for item in arrays]}."
            ) from cause

    def _arrays(self, obs: Any, info: Mapping[str, Any], action: Any) -> list[Array]:
        arrays = self.after.read(obs, info)
        if self._kept:
            arrays += self._kept
        if self.uses_action:
            arrays.append(np.asarray(action))
        if self._foreign is None:
            self._foreign = any(native(item) is not item for item in arrays)
        return [native(item) for item in arrays] if self._foreign else arrays

    def keep(self, obs: Any, info: Mapping[str, Any]) -> None:
        """Take the observations after a step as those before the next one."""
        if self._kept:
            self._kept = [np.array(item) for item in self.before.read(obs, info)]

    def _plan(self, arrays: Sequence[Array]) -> Plan:
        return function_plan(self.function, self._layout(arrays), self.dtype)

    def _layout(self, arrays: Sequence[Array]) -> Layout:
        places: list[tuple[Entry, tuple[int, int]]] = []
        for name, _ in self.function.parameters:
            number, columns = self._place(name, arrays)
            places += [
                ((name, entry), (number, column))
                for entry, column in enumerate(columns)
            ]
        widths = tuple(array.size // self.lanes for array in arrays)
        return Layout(widths, tuple(places))

    def _place(self, name: str, arrays: Sequence[Array]) -> Place:
        if name == ACTION:
            return len(arrays) - 1, self._action(arrays[-1])
        first = len(self.after)
        if name.startswith(PREVIOUS):
            field = name.removeprefix(PREVIOUS)
            number, columns = self.before.columns(field, arrays[first:], self.lanes)
            return first + number, columns
        return self.after.columns(name, arrays[:first], self.lanes)

    def _action(self, array: Array) -> tuple[int, ...]:
        field = dict(self.function.parameters)[ACTION]
        if array.size != field.size * self.lanes:
            raise FieldMismatchError(
                f"The action is described with shape {field.shape}, but an array of "
                f"shape {array.shape} was given for {self.lanes} environment(s)."
            )
        return tuple(range(field.size))


def _chosen(
    names: Sequence[str], fields: Mapping[str, Field], prefix: str
) -> list[Field]:
    """Return the fields whose parameters begin with ``prefix``."""
    return [item for name, item in fields.items() if prefix + name in names]
