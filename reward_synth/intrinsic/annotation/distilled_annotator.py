"""Labels by a distilled rule where it is trusted, by a model elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation.distil import share
from reward_synth.intrinsic.annotation.distilled import DistilledRule, Tally, load_rule
from reward_synth.intrinsic.annotation.label import Annotator, Label, Remembering

_FEW = 5
"""Checks before a clause may lose its trust."""


class Model(Annotator, Remembering, Protocol):
    """A model's annotator: it judges, remembers, and costs something."""

    def costs(self) -> dict[str, float]:
        """Return calls, tokens, money and the share of the pace."""

    def question(self) -> dict[str, Any]:
        """Return what all its questions share."""


class DistilledAnnotator:
    """Answers by a rule where it is trusted, and asks a model elsewhere.

    Some of the captions that the rule speaks about are asked about all the same: what is
    seen later may be unlike what the rule was tried on. A clause that the model disagrees
    with there loses its trust, and its captions go to the model from then on.

    Labels that the model's journal holds count before the rule's.

    Args:
        rule: The rule.
        model: Judges all else, and keeps the journal.
        checks: Share of the rule's captions, chosen by their hash, that are asked about.

    Raises:
        UsageError: ``checks`` is no share.
        RunConflictError: The rule was made of labels of another question.
    """

    def __init__(
        self, rule: DistilledRule, model: Model, *, checks: float = 0.05
    ) -> None:
        if not 0.0 <= checks <= 1.0:
            raise UsageError(f"checks must lie in [0, 1]; received {checks}.")
        self.rule = rule
        self.model = model
        self.checks = checks
        self.spared = 0
        """Captions that nobody was asked about."""
        self.checked = [Tally() for _ in rule.tallies]
        """What the checks of each clause found."""
        self.lost = [False] * len(rule.tallies)
        """Clauses that are no longer trusted."""

    @property
    def asker(self) -> Any:
        """What the model is asked by."""
        return getattr(self.model, "asker", None)

    def question(self) -> dict[str, Any]:
        """Return what the labels answer: of the rule and the model together."""
        return {**self.model.question(), "distilled": self.rule.digest}

    async def judge(self, caption: str, /) -> Label | None:
        """Return the rule's label or the model's; None: ask again later.

        Raises:
            EndpointError: No request to the server can succeed.
            BudgetReachedError: The budget is used up.
        """
        label = self.rule.judge_now(caption)
        clause = self.rule.clause(caption)
        if not label.usable or self.lost[clause]:
            return await self.model.judge(caption)
        if share(f"check {caption}") >= self.checks:
            self.spared += 1
            return label
        told = await self.model.judge(caption)
        if told is not None and told.usable:
            self._check(clause, told.name == label.name)
        return told

    def recall(self) -> dict[str, Label]:
        """Return the labels that the model's journal holds."""
        return self.model.recall()

    def record(self, labels: Mapping[str, Mapping[str, Any]], /) -> None:
        """Write down which labels the learner sees from now on."""
        self.model.record(labels)

    def costs(self) -> dict[str, float]:
        """Return what the journal's requests have cost."""
        return self.model.costs()

    async def leave(self) -> None:
        """Close what belongs to the event loop."""
        await self.model.leave()

    def close(self) -> None:
        """Close the journal."""
        self.model.close()

    def _check(self, clause: int, right: bool) -> None:
        tally = self.checked[clause] = self.checked[clause].add(right)
        high = tally.interval(self.rule.confidence).high
        if tally.tried >= _FEW and high < self.rule.least:
            self.lost[clause] = True


def with_rule(model: Any, path: str) -> Any:
    """Return an annotator that answers by a saved rule where it is trusted.

    Args:
        model: Answers elsewhere; None: nobody does, and the rule abstains there.
        path: The rule's file.

    Raises:
        UsageError: It is no such file.
        RunConflictError: The rule was made of labels of another question.
    """
    if model is None:
        return load_rule(path, None)
    return DistilledAnnotator(load_rule(path, model.question()), model)
