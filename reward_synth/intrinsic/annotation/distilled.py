"""A rule that a language model wrote, and where it may be believed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reward_synth.errors import RunConflictError, UsageError
from reward_synth.intrinsic.annotation.distil_grammar import read_rules, rules_data
from reward_synth.intrinsic.annotation.grammar import Grammar
from reward_synth.intrinsic.annotation.label import Label, Status
from reward_synth.intrinsic.annotation.ledger import difference
from reward_synth.intrinsic.annotation.rules import RuleAnnotator
from reward_synth.statistics import Interval, rate_interval

_FORMAT = "reward_synth.distilled/1"
_DOUBT = 0.05
"""Chance, of all clauses together, that an interval misses."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a clause gave the label that was known.

    Example:
        >>> round(Tally(20, 20).interval(0.95).low, 3)
        0.839
    """

    tried: int = 0
    right: int = 0

    def add(self, right: bool) -> Tally:
        """Return the tally with one more."""
        return Tally(self.tried + 1, self.right + right)

    def interval(self, confidence: float) -> Interval:
        """Return Wilson's interval of the agreement; from 0 to 1 if nothing was tried.

        Raises:
            MissingExtraError: SciPy is not installed.
        """
        found = rate_interval(self.right, max(self.tried, 1), confidence)
        return found if self.tried else Interval(0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a distilled rule came from."""

    question: Mapping[str, Any]
    """What the labels answer that it was made of."""
    model: str
    """Who wrote it."""
    request: str
    """Digest of the request, which is in the journal."""
    labels: str
    """Digest of the captions and labels that it was shown and tried on."""
    learned: int
    """Captions that it was chosen by."""


@dataclass(frozen=True, slots=True)
class DistilledRule:
    """Rules, and how well each agrees with labels that played no part in choosing them.

    A clause is a rule, or ``otherwise``. It is trusted if its agreement's interval lies
    above ``least`` and above the share of its label among all that it was tried on: a
    clause that calls everything unhelpful is no better than a guess, even where nearly
    all is unhelpful. The intervals hold for all clauses together at 95 %.

    Example:
        >>> from reward_synth.intrinsic.annotation import Rule
        >>> rules = RuleAnnotator([Rule("key", "helpful")], "unhelpful")
        >>> origin = Origin({"goal": "win"}, "tiny", "", "", 90)
        >>> tallies, shares = (Tally(40, 40), Tally(40, 36)), {"helpful": 0.5}
        >>> rule = DistilledRule(rules, tallies, shares, origin)
        >>> rule.trusted, rule.judge_now("a key").origin, rule.judge_now("a rat").status
        ((True, False), 'distilled: key', 'abstained')
    """

    rules: RuleAnnotator
    tallies: tuple[Tally, ...]
    """One a rule, in their order, and the last of ``otherwise``."""
    shares: Mapping[str, float]
    """Of each label among all that the rules were tried on."""
    origin: Origin
    least: float = 0.8
    trusted: tuple[bool, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Tell which clauses are trusted."""
        if not 0.0 <= self.least < 1.0:
            raise UsageError(f"least must lie in [0, 1); received {self.least}.")
        both = zip(self.labels, self.tallies, strict=True)
        found = tuple(self._trusts(name, tally) for name, tally in both)
        object.__setattr__(self, "trusted", found)

    @property
    def confidence(self) -> float:
        """The level of one clause's interval."""
        return 1.0 - _DOUBT / len(self.tallies)

    def clause(self, caption: str) -> int:
        """Return which clause speaks about a caption."""
        rules = self.rules.rules
        fits = (n for n, one in enumerate(rules) if one.fits(caption))
        return next(fits, len(rules))

    def judge_now(self, caption: str, /) -> Label:
        """Return the label of a trusted clause; abstained where none is trusted."""
        clause = self.clause(caption)
        name = self.names[clause]
        if not self.trusted[clause]:
            return Label("abstained", origin=f"not trusted: {name}")
        label = self.rules.judge_now(caption)
        status: Status = "known"
        low = self.tallies[clause].interval(self.confidence).low
        return Label(status, label.name, label.value, f"distilled: {name}", low)

    @property
    def names(self) -> tuple[str, ...]:
        """The clauses: patterns, and ``otherwise``."""
        return (*(one.pattern for one in self.rules.rules), "otherwise")

    @property
    def labels(self) -> tuple[str, ...]:
        """The clauses' labels."""
        return (*(one.label for one in self.rules.rules), self.rules.otherwise)

    def question(self) -> dict[str, Any]:
        """Return what its labels answer: not quite what its model was asked."""
        return {**self.origin.question, "distilled": self.digest}

    @property
    def digest(self) -> str:
        """Sha256 of all that is in its file."""
        text = json.dumps(self._payload(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def table(self) -> list[dict[str, Any]]:
        """Return a row a clause: pattern, label, agreement with interval, trust."""
        parts = zip(self.names, self.labels, self.tallies, self.trusted, strict=True)
        rows = []
        for name, label, tally, trusted in parts:
            found = tally.interval(self.confidence)
            told = {"clause": name, "label": label, "tried": tally.tried}
            told |= {"agreed": found.value, "low": found.low, "high": found.high}
            rows.append({**told, "trusted": trusted})
        return rows

    def save(self, path: str | Path) -> None:
        """Write it as readable JSON; a reader sees the whole file or none."""
        told = {"format": _FORMAT, "digest": self.digest, **self._payload()}
        fresh = Path(path).with_suffix(".tmp")
        fresh.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        os.replace(fresh, path)

    def _trusts(self, name: str, tally: Tally) -> bool:
        if self.rules.grammar.value(name) is None:
            return False
        low = tally.interval(self.confidence).low
        return low >= self.least and low > self.shares.get(name, 0.0)

    def _payload(self) -> dict[str, Any]:
        grammar, origin = self.rules.grammar, self.origin
        return {
            **rules_data(self.rules),
            "labels": dict(grammar.labels),
            "abstain": grammar.abstain,
            "tallies": [[one.tried, one.right] for one in self.tallies],
            "shares": dict(self.shares),
            "least": self.least,
            "question": dict(origin.question),
            "model": origin.model,
            "request": origin.request,
            "known": origin.labels,
            "learned": origin.learned,
        }


def load_rule(path: str | Path, question: Mapping[str, Any] | None) -> DistilledRule:
    """Read what :meth:`DistilledRule.save` wrote.

    Args:
        path: The file.
        question: What the annotator beside it is asked; None: there is none.

    Raises:
        UsageError: It is no such file, or it was changed.
        RunConflictError: It was made of labels of another question.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        rule = _made(data)
    except FileNotFoundError as cause:
        raise UsageError(f"There is no file {path}.") from cause
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as bad:
        raise UsageError(f"{path} is no distilled rule: {bad!r}.") from bad
    if rule.digest != data.get("digest"):
        raise UsageError(
            f"{path} was changed after it was written; how well it agrees is not known. "
            "Write one again with `annotate --distil`, or give rules of your own."
        )
    known = rule.origin.question
    if question is not None and dict(known) != dict(question):
        raise RunConflictError(
            f"{path} was distilled from labels of another question: "
            f"{difference(known, question)}. Labels are never mixed; distil again."
        )
    return rule


def _made(data: Any) -> DistilledRule:
    if data["format"] != _FORMAT:
        raise ValueError(f"its format is not {_FORMAT!r}")
    grammar = Grammar(data["labels"], data["abstain"])
    text = json.dumps({"rules": data["rules"], "otherwise": data["otherwise"]})
    rules = read_rules(text, grammar)
    if isinstance(rules, str):
        raise ValueError(rules)
    told = Origin(
        data["question"],
        data["model"],
        data["request"],
        data["known"],
        data["learned"],
    )
    tallies = tuple(Tally(tried, right) for tried, right in data["tallies"])
    return DistilledRule(rules, tallies, data["shares"], told, data["least"])
