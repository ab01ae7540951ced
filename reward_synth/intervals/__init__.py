"""What every value of a program may be, before it runs."""

from reward_synth.intervals.analysis import Analysis, bounds
from reward_synth.intervals.components import (
    EntryRange,
    bounded,
    component_bounds,
    entry_ranges,
    total_of,
)
from reward_synth.intervals.interval import ANY, Interval
from reward_synth.intervals.operations import operation

__all__ = [
    "ANY",
    "Analysis",
    "EntryRange",
    "Interval",
    "bounded",
    "bounds",
    "component_bounds",
    "entry_ranges",
    "operation",
    "total_of",
]
