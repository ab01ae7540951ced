"""Fills templates in; every text is data and is escaped."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reward_synth.report import words
from reward_synth.report.page.lineage import told_scores
from reward_synth.report.words import short

_HERE = Path(__file__).parent


def filled(template: str, **values: object) -> Markup:
    """Return a template of this package with values in it.

    Example:
        >>> from types import SimpleNamespace
        >>> print(filled("notes.html", run=SimpleNamespace(notes=["<b>"])))
        <ul><li>&lt;b&gt;</li>
        </ul>
    """
    return Markup(_own().get_template(template).render(**values))


def asset(name: str) -> Markup:
    """Return a script or a style sheet, as it stands in this package."""
    return Markup((_HERE / "assets" / name).read_text(encoding="utf-8"))


def anchor(digest: str) -> str:
    """Return the name of a program's place in a page.

    Example:
        >>> anchor("any text <at all>")
        'p-e687e37d62'
    """
    return f"p-{hashlib.sha256(digest.encode()).hexdigest()[:10]}"


def _span(ends: tuple[float, float], metric: str) -> str:
    low, high = ends
    return words.span(low, high, share=metric.startswith("success"))


def _tied(sentence: str) -> str:
    """Keep a percent sign on the line of its number."""
    return sentence.replace(" %", "\N{NO-BREAK SPACE}%")


def environment(folder: Path) -> Environment:
    """Return what fills the templates of a folder in, with the filters of this page.

    Args:
        folder: Where templates lie.

    Example:
        >>> environment(Path("nowhere")).from_string("{{ x | count }}").render(x=2000)
        '2 k'
    """
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "anchor": anchor,
        "count": words.count,
        "duration": words.duration,
        "moment": words.moment,
        "number": words.number,
        "percent": words.percent,
        "plural": words.plural,
        "scores": told_scores,
        "short": short,
        "span": _span,
        "tied": _tied,
    }
    made.globals["measured"] = words.measured
    return made


@cache
def _own() -> Environment:
    return environment(_HERE / "templates")
