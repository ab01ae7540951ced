"""The words that a page cannot do without, each explained where it is used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it means."""

    name: str
    found: str
    """Pattern of the texts that use it."""
    meaning: str


TERMS = (
    Term(
        "success",
        r"% success",
        "the share of episodes in which the task was solved at some step, measured after "
        "the training's last step.",
    ),
    Term(
        "human-normalised score",
        r"Human-normalised",
        "the place of a design's success between that of success alone (0) and that of "
        "the reward which people wrote for the task (1). Where the two hardly differ it "
        "says little.",
    ),
    Term(
        "reward hacking",
        r"Reward hacking",
        "an agent finds a way to collect the reward that is not the task. The program "
        "needs mending; success before it set in shows what it could teach.",
    ),
    Term(
        "IQM",
        r"\bIQM\b",
        "interquartile mean, the average of the middle half of all trainings: single "
        "lucky or failed ones move it little.",
    ),
    Term(
        "points",
        r"\bpoints\b",
        "percentage points of success: from 50 % to 60 % are 10 points.",
    ),
    Term(
        "95 % interval",
        r"95 % interval",
        "other seeds would give other numbers. The interval is a range made so that, in "
        "about 95 of 100 such comparisons, it holds what very many seeds would give. If "
        "that of a difference holds 0, the order may be chance.",
    ),
    Term(
        "not told apart",
        r"not told apart",
        "these trainings do not show which is better: both may be equal, or the seeds "
        "too few.",
    ),
    Term(
        "seed",
        r"\bseeds?\b",
        "the number that a training's chance starts from. Trainings that differ in "
        "nothing but the seed show how much is luck.",
    ),
    Term(
        "dense reward",
        r"\bdense\b",
        "one that pays in almost every step, also long before success.",
    ),
    Term(
        "screening",
        r"\bscreen(ing|ed)?\b",
        "ranking candidate programs without training: each is run on the same recorded "
        "episodes, and ranks high if it pays more where the episode came closer to "
        "success.",
    ),
    Term(
        "add",
        r"(; |combine )add\b",
        "the agent is paid the program's reward on top of success.",
    ),
    Term(
        "replace",
        r"(; |combine )replace\b",
        "the agent is paid the program's reward alone.",
    ),
    Term(
        "potential",
        r"(; |combine )potential\b",
        "the agent is paid success, and in each step by how much the program's potential "
        "rose; that does not change which behaviour is best.",
    ),
    Term(
        "trained",
        r"\btrained -?\d",
        "the success of an agent that was trained with the program.",
    ),
)


def explained(texts: Iterable[str]) -> list[Term]:
    """Return the terms that any of these texts uses, in the order of :data:`TERMS`.

    Example:
        >>> [term.name for term in explained(["IQM of 3 seeds"])]
        ['IQM', 'seed']
    """
    whole = "\n".join(texts)
    return [term for term in TERMS if re.search(term.found, whole)]
