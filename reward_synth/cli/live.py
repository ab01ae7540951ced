"""What a person sees while a search works: a live table, or plain lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from reward_synth.cli.output import err, note

if TYPE_CHECKING:
    from reward_synth.llm import Usage
    from reward_synth.search import Outcome

_SHOWN = 12
"""Candidates in the table: the best, and those that are being trained."""
_HOUR, _MINUTE = 3600, 60


@dataclass(slots=True)
class SearchState:
    """What is known of a search that works.

    Args:
        steps: Environment steps that all its trainings take at most.
        clock: Tells seconds.

    Example:
        >>> state = SearchState(100, clock=iter([0.0, 10.0]).__next__)
        >>> state.training([Row("k", 20, 50)])
        >>> state.left()
        40.0
    """

    steps: int = 0
    clock: Callable[[], float] = time.monotonic
    checked: int = 0
    candidates: int = 0
    """Of the whole search."""
    tokens: int = 0
    best: dict[str, Outcome] = field(default_factory=dict)
    """By digest, in the order of arrival."""
    running: dict[str, Any] = field(default_factory=dict)
    """The newest row of each training, by its key."""
    began: float | None = None
    """When the first training was seen."""

    def progress(self, _: str, done: int, total: int) -> None:
        """Take in how many candidates are checked."""
        self.checked, self.candidates = done, total

    def outcome(self, found: Outcome) -> None:
        """Take in what became of a candidate."""
        self.best[found.program.digest] = found

    def answered(self, usage: Usage) -> None:
        """Take in what a sample cost."""
        self.tokens += usage.prompt_tokens + usage.completion_tokens

    def training(self, rows: Sequence[Any]) -> None:
        """Take in how far trainings are; see ``TrialProgress``."""
        if rows and self.began is None:
            self.began = self.clock()
        self.running |= {row.key: row for row in rows}

    def left(self) -> float | None:
        """Return the seconds until all trainings are made, at most; None: not known."""
        done = sum(int(row.steps) for row in self.running.values())
        if self.began is None or not done:
            return None
        spent = self.clock() - self.began
        return max(0, self.steps - done) * spent / done

    def stage(self, digest: str) -> str:
        """Return what is being done with a candidate, or was done last."""
        for row in self.running.values():
            if row.program == digest and row.steps < row.total:
                return f"training {row.steps / row.total:.0%}"
        found = self.best[digest]
        if found.trained is not None:
            return "trained"
        return "checked" if found.usable else "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """How far a training is, as ``TrialProgress`` tells it."""

    key: str
    steps: int
    total: int
    program: str = ""


def score_words(found: Outcome) -> str:
    """Return the score of a candidate: what was measured, else its rank on rollouts."""
    if found.preferred is not None:
        return f"{found.preferred:.0%} preferred"
    if found.trained is not None:
        return f"{found.trained:.0%} success"
    return "" if found.screen is None else f"rank {found.screen.score:.2f}"


def time_words(seconds: float | None) -> str:
    """Return a time as people say it.

    Example:
        >>> time_words(None), time_words(42), time_words(4000)
        ('', '42 s', '1 h 6 min')
    """
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    hours, rest = divmod(int(seconds), _HOUR)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min"


def table(state: SearchState) -> Group:
    """Return the search as a table: candidates, their stages and scores, and sums."""
    parts = [f"{state.checked} of {state.candidates} candidates"]
    if state.tokens:
        parts.append(f"{state.tokens} tokens")
    left = time_words(state.left())
    if left:
        parts.append(f"at most {left} left")
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("candidate", "stage", "score"):
        made.add_column(name)
    ranked = sorted(state.best.values(), key=lambda item: -item.score)
    busy = [x for x in ranked if state.stage(x.program.digest).startswith("training")]
    for item in [*busy, *(x for x in ranked if x not in busy)][:_SHOWN]:
        digest = item.program.digest
        made.add_row(digest[:10], state.stage(digest), score_words(item))
    return Group(Text(", ".join(parts)), made)


class Lines:
    """Tells the same in plain lines, where nobody watches a terminal."""

    def __init__(self, state: SearchState, quiet: bool) -> None:
        self._state = state
        self._quiet = quiet

    def outcome(self, found: Outcome) -> None:
        """Tell what became of a candidate."""
        self._state.outcome(found)
        digest = found.program.digest
        parts = [
            f"{digest[:10]} {self._state.stage(digest)}",
            score_words(found),
            f"{self._state.tokens} tokens" if self._state.tokens else "",
            self._left(),
        ]
        note(", ".join(part for part in parts if part) + ".", quiet=self._quiet)

    def _left(self) -> str:
        left = time_words(self._state.left())
        return f"at most {left} left" if left else ""

    def start(self) -> None:
        """Do nothing: lines do not move."""

    def stop(self) -> None:
        """Do nothing."""


class Screen:
    """Shows the table on a terminal, on standard error."""

    def __init__(self, state: SearchState) -> None:
        self._state = state
        self._live = Live(
            get_renderable=lambda: table(state),
            console=err,
            transient=True,
            refresh_per_second=2,
        )
        self.outcome = state.outcome

    def start(self) -> None:
        """Draw it."""
        self._live.start()

    def stop(self) -> None:
        """Take it away, as when a person is asked something."""
        self._live.stop()


@contextmanager
def shown(state: SearchState, *, quiet: bool) -> Iterator[Screen | Lines]:
    """Show a search while the block runs.

    Args:
        state: What is shown.
        quiet: Tell nothing where there is no terminal.
    """
    view = Screen(state) if err.is_terminal else Lines(state, quiet)
    view.start()
    try:
        yield view
    finally:
        view.stop()
