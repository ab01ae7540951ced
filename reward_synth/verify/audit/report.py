"""What an audit found, as data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reward_synth.verify.audit.outcome import Outcome
from reward_synth.verify.audit.rules import RULES, Rule

Verdict = Literal["ok", "failure", "warning", "skipped"]
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a row's right answer, and an answer that does nothing, are given."""

    honest: Outcome
    abstain: Outcome
    idle: bool = False

    @property
    def usable(self) -> bool:
        """Whether other answers of the row can be judged by it."""
        return (
            self.honest.status == self.abstain.status == "ok"
            and self.honest.score >= self.abstain.score
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an audit: a case on a row, a law, a fixed text on all rows."""

    name: str
    group: str
    verdict: Verdict
    text: str = ""
    """What is wrong, as a sentence."""
    sample: int = -1
    """Number of the row; -1 for what holds of all."""
    rule: str = ""
    score: float = math.nan
    bound: float = math.nan
    """The score that it is compared with."""
    seconds: float = math.nan


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found of one reward function."""

    target: str
    form: str
    samples: int
    limit: float
    """Seconds that one answer may take."""
    rows: tuple[Row, ...]
    replay: tuple[Baseline, ...] = ()
    latency: Mapping[str, float] = field(default_factory=dict)
    """Seconds: median, p95 and most of honest answers; worst of all."""
    acceptance: Mapping[str, float] = field(default_factory=dict)
    """Share of rows on which a fixed text was accepted."""
    remarks: tuple[str, ...] = ()

    def of(self, verdict: Verdict) -> list[Row]:
        """Return the rows of one verdict."""
        return [row for row in self.rows if row.verdict == verdict]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.of("failure")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; numbers that are none become None."""
        rows = [_plain(dataclasses.asdict(row)) for row in self.rows]
        replay = [
            _plain(
                {
                    "honest": item.honest.score,
                    "abstain": item.abstain.score,
                    "status": item.honest.status,
                }
            )
            for item in self.replay
        ]
        counts = {
            name: len(self.of(name)) for name in ("ok", "failure", "warning", "skipped")
        }
        return {
            "target": self.target,
            "form": self.form,
            "ok": self.ok,
            "samples": self.samples,
            "limit": self.limit,
            "counts": counts,
            "latency": _plain(dict(self.latency)),
            "acceptance": dict(self.acceptance),
            "remarks": list(self.remarks),
            "rows": rows,
            "replay": replay,
        }


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in data.items()
    }


def judged(
    name: str,
    group: str,
    rule: Rule,
    outcome: Outcome,
    baseline: Baseline,
    *,
    sample: int,
    limit: float,
) -> Row:
    """Return what an outcome means beside its row's baseline.

    Example:
        >>> base = Baseline(Outcome("ok", 1.0), Outcome("ok", 0.0))
        >>> row = judged("x", "values", "wrong", Outcome("ok", 1.0), base,
        ...     sample=0, limit=0.05)
        >>> row.verdict, row.text
        ('failure', 'as good as an honest answer: 1')
    """
    bound = baseline.abstain if rule == "useless" else baseline.honest
    verdict, text = _verdict(rule, outcome, bound.score, limit)
    return Row(
        name,
        group,
        verdict,
        text,
        sample,
        RULES[rule],
        outcome.score,
        bound.score,
        outcome.seconds,
    )


def _verdict(
    rule: Rule, outcome: Outcome, bound: float, limit: float
) -> tuple[Verdict, str]:
    if outcome.status == "skipped":
        return "skipped", ""
    if outcome.ran:
        return "failure", "the answer was executed"
    if outcome.status == "none":
        return "warning", "no score: the answer escapes any"
    if outcome.status != "ok":
        return "failure", f"{outcome.status.replace('_', ' ')}: {outcome.error}"
    if outcome.spoilt:
        return "failure", "what the function was given is changed afterwards"
    return _compared(rule, outcome, bound, limit)


def _compared(
    rule: Rule, outcome: Outcome, bound: float, limit: float
) -> tuple[Verdict, str]:
    score, near = outcome.score, _CLOSE * max(1.0, abs(bound))
    what = "an abstaining answer" if rule == "useless" else "an honest answer"
    if score > bound + near:
        return "failure", f"more than {what}: {score:.4g}, not {bound:.4g}"
    if rule == "wrong" and score > bound - near:
        return "failure", f"as good as {what}: {score:.4g}"
    if rule == "same" and score < bound - near:
        return "warning", f"less than {what}: {score:.4g}, not {bound:.4g}"
    if outcome.seconds > limit:
        return "warning", f"slow: {1000 * outcome.seconds:.0f} ms"
    return "ok", ""
