"""The proposer that asks a language model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from reward_synth.language import parse
from reward_synth.llm import ChatModel, ChatRequest, Completion, extract_code
from reward_synth.program import Provenance, RewardProgram
from reward_synth.prompts import Message, repair_messages
from reward_synth.search.advisers import Ask, analysed, criticised
from reward_synth.search.outcome import Outcome
from reward_synth.search.prompting import Best, Prompting, Told
from reward_synth.task import TaskSpec

_BEST = Best(4)
"""More attempts than four did not help in the ablations of BIRD."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the model is asked."""

    model: str
    """Its name at the endpoint."""
    temperature: float = 1.0
    max_tokens: int = 4096
    seed: int | None = None
    """Sent along; servers may ignore it."""
    repairs: int = 2
    """How often one answer may be corrected."""
    joined: tuple[int, float] | None = None
    """After so many rounds the temperature is this one: programs are joined then."""
    parallel: int = 4
    """Requests in flight at once."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one sample."""

    slot: int
    """Which sample of the run, from 0."""
    program: RewardProgram | None
    """The last program it gave, even one with findings; None: no code at all."""
    completions: tuple[Completion, ...]
    """The answer and its corrections, in order."""
    requests: tuple[str, ...]
    """Digests of the requests, in order."""
    reason: str
    """Why there is no usable program, or empty."""


class LanguageModelProposer:
    """Asks a model for programs, one request a sample, and has mistakes corrected.

    Args:
        task: The task.
        chat: Answers requests; journalled, so that nothing is paid twice.
        sampling: How the model is asked.
        version: Written into the provenance.
        prompting: What it is asked, from what became of earlier programs.
        critic: Whether it is asked for mistakes in a program that can be used, and to
            correct them.
        analyst: Whether it is asked why a trained agent failed; the answer is shown with
            the program later.
    """

    name = "llm"

    def __init__(
        self,
        task: TaskSpec,
        chat: ChatModel,
        sampling: Sampling,
        version: str = "",
        *,
        prompting: Prompting = _BEST,
        critic: bool = False,
        analyst: bool = False,
    ) -> None:
        self.task = task
        self.chat = chat
        self.sampling = sampling
        self.version = version
        self.prompting = prompting
        self.critic = critic
        self.analyst = analyst
        self.attempts: list[Attempt] = []
        self.analyses: list[Completion] = []
        """Answers of the analyst."""
        self._rounds: list[list[Told]] = []

    def ask(self, n: int) -> Sequence[RewardProgram]:
        """Return at most ``n`` programs; answers without code are kept as attempts.

        Raises:
            EndpointError: The server refuses the key, the model or the address.
        """
        first = len(self.attempts)
        slots = range(first, first + n)
        with ThreadPoolExecutor(max_workers=self.sampling.parallel) as pool:
            attempts = list(pool.map(self._attempt, slots))
        self.attempts += attempts
        return [item.program for item in attempts if item.program is not None]

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Keep what became of a round; later questions are made of it."""
        slots = {
            item.program.digest: item.slot for item in self.attempts if item.program
        }
        if self.analyst:
            outcomes = [analysed(self.task, item, self._analyse) for item in outcomes]
        told = [Told(slots.get(item.program.digest, 0), item) for item in outcomes]
        self._rounds.append(told)

    def _analyse(self, messages: Sequence[Message]) -> Completion:
        self.analyses.append(self.chat.complete(self.request(0, messages)))
        return self.analyses[-1]

    def restart(self) -> None:
        """Ask as if nothing had been told."""
        self._rounds = []

    def messages(self, slot: int = 0) -> tuple[Message, ...]:
        """Return what the next round asks for a sample."""
        return self.prompting.messages(self.task, slot, self._rounds)

    def request(self, slot: int, messages: Sequence[Message]) -> ChatRequest:
        """Return the request for one sample."""
        sampling = self.sampling
        return ChatRequest(
            sampling.model,
            tuple(messages),
            temperature=self._temperature(),
            max_tokens=sampling.max_tokens,
            seed=None if sampling.seed is None else sampling.seed + slot,
            slot=slot,
        )

    def _temperature(self) -> float:
        joined = self.sampling.joined
        if joined is not None and len(self._rounds) >= joined[0]:
            return joined[1]
        return self.sampling.temperature

    def _attempt(self, slot: int) -> Attempt:
        completions: list[Completion] = []
        requests: list[str] = []
        program: RewardProgram | None = None
        reason = ""

        def ask(said: Sequence[Message]) -> Completion:
            request = self.request(slot, said)
            completions.append(self.chat.complete(request))
            requests.append(request.digest)
            return completions[-1]

        messages = self.question(slot, ask)
        for _ in range(1 + self.sampling.repairs):
            if messages is None:  # what it asks about was not answered
                last = completions[-1]
                reason = f"{last.status}: {last.error}".rstrip(": ")
                break
            completion = ask(messages)
            if not completion.ok:
                reason = f"{completion.status}: {completion.error}".rstrip(": ")
                break
            found, problems = self.read(completion, requests[-1])
            program = found or program
            if found is not None and not problems and self.critic:
                problems = criticised(self.task, found.source, ask)
            if found is not None and not problems:
                reason = ""
                break
            reason = problems[0]
            messages = self.mend(messages, completion.text, problems)
        return Attempt(slot, program, tuple(completions), tuple(requests), reason)

    def question(self, slot: int, _: Ask) -> tuple[Message, ...] | None:
        """Return what is asked for a sample; None: a question before had no answer."""
        return self.messages(slot)

    def mend(
        self, messages: Sequence[Message], answer: str, problems: Sequence[str]
    ) -> tuple[Message, ...]:
        """Return what asks to correct an answer."""
        return repair_messages(messages, answer, problems)

    def read(
        self, completion: Completion, request: str
    ) -> tuple[RewardProgram | None, list[str]]:
        """Return the program of an answer and what must be corrected in it."""
        extracted = extract_code(completion.text)
        if extracted.code is None:
            return None, [extracted.reason]
        return self.checked(extracted.code, completion, request)

    def checked(
        self, code: str, completion: Completion, request: str
    ) -> tuple[RewardProgram, list[str]]:
        """Return a text as a program, and what must be corrected in it."""
        origin = Provenance(
            "llm",
            model=self.sampling.model,
            request=request,
            seed=self.sampling.seed,
            version=self.version,
        )
        program = RewardProgram.of(code, self.task, origin)
        findings = parse(program.source, self.task).findings
        problems = [str(item) for item in findings if item.severity == "error"]
        if problems and completion.status == "length":
            problems.append("The answer was cut off; write a shorter one.")
        return program, problems
