"""What a language model writes about trajectories: intents, and worse ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_synth.errors import NothingUsableError
from reward_synth.verify.armap.play import TextEnv, Trajectory, replay
from reward_synth.verify.judges.at_once import each
from reward_synth.verify.judges.form import Form, only, schema_of
from reward_synth.verify.judges.juror import Juror, Reply, ask
from reward_synth.verify.judges.sheet import Fences, Sheet
from reward_synth.verify.rewards.tokens import tokens

_RULES = (
    "You read what an agent did in an environment, and what it saw. Write an intent: a task, "
    "in one sentence, that was fulfilled by what it did, as a user would ask for it. Then "
    "write the actions of another way that looks alike but does not fulfil the intent, each "
    "spelt as the agent spells its actions."
)
_MOST_ACTIONS = 40
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Lesson:
    """An intent, a trajectory that fulfils it, and a worse one."""

    intent: str
    better: Trajectory
    worse: Trajectory


def synthesise(
    juror: Juror,
    env: TextEnv,
    trajectories: Sequence[Trajectory],
    *,
    fences: Fences | None = None,
    at_once: int = 4,
) -> list[Lesson]:
    """Return a lesson for each trajectory that a model could write one about.

    Args:
        juror: Who writes.
        env: Plays the worse ways, each from the beginning of its trajectory.
        trajectories: From :func:`explore`.
        fences: Makes the marks around trajectories.
        at_once: Requests in flight.

    Raises:
        NothingUsableError: There is no lesson; says what became of the first request.
        EndpointError: The server refuses the key, the model or the address.
        BudgetReachedError: The budget is used up.
    """
    marks = fences or Fences()

    def written(trajectory: Trajectory) -> Reply[tuple[str, tuple[str, ...]]]:
        parts = (("trajectory", str(trajectory)),)
        asked = "Write the intent, and the actions that do not fulfil it."
        form = _form(trajectory.actions)
        return ask(juror, Sheet(_RULES, parts, asked), form, fences=marks)

    replies = each(written, trajectories, at_once)
    lessons = []
    for trajectory, reply in zip(trajectories, replies, strict=True):
        if reply.value is None:
            continue
        intent, actions = reply.value
        worse = replay(env, trajectory.seed, actions)
        if str(worse) != str(trajectory):
            lessons.append(Lesson(intent, trajectory, worse))
    if not lessons:
        said = replies[0].message if replies else "there is no trajectory"
        raise NothingUsableError(
            f"No lesson could be made of {len(trajectories)} trajectories: {said}. Look at "
            "what the model answers, or take another one."
        )
    return lessons


def others_as_negatives(
    lessons: Sequence[Lesson], each_lesson: int, rng: np.random.Generator
) -> list[Lesson]:
    """Return lessons whose worse trajectory is that of another intent.

    Args:
        lessons: As written; none of them is returned.
        each_lesson: How many are made of each.
        rng: Chooses.

    Example:
        >>> one = Trajectory("a", (), 0)
        >>> two = Trajectory("b", (), 1)
        >>> made = others_as_negatives([Lesson("x", one, two), Lesson("y", two, one)], 1,
        ...                            np.random.default_rng(0))
        >>> [(item.intent, item.worse.first) for item in made]
        [('x', 'b'), ('y', 'a')]
    """
    made = []
    for lesson in lessons:
        unlike = [
            item.better
            for item in lessons
            if item.intent != lesson.intent and str(item.better) != str(lesson.better)
        ]
        if unlike:
            chosen = rng.integers(len(unlike), size=each_lesson)
            made += [
                Lesson(lesson.intent, lesson.better, unlike[place]) for place in chosen
            ]
    return made


def _form(actions: tuple[str, ...]) -> Form[tuple[str, tuple[str, ...]]]:
    def take(found: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        if not only(found, "intent", "negative"):
            return None
        intent, negative = found["intent"], found["negative"]
        if not isinstance(intent, str) or len(intent) > _LONGEST or not tokens(intent):
            return None
        if not isinstance(negative, list) or len(negative) > _MOST_ACTIONS:
            return None
        good = all(isinstance(item, str) and len(item) <= _LONGEST for item in negative)
        return (
            (intent, tuple(negative)) if good and tuple(negative) != actions else None
        )

    text = {"type": "string", "maxLength": _LONGEST}
    listed = {"type": "array", "items": text, "maxItems": _MOST_ACTIONS}
    shown = '{"intent": "one sentence", "negative": ["action", "action", ...]}'
    return Form(shown, schema_of({"intent": text, "negative": listed}, False), take)
