"""New rewards for stored transitions: Stable-Baselines3 buffers and Minari data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reward_synth.api.buffers import Actions, read_stored
from reward_synth.api.scores import Relabelled, Scores
from reward_synth.combine import POTENTIAL, make_combiner
from reward_synth.envs import describe_any, resolve
from reward_synth.errors import UsageError
from reward_synth.kernels import Population
from reward_synth.kernels.emit import DType
from reward_synth.language import FunctionIR
from reward_synth.program import RewardProgram
from reward_synth.task import TaskSpec
from reward_synth.wrappers.sources import (
    as_reward,
    checked_discount,
    program_function,
    refuse_potential,
)
from reward_synth.wrappers.sparse import as_task

Given = RewardProgram | str | Path


def relabel(
    buffer: Any,
    programs: Given | Sequence[Given],
    *,
    task: TaskSpec | Mapping[str, Any] | str | Path | None = None,
    combine: str = "replace",
    gamma: float | None = None,
    weight: float = 1.0,
    dtype: DType = "float32",
    components: bool = False,
    missing: Literal["refuse", "keep"] = "refuse",
    actions: Actions = "learner",
    inplace: bool = False,
) -> Relabelled:
    r"""Score stored transitions with one or many programs, in one pass.

    Steps score as :func:`reward_synth.wrap` scores them. One whose new reward is not
    finite counts as 0 beside the stored reward, with a warning.

    Args:
        buffer: A ``ReplayBuffer`` or ``RolloutBuffer`` of Stable-Baselines3 (also with
            dict observations), of which the filled part is read; or a Minari data set
            or its id. Observations are read as they are stored: a buffer filled
            through ``VecNormalize`` may hold normalised ones.
        programs: Programs, their files or their texts; or one of these.
        task: What the programs' parameters mean: a description, its JSON data or its
            file. By default the environment that the first program names is described.
        combine: ``replace`` (the stored reward), ``add`` (to it) or ``potential``
            (shaping by ``compute_potential``, which is 0 at terminated states).
        gamma: The learner's discount, for ``potential``; by default the task's.
        weight: Factor of the new part under ``add`` and ``potential``.
        dtype: The type to compute in, and of the result.
        components: Return each program's components too.
        missing: What to do with steps whose next state is not stored: the last one of
            each episode, and of the buffer, in rollout buffers and in replay buffers
            with ``optimize_memory_usage``. ``refuse``, or ``keep`` their stored
            reward. Programs that read ``prev_`` fields and the action alone miss none.
        actions: What a buffer's actions are. Learners store the policy's own: scaled
            to [-1, 1] in replay buffers, not yet clipped in rollout buffers; they are
            turned into what the environment received. ``env``: they are that already.
        inplace: Also write the rewards into a buffer, for a single program. A rollout
            buffer's advantages must be computed again afterwards.

    Raises:
        UsageError: An argument does not fit the buffer.
        FieldMismatchError: A field is not part of the stored observations.
        ProgramError: A program cannot be used.

    Example:
        >>> from types import SimpleNamespace
        >>> import numpy as np
        >>> from reward_synth.task import Field
        >>> x = np.array([[[0.0]], [[1.0]], [[3.0]], [[6.0]]])
        >>> buffer = SimpleNamespace(observations=x[:-1], next_observations=x[1:],
        ...     actions=np.zeros((3, 1, 1)), rewards=np.ones((3, 1)),
        ...     dones=np.zeros((3, 1)), timeouts=np.zeros((3, 1)), pos=0, full=True)
        >>> task = TaskSpec("T", "go", (Field("x", source="obs[0]"),), Field("action"))
        >>> text = "def compute_reward(x, prev_x):\n    return {'gain': x - prev_x}"
        >>> relabel(buffer, text, task=task)[0].ravel()
        array([1., 2., 3.], dtype=float32)
    """
    given: list[Any] = (
        list(programs) if isinstance(programs, (list, tuple)) else [programs]
    )
    sources = [as_reward(program) for program in given]
    spec = _described(task, sources)
    discount = checked_discount(spec.gamma if gamma is None else gamma, weight)
    make_combiner(combine, gamma=discount, weight=weight)  # refuses unknown names
    _require_known("combine", combine, ("replace", "add", POTENTIAL))
    functions = [_function(item, spec, combine) for item in sources]
    if inplace:
        _require_writable(buffer, len(functions))
    _require_known("missing", missing, ("refuse", "keep"))
    _require_known("actions", actions, ("learner", "env"))
    stored = read_stored(buffer, actions)
    scores = Scores(stored, Population(functions, dtype), spec, missing)
    if combine == POTENTIAL:
        result = scores.shaped(discount, weight, components=components)
    else:
        result = scores.scored(combine, weight, components=components)
    if inplace:
        buffer.rewards[: len(stored.rewards)] = result[0]
    return result


def _described(task: Any, programs: Sequence[Any]) -> TaskSpec:
    if isinstance(task, (str, Path)):
        return TaskSpec.load(task)
    if task is not None:
        return as_task(task)
    name = getattr(programs[0], "task_id", "") if programs else ""
    if not name:
        raise UsageError(
            "The program does not name its task, so its parameters are unknown. Give "
            "task=..., for example the task.json of its run."
        )
    with closing(resolve(name).make()) as env:
        return describe_any(env, rollouts=0)


def _function(reward: Any, task: TaskSpec, combine: str) -> FunctionIR:
    if isinstance(reward, RewardProgram):
        return program_function(reward, task, potential=combine == POTENTIAL)
    if combine == POTENTIAL:
        refuse_potential(reward)
    raise UsageError(
        f"Only reward programs can score stored transitions; {reward!r} is a function. "
        "Write it as a program with compute_reward."
    )


def _require_known(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{name}={value!r} is not one of {', '.join(known)}.")


def _require_writable(buffer: Any, programs: int) -> None:
    name = type(buffer).__name__
    if programs != 1:
        raise UsageError(f"inplace=True takes one program, received {programs}.")
    if hasattr(buffer, "goal_selection_strategy"):
        raise UsageError(
            f"{name} computes the rewards of relabelled goals anew when it is sampled, "
            "so writing the stored ones is not enough. Wrap its environment instead."
        )
    if not isinstance(getattr(buffer, "rewards", None), np.ndarray):
        raise UsageError(
            f"{name} cannot be written to. Leave out inplace=True and use the result."
        )
