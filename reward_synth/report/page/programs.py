"""Programs as HTML: coloured lines with their findings, and what changed since a parent."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from pygments import lex
from pygments.lexers import PythonLexer
from pygments.token import Token

from reward_synth.report.data import FindingData, ProgramData

_CLASSES = (
    (Token.Comment, "tc"),
    (Token.Literal.String, "ts"),
    (Token.Literal.Number, "tn"),
    (Token.Keyword, "tk"),
    (Token.Operator.Word, "tk"),
    (Token.Name.Function, "tf"),
    (Token.Name.Builtin, "tb"),
)
_COLOURED = 60_000
"""Characters up to which a program is coloured."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a program and what was found in it."""

    html: Markup
    findings: tuple[FindingData, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between a program and one that it was made from."""

    parent: str
    """The parent's digest."""
    lines: tuple[tuple[str, str], ...]
    """Class (``add``, ``cut``, ``at`` or empty) and text of each line."""
    added: int
    cut: int


def coloured(source: str) -> list[Markup]:
    r"""Return each line of Python as markup; broken text stays readable text.

    Example:
        >>> [str(line) for line in coloured("x = 1\n# <b>")]
        ['x = <span class="tn">1</span>', '<span class="tc"># &lt;b&gt;</span>']
    """
    if len(source) > _COLOURED:
        return [escape(line) for line in source.split("\n")]
    lines: list[list[Markup]] = [[]]
    for kind, text in lex(source, PythonLexer(stripnl=False, ensurenl=False)):
        colour = next((name for base, name in _CLASSES if kind in base), "")
        for index, part in enumerate(text.split("\n")):
            if index:
                lines.append([])
            if part:
                lines[-1].append(_coloured(part, colour))
    return [Markup("").join(line) for line in lines]


def _coloured(text: str, colour: str) -> Markup:
    if not colour:
        return escape(text)
    return Markup('<span class="{}">{}</span>').format(colour, text)


def listing(program: ProgramData, *, colours: bool = True) -> list[Line]:
    r"""Return the program's lines with the findings that name them.

    Example:
        >>> found = FindingData("warning", "unused", 2)
        >>> rows = listing(ProgramData("d", "a = 1\nb = 2\n", findings=(found,)))
        >>> [len(row.findings) for row in rows]
        [0, 1]
    """
    source = program.source.rstrip("\n")
    lines = coloured(source) if colours else [escape(x) for x in source.split("\n")]
    return [
        Line(line, tuple(item for item in program.findings if item.line == index))
        for index, line in enumerate(lines, 1)
    ]


def general_findings(program: ProgramData) -> list[FindingData]:
    """Return the findings that name no line of the program.

    Example:
        >>> program = ProgramData("d", "a = 1", findings=(FindingData("note", "n", 7),))
        >>> [found.text for found in general_findings(program)]
        ['n']
    """
    length = program.source.rstrip("\n").count("\n") + 1
    return [
        item
        for item in program.findings
        if item.line is None or not 1 <= item.line <= length
    ]


def changes(program: ProgramData, known: Mapping[str, ProgramData]) -> Iterator[Change]:
    r"""Return what changed since each parent that the report holds.

    Example:
        >>> old, new = ProgramData("a", "x = 1\n"), ProgramData("b", "x = 2\n", parents=("a",))
        >>> [(item.parent, item.added, item.cut) for item in changes(new, {"a": old})]
        [('a', 1, 1)]
    """
    for digest in dict.fromkeys(program.parents):
        parent = known.get(digest)
        if parent is not None and digest != program.digest:
            lines = tuple(_diff(parent.source, program.source))
            kinds = [kind for kind, _ in lines]
            yield Change(digest, lines, kinds.count("add"), kinds.count("cut"))


def _diff(old: str, new: str) -> Iterator[tuple[str, str]]:
    kinds = {"+": "add", "-": "cut", "@": "at"}
    rows = difflib.unified_diff(old.splitlines(), new.splitlines(), n=2, lineterm="")
    for index, row in enumerate(rows):
        if index > 1:  # the first two name the files
            yield kinds.get(row[:1], ""), row


def by_digest(programs: Iterable[ProgramData]) -> dict[str, ProgramData]:
    """Return programs by their digest, the first of each.

    Example:
        >>> list(by_digest([ProgramData("a", "x"), ProgramData("a", "x")]))
        ['a']
    """
    found: dict[str, ProgramData] = {}
    for program in programs:
        found.setdefault(program.digest, program)
    return found


def severities(findings: Sequence[FindingData]) -> str:
    """Return how many findings of each severity there are.

    Example:
        >>> severities([FindingData("error", "a"), FindingData("note", "b")])
        '1 error, 1 note'
    """
    kinds = [item.severity for item in findings]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
