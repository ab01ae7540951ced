"""Judges of single steps: critiques of what is wrong (CAPO), principles as text (PPR)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reward_synth.errors import UsageError
from reward_synth.verify.judges.at_once import each
from reward_synth.verify.judges.form import Form, only, schema_of
from reward_synth.verify.judges.juror import Juror, Reply, ask
from reward_synth.verify.judges.sheet import Fences, Sheet
from reward_synth.verify.result import Status
from reward_synth.verify.rewards.process import renorm

Agreement = Literal["all", "vote", "any"]
_LONGEST = 100_000
_BEST = 10
"""The largest grade of a step, as the judge is told; grades are given from 0 to 1."""
_CRITIC = (
    "You read the steps of a solution, each between marks of its own, numbered from 1. A step "
    "is wrong if what it says or does is false or does not follow from what is known by "
    "then, judged by itself: a right step after a wrong one is right."
)
_PRINCIPLED = (
    "You grade the steps of a solution, each between marks of its own, numbered from 1, by "
    "these principles and by nothing else:\n\n"
)


@dataclass(frozen=True, slots=True)
class Critique:
    """Which steps are wrong, counted from 0."""

    wrong: tuple[int, ...]
    status: Status = "ok"
    message: str = ""


def critique(
    jurors: Juror | Sequence[Juror],
    steps: Sequence[str],
    question: str = "",
    reference: str = "",
    *,
    agree: Agreement = "vote",
    fences: Fences | None = None,
) -> Critique:
    """Return which steps are wrong, by one critique of all steps from each juror.

    After CAPO (Xie et al., 2025, arXiv:2508.02298): an unchanged model criticises all steps
    in one pass, and several critiques are joined by what all say (``all``), more than half
    (``vote``) or one (``any``).

    Args:
        jurors: Who criticises.
        steps: In order.
        question: What was asked.
        reference: The right answer, if it is known.
        agree: How critiques are joined.
        fences: Makes the marks.

    Returns:
        ``infra_error`` or ``not_applicable`` if a juror gave no critique; ``invalid_output``,
        with all steps wrong, if the steps are too long.

    Raises:
        UsageError: There is no juror or no step.

    Example:
        >>> from reward_synth.llm import Completion
        >>> class Critic:
        ...     def complete(self, request):
        ...         return Completion('{"wrong": [2]}', "ok")
        >>> critique(Juror(Critic(), "tiny"), ["2 + 2 = 4", "so it is 5"]).wrong
        (1,)
    """
    panel = (jurors,) if isinstance(jurors, Juror) else tuple(jurors)
    _check(panel, steps)
    if sum(map(len, steps)) > _LONGEST:
        said = f"steps of more than {_LONGEST} characters"
        return Critique(tuple(range(len(steps))), "invalid_output", said)
    sheet = _sheet(_CRITIC, steps, question, reference, "Which steps are wrong?")
    marks, form = fences or Fences(), _wrong_form(len(steps))
    replies = each(
        lambda slot: ask(panel[slot], sheet, form, fences=marks, slot=slot),
        range(len(panel)),
        len(panel),
    )
    given = [reply.value for reply in replies if reply.value is not None]
    if len(given) < len(replies):
        return _no_critique(replies)
    votes = Counter(step for wrong in given for step in wrong)
    needed = {"all": len(given), "vote": len(given) // 2 + 1, "any": 1}[agree]
    return Critique(tuple(sorted(step for step in votes if votes[step] >= needed)))


def _no_critique(replies: Sequence[Reply[tuple[int, ...]]]) -> Critique:
    down = [item.message for item in replies if item.status == "infra_error"]
    if down:
        return Critique((), "infra_error", down[0])
    unread = [item.message for item in replies if item.status == "abstained"]
    return Critique((), "not_applicable", unread[0])


def criticised_rewards(
    count: int,
    wrong: Sequence[int],
    outcome: float,
    whole: float = 2.0,
    step: float = 1.0,
) -> list[float]:
    """Return the reward of each step: the outcome's share, less a penalty for wrong ones.

    Each step earns ``whole * outcome``, a wrong one ``step`` less. After CAPO, whose
    outcome weighs more than its steps do; the weights are chosen here. With ``whole`` above
    ``step`` no step of a wrong answer earns as much as any step of a right one.

    Args:
        count: Number of steps.
        wrong: Steps that a critique calls wrong, from 0.
        outcome: Of the whole, from 0 to 1.
        whole: Weight of the outcome.
        step: Penalty of a wrong step.

    Raises:
        UsageError: A number is out of range, or ``whole`` is not above ``step``.

    Example:
        >>> criticised_rewards(3, [1], 1.0), criticised_rewards(2, [0], 0.0)
        ([2.0, 1.0, 2.0], [-1.0, 0.0])
    """
    if not (0.0 <= outcome <= 1.0 and 0.0 <= step < whole < float("inf")):
        raise UsageError(
            "A criticised reward needs an outcome from 0 to 1 and weights with whole above "
            f"step; received {outcome}, {whole} and {step}."
        )
    if any(not 0 <= place < count for place in wrong):
        raise UsageError(
            f"There are {count} steps from 0; {list(wrong)[:5]} are wrong."
        )
    return [whole * outcome - step * (place in wrong) for place in range(count)]


@dataclass(frozen=True, slots=True)
class StepGrades:
    """A grade from 0 to 1 for each step.

    Example:
        >>> StepGrades((1.0, 0.5)).rewards(1.0)
        [1.0, 1.0]
    """

    grades: tuple[float, ...]
    status: Status = "ok"
    message: str = ""

    def rewards(self, outcome: float) -> list[float]:
        """Return the reward of each step by ReNorm: none is positive on a wrong way.

        Args:
            outcome: Of the whole, from 0 to 1.
        """
        return renorm(self.grades, outcome)


def graded_steps(
    juror: Juror,
    principles: Sequence[str],
    steps: Sequence[str],
    question: str = "",
    *,
    fences: Fences | None = None,
) -> StepGrades:
    """Return a grade for each step, by principles that are given as text.

    After PPR (arXiv:2509.25598), with any model in place of its trained one.

    Args:
        juror: Who grades.
        principles: Sentences; the only measure.
        steps: In order.
        question: What was asked.
        fences: Makes the marks.

    Returns:
        Grades, or zeros with ``infra_error``, ``not_applicable`` or, where the steps are too
        long, ``invalid_output``.

    Raises:
        UsageError: There is no principle or no step.

    Example:
        >>> from reward_synth.llm import Completion
        >>> class Grader:
        ...     def complete(self, request):
        ...         return Completion('{"grades": [10, 5]}', "ok")
        >>> graded_steps(Juror(Grader(), "tiny"), ["Be brief."], ["a", "b"]).grades
        (1.0, 0.5)
    """
    _check(principles, steps)
    nothing = (0.0,) * len(steps)
    if sum(map(len, steps)) > _LONGEST:
        said = f"steps of more than {_LONGEST} characters"
        return StepGrades(nothing, "invalid_output", said)
    listed = "\n".join(f"- {text}" for text in principles)
    asked = f"Give each step a whole number from 0 to {_BEST}."
    sheet = _sheet(_PRINCIPLED + listed, steps, question, "", asked)
    form = _grades_form(len(steps))
    reply = ask(juror, sheet, form, fences=fences or Fences())
    if reply.value is None:
        down = reply.status == "infra_error"
        status: Status = "infra_error" if down else "not_applicable"
        return StepGrades(nothing, status, reply.message)
    return StepGrades(reply.value)


def _check(givers: Sequence[Any], steps: Sequence[str]) -> None:
    if not givers or not steps:
        raise UsageError(
            "Steps are judged by one juror or principle at least, and there must be a step; "
            f"received {len(givers)} and {len(steps)}."
        )


def _sheet(
    rules: str, steps: Sequence[str], question: str, reference: str, asked: str
) -> Sheet:
    parts = [(f"step_{number}", text) for number, text in enumerate(steps, 1)]
    if reference:
        parts.insert(0, ("reference", reference))
    if question:
        parts.insert(0, ("question", question))
    return Sheet(rules, tuple(parts), asked)


def _whole(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _wrong_form(count: int) -> Form[tuple[int, ...]]:
    def take(found: Mapping[str, Any]) -> tuple[int, ...] | None:
        wrong = found.get("wrong") if only(found, "wrong") else None
        if not isinstance(wrong, list) or len(set(map(str, wrong))) < len(wrong):
            return None
        good = all(_whole(step, 1, count) for step in wrong)
        return tuple(step - 1 for step in wrong) if good else None

    number = {"type": "integer", "minimum": 1, "maximum": count}
    shown = '{"reason": "one sentence", "wrong": [numbers of the wrong steps, or none]}'
    return Form(shown, schema_of({"wrong": {"type": "array", "items": number}}), take)


def _grades_form(count: int) -> Form[tuple[float, ...]]:
    def take(found: Mapping[str, Any]) -> tuple[float, ...] | None:
        grades = found.get("grades") if only(found, "grades") else None
        if not isinstance(grades, list) or len(grades) != count:
            return None
        good = all(_whole(grade, 0, _BEST) for grade in grades)
        return tuple(grade / _BEST for grade in grades) if good else None

    number = {"type": "integer", "minimum": 0, "maximum": _BEST}
    listed = {"type": "array", "items": number, "minItems": count, "maxItems": count}
    shown = json.dumps({"reason": "one sentence", "grades": [_BEST] * min(count, 2)})
    return Form(
        f"{shown}, {count} grades in order", schema_of({"grades": listed}), take
    )
