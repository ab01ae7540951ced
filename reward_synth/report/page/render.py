"""A report as one HTML file: everything in it, nothing asked of any network."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.errors import MissingExtraError
from reward_synth.report.data import RunData
from reward_synth.report.page.security import policy
from reward_synth.report.plain import plain
from reward_synth.report.summary import SEED, summarise

STYLES = ("vendor/uplot/uPlot.min.css", "page.css")
SCRIPTS = ("vendor/uplot/uPlot.iife.min.js", "page.js", "curves.js")
LICENCES = ("vendor/uplot/LICENSE",)


@dataclass(frozen=True, slots=True)
class Live:
    """What a server adds to the pages that it sends, so that they follow their run."""

    style: str
    """Address of a style sheet."""
    script: str
    """Address of a script, which finds ``digest`` in its ``data-digest``."""
    digest: str
    """Names what the page tells; the script gives it when it asks for a newer one."""


def write_page(run: RunData, path: Path) -> None:
    """Write the page of a run.

    Raises:
        MissingExtraError: The extra ``report`` is not installed.
    """
    path.write_text(render_page(run), encoding="utf-8")


def render_page(run: RunData, live: Live | None = None) -> str:
    """Return the page of a run: HTML with its styles, scripts and data inside.

    Args:
        run: What is told.
        live: What a server adds. Such a page states no policy: its header has to say
            :func:`served_policy`.

    Raises:
        MissingExtraError: The extra ``report`` is not installed.

    Example:
        >>> run = RunData("A <run>", "", "reward_synth bench", 0.0, "running", (), (), ())
        >>> "<title>A &lt;run&gt;</title>" in render_page(run)
        True
        >>> page = render_page(run, Live("/watch.css", "/live.js", "d1"))
        >>> '<script src="/live.js" data-digest="d1">' in page
        True
    """
    templating, sections = _module("templating"), _module("sections")
    run = plain(run)
    summary = summarise(run, np.random.default_rng(SEED))
    styles, scripts = _assets(STYLES), _assets(SCRIPTS)
    page = templating.filled(
        "page.html",
        run=run,
        sections=sections.rendered(run, summary),
        styles=styles,
        scripts=scripts,
        licences=_assets(LICENCES),
        policy="" if live else policy(styles, scripts),
        live=live,
    )
    return str(page)


def served_policy() -> str:
    """Return the policy of a page that a server sends, for its header.

    Raises:
        MissingExtraError: The extra ``report`` is not installed.

    Example:
        >>> "connect-src 'self'" in served_policy()
        True
    """
    return policy(_assets(STYLES), _assets(SCRIPTS), served=True)


def _assets(names: tuple[str, ...]) -> list[str]:
    templating = _module("templating")
    return [templating.asset(name) for name in names]


def _module(name: str) -> Any:
    """Import what needs the extra only when a page is made."""
    try:
        return import_module(f"reward_synth.report.page.{name}")
    except ModuleNotFoundError as cause:
        raise MissingExtraError(cause.name or "jinja2", "report") from cause
