"""A summary in plain sentences, and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reward_synth.report.summary_data import FEW, Cell, DesignSummary, Pair, Summary
from reward_synth.report.words import (
    MINUS,
    MISSING,
    count,
    duration,
    number,
    percent,
    plural,
)
from reward_synth.statistics import Fall, Interval, Reached

HEAD = (
    "task",
    "design",
    "runs",
    "success",
    "at the end",
    "curve",
    "steps to 50 %",
    "steps to 90 %",
    "env return",
    "gap",
    "time",
)


def verdict(summary: Summary) -> list[str]:
    """Return in sentences which design won, by how much, and how sure that is.

    What limits them stands in the summary's warnings, which belong beside them.

    Example:
        >>> verdict(Summary())
        ['Nothing has been measured yet.']
    """
    measured = [design for design in summary.designs if design.runs]
    if not measured:
        return ["Nothing has been measured yet."]
    if len(measured) == 1:
        return [_alone(measured[0])]
    if not summary.leader:
        text = "No task was trained under all designs, so there is no overall winner."
        told = [_sentence(pair) for pair in summary.pairs]
        return [text, *told, *_normalised(measured)]
    found = [summary.pair(summary.leader, design.name) for design in measured]
    pairs = sorted((pair for pair in found if pair), key=lambda pair: -pair.of_b)
    return [
        _head(summary),
        *(_sentence(pair) for pair in pairs),
        *_normalised(measured),
    ]


def warnings_of(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Return what a reader should know before trusting the numbers, a sentence each.

    Example:
        >>> warnings_of(())
        ()
    """
    done = [cell for cell in cells if cell.runs]
    failed = [f"{cell.failed} of {_name(cell)}" for cell in cells if cell.failed]
    waiting = sum(cell.unfinished for cell in cells)
    found = []
    if few := sorted({cell.runs for cell in done if cell.few}):
        found.append(
            f"Fewer than {FEW} seeds ({', '.join(map(str, few))}) stand behind numbers "
            "marked *; their intervals are wide, or rest on what the runs cannot show."
        )
    if failed:
        found.append(
            "Runs without a result are left out, which flatters their design if the "
            f"reward was the cause: {', '.join(failed)}."
        )
    if waiting:
        found.append(
            f"{plural(waiting, 'run')} not finished; these numbers will change."
        )
    if len({cell.runs for cell in done}) > 1:
        low, high = min(cell.runs for cell in done), max(cell.runs for cell in done)
        found.append(
            f"Numbers of seeds differ ({low} to {high}); tasks with more runs weigh "
            "more in the IQM and the mean over tasks."
        )
    found += _gaps(done)
    found += [
        _hacked(cell, cell.fall) for cell in done if cell.fall and cell.fall.hacked
    ]
    if len({cell.task for cell in done}) == 1:
        found.append("A single task says nothing about other tasks.")
    return tuple(found)


def summary_table(
    summary: Summary,
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return a table of text: its head, and a row for each task and design.

    Numbers stand with their 95 % interval. ``*`` marks those of fewer than five runs.

    Example:
        >>> head, rows = summary_table(Summary())
        >>> head[:3], rows
        (('task', 'design', 'runs'), [])
    """
    return HEAD, [_row(cell) for cell in summary.cells]


def _row(cell: Cell) -> tuple[str, ...]:
    mark = "*" if cell.few and cell.runs else ""
    lost = f" ({cell.failed} failed)" if cell.failed else ""
    shares = (cell.success_any, cell.success_last, cell.auc)
    return (
        cell.task,
        cell.design,
        f"{cell.runs}{lost}",
        *(_share(item) + (mark if item.known else "") for item in shares),
        _reached(cell.to_half),
        _reached(cell.to_most),
        _number(cell.env_return) + (mark if cell.env_return.known else ""),
        number(cell.gap.value),
        duration(cell.seconds),
    )


def _share(item: Interval) -> str:
    if not item.known:
        return percent(item.value)
    return f"{percent(item.value)} ({_ends(item, 100)})"


def _number(item: Interval) -> str:
    if not item.known:
        return number(item.value)
    return f"{number(item.value)} ({number(item.low)} to {number(item.high)})"


def _reached(item: Reached) -> str:
    if not item.runs:
        return MISSING
    return f"{count(item.median)} ({item.reached} of {item.runs})"


def _ends(item: Interval, scale: float) -> str:
    low, high = (round(scale * end) + 0 for end in (item.low, item.high))
    return f"{low} to {high}".replace("-", MINUS)


def _normalised(designs: Sequence[DesignSummary]) -> list[str]:
    """Return what designs beside sparse and expert reach between these two."""
    scores = [
        f"{item.name} {number(item.normalised_mean)}"
        for item in designs
        if item.kind not in ("sparse", "expert") and math.isfinite(item.normalised_mean)
    ]
    if not scores:
        return []
    return [
        "Human-normalised score (0: sparse, 1: expert; each task cut to 0 to 3): "
        f"{', '.join(scores)}."
    ]


def _alone(design: DesignSummary) -> str:
    statistic = design.iqm if len(design.tasks) > 1 else design.mean
    name = "IQM" if len(design.tasks) > 1 else "mean"
    return (
        f"Only {design.name} was measured, so there is nothing to compare it with: "
        f"{name} of success {_share(statistic)} over {plural(design.runs, 'run')}."
    )


def _head(summary: Summary) -> str:
    if summary.winner:
        return f"{summary.winner} won against every other design."
    if summary.level:
        names = ", ".join(summary.level)
        return f"No design is ahead: {summary.leader} reached no more than {names}."
    return (
        f"{summary.leader} is ahead, but not surely: at least one other design may be "
        "as good."
    )


def _sentence(pair: Pair) -> str:
    """Return one comparison in words, the better design first."""
    seen = pair if pair.difference.value >= 0.0 else pair.reversed()
    shared = plural(len(seen.tasks), "shared task")
    scores = (
        f"{percent(seen.of_a)} success against {percent(seen.of_b)} "
        f"({seen.statistic} over {shared})"
    )
    tasks = plural(len(seen.tasks), "task")
    where = f"{seen.a} has the higher mean on {seen.ahead} of {tasks}"
    if not seen.difference.known:
        return (
            f"{seen.a} against {seen.b}: {scores}. {where}; with one run on a task, "
            "chance cannot be told from a difference."
        )
    points = round(100 * seen.difference.value)
    ends = f"{_ends(seen.difference, 100)} points (95 % interval)"
    if not seen.sure:
        return (
            f"{seen.a} and {seen.b} are not told apart by these runs: {scores}, "
            f"{points} points more; other seeds might give {ends}, so perhaps none. {where}."
        )
    chance = f"{seen.improvement.value:.2f} ({_fractions(seen.improvement)})"
    if not seen.improvement.excludes(0.5):
        chance += ", so a single run may well go the other way"
    return (
        f"{seen.a} is better than {seen.b}: {scores}, {points} points more; other "
        f"seeds might give {ends}. {where}; a run of it beats one of {seen.b} with probability "
        f"{chance}."
    )


def _fractions(item: Interval) -> str:
    return f"{item.low:.2f} to {item.high:.2f}"


def _hacked(cell: Cell, fall: Fall) -> str:
    lost = Interval(-fall.success.value, -fall.success.high, -fall.success.low)
    return (
        f"Reward hacking: on {cell.task} the agents of {cell.design} did worse at the end "
        f"than at step {count(fall.step)}, though their own reward did not fall: success "
        f"fell by {round(100 * lost.value)} points from {percent(fall.best)} "
        f"({_ends(lost, 100)}, 95 % interval). They earn the reward without doing the task."
    )


def _gaps(done: Sequence[Cell]) -> list[str]:
    """Return which designs lack a task that another has."""
    tasks = {cell.task for cell in done}
    designs = dict.fromkeys(cell.design for cell in done)
    found = []
    for design in designs:
        lacking = sorted(tasks - {cell.task for cell in done if cell.design == design})
        if lacking:
            found.append(
                f"{design} has no result on {', '.join(lacking)}; its numbers over tasks "
                "are for the others, and pairs are compared on tasks that both have."
            )
    return found


def _name(cell: Cell) -> str:
    return f"{cell.design} on {cell.task}"
