"""What is written: typed rows, as canonical JSON."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np

from reward_synth.errors import RewardSynthError


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """One proposal of a program; the same program may be proposed several times.

    Example:
        >>> ProgramRow("c0ffee", "def compute_reward(x): ...", "mutate").parents
        ()
    """

    digest: str
    """Identity of the program."""
    source: str
    """Its text, as it was proposed."""
    proposer: str
    """Who proposed it: ``model``, ``grammar``, a variation …"""
    model: str = ""
    """The language model's name; empty if none was asked."""
    request: str = ""
    """Digest of the request whose completion holds the program; empty if none."""
    parents: tuple[str, ...] = ()
    """Digests of the programs that it was made from."""


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One finished training or evaluation; a killed one leaves no row.

    Example:
        >>> TrialRow("c0ffee-ppo-0", "dense", 0, {"steps": 1000}, "ok").result
        {}
    """

    key: str
    """Identity, made from what defines the trial, never from time or order."""
    arm: str
    """What is compared: ``sparse``, ``dense``, a program's digest …"""
    seed: int
    config: Mapping[str, Any]
    """Everything that the result depends on, for JSON."""
    status: str
    """``ok``, or in a word what went wrong."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """Measured values, for JSON."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something skipped, replaced or defaulted, told to the user once."""

    kind: str
    """One word: ``skipped``, ``replaced``, ``defaulted`` …"""
    text: str
    """One sentence that names what it is about."""


def to_json(value: object) -> str:
    """Return canonical ASCII JSON: equal contents give equal text.

    NaN and infinities are kept as Python writes and reads them: a trial that ended
    with NaN is a result too.

    Raises:
        RewardSynthError: If a part of ``value`` has no JSON form.

    Example:
        >>> to_json({"b": np.float32(0.5), "a": (1, 2)})
        '{"a":[1,2],"b":0.5}'
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as cause:
        raise RewardSynthError(
            f"A value of type {type(value).__name__} cannot be stored as JSON: "
            f"{cause}. Store numbers, strings, lists and dicts with string keys."
        ) from cause


def short_digest(text: str) -> str:
    """Return 16 hexadecimal digits that stand for ``text`` in a key.

    Example:
        >>> short_digest("a")
        'ca978112ca1bbdca'
    """
    data = text.encode(errors="surrogatepass")
    return hashlib.sha256(data).hexdigest()[:16]


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{value!r} has no JSON form")
