"""Rubrics of nuggets: facts that an answer should hold, each judged by itself.

After Search-Gen-V, "Nugget-as-Rubric", whose labels are given as remembered: ``support``
counts 1, ``partial`` one half, ``not`` 0; a short answer has one rubric, a long one the
mean of several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from reward_synth.errors import UsageError
from reward_synth.verify.result import Status
from reward_synth.verify.rewards.tokens import holds, tokens

Label = Literal["support", "partial", "not"]
_WORTH = {"support": 1.0, "partial": 0.5, "not": 0.0}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says of one nugget."""

    label: Label
    quote: str = ""
    """Where the answer says so, word for word."""


NuggetJudge = Callable[[str, str], Verdict]
"""Judges a nugget (first) by an answer (second)."""


@dataclass(frozen=True, slots=True)
class NuggetScore:
    """The mean over nuggets, and each label."""

    score: float
    labels: tuple[str, ...]
    status: Status = "ok"
    message: str = ""


def nugget_score(
    answer: str,
    nuggets: Sequence[str],
    judge: NuggetJudge,
    *,
    words: int = 500,
    repaired: bool = True,
) -> NuggetScore:
    """Return how much of a rubric an answer holds, from 0 to 1.

    Repaired (the default), a verdict counts only with a quote that stands in the answer;
    an answer beyond ``words`` loses in proportion; a judge that fails is ``infra_error``
    and not 0. Otherwise labels count as they come, and a failure counts as ``not``.

    Args:
        answer: What is judged.
        nuggets: Facts; no two alike.
        judge: Gives each a verdict; one call a nugget.
        words: Length up to which nothing is lost.
        repaired: See above.

    Raises:
        UsageError: There is no nugget, one is empty, or two are the same.

    Example:
        >>> judge = lambda nugget, answer: Verdict("support", "Paris")
        >>> nugget_score("It is Paris.", ["the capital is Paris"], judge).score
        1.0
        >>> nugget_score("It is Rome.", ["the capital is Paris"], judge).score
        0.0
    """
    _check(nuggets)
    labels: list[str] = []
    for nugget in nuggets:
        try:
            verdict = judge(nugget, answer)
            worth = _WORTH[verdict.label]
        except Exception as error:  # an outage, or a label that is none
            if repaired:
                said = f"The judge failed: {type(error).__name__}: {error}"[:300]
                return NuggetScore(0.0, tuple(labels), "infra_error", said)
            verdict, worth = Verdict("not"), 0.0
        quoted = bool(tokens(verdict.quote)) and holds(answer, verdict.quote)
        labels.append(verdict.label if quoted or not worth or not repaired else "not")
    score = sum(_WORTH[label] for label in labels) / len(nuggets)
    length = len(tokens(answer)) if repaired else 0
    return NuggetScore(score * min(1.0, words / max(1, length)), tuple(labels))


def _check(nuggets: Sequence[str]) -> None:
    plain = [" ".join(tokens(nugget)) for nugget in nuggets]
    if not plain or not all(plain) or len(set(plain)) < len(plain):
        raise UsageError(
            "A rubric needs one nugget at least, each with words of its own, received "
            f"{list(nuggets)[:5]}."
        )
