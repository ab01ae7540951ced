"""What the components of a program may be, from the ranges of a task's fields."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reward_synth.graph import Entry, Graph, add_function
from reward_synth.intervals.analysis import bounds
from reward_synth.intervals.interval import ANY, EITHER, NEVER, Interval
from reward_synth.language import FunctionIR
from reward_synth.task import Field, TaskSpec

TOTAL = "total"
_STILL = 0.01
"""Share of its size by which a quantity moves that stands still but for noise."""
_HUGE = 1e30
"""Bounds of this size are declared where none are known."""
_LOST = 1e300
"""Size from which a bound says nothing."""


@dataclass(frozen=True, slots=True)
class EntryRange:
    """What is known of one entry of a parameter."""

    interval: Interval
    """What it may be."""
    known: bool = True
    """False if neither rollouts nor declared bounds tell."""
    measured: bool = False
    """True if it was widened from what rollouts met."""
    free: bool = False
    """True if it is declared to have no bound, and rollouts do not tell either."""


def entry_ranges(
    function: FunctionIR, task: TaskSpec, *, widths: float = 1.0
) -> dict[Entry, EntryRange]:
    r"""Return what is known of each entry of each parameter of a function.

    Declared bounds are taken as they are. Values that rollouts met are few and badly
    played, so their range is widened, though not beyond declared bounds.

    Args:
        function: The function.
        task: The task whose fields it reads.
        widths: By how many times its own width a measured range grows on both sides.

    Example:
        >>> from reward_synth.language import parse
        >>> field = Field("x", seen_low=(0.0,), seen_high=(2.0,))
        >>> task = TaskSpec("T", "go", (field,), Field("action", (2,)))
        >>> ir = parse("def compute_reward(x):\n    return {'a': x}", task).ir
        >>> print(entry_ranges(ir.reward, task)["x", 0].interval)
        [-2, 4]
    """
    fields = task.parameters
    return {
        (name, entry): _entry_range(fields.get(name, field), entry, widths)
        for name, field in function.parameters
        for entry in range(field.size)
    }


def _entry_range(field: Field, entry: int, widths: float) -> EntryRange:
    if field.dtype == "bool":
        return EntryRange(EITHER)
    seen, declared = _seen(field, entry), _declared(field, entry)
    if declared.size < _HUGE:
        return EntryRange(declared.join(seen))
    if seen.empty:
        free = bool(field.low or field.high)
        return EntryRange(declared.meet(ANY), known=False, free=free)
    wide = _widened(seen, widths).meet(declared).join(seen)
    return EntryRange(wide, measured=True)


def _declared(field: Field, entry: int) -> Interval:
    low = field.low[entry] if field.low else -math.inf
    high = field.high[entry] if field.high else math.inf
    return Interval(low, high)


def _seen(field: Field, entry: int) -> Interval:
    if not field.seen_low:
        return NEVER
    low, high = field.seen_low[entry], field.seen_high[entry]
    return Interval(low, high) if math.isfinite(low - high) else NEVER


def _widened(seen: Interval, widths: float) -> Interval:
    """What hardly moved, as a cube that nobody lifted, may move by its own size."""
    size = max(1.0, seen.size)
    width = seen.high - seen.low
    margin = widths * (width if width > _STILL * size else size)
    return Interval(seen.low - margin, seen.high + margin)


def component_bounds(
    function: FunctionIR, task: TaskSpec, *, widths: float = 1.0
) -> dict[str, Interval]:
    r"""Return what each component may be, and their sum as ``"total"``.

    Ends are infinite where a component may be infinite or where nothing bounds it. A
    component of the name ``"total"`` gives way to the sum.

    Args:
        function: The function; of a potential, the component is ``"potential"``.
        task: The task whose fields it reads.
        widths: As for :func:`entry_ranges`.

    Example:
        >>> from reward_synth.language import parse
        >>> field = Field("x", low=(-2.0,), high=(3.0,))
        >>> task = TaskSpec("T", "go", (field,), Field("action", (2,)))
        >>> text = "def compute_reward(x):\n    return {'a': -abs(x), 'b': 0.5}"
        >>> found = component_bounds(parse(text, task).ir.reward, task)
        >>> print(found["a"], found["total"])
        [-3, 0] [-2.5, 0.5]
    """
    graph = Graph()
    outputs = add_function(graph, function)
    total = total_of(graph, outputs)
    ranges = entry_ranges(function, task, widths=widths)
    found = bounds(graph, {entry: item.interval for entry, item in ranges.items()})
    named = zip((*function.outputs, TOTAL), (*outputs, total), strict=True)
    return {name: _opened(found[number]) for name, number in named}


def total_of(graph: Graph, outputs: list[int]) -> int:
    """Add the sum of the components to a graph and return its node.

    Example:
        >>> graph = Graph()
        >>> total_of(graph, [graph.const(1.0), graph.const(2.0)])
        2
        >>> graph.nodes[2].value
        3.0
    """
    total = outputs[0]
    for output in outputs[1:]:
        total = graph.add("add", (total, output))
    return total


def _opened(found: Interval) -> Interval:
    low = -math.inf if found.low < -_LOST else found.low
    high = math.inf if found.high > _LOST else found.high
    return Interval(low, high, found.nan, found.hole)


def bounded(found: Interval) -> bool:
    """Tell whether both ends say something.

    Example:
        >>> bounded(Interval(0.0, 5.0)), bounded(ANY)
        (True, False)
    """
    return found.size < _LOST
