"""A principle and a group of responses: scores, and a ranking that fits them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.verify.judges.form import Form, only, schema_of
from reward_synth.verify.judges.juror import Juror, ask
from reward_synth.verify.judges.sheet import Fences, Sheet
from reward_synth.verify.result import Status
from reward_synth.verify.rewards.tokens import tokens

_WORST, _BEST = 1, 5
_MOST = 16
_LONGEST = 200_000
_RULES = (
    "You compare responses to one prompt by the principle below and by nothing else: not by "
    "length, order or form unless it says so.\n\nThe principle: "
)


@dataclass(frozen=True, slots=True)
class GroupScores:
    """What each response of a group is worth, from 0 to 1.

    Example:
        >>> GroupScores((0.5, 1.0, 0.5)).ranking
        (1, 0, 2)
    """

    scores: tuple[float, ...]
    status: Status = "ok"
    message: str = ""

    @property
    def ranking(self) -> tuple[int, ...]:
        """Numbers of the responses, best first; equal ones in their order."""
        order = range(len(self.scores))
        return tuple(sorted(order, key=lambda place: -self.scores[place]))


def group_scores(
    juror: Juror,
    principle: str,
    prompt: str,
    responses: Sequence[str],
    *,
    orders: int = 2,
    seed: int = 0,
    fences: Fences | None = None,
) -> GroupScores:
    """Return the score of each response of a group, by a principle given as text.

    After RewardAnything (Yu et al., 2025, arXiv:2506.03637), with any model in place of its
    trained one. The model gives each response a whole number from 1 to 5 and a ranking
    that agrees; another answer is none. It is asked about the group in several orders, of
    which the mean counts, as judges prefer places. Equal responses are shown once and
    score the same; one without a word scores 0 and is not shown.

    Args:
        juror: Who compares.
        principle: What is good, as a text.
        prompt: What the responses answer.
        responses: At most 16 that differ.
        orders: How often the group is shown.
        seed: Of the orders.
        fences: Makes the marks.

    Returns:
        Scores, or zeros with ``infra_error`` or ``not_applicable``.

    Raises:
        UsageError: There is no principle or no response, or too many.

    Example:
        >>> from reward_synth.llm import Completion
        >>> class Fair:
        ...     def complete(self, request):
        ...         return Completion('{"scores": {"A": 3}, "ranking": ["A"]}', "ok")
        >>> group_scores(Juror(Fair(), "tiny"), "Be kind.", "Hello?", ["Hi!", " "]).scores
        (0.5, 0.0)
    """
    shown = list(dict.fromkeys(text for text in responses if tokens(text)))
    _check(principle, responses, shown, orders)
    zeros = (0.0,) * len(responses)
    if not shown:
        return GroupScores(zeros)
    rng = random.Random(seed)
    sums = dict.fromkeys(shown, 0.0)
    for slot in range(orders):
        order = rng.sample(shown, len(shown))
        sheet = _sheet(principle, prompt, order)
        form = _form(len(order))
        reply = ask(juror, sheet, form, fences=fences or Fences(), slot=slot)
        if reply.value is None:
            down = reply.status == "infra_error"
            status: Status = "infra_error" if down else "not_applicable"
            return GroupScores(zeros, status, reply.message)
        for text, score in zip(order, reply.value, strict=True):
            sums[text] += score / orders
    return GroupScores(tuple(sums.get(text, 0.0) for text in responses))


def _check(
    principle: str, responses: Sequence[str], shown: Sequence[str], orders: int
) -> None:
    if not principle.strip() or not responses or orders < 1:
        raise UsageError(
            "A group needs a principle, a response and an order at least; received "
            f"{principle[:60]!r}, {len(responses)} and {orders}."
        )
    if len(shown) > _MOST or sum(map(len, shown)) > _LONGEST:
        raise UsageError(
            f"A group may hold {_MOST} responses and {_LONGEST} characters; received "
            f"{len(shown)} and {sum(map(len, shown))}. Compare smaller groups."
        )


def _name(place: int) -> str:
    return chr(ord("A") + place)


def _sheet(principle: str, prompt: str, order: Sequence[str]) -> Sheet:
    parts = [(f"response_{_name(place)}", text) for place, text in enumerate(order)]
    asked = (
        f"Give each response a whole number from {_WORST} to {_BEST}, and rank them."
    )
    return Sheet(_RULES + principle, (("prompt", prompt), *parts), asked)


def _form(count: int) -> Form[tuple[float, ...]]:
    """Return the form of scores in [0, 1], in the order that is shown."""
    names = [_name(place) for place in range(count)]

    def take(found: Mapping[str, Any]) -> tuple[float, ...] | None:
        if not only(found, "scores", "ranking"):
            return None
        scores, ranking = found["scores"], found["ranking"]
        if not isinstance(scores, dict) or {*scores} != {*names}:
            return None
        if any(type(v) is not int or not _WORST <= v <= _BEST for v in scores.values()):
            return None
        if not isinstance(ranking, list) or sorted(map(str, ranking)) != names:
            return None
        falling = [scores[name] for name in ranking]
        if falling != sorted(falling, reverse=True):
            return None  # it contradicts itself
        return tuple((scores[name] - _WORST) / (_BEST - _WORST) for name in names)

    number = {"type": "integer", "minimum": _WORST, "maximum": _BEST}
    scores = {
        "type": "object",
        "properties": dict.fromkeys(names, number),
        "required": names,
        "additionalProperties": False,
    }
    ranked = {"type": "array", "items": {"type": "string", "enum": names}}
    shown = (
        '{"reason": "one sentence", "scores": {"A": 3, ...}, "ranking": ["A", ...]}, with '
        f"the responses {', '.join(names)}, the ranking from best to worst"
    )
    return Form(shown, schema_of({"scores": scores, "ranking": ranked}), take)
