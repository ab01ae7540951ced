"""What is known about a task beyond what its environment says: a table, not code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from reward_synth.task import Field, Source, Success


@dataclass(frozen=True, slots=True)
class TaskNotes:
    """Additions to a described task."""

    instruction: str = ""
    """What is to be done, in words."""
    success: Success | None = None
    fields: tuple[Field, ...] = ()
    """Each takes the place of the described fields whose entries it reads, or is
    added; where it leaves name-giving parts empty, theirs stay."""
    sizes: tuple[int, ...] = ()
    """Observation sizes that ``fields`` are written for; empty: any."""
    gamma: float = 0.99
    dt: float | None = None
    """Seconds a step, where the environment does not say."""
    sparse: bool | None = None
    """Whether the environment's own reward is sparse; None: measured."""
    ends_on_success: bool | None = None
    """Whether ``success`` terminates the episode; None: measured."""
    remarks: tuple[str, ...] = ()
    """Added to the task's notes."""


def merge(described: tuple[Field, ...], known: Iterable[Field]) -> tuple[Field, ...]:
    """Let each known field take the place of the described ones that it covers.

    Example:
        >>> rows = tuple(Field(f"row{i}", source=f"obs[{i}]") for i in range(3))
        >>> merged = merge(rows, [Field("tip", (2,), source="obs[1:3]")])
        >>> [item.name for item in merged]
        ['row0', 'tip']
    """
    result = list(described)
    for item in known:
        covered = [old for old in result if _covers(item, old)]
        place = result.index(covered[0]) if covered else len(result)
        result = [old for old in result if old not in covered]
        result.insert(place, _inherit(item, covered))
    return tuple(result)


def _covers(new: Field, old: Field) -> bool:
    first, second = Source.parse(new.source), Source.parse(old.source)
    if first.kind != second.kind or first.path != second.path:
        return False
    if first.index is None or second.index is None:
        return first.index == second.index
    return set(_entries(second.index)) <= set(_entries(first.index))


def _entries(index: int | slice) -> range:
    return (
        range(index.start, index.stop)
        if isinstance(index, slice)
        else range(index, index + 1)
    )


def _inherit(item: Field, covered: list[Field]) -> Field:
    """Take over bounds, and from a single predecessor whatever is left empty."""
    low = sum((old.low for old in covered), ())
    high = sum((old.high for old in covered), ())
    if len(low) == item.size and not item.low:
        item = replace(item, low=low, high=high)
    if len(covered) != 1:
        return item
    old = covered[0]
    return replace(
        item,
        dtype=old.dtype,
        unit=item.unit or old.unit,
        meaning=item.meaning or old.meaning,
        check=item.check or old.check,
    )
