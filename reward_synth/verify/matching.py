"""Which predicted call answers which expected one: the assignment of most quality."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations

from reward_synth.errors import MissingExtraError

try:
    # Here and not on use: the first import takes longer than any verification may.
    from scipy.optimize import linear_sum_assignment
except ImportError:
    raise MissingExtraError("scipy", "verify") from None

Pairs = list[tuple[int, int]]
_TRIED = 6
"""Permutations of so many are tried one by one: faster than SciPy's start."""
_SUBSETS = 200


def best_assignment(quality: Sequence[Sequence[float]]) -> tuple[float, Pairs]:
    """Return the largest total quality and its pairs (row, column).

    Args:
        quality: Shape (expected, predicted); pairs of quality 0 are left out.

    Example:
        >>> best_assignment([[0.9, 0.8], [0.9, 0.1]])
        (1.7000000000000002, [(0, 1), (1, 0)])
    """
    rows, columns = len(quality), len(quality[0]) if quality else 0
    if not rows or not columns:
        return 0.0, []
    if rows == 1:
        pairs = [(0, max(range(columns), key=quality[0].__getitem__))]
    elif max(rows, columns) <= 3:  # noqa: PLR2004 - at most six orders
        pairs = _tried(quality, rows, columns)
    else:
        pairs = _solved(quality)
    kept = [(row, column) for row, column in pairs if quality[row][column] > 0.0]
    return sum(quality[row][column] for row, column in kept), kept


def _tried(quality: Sequence[Sequence[float]], rows: int, columns: int) -> Pairs:
    if rows <= columns:
        orders = permutations(range(columns), rows)
        options = [list(zip(range(rows), order, strict=True)) for order in orders]
    else:
        orders = permutations(range(rows), columns)
        options = [list(zip(order, range(columns), strict=True)) for order in orders]
    return max(options, key=lambda pairs: sum(quality[r][c] for r, c in pairs))


def _solved(quality: Sequence[Sequence[float]]) -> Pairs:
    rows, columns = linear_sum_assignment(quality, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


def least_favourable(quality: Sequence[Sequence[float]]) -> tuple[float, Pairs]:
    """Return the assignment where more calls were made than asked for.

    It is that of the choice of as many calls as are expected that is worth least, so that
    guessing often never pays: one more guess can only lower it. Where choices are too
    many to try, the least quality of any pair counts for each expected call, which is
    less still.

    Example:
        >>> least_favourable([[1.0, 0.5]])
        (0.5, [(0, 1)])
    """
    rows, columns = len(quality), len(quality[0])
    if _choices(columns, rows) > _SUBSETS:
        return rows * min(min(row) for row in quality), []
    best: tuple[float, Pairs] | None = None
    for chosen in combinations(range(columns), rows):
        part = [[row[column] for column in chosen] for row in quality]
        total, pairs = best_assignment(part)
        if best is None or total < best[0]:
            best = total, [(row, chosen[column]) for row, column in pairs]
    return best if best is not None else (0.0, [])


def _choices(n: int, k: int) -> int:
    count = 1
    for i in range(k):
        count = count * (n - i) // (i + 1)
        if count > _SUBSETS:
            return count
    return count


def longest_rising(places: Sequence[int]) -> int:
    """Return the length of the longest strictly rising subsequence.

    Example:
        >>> longest_rising([2, 0, 1, 3])
        3
    """
    tails: list[int] = []
    for place in places:
        at = next((i for i, tail in enumerate(tails) if tail >= place), len(tails))
        tails[at : at + 1] = [place]
    return len(tails)
