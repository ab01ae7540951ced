"""Pictures of a reward as one HTML file, in the style of reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from reward_synth.errors import MissingExtraError
from reward_synth.report.data import MatrixData, RunData
from reward_synth.report.page.security import policy
from reward_synth.report.plain import plain
from reward_synth.report.plots_apart import Apart
from reward_synth.report.plots_data import Made, Map, RewardPlots
from reward_synth.report.plots_draw import lines_of
from reward_synth.report.words import number

_STYLES = ("page.css", "plots.css")
_SCRIPTS = ("page.js",)
_COLOURS = 8
_ALONE = (
    "The reward's own values on a grid; everything else that it reads is held. Arrows "
    "point where the value rises, seen along the picture's axes; the longest is the "
    "steepest."
)
_GOAL = " The dotted line is the border of success."
_BLENDED = (
    "The mean over all recorded steps in each cell; blank where none was. Left what the "
    "reward pays alone, then the environment, last what a learner is paid."
)
_APART = (
    "How differently the two rewards furthest apart judge the actions in each cell: the "
    "root mean square of the gaps of their canonical forms. 0 is agreement. Rings mark "
    "the states below."
)


def reward_page(found: RewardPlots, made: Made | None = None) -> str:
    """Return the page of a reward's pictures.

    Args:
        found: What they show.
        made: How they were made.

    Raises:
        MissingExtraError: The extra ``report`` is not installed.
    """
    found = plain(found)
    sections = [
        ("maps", "The reward alone", _maps(found)),
        ("blended", "Before and after blending", _blended(found)),
        ("story", "Along an episode", _story(found)),
    ]
    about = (
        f"Over {found.across.label} and {found.up.label}, combined by {found.combine}."
    )
    title = f"{found.name} on {found.env}"
    return _page(title, about, sections, found.remarks, made)


def apart_page(found: Apart, made: Made | None = None) -> str:
    """Return the page of a comparison: distances, and where two rewards disagree.

    Args:
        found: What it shows.
        made: How it was made.

    Raises:
        MissingExtraError: The extra ``report`` is not installed.
    """
    found = plain(found)
    sections = [("distances", "Distances", _distances(found))]
    if found.map is not None:
        sections.append(("apart", "Where they disagree most", _apart(found)))
    told = found.found
    how = "all" if told.exact else "estimated from"
    about = f"{how.capitalize()} {told.transitions} transitions, gamma {told.gamma:g}."
    title = f"Rewards compared on {told.env}"
    return _page(title, about, sections, told.remarks, made)


def _page(
    title: str,
    about: str,
    sections: Sequence[tuple[str, str, Any]],
    remarks: Sequence[str],
    made: Made | None,
) -> str:
    templating, parts = _module("templating"), _module("sections")
    how = plain(Made() if made is None else made)
    run = RunData(title, about, how.command, how.created, "finished", (), (), ())
    rows = [*sections]
    if remarks:
        notes = templating.filled("notes.html", run=plain(_Notes(remarks)))
        rows.append(("notes", "Notes", notes))
    if how.command:
        told = {"command": how.command, "versions": [*how.versions.items()]}
        again = templating.filled("reproduce.html", machine=(), **told)
        rows.append(("reproduce", "Reproduce", again))
    styles = [templating.asset(name) for name in _STYLES]
    scripts = [templating.asset(name) for name in _SCRIPTS]
    return str(
        templating.filled(
            "page.html",
            run=run,
            sections=[parts.Rendered(*row) for row in rows],
            styles=styles,
            scripts=scripts,
            licences=[],
            policy=policy(styles, scripts),
            live=None,
        )
    )


class _Notes:
    """What the template of notes reads."""

    def __init__(self, notes: Sequence[str]) -> None:
        self.notes = [plain(note) for note in notes]


def _module(name: str) -> Any:
    """Import what needs the extra only when a page is made."""
    try:
        return import_module(
            name if "." in name else f"reward_synth.report.page.{name}"
        )
    except ModuleNotFoundError as cause:
        raise MissingExtraError(cause.name or "jinja2", "report") from cause


def _svg() -> Any:
    return _module("reward_synth.report.plots_svg")


def _filled(template: str, **values: object) -> Any:
    return _module("templating").filled(template, **values)


def _figures(maps: Sequence[Map], found: RewardPlots) -> list[Mapping[str, Any]]:
    axes = (found.across, found.up)
    return [
        {
            "title": item.title,
            "chart": _svg().map_chart(
                item, axes, found.success if item is found.maps[0] else None
            ),
        }
        for item in maps
    ]


def _maps(found: RewardPlots) -> Any:
    hint = _ALONE + (_GOAL if found.success is not None else "")
    held = [(name, _told(value)) for name, value in found.held.items()]
    items = _figures(found.maps, found)
    return _filled("plots_maps.html", hint=hint, items=items, held=held)


def _blended(found: RewardPlots) -> Any:
    items = _figures(found.blended, found)
    return _filled("plots_maps.html", hint=_BLENDED, items=items, held=())


def _story(found: RewardPlots) -> Any:
    story = found.story
    sums = zip(story.names, story.parts.sum(axis=1), strict=True)
    lines = lines_of(story.sparse, story.total, story.combined)
    totals = [*sums, *((name, values.sum()) for name, _, values in lines)]
    return _filled(
        "plots_story.html",
        story=story,
        stack=_svg().stack_chart(story),
        sums=_svg().sums_chart(story),
        names=[(name, i % _COLOURS) for i, name in enumerate(story.names)],
        lines=[(name, style) for name, style, _ in lines],
        totals=[(name, float(value)) for name, value in totals],
    )


def _distances(found: Apart) -> Any:
    told = found.found
    about = f"STARC ({told.kind}): 0 the same, 1 opposite."
    rows = tuple(tuple(map(float, row)) for row in told.distances)
    data = MatrixData("Distances of rewards", about, told.names, rows)
    run = RunData("", "", "", 0.0, "finished", (), (), (), distances=(data,))
    return _module("sections_more").distances(run, None)


def _apart(found: Apart) -> Any:
    chart = _svg().map_chart(found.map, (found.across, found.up), None, found.marks)
    item = {"title": found.map.title if found.map else "", "chart": chart}
    maps = _filled("plots_maps.html", hint=_APART, items=[item], held=())
    rows = [
        (f"{item.gap:+.2f}", _told(item.action), _state(item.state))
        for item in found.found.disagreements
    ]
    return maps + _filled("plots_states.html", rows=rows)


def _state(fields: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {_told(value)}" for name, value in fields.items())


def _told(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(_told, value)) + "]"
    return number(float(value))
