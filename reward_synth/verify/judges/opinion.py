"""What a panel of jurors says together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reward_synth.errors import NotAvailableError
from reward_synth.verify.judges.form import UNSURE, Verdict
from reward_synth.verify.judges.juror import Reply
from reward_synth.verify.result import Status

Rule = Literal["min", "vote"]


class NoVerdictError(NotAvailableError):
    """A judge gave no verdict: nothing is known of what was judged."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What is judged.

    Example:
        >>> Submission("4", "What is 2 + 2?", "4").reference
        '4'
    """

    candidate: str
    question: str = ""
    reference: str = ""
    """The right answer, if it is known."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """A score, or why there is none.

    Example:
        >>> Opinion(0.0, "infra_error", message="server down").known
        False
    """

    score: float
    """On the judge's scale; its least worth where nothing is known."""
    status: Status
    """``ok``; ``invalid_output``: the candidate is no answer at all, the lowest score;
    ``not_applicable``: the judge abstained; ``infra_error``: an outage."""
    verdicts: tuple[Verdict, ...] = ()
    """Of the jurors that gave one."""
    message: str = ""

    @property
    def known(self) -> bool:
        """Whether the score says something about the candidate."""
        return self.status in ("ok", "invalid_output")


def together(replies: Sequence[Reply[Verdict]], rule: Rule, low: float) -> Opinion:
    """Return what jurors say together.

    ``min``: the lowest verdict, if every juror gave one. ``vote``: the label that more than
    half of all jurors gave. An outage counts only where the verdicts that did come do not
    decide already.

    Args:
        replies: One of each juror.
        rule: See above.
        low: The least worth of the scale.

    Example:
        >>> yes, no = Verdict("correct", 1.0), Verdict("incorrect", 0.0)
        >>> replies = [Reply("ok", yes), Reply("ok", no), Reply("ok", yes)]
        >>> together(replies, "min", 0.0).score, together(replies, "vote", 0.0).score
        (0.0, 1.0)
    """
    given = [reply.value for reply in replies if reply.value is not None]
    told = tuple(item for item in given if item.label != UNSURE)
    worths = [item.worth for item in told if item.worth is not None]
    if rule == "min" and low in worths:
        return Opinion(low, "ok", told)  # no other verdict could change it
    if rule == "min" and len(worths) == len(replies):
        return Opinion(min(worths), "ok", told)
    if rule == "vote" and worths:
        (worth, votes) = Counter(worths).most_common(1)[0]
        if 2 * votes > len(replies):
            return Opinion(worth, "ok", told)
    down = [reply.message for reply in replies if reply.status == "infra_error"]
    if down:
        return Opinion(low, "infra_error", told, down[0])
    unread = [reply.message for reply in replies if reply.status == "abstained"]
    said = unread[0] if unread else "the judge cannot tell, or jurors do not agree"
    return Opinion(low, "not_applicable", told, said)
