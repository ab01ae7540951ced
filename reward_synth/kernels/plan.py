"""What a kernel computes, known by a digest and worked out only if code is to be made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reward_synth.graph import Graph, add_function, with_total
from reward_synth.kernels.code import Code
from reward_synth.kernels.emit import DType, Layout
from reward_synth.kernels.identity import function_digest
from reward_synth.kernels.stages import Stages, whole
from reward_synth.language import FunctionIR

Drawn = tuple[Graph, Sequence[int]]
"""A graph and the nodes that are wanted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One kernel to be. Plans are equal if their kernels compute the same.

    Unrolling a long program into a graph takes longer than loading its machine code, so
    a kernel in the cache is found without.
    """

    digest: str
    """Of all that the machine code depends on, but for this package's own formulas."""
    rows: int
    """Number of outputs."""
    layout: Layout
    dtype: DType
    draw: Callable[[], Drawn] = field(compare=False, repr=False)
    stages: Stages | None = field(default=None, compare=False, repr=False)
    """None for a single one."""

    @property
    def room(self) -> int:
        """Numbers that stages leave for each other."""
        return self.stages.room if self.stages else 0

    def code(self) -> Code:
        """Work out what is computed."""
        graph, outputs = self.draw()
        stages = self.stages or whole(graph, outputs)
        return Code(graph, outputs, self.layout, self.dtype, stages)


def function_plan(function: FunctionIR, layout: Layout, dtype: DType) -> Plan:
    r"""Plan the components of one function and their sum.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action"))
        >>> text = "def compute_reward(x):\n    return {'a': 2 * x}"
        >>> function = parse(text, task).ir.reward
        >>> plan = function_plan(function, Layout.separate([function]), "float64")
        >>> code = plan.code()
        >>> plan.rows, [code.graph.nodes[node].op for node in code.outputs]
        (2, ['multiply', 'multiply'])
    """

    def draw() -> Drawn:
        graph = Graph()
        return graph, with_total(graph, add_function(graph, function))

    digest = plan_digest([function_digest(function)], layout, dtype)
    return Plan(digest, len(function.outputs) + 1, layout, dtype, draw)


def plan_digest(parts: Sequence[str], layout: Layout, dtype: DType) -> str:
    """Return the digest of what is computed, where it is read from, and in which type."""
    text = repr((tuple(parts), layout.widths, layout.places, dtype))
    return hashlib.sha256(text.encode()).hexdigest()
