"""Programs as graphs of scalar operations, from which kernels and bounds are made."""

from reward_synth.graph.nodes import CONST, LOAD, SELECT, Entry, Graph, Node
from reward_synth.graph.scalarize import add_function, with_total

__all__ = [
    "CONST",
    "LOAD",
    "SELECT",
    "Entry",
    "Graph",
    "Node",
    "add_function",
    "with_total",
]
