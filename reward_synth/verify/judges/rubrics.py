"""Nuggets judged by a model: the judge that :func:`nugget_score` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reward_synth.verify.judges.form import Form, only, schema_of
from reward_synth.verify.judges.juror import Juror, ask
from reward_synth.verify.judges.opinion import NoVerdictError
from reward_synth.verify.judges.sheet import Fences, Sheet
from reward_synth.verify.rewards.nuggets import NuggetJudge, Verdict

_RULES = (
    "You tell whether an answer says a fact. Label it 'support' if the answer says all of "
    "it, 'partial' if it says some of it, 'not' otherwise. For 'support' and 'partial', quote "
    "the words of the answer that say so, exactly as they stand there."
)
_LABELS = ("support", "partial", "not")


def nugget_judge(juror: Juror, fences: Fences | None = None) -> NuggetJudge:
    """Return a judge of nuggets for :func:`~reward_synth.verify.rewards.nugget_score`.

    Where it fails it raises, which that function tells as ``infra_error``.

    Args:
        juror: Who judges.
        fences: Makes the marks.

    Example:
        >>> from reward_synth.llm import Completion
        >>> from reward_synth.verify.rewards import nugget_score
        >>> class Reader:
        ...     def complete(self, request):
        ...         return Completion('{"label": "support", "quote": "Paris"}', "ok")
        >>> judge = nugget_judge(Juror(Reader(), "tiny"))
        >>> nugget_score("It is Paris.", ["the capital is Paris"], judge).score
        1.0
    """
    marks = fences or Fences()

    def judge(nugget: str, answer: str) -> Verdict:
        sheet = Sheet(_RULES, (("fact", nugget), ("answer", answer)), "Which label?")
        reply = ask(juror, sheet, _FORM, fences=marks)
        if reply.value is None:
            raise NoVerdictError(f"The judge gave no label: {reply.message}")
        return reply.value

    return judge


def _take(found: Mapping[str, Any]) -> Verdict | None:
    if not only(found, "label", "quote"):
        return None
    label, quote = found["label"], found["quote"]
    if label not in _LABELS or not isinstance(quote, str):
        return None
    return Verdict(label, quote)


_FORM = Form(
    '{"reason": "one sentence", "label": "support", "quote": "words of the answer"}',
    schema_of(
        {
            "label": {"type": "string", "enum": list(_LABELS)},
            "quote": {"type": "string"},
        }
    ),
    _take,
)
