"""The description of a task: what may be read, what is to be done, when it is done."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from reward_synth.errors import TaskSpecError, did_you_mean
from reward_synth.task.data import (
    FLAG,
    MAPPING,
    MAPPINGS,
    NUMBER,
    NUMBERS,
    TEXT,
    TEXTS,
    WHOLE,
    WHOLES,
    Kind,
    optional,
    read_parts,
)
from reward_synth.task.field import ACTION, PREVIOUS, Field

_TASK = {
    "id": TEXT,
    "instruction": TEXT,
    "fields": MAPPINGS,
    "action": MAPPING,
    "success": optional(MAPPING),
    "sparse": FLAG,
    "ends_on_success": FLAG,
    "horizon": optional(WHOLE),
    "gamma": NUMBER,
    "dt": optional(NUMBER),
    "notes": TEXTS,
    "info_keys": TEXTS,
}
_SUCCESS = {"rule": TEXT, "words": TEXT}
_BOUNDS: dict[str, Kind] = dict.fromkeys(
    ("low", "high", "seen_low", "seen_high"), NUMBERS
)
_FLAGS: dict[str, Kind] = dict.fromkeys(("at_reset", "train_only"), FLAG)
_WORDS: dict[str, Kind] = dict.fromkeys(
    ("name", "dtype", "unit", "meaning", "source", "check"), TEXT
)
_FIELD = {"shape": WHOLES, **_WORDS, **_BOUNDS, **_FLAGS}


@dataclass(frozen=True, slots=True)
class Success:
    """When the task is done."""

    rule: str
    """``info.<key>``, or a comparison of fields and ``sparse_reward`` in the reward
    language, for example ``"position >= 0.45"``."""
    words: str = ""
    """The same for people and models."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What a proposer is told about a task; needs no simulator to be used."""

    id: str
    """For example ``ManiSkill/PickCube-v1`` or ``Hopper-v5``."""
    instruction: str
    """What is to be done, in words."""
    fields: tuple[Field, ...]
    action: Field
    """The action; ``source`` is not used."""
    success: Success | None = None
    sparse: bool = False
    """True if the environment's own reward is sparse."""
    ends_on_success: bool = False
    """True if success terminates the episode."""
    horizon: int | None = None
    """Steps after which the episode is truncated."""
    gamma: float = 0.99
    """Discount with which agents are trained on this task."""
    dt: float | None = None
    """Seconds a step."""
    notes: tuple[str, ...] = ()
    """What was assumed, skipped or defaulted while describing."""
    info_keys: tuple[str, ...] = field(default=())
    """Keys of ``info``, described but withheld from programs unless allowed."""

    def __post_init__(self) -> None:
        """Refuse what no reward could be written for."""
        names = [item.name for item in self.fields]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise TaskSpecError(f"Task {self.id!r} names fields twice: {double}.")
        if not self.fields:
            raise TaskSpecError(f"Task {self.id!r} has no fields to compute from.")
        if ACTION in names:
            raise TaskSpecError(
                f"Task {self.id!r}: {ACTION!r} is the action's own name."
            )
        if not 0.0 < self.gamma <= 1.0:
            raise TaskSpecError(f"gamma must lie in (0, 1], received {self.gamma}.")
        if self.horizon is not None and self.horizon < 1:
            raise TaskSpecError(f"horizon must be at least 1, received {self.horizon}.")

    def field(self, name: str) -> Field:
        """Return the field of that name.

        Raises:
            TaskSpecError: There is none; the nearest names are given.
        """
        for item in self.fields:
            if item.name == name:
                return item
        known = [item.name for item in self.fields]
        raise TaskSpecError(
            f"Task {self.id!r} has no field {name!r}.{did_you_mean(name, known)}"
        )

    @property
    def parameters(self) -> dict[str, Field]:
        """Every name that ``compute_reward`` may take, with its field.

        Example:
            >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (2,)))
            >>> list(task.parameters)
            ['x', 'prev_x', 'action']
        """
        table: dict[str, Field] = {}
        for item in self.fields:
            table[item.name] = item
            if item.at_reset:
                table[PREVIOUS + item.name] = item
        return table | {ACTION: self.action}

    @property
    def digest(self) -> str:
        """Content identity, independent of the order of keys."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data; :meth:`from_dict` takes it back."""
        data = asdict(self)
        data["fields"] = [_slim(item) for item in self.fields]
        data["action"] = _slim(self.action)
        plain: dict[str, Any] = _plain(data)
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TaskSpec:
        """Build a task from data such as :meth:`to_dict` gives.

        Raises:
            TaskSpecError: A key is unknown or missing, or a value does not fit.
        """
        parts = read_parts(data, cls, _TASK, "task")
        parts["fields"] = tuple(_field(item) for item in parts["fields"])
        parts["action"] = _field(parts["action"])
        success = parts.get("success")
        if success is not None:
            parts["success"] = (
                Success(**read_parts(success, Success, _SUCCESS, "success rule"))
                if success
                else None
            )
        return cls(**parts)

    def save(self, path: str | Path) -> None:
        """Write the task as JSON, to be read and edited by people.

        Raises:
            TaskSpecError: The name does not end in ``.json``.
        """
        path = Path(path)
        if path.suffix.lower() != ".json":
            raise TaskSpecError(
                f"{path}: a task is saved as JSON; give a name that ends in .json, for "
                f"example {path.with_suffix('.json') if path.name else 'task.json'}."
            )
        path.write_text(json.dumps(self.to_dict(), indent=2) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> TaskSpec:
        """Read a task from a ``.json`` or ``.toml`` file.

        Raises:
            TaskSpecError: The file is missing, does not parse, or does not fit.
        """
        path = Path(path)
        try:
            text = path.read_text()
            data = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        except (OSError, ValueError, RecursionError) as cause:
            raise TaskSpecError(f"Cannot read the task file {path}: {cause}") from cause
        if not isinstance(data, dict):
            raise TaskSpecError(
                f"{path} must hold one object, not {type(data).__name__}."
            )
        return cls.from_dict(data)

    def with_success(self, rule: str) -> TaskSpec:
        """Return the task with another success rule."""
        return replace(self, success=Success(rule, f"success when {rule}"))


def _slim(item: Field) -> dict[str, Any]:
    """Leave out what has its default, so that people find what matters."""
    defaults = {spec.name: spec.default for spec in fields(Field)}
    data = asdict(item)
    keep = {key: value for key, value in data.items() if value != defaults[key]}
    return {"name": item.name, "source": item.source} | keep


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity; float("inf") reads it back
    return value


def _field(data: Mapping[str, Any]) -> Field:
    return Field(**read_parts(data, Field, _FIELD, f"field {data.get('name', '?')!r}"))
