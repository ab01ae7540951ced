"""Rollouts from files: our own ``.npz``, and Minari data sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from reward_synth.errors import (
    FieldMismatchError,
    MissingExtraError,
    NotAvailableError,
    UsageError,
)
from reward_synth.language.success import SuccessTest
from reward_synth.reward import Array, Fields, Rollout, Step
from reward_synth.task import FieldReader, Source, TaskSpec

NO_SEED = -1
"""Seed of a rollout whose reset was not recorded."""
FIELDS_NAMED = "reward_synth_fields_named"
"""In a data set's metadata: observations are fields by name, as rollouts hold them."""
_PER_STEP = ("action", "sparse", "terminated", "truncated", "valid")


def save_rollouts(path: str | Path, rollouts: Sequence[Rollout]) -> None:
    """Write rollouts of one task as ``.npz``, without pickle.

    The file holds, for all episodes behind one another, ``before.<field>``,
    ``after.<field>``, ``action``, ``sparse``, ``terminated``, ``truncated``, ``valid``
    and, if judged, ``success``; and for each episode ``length``, ``seed``, ``policy``.

    Raises:
        UsageError: There are none, or only some are judged by a success rule.
    """
    if not rollouts:
        raise UsageError("There are no rollouts to save; give at least one.")
    judged = {rollout.success is not None for rollout in rollouts}
    if len(judged) > 1:
        raise UsageError(
            "Either all rollouts or none must be judged by a success rule."
        )
    data: dict[str, Array] = {
        "length": np.array([len(rollout) for rollout in rollouts]),
        "seed": np.array([rollout.seed for rollout in rollouts]),
        "policy": np.array([rollout.policy for rollout in rollouts]),
    }
    for key in _arrays(rollouts[0]):
        data[key] = np.concatenate([_arrays(rollout)[key] for rollout in rollouts])
    with Path(path).open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **data)


def _arrays(rollout: Rollout) -> dict[str, Array]:
    steps = rollout.steps
    data = {f"before.{name}": value for name, value in steps.before.items()}
    data |= {f"after.{name}": value for name, value in steps.after.items()}
    data |= {name: getattr(steps, name) for name in _PER_STEP}
    return data if rollout.success is None else data | {"success": rollout.success}


def load_rollouts(path: str | Path, task: TaskSpec) -> list[Rollout]:
    """Read rollouts that :func:`save_rollouts` wrote, or that a user recorded so.

    Args:
        path: The ``.npz`` file.
        task: What the file must fit: its fields by name and shape, and its action.

    Raises:
        UsageError: The file cannot be read.
        FieldMismatchError: It lacks a field, or holds one of another shape.
    """
    try:
        with np.load(Path(path), allow_pickle=False) as file:
            data = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, BadZipFile) as cause:
        raise UsageError(f"Cannot read rollouts from {path}: {cause}") from cause
    _check(data, task, path)
    ends = np.cumsum(data["length"])
    return [
        _rollout(data, index, slice(int(end - data["length"][index]), int(end)), task)
        for index, end in enumerate(ends)
    ]


def _check(data: Mapping[str, Array], task: TaskSpec, path: str | Path) -> None:
    """Compare the file's arrays with what the task needs."""
    shapes: dict[str, tuple[int, ...]] = {"action": task.action.shape}
    shapes |= {f"after.{item.name}": item.shape for item in task.fields}
    shapes |= {f"before.{i.name}": i.shape for i in task.fields if i.at_reset}
    shapes |= dict.fromkeys(("sparse", "terminated", "truncated"), ())
    missing = sorted((shapes.keys() | {"length"}) - data.keys())
    if missing:
        raise FieldMismatchError(
            f"{path} lacks {', '.join(missing)}; it holds {', '.join(sorted(data))}. "
            f"Record every field of {task.id!r}, as save_rollouts does."
        )
    steps = int(data["length"].sum())
    for key in data.keys() & {"valid", "success"}:
        shapes[key] = ()
    for key, shape in shapes.items():
        if data[key].shape != (steps, *shape):
            raise FieldMismatchError(
                f"{path}: {key!r} has shape {data[key].shape}; expected "
                f"{(steps, *shape)}, that is {steps} steps of {task.id!r}."
            )


def _rollout(
    data: Mapping[str, Array], index: int, part: slice, task: TaskSpec
) -> Rollout:
    names = [item.name for item in task.fields]
    early = [item.name for item in task.fields if item.at_reset]
    count = part.stop - part.start
    steps = Step(
        before={name: data[f"before.{name}"][part] for name in early},
        action=data["action"][part],
        after={name: data[f"after.{name}"][part] for name in names},
        sparse=data["sparse"][part].astype(np.float64),
        terminated=data["terminated"][part].astype(np.bool_),
        truncated=data["truncated"][part].astype(np.bool_),
        valid=data["valid"][part] if "valid" in data else np.ones(count, np.bool_),
    )
    return Rollout(
        policy=str(data["policy"][index]) if "policy" in data else "recorded",
        seed=int(data["seed"][index]) if "seed" in data else NO_SEED,
        steps=steps,
        success=data["success"][part].astype(np.bool_) if "success" in data else None,
    )


def from_minari(
    dataset: Any, task: TaskSpec, *, names: Iterable[str] | None = None
) -> list[Rollout]:
    """Read the episodes of a Minari data set as rollouts.

    Success is judged where the rule needs only what the data set holds.

    Args:
        dataset: A ``minari.MinariDataset``, or the id of a local one.
        task: The task that it was recorded on.
        names: The fields to read; all by default.

    Raises:
        MissingExtraError: Minari is not installed, and an id was given.
        NotAvailableError: The data set of this id is not on this machine.
        FieldMismatchError: A field does not come from the observation.
    """
    chosen = {item.name for item in task.fields} if names is None else set(names)
    data = open_minari(dataset) if isinstance(dataset, str) else dataset
    storage = getattr(data, "storage", None)
    if storage is not None and storage.metadata.get(FIELDS_NAMED):
        return [_named_episode(e, task, chosen) for e in data.iterate_episodes()]
    lost = [
        item.name
        for item in task.fields
        if item.name in chosen and Source.parse(item.source).kind != "obs"
    ]
    if lost:
        raise FieldMismatchError(
            f"A data set holds observations only, so {', '.join(lost)} of {task.id!r} "
            "cannot be read. Leave them out with names=..., or record rollouts from "
            "the environment."
        )
    return [_episode(episode, task, chosen) for episode in data.iterate_episodes()]


def open_minari(dataset: Any) -> Any:
    """Return a Minari data set given as such, or by the id of a local one.

    Raises:
        MissingExtraError: Minari is not installed, and an id was given.
        NotAvailableError: The data set of this id is not on this machine.
    """
    if not isinstance(dataset, str):
        return dataset
    try:
        import minari  # noqa: PLC0415 - an extra
    except ImportError as cause:
        raise MissingExtraError("minari", "data") from cause
    try:
        return minari.load_dataset(dataset)
    except FileNotFoundError as cause:
        raise NotAvailableError(
            f"There is no Minari data set {dataset!r} on this machine. Get it with: "
            f"minari download {dataset}"
        ) from cause


def _episode(episode: Any, task: TaskSpec, names: set[str]) -> Rollout:
    slim = replace(
        task, fields=tuple(replace(item, check="") for item in task.fields)
    )  # the second places are in a simulator that is not here
    reader = FieldReader(slim, None, names)
    rows = [
        reader.read(_at(episode.observations, t), {}) for t in range(len(episode) + 1)
    ]
    table = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    return _of_table(episode, task, table, set(table))


def _named_episode(episode: Any, task: TaskSpec, names: set[str]) -> Rollout:
    """Read an episode whose observations are fields by name."""
    missing = sorted(names - set(episode.observations))
    if missing:
        raise FieldMismatchError(
            f"The data set lacks {', '.join(missing)} of {task.id!r}; it holds "
            f"{', '.join(sorted(episode.observations))}. Leave them out with names=..."
        )
    table = {name: np.asarray(episode.observations[name]) for name in names}
    early = {item.name for item in task.fields if item.at_reset}
    return _of_table(episode, task, table, early & names)


def _of_table(episode: Any, task: TaskSpec, table: Fields, early: set[str]) -> Rollout:
    """Return a rollout of fields that have one row more than there are steps."""
    sparse = np.asarray(episode.rewards, np.float64)
    after = {name: values[1:] for name, values in table.items()}
    steps = Step(
        before={name: values[:-1] for name, values in table.items() if name in early},
        action=np.asarray(episode.actions),
        after=after,
        sparse=sparse,
        terminated=np.asarray(episode.terminations, np.bool_),
        truncated=np.asarray(episode.truncations, np.bool_),
        valid=np.ones(len(sparse), np.bool_),
    )
    success = _judge(task, after, episode.infos, sparse)
    return Rollout("demonstration", NO_SEED, steps, success)


def _at(stacked: Any, index: int) -> Any:
    """Return entry ``index`` of arrays that may lie in nested dicts."""
    if isinstance(stacked, Mapping):
        return {key: _at(value, index) for key, value in stacked.items()}
    return stacked[index]


def _judge(
    task: TaskSpec, after: Fields, infos: Any, sparse: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_] | None:
    if task.success is None:
        return None
    test = SuccessTest(task)
    info_rule = Source.parse(test.rule) if test.rule.startswith("info.") else None
    known = info_rule.path[0] in (infos or {}) if info_rule else True
    if not known or not set(test.names) <= after.keys():
        return None
    rows = range(len(sparse))
    return np.array(
        [
            test(
                {name: values[t : t + 1] for name, values in after.items()},
                _at(infos, t + 1) if info_rule else {},
                float(sparse[t]),
            )
            for t in rows
        ]
    )
