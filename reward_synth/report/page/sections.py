"""The parts of a page, in order. A new one is a function and a line in ``SECTIONS``.

A function takes the run and its summary, and returns HTML, or None where it has nothing
to say: a run without programs has no lineage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from reward_synth.report.data import RunData
from reward_synth.report.page import sections_made as made
from reward_synth.report.page import sections_measured as measured
from reward_synth.report.page import sections_more as more
from reward_synth.report.summary import Summary


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    id: str
    title: str
    render: Callable[[RunData, Summary], str | None]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A part of the page, written."""

    id: str
    title: str
    html: Markup

    @property
    def digest(self) -> str:
        """Changes when the part changes; a live page looks at it."""
        return hashlib.sha256(self.html.encode()).hexdigest()[:16]


def rendered(
    run: RunData, summary: Summary, sections: Iterable[Section] | None = None
) -> list[Rendered]:
    """Return every section that applies, in order.

    Example:
        >>> run = RunData("", "", "c", 0.0, "running", (), (), (), notes=("Skipped x.",))
        >>> [part.id for part in rendered(run, Summary())]
        ['state', 'summary', 'reproduce', 'notes']
    """
    parts = []
    for item in SECTIONS if sections is None else sections:
        html = item.render(run, summary)
        if html is not None:
            parts.append(Rendered(item.id, item.title, Markup(html)))
    return parts


SECTIONS = (
    Section("state", "State", measured.state),
    Section("summary", "In short", measured.in_short),
    Section("compared", "What is compared", measured.setup),
    Section("results", "Results", measured.results),
    Section("aggregate", "All tasks together", measured.aggregate),
    Section("curves", "Learning curves", measured.curves),
    Section("components", "Reward components", measured.components),
    Section("programs", "Reward programs", made.programs),
    Section("lineage", "Lineage", made.origins),
    Section("frames", "Frames", made.frames),
    Section("labels", "Labels", more.labels),
    Section("distances", "Distances", more.distances),
    Section("audits", "Audits", more.audits),
    Section("cost", "Cost", made.cost),
    Section("reproduce", "Reproduce", made.reproduce),
    Section("notes", "Notes", made.notes),
)
"""What a page holds, in order."""
