"""Labels by rules, without a language model: the default where there is no endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation.grammar import Grammar
from reward_synth.intrinsic.annotation.label import Label, Status


@dataclass(frozen=True, slots=True)
class Rule:
    """Captions in which ``pattern`` is found get ``label``.

    Raises:
        UsageError: The pattern is no regular expression.

    Example:
        >>> Rule("key named|unlock", "helpful").fits("You unlock the door.")
        True
    """

    pattern: str
    """A regular expression, case aside."""
    label: str
    _found: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern."""
        try:
            found = re.compile(self.pattern, re.IGNORECASE)
        except re.error as cause:
            raise UsageError(
                f"The rule {self.pattern!r} is no regular expression: {cause}."
            ) from cause
        object.__setattr__(self, "_found", found)

    def fits(self, caption: str) -> bool:
        """Tell whether the rule speaks about a caption."""
        return self._found.search(caption) is not None


class RuleAnnotator:
    """Gives each caption the label of the first rule that fits.

    Args:
        rules: In the order of asking.
        otherwise: The label where none fits; empty: abstain.
        grammar: The labels.

    Raises:
        UsageError: A rule gives a label that the grammar lacks.

    Example:
        >>> rules = RuleAnnotator([Rule("unlock", "helpful")], otherwise="unhelpful")
        >>> rules.judge_now("You unlock the door.").value, rules.judge_now("Hi.").value
        (1.0, 0.0)
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        otherwise: str = "",
        grammar: Grammar | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.otherwise = otherwise
        self.grammar = grammar or Grammar()
        given = {rule.label for rule in self.rules} | ({otherwise} - {""})
        for name in sorted(given - set(self.grammar.words)):
            raise UsageError(
                f"A rule gives the label {name!r}; the labels are "
                f"{', '.join(self.grammar.words)}."
            )
        self._labels = {
            rule: self._label(rule.label, rule.pattern) for rule in self.rules
        }
        self._else = self._label(otherwise or self.grammar.abstain, "otherwise")

    def judge_now(self, caption: str, /) -> Label:
        """Return the label of the first rule that fits."""
        for rule in self.rules:
            if rule.fits(caption):
                return self._labels[rule]
        return self._else

    def question(self) -> dict[str, Any]:
        """Return the rules as JSON data, which tell what the labels answer."""
        return {
            "rules": [[rule.pattern, rule.label] for rule in self.rules],
            "otherwise": self.otherwise,
            "labels": dict(self.grammar.labels),
        }

    def _label(self, name: str, origin: str) -> Label:
        value = self.grammar.value(name)
        status: Status = "abstained" if value is None else "known"
        return Label(status, name, value, f"rule: {origin}")


TASK_RULES: Mapping[str, tuple[Rule, ...]] = {
    "MiniHack-KeyRoom": (Rule(r"key named|unlock", "helpful"),),
    "NetHackStaircase": (Rule(r"staircase down|stairs? down", "helpful"),),
    "NetHackONI-Staircase": (Rule(r"staircase down|stairs? down", "helpful"),),
    "NetHackONI-Oracle": (Rule(r"delphi|oracle|centaur statue", "helpful"),),
    "NetHackGold": (Rule(r"\d+ gold pieces?\b", "helpful"),),
}
"""Rules from knowledge of the game, by the beginning of an id."""


def task_rules(task: str) -> RuleAnnotator:
    """Return the rules of a task; all else is unhelpful.

    Raises:
        UsageError: There are none for it.

    Example:
        >>> task_rules("MiniHack/MiniHack-KeyRoom-S5-v0").rules[0].label
        'helpful'
    """
    name = task.rpartition("/")[2]
    for beginning, rules in TASK_RULES.items():
        if name.startswith(beginning):
            return RuleAnnotator(rules, otherwise="unhelpful")
    raise UsageError(
        f"There are no rules for {task!r}. Give some, for example "
        'RuleAnnotator([Rule("door opens", "helpful")], otherwise="unhelpful"), or a '
        "model's endpoint."
    )
