"""Writes the operations of a graph as LLVM's instructions, for one state or a SIMD loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from reward_synth.graph import CONST, LOAD, Graph, Node
from reward_synth.kernels.emit import DType, Layout
from reward_synth.kernels.lanes import Lane
from reward_synth.kernels.outlined import Outlined
from reward_synth.kernels.stages import Stage, Stages

Load = Callable[[int, int], Any]
"""Array and column to the number there, as LLVM's value of the kernel's type."""


def float_type(dtype: DType) -> Any:
    """Return LLVM's type of the numbers."""
    return ir.FloatType() if dtype == "float32" else ir.DoubleType()


@dataclass(frozen=True, slots=True)
class Code:
    """What a kernel computes."""

    graph: Graph
    outputs: Sequence[int]
    layout: Layout
    dtype: DType
    stages: Stages

    def emit(
        self, builder: Any, load: Load, stage: Stage, known: dict[int, Lane]
    ) -> list[Any]:
        """Write the instructions of one state and return what the stage stores.

        ``known`` are values of earlier stages; the stage's own are added.
        """
        places, nodes = dict(self.layout.places), self.graph.nodes
        uses = (nodes[number].op for number in stage.numbers)
        apart = Outlined(builder.module, float_type(self.dtype), uses)

        def value(number: int) -> Lane:
            if number not in known and nodes[number].op == CONST:
                known[number] = self._constant(builder, nodes[number])
            return known[number]

        for number in stage.numbers:
            node = nodes[number]
            if node.op == LOAD:
                known[number] = Lane(builder, load(*places[node.entry]))
            elif node.op != CONST:
                known[number] = apart.apply(node.op, [value(i) for i in node.args])
        return [value(self.outputs[row]).value for row in stage.stored]

    def _constant(self, builder: Any, node: Node) -> Lane:
        kind = ir.IntType(1) if node.kind == "bool" else float_type(self.dtype)
        return Lane(builder, ir.Constant(kind, node.value))
