"""The pages: a run's report that follows the run, a list of runs, and troubles.

Each comes with the policy that its header states: what a saved report may do, and one
right more, to ask this server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment

from reward_synth.report.data import RunData
from reward_synth.report.page import (
    Live,
    policy,
    render_page,
    served_policy,
    templating,
)
from reward_synth.watch.row import Row

_HERE = Path(__file__).parent
_STYLE, _SCRIPT = "/watch.css", "/live.js"


@dataclass(frozen=True, slots=True)
class Page:
    """A page and what is sent with it."""

    text: str
    policy: str
    """The Content-Security-Policy."""
    digest: str = ""
    """Changes when the page does; empty: never taken as unchanged."""
    status: int = 200


def run_page(run: RunData, digest: str) -> Page:
    """Return the page of a run, which asks for newer ones.

    Args:
        run: What is told.
        digest: Of the run; the page gives it when it asks.
    """
    return Page(
        render_page(run, Live(_STYLE, _SCRIPT, digest)), served_policy(), digest
    )


def list_page(rows: Sequence[Row], place: str) -> Page:
    """Return the list of runs, the newest first.

    Args:
        rows: In any order.
        place: Where runs are looked for, in words.
    """
    newest = sorted(rows, key=lambda row: (-row.created, row.name))
    content = _filled("rows.html", rows=newest, place=place)
    digest = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32]
    text = _filled("list.html", content=content, digest=digest)
    return Page(text, policy(served=True), digest)


def trouble_page(title: str, sentence: str, status: int = 503) -> Page:
    """Return a page that tells what cannot be shown; it asks again by itself."""
    text = _filled("trouble.html", title=title, sentence=sentence, digest="")
    return Page(text, policy(served=True), status=status)


@cache
def assets() -> dict[str, tuple[str, str]]:
    """Return scripts and styles by their address: type and text."""
    own = _HERE / "assets"
    return {
        "/page.css": ("text/css", templating.asset("page.css")),
        "/page.js": ("text/javascript", templating.asset("page.js")),
        _STYLE: ("text/css", (own / "watch.css").read_text("utf-8")),
        _SCRIPT: ("text/javascript", (own / "live.js").read_text("utf-8")),
    }


def address_of(name: str) -> str:
    """Return where the page of a run is.

    Example:
        >>> address_of("a b/c")
        '/runs/a%20b%2Fc'
    """
    return f"/runs/{quote(name, safe='')}"


def _filled(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    made = templating.environment(_HERE / "templates")
    made.filters["address"] = address_of
    return made
