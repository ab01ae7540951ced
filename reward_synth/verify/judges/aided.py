"""A judge that may use tools before its verdict.

After Themis (Li et al., 2023, "Tool-Augmented Reward Modeling", arXiv:2310.01045): thought,
action and observation, as often as needed, and then the score; with any model in place of
its trained one. What was used is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from reward_synth.errors import UsageError
from reward_synth.verify.judges.aids import Aid
from reward_synth.verify.judges.form import Form, Use, Verdict, only
from reward_synth.verify.judges.judge import Judge
from reward_synth.verify.judges.juror import Juror, Reply, ask
from reward_synth.verify.judges.opinion import Submission
from reward_synth.verify.judges.sheet import Sheet

Wish: TypeAlias = tuple[str, str]
"""Name of an aid, and what it is to be given."""
_LONGEST = 4_000


class AidedJudge(Judge):
    r"""A judge with tools; outputs stand on its page between marks, as all material does.

    Args:
        jurors: Who judges.
        aids: The tools, with names that differ.
        most: Uses before a verdict must come.
        settings: As :class:`Judge` takes them.

    Raises:
        UsageError: There is no aid, two share a name, or ``most`` is below 1.

    Example:
        >>> from reward_synth.llm import Completion
        >>> from reward_synth.verify.judges.aids import Calculator
        >>> class Careful:
        ...     def complete(self, request):
        ...         if "\n576\n" in request.messages[1][1]:
        ...             return Completion('{"verdict": "incorrect"}', "ok")
        ...         return Completion('{"use": "calculator", "input": "24 * 24"}', "ok")
        >>> judge = AidedJudge(Juror(Careful(), "tiny"), [Calculator()])
        >>> opinion = judge(Submission("24 squared is 566"))
        >>> opinion.score, opinion.verdicts[0].trace
        (0.0, (Use(aid='calculator', given='24 * 24', output='576'),))
    """

    def __init__(
        self,
        jurors: Juror | Sequence[Juror],
        aids: Sequence[Aid],
        most: int = 4,
        **settings: Any,
    ) -> None:
        super().__init__(jurors, **settings)
        self.aids = {aid.name: aid for aid in aids}
        self.most = most
        if not aids or len(self.aids) < len(aids) or most < 1:
            raise UsageError(
                "A judge with tools needs one at least, names that differ, and most of at "
                f"least 1; received {[aid.name for aid in aids]} and {most}."
            )

    def verdict(self, submission: Submission, slot: int = 0) -> Reply[Verdict]:
        """Ask one juror about one answer, and use what it wishes to use."""
        trace: list[Use] = []
        while len(trace) < self.most:
            sheet = self._page(submission, trace)
            reply = ask(
                self.jurors[slot], sheet, self._form, fences=self.fences, slot=slot
            )
            if not isinstance(reply.value, tuple):
                return _settled(reply, trace)
            name, given = reply.value
            trace.append(Use(name, given, self.aids[name](given)))
        page, form = self._page(submission, trace), self.scale.form
        last = ask(self.jurors[slot], page, form, fences=self.fences, slot=slot)
        return _settled(last, trace)

    def _page(self, submission: Submission, trace: Sequence[Use]) -> Sheet:
        sheet = self.sheet(submission)
        parts = list(sheet.parts)
        for number, use in enumerate(trace, 1):
            parts.append((f"{use.aid}_{number}_input", use.given))
            parts.append((f"{use.aid}_{number}_output", use.output))
        listed = "\n".join(f"- {aid.name}: {aid.about}" for aid in self.aids.values())
        rules = f"{sheet.rules}\n\nBefore the verdict you may use tools:\n{listed}"
        return replace(sheet, rules=rules, parts=tuple(parts))

    @property
    def _form(self) -> Form[Verdict | Wish]:
        scale = self.scale.form

        def take(found: Mapping[str, Any]) -> Verdict | Wish | None:
            if not only(found, "use", "input"):
                return scale.take(found)
            name, given = found["use"], found["input"]
            known = isinstance(name, str) and name in self.aids
            good = known and isinstance(given, str) and len(given) <= _LONGEST
            return (name, given) if good else None

        shown = f'{scale.shown}; or, to use a tool first, {{"use": "name", "input": "text"}}'
        # Asked for again, it must give its verdict: only that form's schema is sent.
        return Form(shown, scale.schema, take)


def _settled(reply: Reply[Any], trace: Sequence[Use]) -> Reply[Verdict]:
    value: Verdict | None = reply.value
    if value is not None:
        value = replace(value, trace=tuple(trace))
    return Reply(reply.status, value, reply.message, reply.said)
