"""What a screen of NetHack says, read from NLE's arrays; needs no NLE.

The old language wrapper of NLE does not work from NLE 1.0 on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reward_synth.errors import UsageError

_HUNGER = ("satiated", "", "hungry", "weak", "fainting", "fainted", "starved")
_BURDEN = ("", "burdened", "stressed", "strained", "overtaxed", "overloaded")
_AILS = {
    1: "stoning",
    2: "slimed",
    4: "strangled",
    8: "food poisoned",
    16: "terminally ill",
    32: "blind",
    64: "deaf",
    128: "stunned",
    256: "confused",
    512: "hallucinating",
    1024: "levitating",
    2048: "flying",
    4096: "riding",
}
"""Bits of the condition, as in NetHack's ``botl.h``."""
_SYMBOLS = {
    "<": "staircase up",
    ">": "staircase down",
    "_": "altar or chain",
    "{": "fountain or sink",
    "}": "water or lava",
    "+": "door or spellbook",
    "^": "trap",
    ")": "weapon",
    "[": "armour",
    "=": "ring",
    '"': "amulet or web",
    "(": "tool",
    "%": "food",
    "!": "potion",
    "?": "scroll",
    "/": "wand",
    "$": "gold",
    "*": "gem or rock",
    "`": "boulder or statue",
    "0": "iron ball",
}
_GROUND = frozenset(" .#|-@")


def message(obs: Mapping[str, Any]) -> str:
    """Return the message line.

    Raises:
        UsageError: The observation has no message.

    Example:
        >>> message({"message": np.frombuffer(b"Hello!" + bytes(2), np.uint8)})
        'Hello!'
    """
    return _text(_array(obs, "message"))


def status(obs: Mapping[str, Any]) -> str:
    """Return the bottom line in words.

    Raises:
        UsageError: The observation has no ``blstats``.

    Example:
        >>> stats = np.zeros(27, np.int64); stats[[10, 11, 12, 18, 21]] = 9, 12, 2, 1, 2
        >>> status({"blstats": stats})
        'HP 9/12, level 1, depth 2, armour class 0, gold 0, hungry'
    """
    stats = [int(value) for value in _array(obs, "blstats")]
    parts = [
        f"HP {stats[10]}/{stats[11]}",
        f"level {stats[18]}",
        f"depth {stats[12]}",
        f"armour class {stats[16]}",
        f"gold {stats[13]}",
        _at(_HUNGER, stats[21]),
        _at(_BURDEN, stats[22]),
        *(name for bit, name in _AILS.items() if stats[25] & bit),
    ]
    return ", ".join(part for part in parts if part)


def inventory(obs: Mapping[str, Any]) -> str:
    """Return what the hero carries; empty without the inventory's arrays.

    Example:
        >>> strs = np.zeros((2, 9), np.uint8); strs[0, :5] = list(b"a key")
        >>> inventory({"inv_strs": strs, "inv_letters": np.array([ord("k"), 0])})
        'carrying k: a key'
    """
    if "inv_strs" not in obs or "inv_letters" not in obs:
        return ""
    letters = _array(obs, "inv_letters")
    items = [
        f"{chr(int(letter))}: {_text(row)}"
        for letter, row in zip(letters, _array(obs, "inv_strs"), strict=True)
        if letter
    ]
    return f"carrying {', '.join(items)}" if items else ""


def surroundings(obs: Mapping[str, Any], most: int = 8) -> str:
    """Return what stands around the hero, nearest first.

    Names come from ``screen_descriptions``, else from the characters of the map.

    Args:
        obs: With ``chars`` and ``blstats``.
        most: Things that are told.

    Example:
        >>> chars = np.full((21, 79), ord(" "), np.uint8); chars[5, 9] = ord(">")
        >>> stats = np.zeros(27, np.int64); stats[:2] = 7, 6
        >>> surroundings({"chars": chars, "blstats": stats})
        'staircase down 2 east 1 north'
    """
    stats = _array(obs, "blstats")
    hero = int(stats[0]), int(stats[1])
    things = sorted(_things(obs, hero))
    return ", ".join(f"{name} {place}" for _, place, name in things[:most])


def _things(
    obs: Mapping[str, Any], hero: tuple[int, int]
) -> Iterator[tuple[int, str, str]]:
    chars = _array(obs, "chars")
    for row, column in zip(*np.nonzero(_seen(chars)), strict=True):
        right, down = int(column) - hero[0], int(row) - hero[1]
        if right or down:
            yield (
                max(abs(right), abs(down)),
                _place(right, down),
                _name(obs, row, column),
            )


def _seen(chars: Any) -> Any:
    return ~np.isin(chars, [ord(symbol) for symbol in _GROUND])


def _place(right: int, down: int) -> str:
    across = f"{abs(right)} {'east' if right > 0 else 'west'}" if right else ""
    along = f"{abs(down)} {'south' if down > 0 else 'north'}" if down else ""
    return " ".join(part for part in (across, along) if part)


def _name(obs: Mapping[str, Any], row: int, column: int) -> str:
    if "screen_descriptions" in obs:
        described = _text(obs["screen_descriptions"][row, column])
        if described:
            return described
    symbol = chr(int(obs["chars"][row, column]))
    return _SYMBOLS.get(symbol, f"creature {symbol}")


def _at(words: tuple[str, ...], number: int) -> str:
    return words[number] if 0 <= number < len(words) else ""


def _text(codes: Any) -> str:
    raw: bytes = np.asarray(codes).astype(np.uint8, copy=False).tobytes()
    return raw.partition(b"\0")[0].decode("latin-1").strip()


def _array(obs: Mapping[str, Any], name: str) -> Any:
    if not isinstance(obs, Mapping) or name not in obs:
        known = ", ".join(obs) if isinstance(obs, Mapping) else "no keys"
        raise UsageError(
            f"The observation has no {name!r}; it has {known}. Make the environment "
            f"with {name!r} among its observation_keys."
        )
    return obs[name]
