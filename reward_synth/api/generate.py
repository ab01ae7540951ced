"""From an environment to a checked dense reward in a file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from reward_synth.agents.training import Trained
from reward_synth.api.config import GenerateConfig
from reward_synth.api.measure import Measurement
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
from reward_synth.api.report import write_report
from reward_synth.api.result import REPORT_FILE, Generated, Watcher
from reward_synth.engine import Workshop
from reward_synth.errors import NothingUsableError, TryAgainError
from reward_synth.language import POTENTIAL, REWARD
from reward_synth.llm import Completion, Usage
from reward_synth.search import LanguageModelProposer, Outcome, Plan, Search
from reward_synth.store import ProgramRow, RunStore, whole_file


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
            result = _search(config, prepared, store, watcher, notify)
        with whole_file(folder / REPORT_FILE) as part:
            part.write_text(write_report(result))
        if result.best is None:
            raise _nothing(result, store)
        with whole_file(result.reward_file) as part:
            result.best.program.save(part)
        store.finish()
    return result


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
) -> Generated:
    chosen = choose_proposer(config, prepared.task, store, watcher.checkpoint)
    notify(f"Proposer: {chosen.proposer.name}. {chosen.why}")
    needs = POTENTIAL if config.combine == "potential" else REWARD
    training = Measurement(config, prepared, store, watcher)
    plan = Plan(
        config.candidates,
        config.rounds,
        config.training.top if config.training.steps else 0,
    )
    with Workshop() as workshop, closing(chosen):
        search = Search(
            prepared.task,
            chosen.proposer,
            prepared.examiner(config.sandbox, needs, workshop),
            _StoreRecorder(store),
            plan,
            trainer=training,
            progress=watcher.progress,
            checkpoint=watcher.checkpoint,
        )
        outcomes = search.run()
    if chosen.proposer.name == "symbolic" and len(outcomes) < config.candidates:
        notify(
            f"{len(outcomes)} of {config.candidates} candidates: the symbolic proposer "
            "found no further programs in the fields of this task."
        )
    return _result(config, prepared, store, chosen, outcomes, training.results)


def _result(
    config: GenerateConfig,
    prepared: Prepared,
    store: RunStore,
    chosen: Chosen,
    outcomes: Sequence[Outcome],
    trained: Sequence[Trained],
) -> Generated:
    attempts = (
        chosen.proposer.attempts
        if isinstance(chosen.proposer, LanguageModelProposer)
        else []
    )
    completions = [item for attempt in attempts for item in attempt.completions]
    return Generated(
        store.folder,
        config,
        prepared.task,
        chosen.proposer.name,
        chosen.why,
        tuple(outcomes),
        tuple(trained),
        tuple(item.reason for item in attempts if item.program is None),
        Usage.total(completions),
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


class _StoreRecorder:
    """Keeps candidates in the run's store."""

    def __init__(self, store: RunStore) -> None:
        self.store = store

    def candidate(self, outcome: Outcome) -> None:
        program, origin = outcome.program, outcome.program.provenance
        row = ProgramRow(
            program.digest,
            program.source,
            origin.proposer,
            origin.model,
            origin.request,
            origin.parents,
        )
        self.store.programs.record(row)
        findings = [item.to_dict() for item in outcome.report.findings]
        self.store.programs.record_findings(program.digest, "examination", findings)
        if outcome.screen is not None:
            score = outcome.screen.score
            self.store.programs.record_score(program.digest, "screen", score)

    def trained(self, outcome: Outcome) -> None:
        if outcome.trained is not None:
            digest = outcome.program.digest
            self.store.programs.record_score(digest, "trained", outcome.trained)
