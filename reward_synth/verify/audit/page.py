"""An audit as a page of HTML that loads nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from reward_synth.verify.audit.report import Audit, Row

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem;
  padding: 0 1rem; color: #1d2430; background: #fff; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; vertical-align: top;
  border-bottom: 1px solid #dde2ea; overflow-wrap: break-word; }
td:last-child { min-width: 14rem; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.failure { color: #a3152a; } .warning { color: #7a5300; } .ok { color: #1b6b3a; }
.skipped { color: #5a6372; }
summary { cursor: pointer; padding: .3rem 0; }
@media (prefers-color-scheme: dark) {
  body { color: #e4e8ef; background: #14181f; }
  th, td { border-color: #333b48; } .failure { color: #ff8d9c; }
  .warning { color: #f0c36a; } .ok { color: #7fd6a0; } .skipped { color: #a4adba; }
}
"""
_TITLES = {
    "failure": "What fails",
    "warning": "What should be looked at",
    "ok": "What holds",
    "skipped": "What could not be tried",
}


def page(audit: Audit) -> str:
    """Return the page.

    Example:
        >>> text = page(Audit("f.py:<b>", "plain", 1, 0.05, ()))
        >>> "f.py:&lt;b&gt;" in text, "<script" in text
        (True, False)
    """
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_said(f'Audit of {audit.target}')}</title>",
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>Audit of {_said(audit.target)}</h1>",
        f"<p>{_said(summary(audit))}</p>",
        *(f"<p>{_said(text)}</p>" for text in audit.remarks),
        *_tables(audit),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def summary(audit: Audit) -> str:
    """Return what was found in two sentences.

    Example:
        >>> summary(Audit("f.py:f", "plain", 1, 0.05, ()))
        'Called as plain on 1 row: 0 failures, 0 warnings, 0 hold, 0 not applicable.'
    """
    rows = f"{audit.samples} row{'s' if audit.samples != 1 else ''}"
    text = (
        f"Called as {audit.form} on {rows}: {len(audit.of('failure'))} failures, "
        f"{len(audit.of('warning'))} warnings, {len(audit.of('ok'))} hold, "
        f"{len(audit.of('skipped'))} not applicable."
    )
    if audit.latency:
        text += (
            f" A right answer takes {_time(audit.latency['median'])} (median), "
            f"the slowest answer {_time(audit.latency['worst'])}."
        )
    return text


def cells(row: Row) -> list[str]:
    """Return a row's cells: name, score, bound, time and text.

    Example:
        >>> cells(Row("x", "laws", "ok"))
        ['x', '', '', '', '']
    """
    name = f"{row.name} (row {row.sample})" if row.sample >= 0 else row.name
    return [name, _number(row.score), _number(row.bound), _time(row.seconds), row.text]


HEAD = ("answer", "score", "bound", "time", "what is wrong")
"""Titles of :func:`cells`."""


def _tables(audit: Audit) -> Iterable[str]:
    for verdict, title in _TITLES.items():
        rows = audit.of(verdict)  # type: ignore[arg-type]  # the keys are verdicts
        if not rows:
            continue
        opened = " open" if verdict in ("failure", "warning") else ""
        yield f"<details{opened}><summary><h2 class={verdict} style='display:inline'>"
        yield f"{title}: {len(rows)}</h2></summary>"
        yield from _table(rows)
        yield "</details>"


def _table(rows: Sequence[Row]) -> Iterable[str]:
    yield "<div><table><thead><tr><th>group</th>"
    yield "".join(f"<th>{_said(name)}</th>" for name in HEAD)
    yield "</tr></thead><tbody>"
    for row in rows:
        name, score, bound, seconds, text = map(_said, cells(row))
        yield (
            f"<tr><td>{_said(row.group)}</td><td>{name}</td><td class=n>{score}</td>"
            f"<td class=n>{bound}</td><td class=n>{seconds}</td>"
            f"<td class={row.verdict}>{text}</td></tr>"
        )
    yield "</tbody></table></div>"


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ""


def _time(seconds: float) -> str:
    if not math.isfinite(seconds):
        return ""
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.2g} s"


def _said(text: str) -> str:
    return escape(text.encode(errors="backslashreplace").decode())
