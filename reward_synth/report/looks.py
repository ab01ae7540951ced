"""Which colour a design has throughout a report, and which designs show at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reward_synth.report.data import DesignData, RunData

COLOURS = 7
"""Colours that tell apart also for the colour-blind; further designs are grey."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one design is drawn."""

    design: DesignData
    index: int
    """Its place among the run's designs."""
    style: str
    """Class of the page's styles: ``d0`` … ``d6``, ``sparse`` or ``rest``."""
    shown: bool
    """Whether its curves show before the reader chooses."""


def looks(run: RunData, ranked: Sequence[str] = ()) -> tuple[Look, ...]:
    """Return a look for each design; of many, the best have colours.

    Args:
        run: The run.
        ranked: Names of designs, best first; matters where there are more than colours.

    Example:
        >>> designs = (DesignData("sparse", "sparse"), DesignData("a"), DesignData("b"))
        >>> run = RunData("", "", "", 0.0, "running", (), designs, ())
        >>> [(look.design.name, look.style, look.shown) for look in looks(run)]
        [('sparse', 'sparse', True), ('a', 'd0', True), ('b', 'd1', True)]
    """
    own = [item.name for item in run.designs if item.kind != "sparse"]
    if len(own) > COLOURS:
        place = {name: index for index, name in enumerate(ranked)}
        kinds = {item.name: item.kind for item in run.designs}
        own.sort(key=lambda name: (kinds[name] == "program", place.get(name, len(own))))
    slots = {name: index for index, name in enumerate(own)}
    return tuple(_look(item, i, slots) for i, item in enumerate(run.designs))


def _look(design: DesignData, index: int, slots: dict[str, int]) -> Look:
    if design.kind == "sparse":
        return Look(design, index, "sparse", True)
    slot = slots[design.name]
    if slot < COLOURS:
        return Look(design, index, f"d{slot}", True)
    return Look(design, index, "rest", False)
