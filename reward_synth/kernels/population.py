"""Many programs over the same states at once: loads and equal parts are shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, pairwise

import numpy as np

from reward_synth.errors import UsageError
from reward_synth.graph import Graph, add_function, with_total
from reward_synth.kernels.code import float_type
from reward_synth.kernels.compile import Machine, compile_batch
from reward_synth.kernels.emit import DType, Layout, parameter_sizes
from reward_synth.kernels.given import checked_dtype, checked_threads
from reward_synth.kernels.identity import function_digest
from reward_synth.kernels.kernel import Rows, run_machine
from reward_synth.kernels.outlined import weight
from reward_synth.kernels.plan import Plan, plan_digest
from reward_synth.kernels.stages import staged
from reward_synth.language import FunctionIR
from reward_synth.reward import Array

MOST_IN_GROUP = 24_000
"""Instructions from which a new kernel is begun: LLVM takes some seconds for so many."""


@dataclass(slots=True)
class _Group:
    """Programs that share one kernel."""

    graph: Graph = field(default_factory=Graph)
    functions: list[FunctionIR] = field(default_factory=list)
    outputs: list[list[int]] = field(default_factory=list)
    """Nodes of each program's components, and of their sum."""
    weight: int = 0

    def takes(self, function: FunctionIR, dtype: DType) -> bool:
        """Add a function; a group that has one stays within its bound, or refuses."""
        before = len(self.graph.nodes)
        nodes = with_total(self.graph, add_function(self.graph, function))
        kind = float_type(dtype)
        new = self.graph.nodes[before:]
        more = self.weight + sum(weight(node.op, kind) for node in new)
        if self.outputs and more > MOST_IN_GROUP:
            return False
        self.weight = more
        self.functions.append(function)
        self.outputs.append(nodes)
        return True

    def plan(self, layout: Layout, dtype: DType, *, totals: bool) -> Plan:
        """Plan the kernel of all programs' sums, or of all components and sums."""
        wanted = [
            node for nodes in self.outputs for node in nodes[-1 if totals else 0 :]
        ]
        stages = None
        if len(self.functions) > 1:  # one program alone shares nothing
            weigh = partial(weight, kind=float_type(dtype))
            size = np.dtype(dtype).itemsize
            stages = staged(self.graph, wanted, size, weigh)
        parts = [*map(function_digest, self.functions), str(totals), repr(stages)]
        digest = plan_digest(parts, layout, dtype)
        return Plan(
            digest, len(wanted), layout, dtype, lambda: (self.graph, wanted), stages
        )


class Population:
    r"""Several compiled functions that score the same states in one pass.

    Args:
        functions: Their typed forms, all of one task.
        dtype: Type of arithmetic and results, as of
            :class:`~reward_synth.kernels.kernel.RewardKernel`.
        threads: How many threads share large batches.

    Raises:
        UsageError: There is no function, or two take a parameter of one name and
            different shapes.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (2,)))
        >>> text = "def compute_reward(x):\n    return {{'near': -{} * abs(x)}}"
        >>> irs = [parse(text.format(weight), task).ir.reward for weight in (1, 2)]
        >>> Population(irs).totals({"x": np.array([1.0, -3.0])})
        array([[-1., -3.],
               [-2., -6.]])
    """

    def __init__(
        self,
        functions: Sequence[FunctionIR],
        dtype: DType = "float64",
        threads: int = 1,
    ) -> None:
        _require_one_task(functions)
        self.functions = tuple(functions)
        self.dtype = checked_dtype(dtype)
        self.threads = checked_threads(threads)
        self.sizes = parameter_sizes(self.functions)
        self._layout = Layout.separate(self.functions)
        self._groups = _grouped(self.functions, self.dtype)
        self._machines: dict[tuple[Layout, bool], list[Machine]] = {}

    def __reduce__(
        self,
    ) -> tuple[type[Population], tuple[tuple[FunctionIR, ...], DType, int]]:
        """Pickle as the typed forms, as kernels do."""
        return Population, (self.functions, self.dtype, self.threads)

    def batch(self, values: Mapping[str, Array], out: Rows | None = None) -> list[Rows]:
        """Return each program's components of N states, and their sum as the last row.

        Args:
            values: Parameter name to an array of shape ``(N, *shape)``.
            out: Written to, if given; its shape is ``(all programs' rows, N)``. Memory
                that was written before is several times as fast as new memory.

        Returns:
            One array a program, shape ``(components + 1, N)``: views of one array.
        """
        arrays, count = self._arrays(values)
        return self.split(self.run(self._layout, arrays, count, out=out))

    def totals(self, values: Mapping[str, Array], out: Rows | None = None) -> Rows:
        """Return the sum of each program's components, shape ``(programs, N)``."""
        arrays, count = self._arrays(values)
        return self.run(self._layout, arrays, count, totals=True, out=out)

    def run(
        self,
        layout: Layout,
        arrays: Sequence[Array],
        count: int,
        *,
        totals: bool = False,
        out: Rows | None = None,
    ) -> Rows:
        """Score ``count`` states whose numbers lie in ``arrays`` as ``layout`` tells.

        Args:
            layout: Where each entry of each parameter is read.
            arrays: C-contiguous arrays of any number type, read where they are.
            count: Number of states.
            totals: Only each program's sum.
            out: Written to and returned, if given.

        Returns:
            One row an output: all programs' components and sums, or the sums alone.

        Raises:
            ValueError: An array or ``out`` is of another size.
        """
        machines = self._compiled(layout, totals=totals)
        rows = sum(machine.rows for machine in machines)
        if out is None:
            out = np.empty((rows, count), self.dtype)
        if out.shape != (rows, count):
            raise ValueError(f"out has shape {out.shape}; expected {(rows, count)}.")
        bounds = accumulate((machine.rows for machine in machines), initial=0)
        for machine, (first, last) in zip(machines, pairwise(bounds), strict=True):
            run_machine(machine, list(arrays), out[first:last], self.threads)
        return out

    def split(self, rows: Rows) -> list[Rows]:
        """Return each program's part of what :meth:`run` gave."""
        counts = [len(function.outputs) + 1 for function in self.functions]
        bounds = accumulate(counts, initial=0)
        return [rows[first:last] for first, last in pairwise(bounds)]

    def _arrays(self, values: Mapping[str, Array]) -> tuple[list[Rows], int]:
        arrays = [np.ascontiguousarray(values[name], self.dtype) for name in self.sizes]
        sizes = [max(1, size) for size in self.sizes.values()]
        count = arrays[0].size // sizes[0] if arrays else 1
        return arrays, count

    def _compiled(self, layout: Layout, *, totals: bool) -> list[Machine]:
        key = (layout, totals)
        if key not in self._machines:
            parallel = self.threads > 1
            self._machines[key] = [
                compile_batch(
                    group.plan(layout, self.dtype, totals=totals), parallel=parallel
                )
                for group in self._groups
            ]
        return self._machines[key]


def _require_one_task(functions: Sequence[FunctionIR]) -> None:
    if not functions:
        raise UsageError("A population needs at least one function; received none.")
    shapes: dict[str, tuple[int, ...]] = {}
    for function in functions:
        for name, item in function.parameters:
            known = shapes.setdefault(name, item.shape)
            if known != item.shape:
                raise UsageError(
                    f"Parameter {name!r} has shape {known} in one program and "
                    f"{item.shape} in another, so they cannot share its values. Score "
                    "programs of different tasks in populations of their own."
                )


def _grouped(functions: Sequence[FunctionIR], dtype: DType) -> list[_Group]:
    """Share graphs between neighbours until one is large."""
    groups: list[_Group] = []
    for function in functions:
        if not groups or not groups[-1].takes(function, dtype):
            groups.append(_Group())
            groups[-1].takes(function, dtype)
    return groups
