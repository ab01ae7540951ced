"""The pages: a run's report that follows the run, a list of runs, and troubles.

Each comes with the policy that its header states. The page of a run takes the policy
of the saved report and adds one right: to ask this server.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reward_synth.report import words
from reward_synth.report.data import RunData
from reward_synth.report.page import render_page, templating
from reward_synth.watch.row import Row

_HERE = Path(__file__).parent
_META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n?')
_OWN = ("script-src", "style-src", "connect-src")
"""What may also come from this server."""
_RULES = {
    "default-src": ["'none'"],
    "img-src": ["data:"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
}


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
    text = render_page(run)
    found = _META.search(text)  # two policies would both hold, so this one moves
    rules = html.unescape(found[1]) if found else ""
    start, _, rest = _META.sub("", text, count=1).partition("</head>")
    body, _, end = rest.rpartition("</body>")
    live = _filled("live.html", digest=digest)
    style = '<link rel="stylesheet" href="/watch.css">\n'
    return Page(f"{start}{style}</head>{body}{live}</body>{end}", policy(rules), digest)


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
    return Page(text, policy(), digest)


def trouble_page(title: str, sentence: str, status: int = 503) -> Page:
    """Return a page that tells what cannot be shown; it asks again by itself."""
    text = _filled("trouble.html", title=title, sentence=sentence, digest="")
    return Page(text, policy(), status=status)


def policy(rules: str = "") -> str:
    """Return a policy that also allows what comes from this server.

    Args:
        rules: A policy; by default one that allows nothing else.

    Example:
        >>> policy("default-src 'none'; script-src 'sha256-x'").split("; ")[:2]
        ["default-src 'none'", "script-src 'sha256-x' 'self'"]
        >>> policy("connect-src 'none'").split("; ")[0]
        "connect-src 'self'"
    """
    parts = (part.split() for part in rules.split(";") if part.strip())
    allowed = {key: values for key, *values in parts} or dict(_RULES)
    for key in _OWN:
        others = [item for item in allowed.get(key, []) if item != "'none'"]
        allowed[key] = [*others, "'self'"]
    allowed["frame-ancestors"] = ["'none'"]  # only a header may say this
    return "; ".join(" ".join([key, *values]) for key, values in allowed.items())


@cache
def assets() -> dict[str, tuple[str, str]]:
    """Return scripts and styles by their address: type and text."""
    own = _HERE / "assets"
    return {
        "/page.css": ("text/css", templating.asset("page.css")),
        "/page.js": ("text/javascript", templating.asset("page.js")),
        "/watch.css": ("text/css", (own / "watch.css").read_text("utf-8")),
        "/live.js": ("text/javascript", (own / "live.js").read_text("utf-8")),
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
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"address": address_of, "moment": words.moment}
    return made
