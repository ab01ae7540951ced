"""Preferences that run in circles: how far they do, and what wins nevertheless."""

from __future__ import annotations

import numpy as np

from reward_synth.errors import MissingExtraError, UsageError
from reward_synth.preference.features import Values

_SLACK = 1e-9


def cyclic_share(preferred: Values) -> float:
    """Return the share of triples in which a beats b, b beats c, and c beats a.

    Args:
        preferred: How likely the row's item is preferred to the column's, ``(n, n)``;
            or by how much it is better, which changes its sign with the order.

    Example:
        >>> game = np.array([[0.5, 0.9, 0.1], [0.1, 0.5, 0.9], [0.9, 0.1, 0.5]])
        >>> cyclic_share(game)
        1.0
    """
    game = _checked(preferred)
    n = len(game)
    if n < 3:  # noqa: PLR2004 - a triple
        return 0.0
    beats = (game > 0).astype(np.float64)
    circles = np.trace(beats @ beats @ beats) / 3.0
    return float(circles / (n * (n - 1) * (n - 2) / 6.0))


def von_neumann_winner(preferred: Values) -> Values:
    """Return the mixture that no item beats more often than not.

    It exists for every preference, also one that runs in circles (Dudik et al.,
    "Contextual Dueling Bandits", COLT 2015); used as the reference of a ``general``
    model, nothing scores above 0 against it.

    Args:
        preferred: As for :func:`cyclic_share`; ``p + p.T`` must be 1, or 0 of scores.

    Returns:
        Shares of the items, shape ``(n,)``.

    Raises:
        UsageError: It is no table of preferences.

    Example:
        >>> game = np.array([[0.5, 0.9, 0.1], [0.1, 0.5, 0.9], [0.9, 0.1, 0.5]])
        >>> von_neumann_winner(game).round(6).tolist()
        [0.333333, 0.333333, 0.333333]
    """
    try:
        from scipy.optimize import linprog  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as cause:
        raise MissingExtraError("scipy", "report") from cause
    game = _checked(preferred)
    n = len(game)
    # Most v such that the mixture's score against each item is at least v.
    found = linprog(
        c=[*np.zeros(n), -1.0],
        A_ub=np.column_stack([-game.T, np.ones(n)]),
        b_ub=np.zeros(n),
        A_eq=[[*np.ones(n), 0.0]],
        b_eq=[1.0],
        bounds=[*[(0.0, 1.0)] * n, (None, None)],
    )
    share = np.maximum(found.x[:n], 0.0)
    made: Values = share / share.sum()
    return made


def _checked(preferred: Values) -> Values:
    table = np.asarray(preferred, np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not len(table):  # noqa: PLR2004
        raise UsageError(
            f"Preferences need shape (n, n) with n of at least 1, received {table.shape}."
        )
    both = table + table.T
    off = np.abs(both - (1.0 if np.trace(table) else 0.0)).max()
    if not off <= _SLACK * max(1.0, np.abs(table).max()):
        raise UsageError(
            f"p[i, j] + p[j, i] must be 1 for chances, and 0 for scores; it is off by "
            f"{off:.3g}."
        )
    made: Values = (table - table.T) / 2.0
    return made
