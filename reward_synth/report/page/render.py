"""A report as one HTML file: everything in it, nothing asked of any network."""

from __future__ import annotations

import base64
import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.errors import MissingExtraError
from reward_synth.report.data import RunData
from reward_synth.report.plain import plain
from reward_synth.report.summary import SEED, summarise

STYLES = ("vendor/uplot/uPlot.min.css", "page.css")
SCRIPTS = ("vendor/uplot/uPlot.iife.min.js", "page.js", "curves.js")
LICENCES = ("vendor/uplot/LICENSE",)


def write_page(run: RunData, path: Path) -> None:
    """Write the page of a run.

    Raises:
        MissingExtraError: The extra ``report`` is not installed.
    """
    path.write_text(render_page(run), encoding="utf-8")


def render_page(run: RunData) -> str:
    """Return the page of a run: HTML with its styles, scripts and data inside.

    Raises:
        MissingExtraError: The extra ``report`` is not installed.

    Example:
        >>> run = RunData("A <run>", "", "reward_synth bench", 0.0, "running", (), (), ())
        >>> "<title>A &lt;run&gt;</title>" in render_page(run)
        True
    """
    try:
        sections: Any = import_module("reward_synth.report.page.sections")
        templating: Any = import_module("reward_synth.report.page.templating")
    except ModuleNotFoundError as cause:
        raise MissingExtraError(cause.name or "jinja2", "report") from cause
    styles = [templating.asset(name) for name in STYLES]
    scripts = [templating.asset(name) for name in SCRIPTS]
    run = plain(run)
    summary = summarise(run, np.random.default_rng(SEED))
    page = templating.filled(
        "page.html",
        run=run,
        sections=sections.rendered(run, summary),
        styles=styles,
        scripts=scripts,
        licences=[templating.asset(name) for name in LICENCES],
        policy=_policy(styles, scripts),
    )
    return str(page)


def _policy(styles: list[str], scripts: list[str]) -> str:
    """Return a policy under which these styles and scripts run, and nothing else does."""
    allowed = {
        "default-src": ["'none'"],
        "img-src": ["data:"],
        "style-src": [_fingerprint(text) for text in styles],
        "script-src": [_fingerprint(text) for text in scripts],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    return "; ".join(" ".join([key, *values]) for key, values in allowed.items())


def _fingerprint(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
