"""Chooses who proposes programs, and says why."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np

from reward_synth.api.config import GenerateConfig, ModelConfig
from reward_synth.api.provenance import versions
from reward_synth.errors import UsageError
from reward_synth.llm import (
    Budget,
    ChatModel,
    ChatRequest,
    Completion,
    JournaledChat,
    ManualChat,
    OpenAIChat,
    RecordJournal,
    ReplayChat,
    RetryPolicy,
    Usage,
    price,
    public_url,
    spent_before,
)
from reward_synth.search import (
    LanguageModelProposer,
    MotionProposer,
    Proposer,
    Sampling,
    SymbolicProposer,
)
from reward_synth.search.attempts import Attempt, packed_attempt, unpacked_attempt
from reward_synth.search.loop import shares
from reward_synth.search.prompting import prompting
from reward_synth.store import RunStore
from reward_synth.task import TaskSpec

DISTRIBUTION = "reward-synth"
Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A proposer and the reason for it."""

    proposer: Proposer
    why: str
    close: Callable[[], None] = lambda: None
    """Closes the connections to the model."""


def choose_proposer(
    config: GenerateConfig,
    task: TaskSpec,
    store: RunStore | None,
    checkpoint: Callable[[], None] = lambda: None,
    notify: Callable[[str], None] = lambda _: None,
    answered: Callable[[Usage], None] = lambda _: None,
) -> Chosen:
    """Return the proposer that the configuration asks for.

    Args:
        config: The run's configuration.
        task: The task.
        store: Where answers are kept, or None: nothing will be asked.
        checkpoint: Called before each request; may raise to stop the run there.
        notify: Told where a person's answers are waited for.
        answered: Told what each sample took, remembered ones too.

    Raises:
        UsageError: The run to replay holds no answers.
    """
    model = config.model
    seed = config.env.seed
    memory = None if store is None else StoredAttempts(store, answered)
    if model.replay is not None and config.method.proposer != "symbolic":
        recorded = recorded_model(model)
        chat = _replay(model, store)
        why = f"Answers are replayed from {model.replay}; no endpoint is asked."
        return Chosen(_proposer(config, task, chat, recorded, memory), why)
    wanted = config.method.proposer
    if wanted == "symbolic" or (model.asked is None and wanted == "any"):
        why = (
            "No model is configured (--model), so programs are composed symbolically."
            if model.asked is None
            else f"The method {config.method.name} composes programs symbolically."
        )
        return Chosen(SymbolicProposer(task, seed, version(DISTRIBUTION)), why)
    if model.asked is None:
        raise UsageError(
            f"The method {config.method.name} asks a language model. Name one with "
            "--model, give --replay RUN, or use --method default, which composes "
            "programs symbolically where there is none."
        )
    if model.manual is not None:
        return _by_hand(config, task, store, memory, notify, checkpoint)
    url = model.base_url or os.environ.get("OPENAI_BASE_URL")
    where = public_url(url) if url else "OpenAI's endpoint"
    why = f"--model {model.model} at {where}."
    if store is None:  # a dry run: nothing is asked, and nothing can be
        nothing = ReplayChat(lambda _: None)
        return Chosen(_proposer(config, task, nothing, model.asked), why)
    inner = _client(model, seed, _budget(model, store))
    chat = JournaledChat(inner, RecordJournal(store.calls), checkpoint)
    asker = _proposer(config, task, chat, model.asked, memory)
    return Chosen(asker, why, inner.close)


def _by_hand(
    config: GenerateConfig,
    task: TaskSpec,
    store: RunStore | None,
    memory: StoredAttempts | None,
    notify: Callable[[str], None],
    checkpoint: Callable[[], None],
) -> Chosen:
    """Return a proposer whose answers a person writes."""
    folder = config.model.manual or ""
    why = f"A person answers in {folder}."
    name = config.model.asked or ""
    if store is None:
        return Chosen(_proposer(config, task, ReplayChat(lambda _: None), name), why)
    inner = ManualChat(folder, notify, checkpoint)
    chat = JournaledChat(inner, RecordJournal(store.calls), checkpoint)
    return Chosen(_proposer(config, task, chat, name, memory), why, inner.close)


class StoredAttempts:
    """Keeps attempts in a run's store, for who reads answers as this software does.

    Args:
        store: The run's.
        answered: Told what each sample took.
    """

    def __init__(
        self, store: RunStore, answered: Callable[[Usage], None] = lambda _: None
    ) -> None:
        self._programs = store.programs
        self._answered = answered
        self._software = json.dumps(versions(), sort_keys=True)

    def recall(self, slot: int, /) -> Attempt | None:
        """Return what became of a sample; None: it is not known."""
        kept = self._programs.attempt(slot, self._software)
        if kept is None:
            return None
        attempt = unpacked_attempt(slot, kept)
        self._answered(attempt.usage)
        return attempt

    def keep(self, attempt: Attempt, /) -> None:
        """Keep what became of a sample; a trouble of the moment is none to keep."""
        self._answered(attempt.usage)
        if attempt.lasting:
            data = packed_attempt(attempt)
            self._programs.record_attempt(attempt.slot, data, self._software)


def _proposer(
    config: GenerateConfig,
    task: TaskSpec,
    chat: ChatModel,
    model: str,
    memory: StoredAttempts | None = None,
) -> LanguageModelProposer:
    method = config.method
    plan = config.plan
    rounds = len(shares(plan.candidates, plan.rounds))
    sampling = Sampling(
        model,
        temperature=_first(config.model.temperature, method.temperature, 1.0),
        max_tokens=config.model.max_tokens,
        seed=config.env.seed,
        repairs=_first(config.model.repairs, method.repairs, 2),
        parallel=config.model.parallel,
        joined=None if method.merge is None else (rounds, method.merge),
    )
    kind = MotionProposer if method.planner else LanguageModelProposer
    return kind(
        task,
        chat,
        sampling,
        version(DISTRIBUTION),
        prompting=prompting(
            replace(method, combine=config.combination),
            config.env.seed,
            config.refinements,
            rounds,
        ),
        critic=method.critic,
        analyst=method.analyst,
        memory=memory,
    )


def _first(given: Number | None, of_method: Number | None, default: Number) -> Number:
    if given is not None:
        return given
    return default if of_method is None else of_method


def _client(model: ModelConfig, seed: int, budget: Budget | None) -> OpenAIChat:
    policy = RetryPolicy(rng=np.random.default_rng(seed))
    return OpenAIChat(
        model.model or "",
        model.base_url,
        policy=policy,
        timeout=model.timeout,
        budget=budget,
    )


def _budget(model: ModelConfig, store: RunStore) -> Budget | None:
    """Return the run's budget, less what its earlier parts spent."""
    if model.budget is None:
        return None
    requests = {
        key: ChatRequest.from_payload(item) for key, item in store.calls.requests()
    }
    answered = [
        (requests[key], Completion.from_payload(item))
        for key, item in store.calls.completions()
    ]
    spent = spent_before(answered, model.prices)
    # What was in flight when the run was killed may have been answered, and billed.
    spent += sum(
        price(Usage.worst_case(requests[key]), model.prices)
        for key in store.calls.unsettled()
    )
    return Budget(model.budget, model.prices, spent)


def _replay(model: ModelConfig, store: RunStore | None) -> ChatModel:
    """Answer from another run; copy what is used, so that this run is whole too."""
    with RunStore.read(model.replay or "") as recorded:
        answers = dict(recorded.calls.completions())
    chat = ReplayChat(lambda digest: _completion(answers.get(digest)))
    return chat if store is None else JournaledChat(chat, RecordJournal(store.calls))


def _completion(payload: Mapping[str, Any] | None) -> Completion | None:
    return None if payload is None else Completion.from_payload(payload)


def recorded_model(model: ModelConfig) -> str:
    """Return the model whose answers the replayed run holds.

    Raises:
        UsageError: It is no run, or it was made without a model.
    """
    with RunStore.read(model.replay or "") as recorded:
        asked = [request["model"] for _, request in recorded.calls.requests()]
    if not asked:
        raise UsageError(
            f"{model.replay} was made without a model; there are no answers to replay. "
            "The same seed gives the same symbolic programs."
        )
    return model.model or str(asked[0])
