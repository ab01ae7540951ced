"""Rows of a user's own data set, for an audit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.verify.audit.sample import (
    ABSTAINS,
    GOLD_NAMES,
    TAGS,
    Call,
    Sample,
    Writer,
)
from reward_synth.verify.calls import ToolCall
from reward_synth.verify.limits import UnreadableError
from reward_synth.verify.policy import Policy
from reward_synth.verify.reading import CallReader


def load_samples(path: str, writer: Writer = TAGS, gold: str = "") -> list[Sample]:
    """Return the rows of a file of JSON lines.

    Each line is an object: ``prompt``; ``honest``, a right answer, which may be left out
    where the calls that are expected can be read from the column ``gold``; and whatever
    columns the reward function reads.

    Args:
        path: The file.
        writer: Writes right answers from calls, and abstaining ones.
        gold: The column with what is expected; empty: the first usual name that is there.

    Raises:
        UsageError: A line is no such object; it is named.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: {error}.") from None
    lines = enumerate(text.splitlines(), 1)
    return [
        _sample(line, f"{path}, line {number}", writer, gold)
        for number, line in lines
        if line.strip()
    ]


def _sample(line: str, place: str, writer: Writer, gold: str) -> Sample:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place} is no JSON: {error}.") from None
    if not isinstance(row, dict):
        raise UsageError(f"{place} must be an object, received {line[:60]!r}.")
    model = row.get("reward_model")
    if isinstance(model, dict) and "ground_truth" in model:  # verl's data sets
        row.setdefault("ground_truth", model["ground_truth"])
    column = gold or next((name for name in GOLD_NAMES if name in row), "")
    if gold and gold not in row:
        raise UsageError(f"{place} has no column {gold!r}; it has {sorted(row)}.")
    calls = _calls(row.get(column))
    honest = row.pop("honest", None)
    if honest is None and calls is None:
        raise UsageError(
            f"{place} has no right answer: add one as 'honest', or give the expected "
            f"calls as JSON in the column {column or GOLD_NAMES[0]!r}."
        )
    known = calls or ()
    return Sample(
        row.get("prompt", ""),
        writer(known) if honest is None else honest,
        writer.says(ABSTAINS),
        known,
        row,
        idle=calls == (),
    )


def _calls(given: Any) -> tuple[Call, ...] | None:
    """Return the calls that a column holds; None where it holds none that can be read."""
    if isinstance(given, str) and not given.lstrip().startswith(("[", "{", "<")):
        return None
    if not isinstance(given, str | list | Mapping):
        return None
    try:
        found: Sequence[ToolCall] = CallReader(Policy()).read(given)
    except UnreadableError:
        return None
    if not found and given not in ([], "[]"):
        return None
    return tuple(
        {"name": call.name, "arguments": dict(call.arguments)} for call in found
    )
