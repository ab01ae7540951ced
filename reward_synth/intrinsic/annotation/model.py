"""Labels from a language model: what is asked, read, and asked once more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reward_synth.errors import NothingUsableError
from reward_synth.intrinsic.annotation.asker import Asker, Asking
from reward_synth.intrinsic.annotation.label import Label, Status
from reward_synth.intrinsic.annotation.ledger import Ledger
from reward_synth.intrinsic.annotation.prompt import Decoding, LabelPrompt, identity
from reward_synth.intrinsic.annotation.transport import AsyncTransport
from reward_synth.llm import ChatRequest, Completion

_MISSED = 20
"""Captions after which a model that gave no label at all is no longer asked."""


class ModelAnnotator:
    """Asks a model for labels, and never the same twice.

    A label that the journal holds costs nothing. The answer is read strictly; one that is
    no label is answered with one more question that names the words, and then counts as
    abstaining. A server that is down makes no failed labels: the caption waits.

    Args:
        prompt: What is asked.
        decoding: Which model, and how it writes.
        folder: Where the journal lies.
        base_url: The server's address; by default ``OPENAI_BASE_URL``, else OpenAI's.
        api_key: By default ``OPENAI_API_KEY``.
        asking: Limits, pace and repetition.

    Raises:
        RunConflictError: The journal is of another question, or in use.
    """

    def __init__(
        self,
        prompt: LabelPrompt,
        decoding: Decoding,
        folder: str | Path,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        asking: Asking | None = None,
    ) -> None:
        self.prompt = prompt
        self.decoding = decoding
        self.asking = asking or Asking()
        self.transport = AsyncTransport(
            decoding.model, base_url, api_key, timeout=self.asking.timeout
        )
        self.ledger = Ledger(folder, identity(prompt, decoding))
        self.asker = Asker(self.transport, self.ledger, self.asking)
        self._met = False
        self._missed = 0

    def question(self) -> dict[str, Any]:
        """Return what all its questions share, as JSON data."""
        return identity(self.prompt, self.decoding)

    def recall(self) -> dict[str, Label]:
        """Return the labels that the journal holds, by caption."""
        found: dict[str, Label] = {}
        for request, completion in self.ledger.asked():
            if not request.purpose.startswith("label"):
                continue  # a rule was asked for, see distil
            caption = self.prompt.caption_of(request.messages)
            if completion is None:
                if request.digest in self.asker.given_up:
                    found[caption] = Label("failed", origin=request.digest)
                continue
            label = self._label(request, completion)
            if label is not None:
                found[caption] = label
        return found

    def explain(self, caption: str) -> list[tuple[ChatRequest, Completion]]:
        """Return what was asked about a caption and what came back, oldest first.

        Empty if nothing was answered yet; two pairs if the first answer was no label.
        """
        first = self._request(self.prompt.messages(caption), "label")
        completion = self.ledger.find(first)
        if completion is None:
            return []
        again = self.prompt.again(caption, completion.text)
        second = self._request(again, "label, asked again")
        later = self.ledger.find(second)
        pairs = [(first, completion)]
        return pairs if later is None else [*pairs, (second, later)]

    def record(self, labels: Mapping[str, Mapping[str, Any]], /) -> None:
        """Write down which labels the learner sees from now on."""
        self.ledger.publish(labels)

    async def judge(self, caption: str, /) -> Label | None:
        """Return the label; None: the server is down, ask again later.

        Raises:
            EndpointError: No request to this server can succeed.
            BudgetReachedError: The budget is used up.
            NothingUsableError: The model never gives a label.
        """
        first = self._request(self.prompt.messages(caption), "label")
        completion = await self.asker.complete(first)
        if completion is None:
            return None
        label = self._label(first, completion)
        if label is not None:
            self._met = self._met or label.status != "failed"
            return label
        again = self.prompt.again(caption, completion.text)
        second = self._request(again, "label, asked again")
        completion = await self.asker.complete(second)
        if completion is None:
            return None
        self._require_words(completion)
        return self._label(second, completion)

    def costs(self) -> dict[str, float]:
        """Return what the journal's requests have cost, over all its runs."""
        return self.asker.costs()

    async def leave(self) -> None:
        """Close the connections, which belong to the event loop."""
        await self.transport.close()

    def close(self) -> None:
        """Close the journal."""
        self.ledger.close()

    def _require_words(self, completion: Completion) -> None:
        """Stop asking a model that has never given a label, before it costs more.

        Raises:
            NothingUsableError: So many captions in a row got none, and none before.
        """
        if self.prompt.grammar.read(completion.text) is not None:
            self._met = True
        self._missed += 1
        if self._met or self._missed < _MISSED:
            return
        raise NothingUsableError(
            f"{self.decoding.model!r} answered questions about {self._missed} captions, "
            f"none with a label; the last answer was {completion.text[:80]!r}. The labels "
            f"are {', '.join(self.prompt.grammar.words)}. Take a model that follows "
            "instructions, or raise max_tokens if answers are cut."
        )

    def _request(self, messages: Any, purpose: str) -> ChatRequest:
        return self.decoding.request(messages, self.prompt.grammar, purpose)

    def _label(self, request: ChatRequest, completion: Completion) -> Label | None:
        """Read a completion; None: one more question is due."""
        last = len(request.messages) > 2  # noqa: PLR2004 - the first has two
        if completion.status in {"rejected", "bad_response"}:
            return Label("failed", origin=request.digest)
        name = self.prompt.grammar.read(completion.text) if completion.ok else None
        if name is None:
            return Label("abstained", origin=request.digest) if last else None
        value = self.prompt.grammar.value(name)
        status: Status = "abstained" if value is None else "known"
        return Label(status, name, value, request.digest)
