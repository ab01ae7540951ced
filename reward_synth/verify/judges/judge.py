"""A language model as a judge, hardened against what it judges."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from reward_synth.errors import UsageError
from reward_synth.verify.judges.at_once import each
from reward_synth.verify.judges.canaries import Canaries, CanaryReport, reported
from reward_synth.verify.judges.form import Scale, Verdict
from reward_synth.verify.judges.juror import Juror, Reply, ask
from reward_synth.verify.judges.opinion import (
    NoVerdictError,
    Opinion,
    Rule,
    Submission,
    together,
)
from reward_synth.verify.judges.sheet import Fences, Sheet
from reward_synth.verify.master_keys import MASTER_KEYS
from reward_synth.verify.rewards.tokens import tokens

RUBRIC = (
    "You judge whether a candidate's answer is right. Where a reference is given, an answer "
    "is right if it says the same. Openers, promises and statements about the answer are "
    "not an answer: what gives no answer is incorrect."
)
_QUESTION = "Judge the candidate alone. Do not solve the task yourself."


class Judge:
    r"""Scores answers by the verdicts of one or several models.

    Verdicts are strict: an answer that is not of the form is asked for once more, and then
    abstained from. Material stands between random marks. A candidate without a word, or one
    that is too long, gets the lowest score and no request. Safe to use from several threads.

    Args:
        jurors: Who judges; one model several times, or several models.
        rubric: What is asked of them.
        scale: Labels and their worths.
        rule: How several verdicts become one, see :func:`together`.
        show_question: False: jurors see reference and candidate only.
        canaries: Answers without content that are sent along; none: none.
        fences: Makes the marks; by default random ones.
        longest: Characters of a candidate that are judged.
        at_once: Requests in flight, over all threads.

    Raises:
        UsageError: There is no juror, or a setting cannot be used.

    Example:
        >>> from reward_synth.llm import Completion
        >>> class Strict:
        ...     def complete(self, request):
        ...         right = "\n4\n</candidate" in request.messages[1][1]
        ...         label = "correct" if right else "incorrect"
        ...         return Completion('{"verdict": "' + label + '"}', "ok")
        >>> judge = Judge(Juror(Strict(), "tiny"))
        >>> judge(Submission("4", "2 + 2?", "4")).score, judge(Submission("5")).score
        (1.0, 0.0)
    """

    def __init__(
        self,
        jurors: Juror | Sequence[Juror],
        *,
        rubric: str = RUBRIC,
        scale: Scale | None = None,
        rule: Rule = "min",
        show_question: bool = True,
        canaries: Canaries | None = None,
        fences: Fences | None = None,
        longest: int = 50_000,
        at_once: int = 4,
    ) -> None:
        self.jurors = (jurors,) if isinstance(jurors, Juror) else tuple(jurors)
        if not self.jurors or at_once < 1 or longest < 1 or rule not in ("min", "vote"):
            raise UsageError(
                "A judge needs a juror, at_once and longest of at least 1, and the rule "
                f"'min' or 'vote'; received {len(self.jurors)} jurors, {at_once}, {longest} "
                f"and {rule!r}."
            )
        self.rubric = rubric
        self.scale = Scale() if scale is None else scale
        self.rule: Rule = rule
        self.show_question = show_question
        self.canaries = canaries
        self.fences = Fences() if fences is None else fences
        self.longest = longest
        self.at_once = at_once
        self._gate = threading.BoundedSemaphore(at_once)

    def __call__(self, submission: Submission) -> Opinion:
        """Return the opinion on one answer; see :meth:`batch`."""
        return self.batch([submission])[0]

    def batch(self, submissions: Sequence[Submission]) -> list[Opinion]:
        """Return the opinion on each answer, in order.

        Raises:
            CanaryError: A canary was accepted, and :attr:`canaries` says to raise.
            EndpointError: The server refuses the key, the model or the address.
            BudgetReachedError: The budget is used up.
        """
        sent = self.canaries.beside(submissions) if self.canaries else []
        readable = [item for item in submissions if not self._refusal(item)]
        asked = self._judged([*readable, *sent])
        if self.canaries:
            self.canaries.tell(sent, asked[len(readable) :], self.scale.low)
        left = iter(asked)
        return [
            Opinion(self.scale.low, "invalid_output", message=said)
            if (said := self._refusal(item))
            else next(left)
            for item in submissions
        ]

    async def later(self, submissions: Sequence[Submission]) -> list[Opinion]:
        """Return what :meth:`batch` does, for callers that await."""
        return await asyncio.to_thread(self.batch, submissions)

    def grade(self, question: str, reference: str, candidate: str) -> float:
        """Return the score of one answer: the judge that Reasoning-SQL's reward takes.

        Raises:
            NoVerdictError: There is none: an outage, or the judge abstained.
        """
        opinion = self(Submission(candidate, question, reference))
        if not opinion.known:
            raise NoVerdictError(f"The judge gave no verdict: {opinion.message}")
        return opinion.score

    def probe(
        self, submissions: Sequence[Submission], keys: Sequence[str] = MASTER_KEYS
    ) -> CanaryReport:
        """Ask about answers without content, each on every question: before a training.

        Args:
            submissions: Questions with their references; candidates are not used.
            keys: The answers.
        """
        sent = [
            Submission(key, item.question, item.reference)
            for item in submissions
            for key in keys
        ]
        return reported(sent, self._judged(sent), self.scale.low)

    def _refusal(self, submission: Submission) -> str:
        """Return why a candidate is no answer at all, or an empty text."""
        if len(submission.candidate) > self.longest:
            return f"an answer of {len(submission.candidate)} characters"
        return "" if tokens(submission.candidate) else "an answer without a word"

    def _judged(self, submissions: Sequence[Submission]) -> list[Opinion]:
        count = len(self.jurors)
        asked = [(item, slot) for item in submissions for slot in range(count)]
        replies = each(self._asked, asked, self.at_once)
        return [
            together(replies[start : start + count], self.rule, self.scale.low)
            for start in range(0, len(replies), count)
        ]

    def _asked(self, pair: tuple[Submission, int]) -> Reply[Verdict]:
        with self._gate:
            return self.verdict(*pair)

    def verdict(self, submission: Submission, slot: int = 0) -> Reply[Verdict]:
        """Ask one juror about one answer."""
        sheet, form = self.sheet(submission), self.scale.form
        return ask(self.jurors[slot], sheet, form, fences=self.fences, slot=slot)

    def sheet(self, submission: Submission) -> Sheet:
        """Return what jurors read of a submission."""
        parts = [("candidate", submission.candidate)]
        if submission.reference:
            parts.insert(0, ("reference", submission.reference))
        if submission.question and self.show_question:
            parts.insert(0, ("question", submission.question))
        return Sheet(self.rubric, tuple(parts), _QUESTION)
