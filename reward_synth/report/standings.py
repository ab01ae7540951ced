"""Where the leading design stands on each task: also where it fails or loses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reward_synth.report.summary_data import Cell, Pair, Standing
from reward_synth.report.words import percent, points
from reward_synth.statistics import Interval, difference, mean

_SHARE = (0.0, 1.0)
_NOTHING = Interval(math.nan, math.nan, math.nan)


def standings(
    cells: Sequence[Cell], pairs: Sequence[Pair], leader: str, rng: np.random.Generator
) -> tuple[Standing, ...]:
    """Return for each task the leader beside the best of the other designs.

    Args:
        cells: Of all tasks and designs.
        pairs: Comparisons over tasks; one of a single task is taken as it stands.
        leader: The design; "" has no standing.
        rng: What the intervals' resamples are drawn from.

    Example:
        >>> standings((), (), "ours", np.random.default_rng(0))
        ()
    """
    tasks = dict.fromkeys(cell.task for cell in cells if cell.runs)
    groups = [[cell for cell in cells if cell.task == task] for task in tasks]
    return tuple(_standing(group, pairs, leader, rng) for group in groups if leader)


def _standing(
    cells: Sequence[Cell], pairs: Sequence[Pair], leader: str, rng: np.random.Generator
) -> Standing:
    done = {cell.design: cell for cell in cells if cell.runs}
    own = done.pop(leader, None)
    best = max(done.values(), key=lambda cell: cell.success_any.value, default=None)
    name = best.design if best else ""
    success = best.success_any.value if best else math.nan
    if own is None:
        return Standing(cells[0].task, math.nan, name, success, _NOTHING)
    gaps = {rival.design: _gap(own, rival, pairs, rng) for rival in done.values()}
    clear = [gap for gap in gaps.values() if gap.excludes(0.0)]
    return Standing(
        own.task,
        own.success_any.value,
        name,
        success,
        gaps.get(name, _NOTHING),
        wins=bool(gaps) and sum(gap.value > 0.0 for gap in clear) == len(gaps),
        loses=any(gap.value < 0.0 for gap in clear),
    )


def _gap(
    own: Cell, rival: Cell, pairs: Sequence[Pair], rng: np.random.Generator
) -> Interval:
    """Return the difference on one task, the very one that the verdict uses."""
    for pair in pairs:
        if pair.tasks == (own.task,) and {pair.a, pair.b} == {own.design, rival.design}:
            return (pair if pair.a == own.design else pair.reversed()).difference
    mine, theirs = {own.task: own.scores}, {own.task: rival.scores}
    return difference(mine, theirs, rng, mean, bounds=_SHARE)


_PLACES = {
    "wins": "has the highest success",
    "ahead": "has the highest success, but not surely",
    "level": "is level with the best other design",
    "behind": "is behind, but not surely",
    "loses": "loses",
}


def told_standing(standing: Standing, leader: str) -> str:
    """Return one task in a sentence.

    Example:
        >>> told_standing(Standing("Reach", 0.25, "hand", 0.75,
        ...                        Interval(-0.5, -0.7, -0.2), loses=True), "ours")
        'Reach: ours loses (25 % success, hand 75 %), and fails in most episodes.'
    """
    if standing.place == "missing":
        return f"{standing.task}: {leader} has no result."
    other = f", {standing.rival} {percent(standing.of_rival)}" if standing.rival else ""
    said = _PLACES.get(standing.place, "is the only design with a result")
    bad = ", and fails in most episodes" if standing.fails else ""
    return f"{standing.task}: {leader} {said} ({percent(standing.own)} success{other}){bad}."


def told_standings(found: Sequence[Standing], leader: str) -> list[str]:
    """Return in two sentences how many tasks the leader leads, and where it does not.

    Example:
        >>> won = Standing("Reach", 0.9, "hand", 0.5, Interval(0.4, 0.2, 0.6), wins=True)
        >>> gap = Interval(-0.5, -0.7, -0.2)
        >>> lost = Standing("Push", 0.25, "hand", 0.75, gap, loses=True)
        >>> for text in told_standings((won, lost), "ours"):
        ...     print(text)
        Of 2 tasks, ours has the highest success on 1; it loses on Push.
        It fails in most episodes on Push.
    """
    if not found:
        return []
    best = [item for item in found if item.place in {"wins", "ahead"}]
    parts = [f"Of {len(found)} tasks, {leader} has the highest success on {len(best)}"]
    if len(found) == 1:
        parts = [told_standing(found[0], leader).removesuffix(".")]
    else:
        for place, text in (
            ("loses", "it loses on"),
            ("behind", "it is behind, but not surely, on"),
            ("level", "it is level with another design on"),
            ("alone", "it is the only design with a result on"),
            ("missing", "it has no result on"),
        ):
            names = [item.task for item in found if item.place == place]
            if names:
                parts.append(f"{text} {', '.join(names)}")
    sentences = ["; ".join(parts) + "."]
    failing = [item.task for item in found if item.fails]
    if failing and len(found) > 1:
        sentences.append(f"It fails in most episodes on {', '.join(failing)}.")
    return sentences


def gap_in_points(standing: Standing) -> tuple[str, str]:
    """Return the difference to the best other design in points, and its interval.

    Example:
        >>> gap_in_points(Standing("t", 0.5, "a", 0.25, Interval(0.25, 0.125, 0.375)))
        ('+25', '+12 to +38')
    """
    gap = standing.difference
    if not math.isfinite(gap.value):
        return "", ""
    ends = f"{points(gap.low)} to {points(gap.high)}" if gap.known else ""
    return points(gap.value), ends
