"""What a judge must answer: one JSON object of one form, and nothing else.

A word that stands somewhere in a sentence is no verdict: "not correct" is not "correct",
and a candidate that is quoted cannot speak for its judge.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from reward_synth.errors import UsageError
from reward_synth.verify.limits import Limits, UnreadableError
from reward_synth.verify.strict_json import StrictJSON
from reward_synth.verify.tagged import unfenced

T = TypeVar("T")
UNSURE = "unsure"
_JSON = StrictJSON(Limits(max_chars=50_000))
_THINK, _THOUGHT = "<think>", "</think>"
_LEAST = 2


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """The form of an answer.

    Example:
        >>> form = Scale().form
        >>> form.read('{"verdict": "correct"}').label
        'correct'
        >>> form.read('The verdict is {"verdict": "correct"}') is None
        True
    """

    shown: str
    """An answer of this form, as the judge is told."""
    schema: str
    """JSON schema, for servers that constrain what a model writes."""
    take: Callable[[Mapping[str, Any]], T | None]
    """Returns what an object says; None if it is not of the form."""

    def read(self, answer: str, code: str = "") -> T | None:
        """Return what an answer says, or None.

        A thought before it, and a Markdown fence around the whole, are passed over.

        Args:
            answer: What the judge wrote.
            code: If given, the object must hold it under ``code``.
        """
        text = unfenced(_after_thought(answer)).strip()
        if not text.startswith("{") or len(text) > _JSON.limits.max_chars:
            return None
        try:
            value = _JSON.read(text)
        except UnreadableError:
            return None
        if not isinstance(value, dict) or (code and value.pop("code", None) != code):
            return None
        return self.take(value)

    def signed(self, code: str) -> Form[T]:
        """Return the form with a code that its object must hold.

        Example:
            >>> '"code": {"const": "a1"}' in Scale().form.signed("a1").schema
            True
        """
        if not code:
            return self
        schema = json.loads(self.schema)
        schema["properties"] = {"code": {"const": code}, **schema["properties"]}
        schema["required"] = ["code", *schema["required"]]
        shown = f'{self.shown}; the first key of the object must be "code": "{code}"'
        return replace(self, shown=shown, schema=json.dumps(schema))


def _after_thought(answer: str) -> str:
    text = answer.strip()
    if text.startswith(_THINK) and text.count(_THOUGHT) == 1:
        return text.partition(_THOUGHT)[2].strip()
    return text


def schema_of(required: Mapping[str, Any], reason: bool = True) -> str:
    """Return the schema of an object with these keys, and maybe a reason before them.

    Example:
        >>> schema_of({"n": {"type": "integer"}}, reason=False)[:44]
        '{"type": "object", "properties": {"n": {"typ'
    """
    before = {"reason": {"type": "string"}} if reason else {}
    shape = {"type": "object", "properties": {**before, **required}}
    return json.dumps(
        {**shape, "required": list(required), "additionalProperties": False}
    )


def only(found: Mapping[str, Any], *keys: str) -> bool:
    """Return whether an object has these keys, and beside them at most a reason.

    Example:
        >>> only({"verdict": 1, "reason": "x"}, "verdict"), only({"reason": "x"}, "verdict")
        (True, False)
    """
    said = found.get("reason", "")
    return {*found} - {"reason"} == {*keys} and isinstance(said, str)


@dataclass(frozen=True, slots=True)
class Use:
    """A tool that a judge used before its verdict."""

    aid: str
    given: str
    output: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label that a judge gave, and why."""

    label: str
    worth: float | None
    """None: it cannot tell."""
    reason: str = ""
    trace: tuple[Use, ...] = ()
    """Tools that were used before it, in order."""


def _usual() -> dict[str, float]:
    return {"correct": 1.0, "incorrect": 0.0}


@dataclass(frozen=True, slots=True)
class Scale:
    """The labels that a judge may give, and what each is worth.

    Raises:
        UsageError: There are fewer than two, one is no word, or a worth is not finite.

    Example:
        >>> scale = Scale({"poor": 0.0, "fair": 0.5, "good": 1.0})
        >>> scale.low, scale.high
        (0.0, 1.0)
    """

    labels: Mapping[str, float] = field(default_factory=_usual)

    def __post_init__(self) -> None:
        """Check the labels."""
        words = [*self.labels]
        good = all(word.isidentifier() and word != UNSURE for word in words)
        if len(words) < _LEAST or not good:
            raise UsageError(
                f"A scale needs two labels at least, each a word and none {UNSURE!r}; "
                f"received {words}."
            )
        if not all(math.isfinite(worth) for worth in self.labels.values()):
            raise UsageError(f"A label's worth must be finite: {dict(self.labels)}.")

    @property
    def low(self) -> float:
        """The least worth."""
        return min(self.labels.values())

    @property
    def high(self) -> float:
        """The largest worth."""
        return max(self.labels.values())

    @property
    def form(self) -> Form[Verdict]:
        """The form of a verdict."""
        words = [*self.labels, UNSURE]
        shown = f'{{"reason": "one sentence", "verdict": "{words[0]}"}}'
        shown += f", where the verdict is one of: {', '.join(words)}"
        schema = schema_of({"verdict": {"type": "string", "enum": words}})
        return Form(shown, schema, self._take)

    def _take(self, found: Mapping[str, Any]) -> Verdict | None:
        if not only(found, "verdict"):
            return None
        label, said = found["verdict"], found.get("reason", "")
        if label != UNSURE and (not isinstance(label, str) or label not in self.labels):
            return None
        return Verdict(label, self.labels.get(label), said)
