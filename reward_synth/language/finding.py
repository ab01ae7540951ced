"""What an examination of a program found, in sentences that a model can act on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation about a program.

    Example:
        >>> print(Finding("error", "unknown-name", "There is no 'cube'.", line=3))
        line 3: error: There is no 'cube'. [unknown-name]
    """

    severity: Severity
    """An ``error`` makes the program unusable; a ``warning`` lowers its rank."""
    code: str
    """A stable short name, for example ``forbidden-import``."""
    message: str
    """What is wrong, with names and values."""
    fix: str = ""
    """What to write instead."""
    line: int | None = None
    """Line in the program's source, from 1."""

    def __str__(self) -> str:
        """Return one line for people."""
        place = f"line {self.line}: " if self.line else ""
        fix = f" {self.fix}" if self.fix else ""
        return f"{place}{self.severity}: {self.message}{fix} [{self.code}]"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return asdict(self)


class ProgramProblemError(Exception):
    """Carries a finding out of the depths of the parser; never leaves this package."""

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix

    def at(self, line: int | None) -> Finding:
        """Return the finding, with its line."""
        return Finding("error", self.code, self.message, self.fix, line)
