"""Comparing the configuration asked for with the one that a run has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reward_synth.store.rows import to_json

_ABSENT = "(absent)"
_LONGEST = 120


def differences(asked: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """Return one line for each key whose values differ, by name.

    Example:
        >>> differences({"search": {"rounds": 5}}, {"search": {"rounds": 8}, "seed": 1})
        ['search.rounds: 5 asked, 8 in the run', 'seed: (absent) asked, 1 in the run']
    """
    ours, theirs = _flat(json.loads(to_json(asked))), _flat(stored)
    return [
        f"{key}: {_shown(ours, key)} asked, {_shown(theirs, key)} in the run"
        for key in sorted(ours.keys() | theirs.keys())
        if _shown(ours, key, None) != _shown(theirs, key, None)
    ]


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _shown(flat: Mapping[str, Any], key: str, limit: int | None = _LONGEST) -> str:
    return to_json(flat[key])[:limit] if key in flat else _ABSENT
