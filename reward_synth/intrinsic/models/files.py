"""Keeps reward models in files, with what they answer and what they learned from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from reward_synth.errors import RunConflictError, UsageError
from reward_synth.intrinsic.annotation.ledger import difference
from reward_synth.intrinsic.bonuses.protocol import State
from reward_synth.intrinsic.models.classification import ClassificationModel
from reward_synth.intrinsic.models.inputs import ENCODERS
from reward_synth.intrinsic.models.protocol import Question, RewardModel
from reward_synth.intrinsic.models.ranking import RankingModel
from reward_synth.intrinsic.models.retrieval import RetrievalModel

_FORMAT = "reward_synth.intrinsic/1"
_META = "reward_synth"
_KINDS: Mapping[str, Any] = {
    item.kind: item for item in (RetrievalModel, ClassificationModel, RankingModel)
}


@dataclass(frozen=True, slots=True)
class About:
    """What the head of a model's file says."""

    kind: str
    settings: Mapping[str, Any]
    question: Question | None
    """What the labels it learned from answer."""
    prompt: str
    """Digest of the question."""
    model: str
    """Digest of the numbers."""
    data: str
    """Digest of the captions and labels that it learned from."""


def save_model(model: RewardModel, path: str | Path) -> About:
    """Write a model as safetensors: names, shapes and numbers, nothing that runs.

    A reader sees the whole file or none.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "model.safetensors"
        >>> save_model(RetrievalModel(), file).kind
        'retrieval'
        >>> load_model(file, None).kind
        'retrieval'
    """
    state = {name: np.ascontiguousarray(v) for name, v in model.state().items()}
    told: dict[str, Any] = {
        "kind": model.kind,
        "settings": model.settings(),
        "question": None if model.question is None else dict(model.question),
        "prompt": question_digest(model.question),
        "model": _digest(state),
        "data": model.data(),
    }
    head = {_META: json.dumps({"format": _FORMAT, **told})}
    fresh = Path(path).with_suffix(".tmp")
    fresh.write_bytes(safetensors.numpy.save(state, head))
    os.replace(fresh, path)
    return About(**told)


def about_model(path: str | Path) -> About:
    """Read the head of a model's file.

    Raises:
        UsageError: It is no such file.
    """
    return _read(path)[0]


def read_model(path: str | Path) -> tuple[About, State]:
    """Read head and numbers of a model's file.

    Raises:
        UsageError: It is no such file, or its numbers were changed.
    """
    return _read(path)


def load_model(path: str | Path, question: Question | None) -> RewardModel:
    """Read what :func:`save_model` wrote.

    Args:
        path: The file.
        question: What labels answer that the model will be used with, see
            :func:`~reward_synth.intrinsic.models.question_of`; None: none will be.

    Raises:
        UsageError: It is no such file, or its numbers were changed.
        RunConflictError: It learned from answers to another question.
    """
    about, state = _read(path)
    require_same(about.question, question, str(path))
    model: RewardModel = _made(about)
    try:
        model.load(state)
    except (KeyError, ValueError, RuntimeError) as cause:
        raise UsageError(f"{path} is no reward model: {cause!r}.") from cause
    model.question = about.question
    return model


def require_same(known: Question | None, given: Question | None, what: str) -> None:
    """Refuse to mix labels of two questions.

    Raises:
        RunConflictError: They differ.

    Example:
        >>> require_same({"goal": "win"}, {"goal": "live"}, "The model")
        Traceback (most recent call last):
        ...
        reward_synth.errors.RunConflictError: The model has learned from answers to \
another question: goal is 'win' there and 'live' here. Labels are never mixed; begin a \
new model.
    """
    if known is None or given is None or _plain(known) == _plain(given):
        return
    raise RunConflictError(
        f"{what} has learned from answers to another question: "
        f"{difference(known, given)}. Labels are never mixed; begin a new model."
    )


def question_digest(question: Question | None) -> str:
    """Return a digest of a question; empty if there is none.

    Example:
        >>> question_digest({"a": 1, "b": 2}) == question_digest({"b": 2, "a": 1})
        True
    """
    if question is None:
        return ""
    return hashlib.sha256(_plain(question).encode()).hexdigest()


def _plain(question: Question) -> str:
    return json.dumps(question, sort_keys=True)


def _digest(state: State) -> str:
    told = hashlib.sha256()
    for name in sorted(state):
        value = state[name]
        told.update(f"{name} {value.dtype} {value.shape}\n".encode() + value.tobytes())
    return told.hexdigest()


def _read(path: str | Path) -> tuple[About, State]:
    try:
        with safetensors.safe_open(str(path), framework="numpy") as file:
            head = json.loads((file.metadata() or {})[_META])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if head.pop("format", None) != _FORMAT:
            raise ValueError(f"its format is not {_FORMAT!r}")
        about = About(**head)
    except FileNotFoundError as cause:
        raise UsageError(f"There is no file {path}.") from cause
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        safetensors.SafetensorError,
    ) as bad:
        raise UsageError(f"{path} is no reward model: {bad!r}.") from bad
    if _digest(state) != about.model:
        raise UsageError(
            f"{path} was changed after it was written; its digest differs."
        )
    return about, state


def _made(about: About) -> Any:
    given = dict(about.settings)
    if about.kind not in _KINDS:
        raise UsageError(
            f"There is no reward model {about.kind!r} that reads captions; a model of "
            "frames is read by load_frame_model, with its encoder."
        )
    if "encoder" in given:
        encoder = ENCODERS[given.pop("encoder")](**given.pop("reads"))
        return _KINDS[about.kind](encoder, **given)
    return _KINDS[about.kind](**given)
