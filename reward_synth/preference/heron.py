"""Preferences from ranked factors: the first that tells two apart decides.

After HERON (Bukharin et al., "Deep Reinforcement Learning from Hierarchical Preference
Design", arXiv 2309.02632).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reward_synth.errors import UsageError
from reward_synth.preference.features import Values
from reward_synth.preference.segments import TIE, Pairs, random_pairs


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that matters.

    Example:
        >>> Factor("energy", sign=-1)
        Factor(name='energy', margin=0.0, sign=-1)
    """

    name: str
    margin: float = 0.0
    """Differences of at most so many standard deviations leave the choice to the next
    factor."""
    sign: Literal[1, -1] = 1
    """1: more is better; -1: less is."""


def ranked_preference(first: Values, second: Values, margins: Values) -> Values:
    """Tell which of two is preferred, level by level.

    Args:
        first: Factors from the most to the least important, shape ``(P, F)``.
        second: Likewise.
        margins: By how much a factor must differ to decide, shape ``(F,)``.

    Returns:
        1 where the first is preferred, 0 the second, ½ where no factor decides.

    Example:
        >>> ranked_preference(np.array([[1.0, 0.0]]), np.array([[1.1, -3.0]]),
        ...                   np.array([0.5, 0.0]))
        array([1.])
    """
    gap = first - second
    decides = np.abs(gap) > margins
    level = np.argmax(decides, 1)
    rows = np.arange(len(gap))
    told = np.where(gap[rows, level] > 0, 1.0, 0.0)
    return np.where(decides[rows, level], told, TIE)


def heron_pairs(
    factors: Values,
    ranked: Sequence[Factor],
    rng: np.random.Generator,
    *,
    partners: int = 1,
    keep_ties: bool = False,
) -> Pairs:
    """Pair segments at random and label the pairs by ranked factors.

    Margins are in standard deviations of the factor over all segments. With margins the
    preference may run in circles; a ``general`` model can say so.

    Args:
        factors: What each segment reached, shape ``(segments, F)``.
        ranked: The factors, the most important first; one for each column.
        rng: Draws partners.
        partners: For each segment.
        keep_ties: By default pairs that no factor tells apart are left out.

    Raises:
        UsageError: Columns and factors do not match, a number is not finite, or no
            factor tells any pair apart.

    Example:
        >>> made = heron_pairs(np.array([[0.0], [1.0]]), (Factor("success"),),
        ...                    np.random.default_rng(0))
        >>> (made.first == made.label).tolist()
        [True, True]
    """
    table = np.asarray(factors, np.float64)
    if table.ndim != 2 or table.shape[1] != len(ranked) or partners < 1:  # noqa: PLR2004 - a table
        raise UsageError(
            f"{len(ranked)} ranked factors need a table of shape (segments, "
            f"{len(ranked)}) and at least one partner; received {table.shape} and "
            f"partners={partners}."
        )
    if not np.isfinite(table).all():
        raise UsageError("The factors hold numbers that are not finite.")
    table = table * np.array([item.sign for item in ranked], np.float64)
    margins = np.array([item.margin for item in ranked]) * table.std(0)
    first, second = random_pairs(len(table), partners * len(table), rng)
    label = ranked_preference(table[first], table[second], margins)
    kept = np.ones(len(label), np.bool_) if keep_ties else label != TIE
    if not kept.any():
        raise UsageError(
            f"No factor tells any of {len(label)} pairs apart. Lower the margins, or add "
            "a factor."
        )
    return Pairs(first[kept], second[kept], label[kept])
