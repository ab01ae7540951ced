"""One model that judges: asked once, asked again for the form alone, then left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from reward_synth.llm import ChatModel, ChatRequest, Completion
from reward_synth.prompts import Message
from reward_synth.verify.judges.form import Form
from reward_synth.verify.judges.sheet import Fences, Sheet

T = TypeVar("T")
ReplyStatus = Literal["ok", "abstained", "infra_error"]
_OWN = frozenset({"ok", "length", "empty", "refusal", "filtered"})
"""Outcomes that are the model's own doing; any other is trouble of the server."""
_AGAIN = (
    "Your last answer could not be read. Give the verdict alone, as JSON of this form and "
    "nothing else: "
)


@dataclass(frozen=True, slots=True)
class Juror:
    """A model that judges, and how it is asked.

    Budget, repetition and outcomes are those of its client; each request asks for one
    sample.

    Example:
        >>> from reward_synth.llm import ReplayChat
        >>> Juror(ReplayChat({}.get), "tiny").temperature
        0.0
    """

    chat: ChatModel
    model: str
    """Its name at the endpoint."""
    temperature: float = 0.0
    max_tokens: int = 1024
    seed: int | None = None
    """Sent along; servers may ignore it."""

    def request(
        self, messages: tuple[Message, ...], slot: int, schema: str = ""
    ) -> ChatRequest:
        """Return the request for one sample."""
        return ChatRequest(
            self.model,
            messages,
            self.temperature,
            self.max_tokens,
            self.seed,
            slot,
            "judge",
            schema,
        )


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """What became of one question."""

    status: ReplyStatus
    """``abstained``: no answer of the form in two attempts; ``infra_error``: an outage."""
    value: T | None = None
    """Set if the status is ``ok``."""
    message: str = ""
    said: str = ""
    """The last answer, as it came."""


def ask(
    juror: Juror,
    sheet: Sheet,
    form: Form[T],
    *,
    fences: Fences,
    slot: int = 0,
) -> Reply[T]:
    """Ask a juror; an answer that is not of the form is asked for once more.

    The second request repeats the first one, reminds of the form, and sends its schema.

    Args:
        juror: Who is asked.
        sheet: What is asked.
        form: How it must be answered.
        fences: Makes the marks.
        slot: Tells equal questions apart.

    Raises:
        EndpointError: The server refuses the key, the model or the address.
        BudgetReachedError: The budget is used up.

    Example:
        >>> from reward_synth.llm import Completion
        >>> class Parrot:
        ...     def complete(self, request):
        ...         return Completion('{"verdict": "correct"}', "ok")
        >>> from reward_synth.verify.judges.form import Scale
        >>> sheet = Sheet("Judge.", (("answer", "4"),), "Is it right?")
        >>> ask(Juror(Parrot(), "tiny"), sheet, Scale().form, fences=Fences()).value.label
        'correct'
    """
    mark = fences.mark(sheet.texts, slot)
    code = fences.code(mark)
    form = form.signed(code)
    messages = sheet.messages(mark, form.shown)
    first = juror.chat.complete(juror.request(messages, slot))
    found = _read(first, form, code)
    if found is not None:
        return found
    *before, (role, text) = messages
    again = (*before, (role, f"{text}\n\n{_AGAIN}{form.shown}."))
    second = juror.chat.complete(juror.request(again, slot, form.schema))
    found = _read(second, form, code)
    if found is not None:
        return found
    said = f"no answer of the form ({first.status}, then {second.status})"
    return Reply("abstained", message=said, said=second.text[:300])


def _read(completion: Completion, form: Form[T], code: str) -> Reply[T] | None:
    """Return the reply that a completion is; None if it must be asked for again."""
    if completion.status not in _OWN:
        said = f"{completion.status}: {completion.error}"[:300]
        return Reply("infra_error", message=said)
    value = form.read(completion.text, code) if completion.status == "ok" else None
    return None if value is None else Reply("ok", value, said=completion.text)
