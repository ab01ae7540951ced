"""The proposer that asks a language model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from reward_synth.language import parse
from reward_synth.llm import ChatModel, ChatRequest, Completion, Usage, extract_code
from reward_synth.program import Provenance, RewardProgram
from reward_synth.prompts import Message, repair_messages
from reward_synth.search.advisers import Ask, analysed, criticised
from reward_synth.search.asking import Best, Prompting, Told
from reward_synth.search.attempts import Attempt, Attempts, Forgetful
from reward_synth.search.outcome import Outcome
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
        memory: Keeps what became of samples, so that a search that goes on neither asks
            nor reads an answer again; by default nothing is kept.
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
        memory: Attempts | None = None,
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
        self._memory = memory or Forgetful()
        self._slots: dict[str, int] = {}
        self._rounds: list[list[Told]] = []
        self._shared: tuple[Message, ...] | None = None
        self._asking = Lock()

    def ask(self, n: int) -> Sequence[RewardProgram]:
        """Return at most ``n`` programs; answers without code are kept as attempts.

        Raises:
            EndpointError: The server refuses the key, the model or the address.
        """
        first = len(self.attempts)
        found = {slot: self._memory.recall(slot) for slot in range(first, first + n)}
        fresh = [slot for slot, attempt in found.items() if attempt is None]
        if fresh:
            with ThreadPoolExecutor(max_workers=self.sampling.parallel) as pool:
                found |= dict(zip(fresh, pool.map(self._kept, fresh), strict=True))
        attempts = [item for item in found.values() if item is not None]
        self.attempts += attempts
        made = [(x.slot, x.program) for x in attempts if x.program is not None]
        self._slots |= {program.digest: slot for slot, program in made}
        return [program for _, program in made]

    def _kept(self, slot: int) -> Attempt:
        attempt = self._attempt(slot)
        self._memory.keep(attempt)
        return attempt

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Keep what became of a round; later questions are made of it."""
        if self.analyst:
            outcomes = [analysed(self.task, item, self._analyse) for item in outcomes]
        told = [
            Told(self._slots.get(item.program.digest, 0), item) for item in outcomes
        ]
        self._rounds.append(told)
        self._shared = None

    def _analyse(self, messages: Sequence[Message]) -> Completion:
        self.analyses.append(self.chat.complete(self.request(0, messages)))
        return self.analyses[-1]

    def restart(self) -> None:
        """Ask as if nothing had been told."""
        self._rounds = []
        self._shared = None

    def messages(self, slot: int = 0) -> tuple[Message, ...]:
        """Return what the next round asks for a sample."""
        if not self.prompting.shared:
            return self.prompting.messages(self.task, slot, self._rounds)
        with self._asking:
            if self._shared is None:
                told = self._rounds
                self._shared = self.prompting.messages(self.task, slot, told)
            return self._shared

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
        usage = Usage.total(completions)
        return Attempt(
            slot, program, tuple(completions), tuple(requests), reason, usage
        )

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
