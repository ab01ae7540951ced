"""Trains an agent with a reward program, beside the sparse arm."""

from __future__ import annotations

from pathlib import Path

from reward_synth.agents.training import Trained, train_all
from reward_synth.api.config import EnvConfig, SandboxMode, TrainConfig, check_weight
from reward_synth.api.measure import trial_specs
from reward_synth.api.prepare import TASK_FILE, Prepared, describe, require_trainable
from reward_synth.api.provenance import record_start
from reward_synth.api.report import training_table, training_words
from reward_synth.api.result import Watcher
from reward_synth.errors import NothingUsableError, UsageError
from reward_synth.program import RewardProgram
from reward_synth.store import RunStore, whole_file
from reward_synth.wrappers.sources import program_function


def train(
    config: EnvConfig,
    training: TrainConfig,
    program: RewardProgram,
    folder: Path,
    *,
    combine: str = "add",
    weight: float = 1.0,
    sandbox: SandboxMode = "reduced",
    watcher: Watcher | None = None,
) -> list[Trained]:
    """Train and measure ``program`` and the sparse arm; writes ``report.md``.

    Raises:
        UsageError: The task cannot be trained or measured, or no steps were given.
        ProgramError: The program does not fit the task.
        NothingUsableError: Every training failed.
    """
    watcher = watcher or Watcher()
    if training.steps < 1:
        raise UsageError("--train-steps must be at least 1.")
    check_weight(weight)
    ref, task = describe(config, watcher.notify)
    require_trainable(task, training)
    # refuse before anything is trained what the wrapper would refuse in each trial
    program_function(program, task, potential=combine == "potential")
    prepared = Prepared(ref, task, ())
    specs = trial_specs(
        prepared,
        [program],
        training,
        seed=config.seed,
        seeds=training.seeds or 1,
        combine=combine,
        weight=weight,
        sandbox=sandbox,
    )
    identity = {"verb": "train", "trials": [spec.config() for spec in specs]}
    with RunStore.open(folder, identity) as store:
        record_start(store)
        with whole_file(folder / TASK_FILE) as part:
            task.save(part)
        with whole_file(folder / "reward.py") as part:
            program.save(part)
        with watcher.steps():
            engine = training.engine.make(watcher.stopping)
            results = train_all(specs, store, engine, watch=watcher.training)
            watcher.checkpoint()
        parts = f"# {task.id}", training_table(results), training_words(results)
        with whole_file(folder / "report.md") as part:
            part.write_text("\n\n".join(parts) + "\n")
        if not any(item.status == "ok" for item in results):
            raise NothingUsableError(
                f"Every training failed; the first: {results[0].error}"
            )
        store.finish()
    return results
