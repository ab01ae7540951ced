"""Which answers are labels: strictly, so that no half sentence counts as one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reward_synth.errors import UsageError

ABSTAIN = "unsure"
_WORD = re.compile(r"[a-z][a-z_-]{0,31}")
_BARE = re.compile(r"""["'`*]*([A-Za-z][A-Za-z_-]*)["'`*]*\.?""")
_LEAST = 2


def _usual() -> dict[str, float]:
    return {"helpful": 1.0, "unhelpful": 0.0}


@dataclass(frozen=True, slots=True)
class Grammar:
    """The labels that an annotator may give, and what each is worth.

    An answer is one label and nothing else, or ``{"label": "..."}``. A label that stands
    somewhere in a sentence is none: "not helpful" is not "helpful".

    Raises:
        UsageError: There are fewer than two labels, one is no lower-case word, or its
            worth is not finite.

    Example:
        >>> grammar = Grammar()
        >>> grammar.read(' {"label": "helpful"} '), grammar.read("Unhelpful.")
        ('helpful', 'unhelpful')
        >>> grammar.read("not helpful") is None, grammar.read("unsure")
        (True, 'unsure')
    """

    labels: Mapping[str, float] = field(default_factory=_usual)
    abstain: str = ABSTAIN
    """What an annotator says that cannot tell."""

    def __post_init__(self) -> None:
        """Check the labels."""
        for name in (*self.labels, self.abstain):
            if not _WORD.fullmatch(name):
                raise UsageError(
                    f"A label must be a word of lower-case letters; received {name!r}."
                )
        if len(self.labels) < _LEAST or self.abstain in self.labels:
            raise UsageError(
                f"A grammar needs at least two labels, none of them {self.abstain!r}; "
                f"received {dict(self.labels)}."
            )
        if not all(math.isfinite(worth) for worth in self.labels.values()):
            raise UsageError(
                f"What labels are worth must be finite: {dict(self.labels)}."
            )

    @property
    def words(self) -> tuple[str, ...]:
        """Every answer that is allowed, abstaining last."""
        return (*self.labels, self.abstain)

    @property
    def schema(self) -> str:
        """JSON schema of the answer, for servers that constrain what models write."""
        label = {"type": "string", "enum": list(self.words)}
        shape = {"type": "object", "properties": {"label": label}}
        return json.dumps(
            {**shape, "required": ["label"], "additionalProperties": False}
        )

    def read(self, answer: str) -> str | None:
        """Return the label that an answer is, or None."""
        text = answer.strip()
        word = _from_json(text) if text.startswith("{") else _bare(text)
        return word if word in self.words else None

    def value(self, label: str) -> float | None:
        """Return what a label is worth; None for abstaining."""
        return self.labels.get(label)


def _bare(text: str) -> str:
    match = _BARE.fullmatch(text)
    return match[1].lower() if match else ""


def _from_json(text: str) -> str:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(data, dict) or set(data) != {"label"}:
        return ""
    return data["label"].lower() if isinstance(data["label"], str) else ""
