"""From an environment to a checked dense reward in a file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from reward_synth.agents.training import Trained
from reward_synth.api.config import PREFERENCE, GenerateConfig
from reward_synth.api.limits import Meter
from reward_synth.api.measure import Measurement
from reward_synth.api.planned import Planning
from reward_synth.api.prepare import (
    ROLLOUTS_FILE,
    TASK_FILE,
    Notify,
    Prepared,
    prepare,
    require_trainable,
)
from reward_synth.api.proposers import Chosen, choose_proposer, recorded_model
from reward_synth.api.provenance import record_start
from reward_synth.api.recorder import StoreRecorder
from reward_synth.api.report import write_report
from reward_synth.api.result import REPORT_FILE, Generated, Watcher
from reward_synth.api.together import Together
from reward_synth.engine import Workshop
from reward_synth.errors import (
    BudgetReachedError,
    NothingUsableError,
    TryAgainError,
    UsageError,
)
from reward_synth.language import POTENTIAL, REWARD
from reward_synth.llm import Completion, Usage
from reward_synth.search import (
    Attempt,
    LanguageModelProposer,
    Outcome,
    Search,
    Tournament,
)
from reward_synth.search.loop import SearchStoppedError, Trainer
from reward_synth.store import RunStore, whole_file


def generate(
    config: GenerateConfig, folder: Path, watcher: Watcher | None = None
) -> Generated:
    """Propose, check, compile, screen, and train reward programs; save the best.

    Everything is kept in ``folder`` before it is used, so that the same call goes on
    where a killed run stopped, without asking for an answer or a training twice.

    Args:
        config: What to do.
        folder: The run's folder; a new one, or one of the same configuration.
        watcher: Is told what happens.

    Raises:
        RunConflictError: The folder holds a run of another configuration.
        NothingUsableError: No candidate passed the checks; the report says why.
        TryAgainError: Likewise, and requests got no answer; the same call asks these
            again.
        BudgetReachedError: A budget is used up; the best so far is saved.
        UsageError: Training was asked for a task that cannot be trained or measured.
    """
    watcher = watcher or Watcher()
    if config.model.replay is not None:
        recorded_model(config.model)  # refuse before anything is written
    with RunStore.open(folder, config.to_dict()) as store:
        record_start(store)
        notify = _kept_notes(store, watcher.notify)
        prepared = prepare(config.env, folder, notify)
        for name in (ROLLOUTS_FILE, TASK_FILE):
            store.record_file(name)
        require_trainable(prepared.task, config.training)
        with watcher.steps():
            result, stopped = _search(config, prepared, store, watcher, notify)
        with whole_file(folder / REPORT_FILE) as part:
            part.write_text(write_report(result))
        if result.best is not None:
            with whole_file(result.reward_file) as part:
                result.best.program.save(part)
        if stopped is not None:
            raise _stopped(stopped, result)
        if result.best is None:
            raise _nothing(result, store)
        store.finish()
    return result


def _stopped(cause: BudgetReachedError, result: Generated) -> BudgetReachedError:
    if result.best is None:
        return cause
    return BudgetReachedError(f"{cause} The best so far is in {result.reward_file}.")


def _kept_notes(store: RunStore, notify: Notify) -> Notify:
    def tell(text: str) -> None:
        store.record_event("note", text)
        notify(text)

    return tell


def _search(
    config: GenerateConfig,
    prepared: Prepared,
    store: RunStore,
    watcher: Watcher,
    notify: Notify,
) -> tuple[Generated, BudgetReachedError | None]:
    meter = Meter(config.limits, store)

    def checkpoint() -> None:
        watcher.checkpoint()
        meter.checkpoint()

    chosen = choose_proposer(
        config, prepared.task, store, checkpoint, notify, watcher.answered
    )
    notify(f"Proposer: {chosen.proposer.name}. {chosen.why}")
    needs = POTENTIAL if config.combination == "potential" else REWARD
    training = Measurement(config, prepared, store, watcher, meter)
    plan = config.plan
    with Workshop() as workshop, closing(chosen):
        search = Search(
            prepared.task,
            chosen.proposer,
            prepared.examiner(config.sandbox, needs, workshop),
            StoreRecorder(store, plan, watcher.outcome),
            plan,
            trainer=_trainer(config, training),
            judge=_judge(config, prepared, store, watcher),
            progress=watcher.progress,
            checkpoint=checkpoint,
        )
        outcomes, stopped = _outcomes(search)
    wanted = plan.samples
    short = stopped is None and len(outcomes) < wanted
    if chosen.proposer.name == "symbolic" and short:
        notify(
            f"{len(outcomes)} of {wanted} candidates: the symbolic proposer "
            "found no further programs in the fields of this task."
        )
    result = _result(config, prepared, store, chosen, outcomes, training.results)
    return result, stopped


def _trainer(config: GenerateConfig, training: Measurement) -> Trainer | None:
    """Return what measures programs, after a look whether it can."""
    if config.method.planner:
        return Planning(training)
    if not config.training.steps:
        return None
    return Together(training) if config.method.elites else training


def _judge(
    config: GenerateConfig, prepared: Prepared, store: RunStore, watcher: Watcher
) -> Tournament | None:
    """Return who compares agents, if preference is what candidates are chosen by."""
    if config.fitness != PREFERENCE:
        return None
    if watcher.referee is None:
        raise UsageError(
            "The run chooses by preference, and nobody is there to compare agents. Give "
            "--prefer ask or --prefer manual:DIR, in Python Watcher(referee=...)."
        )
    task = prepared.task.instruction or prepared.task.id
    return Tournament(task, watcher.referee, store.preferences)


def _outcomes(search: Search) -> tuple[list[Outcome], BudgetReachedError | None]:
    try:
        return search.run(), None
    except SearchStoppedError as stopped:
        return stopped.outcomes, stopped.cause


def _result(
    config: GenerateConfig,
    prepared: Prepared,
    store: RunStore,
    chosen: Chosen,
    outcomes: Sequence[Outcome],
    trained: Sequence[Trained],
) -> Generated:
    attempts: list[Attempt] = []
    usage = Usage()
    if isinstance(chosen.proposer, LanguageModelProposer):
        attempts = chosen.proposer.attempts
        usage = sum(
            (attempt.usage for attempt in attempts),
            start=Usage.total(chosen.proposer.analyses),
        )
    return Generated(
        store.folder,
        config,
        prepared.task,
        chosen.proposer.name,
        chosen.why,
        tuple(outcomes),
        tuple(trained),
        tuple(item.reason for item in attempts if item.program is None),
        usage,
    )


def _nothing(result: Generated, store: RunStore) -> NothingUsableError | TryAgainError:
    """Say why there is no program; let passing troubles be asked again."""
    standing = {
        digest: Completion.from_payload(payload)
        for digest, _ in store.calls.requests()
        if (payload := store.calls.find(digest)) is not None
    }
    passing = {digest: item for digest, item in standing.items() if item.passing}
    if passing:
        for digest in passing:
            store.calls.reopen(digest)
        first = next(iter(passing.values()))
        return TryAgainError(
            f"{len(passing)} of {len(standing)} requests got no answer (the first: "
            f"{first.status}: {first.error}), and the others gave no usable program. "
            "Nothing was lost: run the same command with "
            f"--run {result.folder} when the endpoint is back."
        )
    reasons = [str(item.report.errors[0]) for item in result.outcomes] + [*result.lost]
    reason = reasons[0] if reasons else "none was proposed"
    return NothingUsableError(
        f"None of {len(reasons)} candidates passed the checks; the first: {reason} "
        f"All are in {result.folder / REPORT_FILE}."
    )
