"""From the name of an environment to a task, rollouts, and an examiner of programs."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reward_synth.api.config import EnvConfig, SandboxMode, TrainConfig
from reward_synth.checks import DEFAULT_CHECKS, Examiner, Report
from reward_synth.envs import (
    EnvRef,
    collect_many,
    from_minari,
    load_rollouts,
    resolve,
    save_rollouts,
)
from reward_synth.errors import NotAvailableError, RewardSynthError, UsageError
from reward_synth.language import FunctionIR
from reward_synth.program import RewardProgram
from reward_synth.reward import Rollout
from reward_synth.sandbox import Limits, ProcessSandbox
from reward_synth.store import whole_file
from reward_synth.task import TaskSpec

TASK_FILE = "task.json"
ROLLOUTS_FILE = "rollouts.npz"
_EPISODES = 4
"""Episodes of each simple policy."""
_MAX_STEPS = 300
_MORE_HELD = 8
"""Further episodes of held actions where no success was met."""
_SCREEN_SEED = 20_000
"""Rollouts for checks use other seeds than the description (from the user's seed) and
the evaluation (from 1,000,000)."""

_OTHER_API = re.compile(r"unpack|not iterable|dictionary update|'(seed|options)'")
"""In what Python says where reset or step do not keep to Gymnasium's interface."""

Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A described environment with rollouts to try programs on."""

    ref: EnvRef
    task: TaskSpec
    rollouts: tuple[Rollout, ...]

    def examiner(
        self,
        mode: SandboxMode,
        needs: str | None = None,
        compiler: Callable[[FunctionIR], str] = lambda _: "",
    ) -> Examiner:
        """Return the examiner of programs for this task.

        Args:
            mode: How strictly the worker must be locked.
            needs: The function that a program must define, if any.
            compiler: Compiles functions before they are used.
        """
        sandbox = ProcessSandbox(Limits(), mode=mode)
        return Examiner(
            self.task, self.rollouts, sandbox, DEFAULT_CHECKS, needs, compiler
        )


@contextmanager
def running(ref: EnvRef) -> Iterator[None]:
    """Turn what an environment raises in the block into one line with the place.

    Raises:
        NotAvailableError: The environment raised, or called ``exit``.
    """
    try:
        yield
    except (RewardSynthError, ModuleNotFoundError):
        raise  # ours; and what is not installed, for which there is advice
    except (Exception, SystemExit) as cause:
        place = traceback.extract_tb(cause.__traceback__)[-1]
        said = f"{type(cause).__name__}: {cause}".rstrip(" .:")
        advice = (
            " Gymnasium's reset(seed=…, options=…) returns (observation, info), and "
            "step(action) returns (observation, reward, terminated, truncated, info)."
            if isinstance(cause, (TypeError, ValueError)) and _OTHER_API.search(said)
            else ""
        )
        raise NotAvailableError(
            f"The environment {ref.name} failed: {said} ({place.filename}, line "
            f"{place.lineno}).{advice}"
        ) from cause


def describe(
    config: EnvConfig, notify: Notify = lambda _: None
) -> tuple[EnvRef, TaskSpec]:
    """Resolve and describe the environment, with the user's changes.

    Args:
        config: Which environment.
        notify: Told in a sentence if the task file is of another environment.

    Raises:
        UnknownEnvError: There is no such environment.
        NotAvailableError: It is not installed, or lacks something.
        TaskSpecError: The task file or the success rule does not fit.
    """
    ref = resolve(config.env, config.env_kwargs)
    if config.task_file is not None:
        task = TaskSpec.load(config.task_file)
        if task.id != ref.name:
            notify(
                f"{config.task_file} describes {task.id!r} and is used for {ref.name!r}."
            )
        if config.success:
            task = task.with_success(config.success)
    else:
        with running(ref):
            task = ref.describe(
                seed=config.seed, success=config.success, allow_info=config.allow_info
            )
    if config.instruction:
        task = replace(task, instruction=config.instruction)
    return ref, task


def require_trainable(task: TaskSpec, training: TrainConfig) -> None:
    """Refuse trainings that could not be measured or not be made.

    Raises:
        UsageError: The task has no success rule, or other actions than the algorithm.
    """
    if not training.steps:
        return
    require_success(task)
    if training.algorithm == "sac" and task.action.dtype != "float":
        raise UsageError(
            f"--algorithm sac needs continuous actions, and those of {task.id!r} are "
            "not. Use --algorithm ppo."
        )


def require_success(task: TaskSpec, who: str = "Training") -> None:
    """Refuse a task that nothing could be measured by.

    Args:
        task: The task.
        who: What measures, for the message.

    Raises:
        UsageError: It has no success rule.
    """
    if task.success is None:
        raise UsageError(
            f"{who} needs a success rule to measure {task.id!r} by, and it has none. "
            "Give one, for example --success 'position >= 0.45'; the fields are "
            f"{', '.join(item.name for item in task.fields)}."
        )


def prepare(
    config: EnvConfig, folder: Path | None = None, notify: Notify = lambda _: None
) -> Prepared:
    """Describe the environment and collect rollouts, or read both from ``folder``.

    Args:
        config: Which environment.
        folder: Where both are kept, so that a run that goes on uses the same ones.
        notify: Told in a sentence what is done and what is missing.
    """
    kept = _kept(config, folder)
    if kept is not None:
        return kept
    ref, task = describe(config, notify)
    for note in task.notes:
        notify(note)
    rollouts = tuple(gather(ref, task, config, notify))
    if folder is not None:
        with whole_file(folder / ROLLOUTS_FILE) as part:
            save_rollouts(part, rollouts)
        with whole_file(folder / TASK_FILE) as part:
            task.save(part)  # last: it says that the rollouts are there
    return Prepared(ref, task, rollouts)


def _kept(config: EnvConfig, folder: Path | None) -> Prepared | None:
    if folder is None or not (folder / TASK_FILE).exists():
        return None
    task = TaskSpec.load(folder / TASK_FILE)
    rollouts = load_rollouts(folder / ROLLOUTS_FILE, task)
    return Prepared(resolve(config.env, config.env_kwargs), task, tuple(rollouts))


def gather(
    ref: EnvRef, task: TaskSpec, config: EnvConfig, notify: Notify
) -> list[Rollout]:
    """Collect rollouts of simple policies and, where they can be had, successes."""
    seed = _SCREEN_SEED + config.seed
    with running(ref):
        env = ref.make()
    try:
        with running(ref):
            rollouts = collect_many(
                env, task, episodes=_EPISODES, seed=seed, max_steps=_MAX_STEPS
            )
        rollouts += _demonstrations(ref, task, config, notify)
        if task.success and not any(item.succeeded for item in rollouts):
            more = seed + len(rollouts)
            with running(ref):
                rollouts += collect_many(
                    env, task, policies=("held",), episodes=_MORE_HELD, seed=more
                )
    finally:
        env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
    wins = sum(item.succeeded for item in rollouts)
    if task.success:
        notify(
            f"{len(rollouts)} rollouts for checks and screening, {wins} with success."
        )
    return rollouts


def _demonstrations(
    ref: EnvRef, task: TaskSpec, config: EnvConfig, notify: Notify
) -> Sequence[Rollout]:
    if config.demonstrations is None:
        try:
            return ref.demonstrate(task, _SCREEN_SEED + config.seed)
        except NotAvailableError as missing:
            notify(f"No demonstrations for screening: {missing}")
            return ()
    path = Path(config.demonstrations)
    if path.suffix == ".npz" or path.exists():
        return load_rollouts(path, task)
    notify(f"Reading the Minari data set {config.demonstrations}.")
    return from_minari(config.demonstrations, task)


def check_program(
    program: RewardProgram, prepared: Prepared, mode: SandboxMode = "reduced"
) -> Report:
    """Return every finding about a program.

    Raises:
        ProgramMismatchError: It was written for other fields than the task has.
    """
    program.require_fit(prepared.task)
    return prepared.examiner(mode).examine(program)
