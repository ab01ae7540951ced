"""Names for the things of generated tasks."""

from __future__ import annotations

import numpy as np

from reward_synth.errors import UsageError

_FIRST = (
    "amber", "birch", "cedar", "coral", "copper", "dusty", "early", "fern", "golden",
    "hazel", "indigo", "ivory", "jade", "linen", "maple", "north", "olive", "pearl",
    "quiet", "river", "silver", "tidal", "velvet", "winter",
)  # fmt: skip
_SECOND = (
    "anchor", "basket", "bridge", "candle", "cellar", "dial", "engine", "field", "garden",
    "harbour", "island", "kettle", "ladder", "lantern", "market", "mill", "mirror",
    "needle", "orchard", "pillow", "quarry", "ribbon", "saddle", "table", "tower",
)  # fmt: skip
MOST = len(_FIRST) * len(_SECOND)
"""Names that there are."""


def names(rng: np.random.Generator, count: int) -> list[str]:
    """Draw different names of two words.

    Raises:
        UsageError: There are not so many.

    Example:
        >>> names(np.random.default_rng(0), 2)
        ['dusty ribbon', 'velvet mill']
    """
    if count > MOST:
        raise UsageError(f"There are {MOST} names, but {count} are asked for.")
    drawn = rng.choice(MOST, count, replace=False)
    return [f"{_FIRST[i % len(_FIRST)]} {_SECOND[i // len(_FIRST)]}" for i in drawn]


def numbers(rng: np.random.Generator, letter: str, count: int) -> list[str]:
    """Draw different numbers of things, such as ``E417``.

    Example:
        >>> numbers(np.random.default_rng(0), "E", 2)
        ['E864', 'E673']
    """
    drawn = rng.choice(9 * 10 ** max(2, len(str(count))), count, replace=False)
    return [f"{letter}{10 ** max(2, len(str(count))) + int(i)}" for i in drawn]
