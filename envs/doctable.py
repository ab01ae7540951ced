"""Reads the tables in which Gymnasium environments document their observations.

Markdown pipe tables and reStructuredText grid tables, such as::

    | Num | Observation        | Min  | Max | Type (Unit)  |
    |-----|--------------------|------|-----|--------------|
    | 0   | angle of the torso | -Inf | Inf | angle (rad)  |
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NUMBER = ("num", "index", "idx", "id", "#")
_OBSERVATION = ("observation", "state")
_ENTRY = re.compile(r"(?P<first>\d+)(\s*(-|\.\.)\s*(?P<last>\d+))?")
_KEY = re.compile(r"^\s*[*-]\s*[`'\"]+(?P<key>\w+)[`'\"]+\s*:", re.MULTILINE)
_BULLET = re.compile(r"^\s*[*-]\s*(?P<number>\d+)\s*:\s*(?P<text>.+)$", re.MULTILINE)
_UNITS = re.compile(r"\((?P<unit>[^()]*)\)\s*$")
_LONGEST_UNIT = 8
_NO_UNIT = ("none", "unitless", "n/a", "na")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_UNDERLINE = re.compile(r"[-=~^]{3,}")


@dataclass(frozen=True, slots=True)
class Row:
    """One documented quantity."""

    start: int
    """First entry of the observation; -1 in rows that are excluded by default."""
    size: int
    text: str
    """As documented."""
    unit: str = ""
    element: str = ""
    """Name in the simulator's model, without what stands in brackets."""


@dataclass(frozen=True, slots=True)
class ObsTable:
    """One table of observations."""

    key: str
    """The key of a Dict observation that it describes; empty if it names none."""
    rows: tuple[Row, ...]
    excluded: tuple[Row, ...]
    """Rows that the observation holds only under another option."""

    @property
    def size(self) -> int:
        """Entries of the observation that the rows fill without gaps, else -1."""
        end = 0
        for row in self.rows:
            if row.start != end:
                return -1
            end += row.size
        return end


@dataclass(slots=True)
class _Table:
    heading: str
    caption: str
    lines: list[list[str]] = field(default_factory=list)


def observation_tables(doc: str) -> tuple[ObsTable, ...]:
    """Return the tables that describe an observation, in order.

    Example:
        >>> table, = observation_tables('''
        ... ## Observation Space
        ... | Num | Observation        | Unit        |
        ... |-----|--------------------|-------------|
        ... | 0   | angle of the torso | angle (rad) |
        ... ''')
        >>> table.rows
        (Row(start=0, size=1, text='angle of the torso', unit='rad', element=''),)
    """
    found = []
    for table in _tables(doc):
        header = [cell.lower() for cell in table.lines[0]]
        if _describes_observation(header, table.heading):
            found.append(_obs_table(table, header))
    return tuple(found)


def _describes_observation(header: list[str], heading: str) -> bool:
    if not header or header[0] not in _NUMBER or "action" in heading:
        return False
    named = any(cell.startswith(_OBSERVATION) for cell in header)
    return named or (len(header) > 1 and "observation" in heading)


def action_meanings(doc: str) -> tuple[str, ...]:
    r"""Return what each action, or each entry of it, does; empty if not documented.

    Example:
        >>> action_meanings("## Action Space\n- 0: push left\n- 1: push right")
        ('push left', 'push right')
    """
    for table in _tables(doc):
        if "action" in table.heading and table.lines[0][0].lower() in _NUMBER:
            rows = table.lines[1:]
            if all(len(row) > 1 and row[0] == str(i) for i, row in enumerate(rows)):
                return tuple(row[1] for row in rows)
    bullets = _BULLET.findall(_section(doc, "action"))
    if [number for number, _ in bullets] == [str(i) for i in range(len(bullets))]:
        return tuple(text.strip() for _, text in bullets)
    return ()


def description(doc: str, *, longest: int = 600) -> str:
    r"""Return the sentences under ``Description``, as many as fit.

    Example:
        >>> description("## Description\n\nA car. It drives\non.", longest=10)
        'A car.'
    """
    text = " ".join(_section(doc, "description").split("```")[0].split())
    text = _LINK.sub(r"\1", text)
    if len(text) <= longest:
        return text
    return text[: text.rfind(". ", 0, longest) + 1] or text[:longest]


def _section(doc: str, word: str) -> str:
    """Return the text below the first heading that holds ``word``."""
    inside: list[str] = []
    reading = False
    for line, heading in _lines(doc):
        if line is not None and reading:
            inside.append(line)
        if line is None:
            if reading:
                break
            reading = word in heading
    return "\n".join(inside)


def _lines(doc: str) -> Iterator[tuple[str | None, str]]:
    """Yield ``(line, heading above it)``; the line is None at the heading itself."""
    heading = ""
    lines = doc.splitlines()
    for line, after in zip(lines, [*lines, ""][1:], strict=True):
        text = line.strip()
        if _UNDERLINE.fullmatch(text):
            continue
        if text.startswith("#") or (text and _UNDERLINE.fullmatch(after.strip())):
            heading = text.strip("# :").lower()
            yield None, heading
        else:
            yield line, heading


def _tables(doc: str) -> list[_Table]:
    tables: list[_Table] = []
    caption: list[str] = []
    inside = False
    for line, heading in _lines(doc):
        text = (line or "").strip()
        if not text.startswith(("|", "+-", "+=")):
            caption = [*([] if inside or line is None else caption), text]
            inside = False
            continue
        if not inside:
            tables.append(_Table(heading, "\n".join(caption)))
            inside = True
        _add_line(tables[-1], text)
    return [table for table in tables if table.lines]


def _add_line(table: _Table, text: str) -> None:
    if text.startswith("+") or not text.strip("|-: "):
        return  # a rule between rows
    cells = [cell.strip() for cell in text.strip("|").split("|")]
    if table.lines and not cells[0]:  # a cell of a grid table that goes on below
        pairs = zip(table.lines[-1], cells, strict=False)
        table.lines[-1] = [f"{old} {new}".strip() for old, new in pairs]
    else:
        table.lines.append(cells)


def _obs_table(table: _Table, header: list[str]) -> ObsTable:
    rows = [_row(dict(zip(header, cells, strict=False))) for cells in table.lines[1:]]
    keys = _KEY.findall(table.caption)
    return ObsTable(
        key=keys[-1] if keys else "",
        rows=tuple(row for row in rows if row.start >= 0),
        excluded=tuple(row for row in rows if row.start < 0),
    )


def _row(cells: dict[str, str]) -> Row:
    number, text, *_ = [*cells.values(), ""]
    match = _ENTRY.fullmatch(number)
    first = int(match["first"]) if match else -1
    last = int(match["last"]) if match and match["last"] else first
    return Row(
        start=first,
        size=last - first + 1,
        text=text.replace("`", ""),
        unit=_unit(_cell(cells, "unit"), text.lower()),
        element=_ASIDE.sub("", _cell(cells, "name")).strip(),
    )


_ASIDE = re.compile(r"\s+\([^)]*\)")


def _cell(cells: dict[str, str], word: str) -> str:
    return next((cell for head, cell in cells.items() if word in head), "")


def _unit(cell: str, text: str) -> str:
    match = _UNITS.search(cell)
    unit = match["unit"] if match else cell
    if len(unit) > _LONGEST_UNIT or not unit.strip("-") or unit.lower() in _NO_UNIT:
        return ""
    # Gymnasium documents some joint speeds as "angle (rad)".
    return "rad/s" if unit == "rad" and "angular velocity" in text else unit
