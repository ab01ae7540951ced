"""Gridworlds as tables: who leads where, with which chance, and what it pays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.distance import Successors, optimal_values
from reward_synth.distance.regret import check_below_one
from reward_synth.errors import UsageError

Values: TypeAlias = npt.NDArray[np.float64]
Cell: TypeAlias = tuple[int, int]
State: TypeAlias = tuple[Cell, bool]
"""Where the walker is, and whether it holds the key."""
MOVES: tuple[Cell, ...] = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""Up, right, down, left: the actions 0 to 3."""
_KNOWN = "#.SGCKD"


@dataclass(frozen=True, slots=True)
class Layout:
    """A map of one character a cell.

    ``#`` wall, ``.`` floor, ``S`` start (several: drawn alike), ``G`` goal, ``C`` cliff
    (ends the episode without pay), ``K`` key, ``D`` door, which opens with the key.

    Args:
        rows: The map.
        slip: Chance that a move goes to one of the two sides instead, half each.

    Raises:
        UsageError: The map is uneven, a character is unknown, S or G is missing, there
            are several goals, keys or doors, or the goal cannot be reached.

    Example:
        >>> Layout(("S.G",)).size
        (1, 3)
    """

    rows: tuple[str, ...]
    slip: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no map."""
        widths = {len(row) for row in self.rows}
        if len(widths) != 1 or widths == {0}:
            raise UsageError(
                f"The rows of a layout must be equally long; lengths are {sorted(widths)}."
            )
        text = "".join(self.rows)
        unknown = sorted(set(text) - set(_KNOWN))
        if unknown:
            raise UsageError(
                f"A layout holds {unknown[0]!r}; known characters are {_KNOWN!r}."
            )
        if "S" not in text or text.count("G") != 1:
            raise UsageError(
                "A layout needs at least one start S and exactly one goal G."
            )
        if text.count("K") > 1 or text.count("D") > 1 or ("D" in text) != ("K" in text):
            raise UsageError("A layout has one key K and one door D, or neither.")
        if not 0.0 <= self.slip <= 1.0:
            raise UsageError(f"slip must lie in [0, 1], received {self.slip!r}.")

    @property
    def size(self) -> Cell:
        """Rows and columns."""
        return len(self.rows), len(self.rows[0])

    def cells(self, kind: str) -> list[Cell]:
        """Return where a character stands, row by row."""
        return [
            (row, column)
            for row, text in enumerate(self.rows)
            for column, found in enumerate(text)
            if found == kind
        ]

    def at(self, cell: Cell) -> str:
        """Return the character of a cell; beyond the edge it is wall."""
        row, column = cell
        inside = 0 <= row < self.size[0] and 0 <= column < self.size[1]
        return self.rows[row][column] if inside else "#"

    def moved(self, state: State, action: int) -> State:
        """Return where a move that does not slip leads."""
        (row, column), key = state
        down, right = MOVES[action]
        cell = (row + down, column + right)
        kind = self.at(cell)
        if kind == "#" or (kind == "D" and not key):
            return state
        return cell, key or kind == "K"

    def led(self, state: State, action: int) -> dict[State, float]:
        """Return the chance of each next state."""
        if self.at(state[0]) in "GC":
            return {state: 1.0}
        sides = {action: 1.0 - self.slip}
        for side in (action - 1, action + 1):
            sides[side % 4] = sides.get(side % 4, 0.0) + self.slip / 2
        chances: dict[State, float] = {}
        for way, chance in sides.items():
            if chance > 0:
                after = self.moved(state, way)
                chances[after] = chances.get(after, 0.0) + chance
        return chances


@dataclass(frozen=True, slots=True)
class Tables:
    """A finite task in full: S states, A actions, K successors.

    States that cannot be met from the start are left out. Terminal states lead to
    themselves and pay nothing.
    """

    process: Successors
    """Next states and their chances, ``(S, A, K)``."""
    rewards: Values
    """What the task pays, ``(S, A, K)``: 1 for entering the goal."""
    observations: npt.NDArray[np.float32]
    """What is observed in each state, ``(S, D)``."""
    terminal: npt.NDArray[np.bool_]
    """Goal and cliffs, ``(S,)``."""
    start: Values
    """Distribution of first states, ``(S,)``."""

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.terminal)

    def dense(self, values: Values | None = None) -> tuple[Values, Values]:
        """Return transitions and rewards as arrays of shape ``(S, A, S)``.

        Args:
            values: Another reward, ``(S, A, K)``; by default the task's own.
        """
        paid = self.rewards if values is None else values
        shape = (self.states, self.process.actions, self.states)
        moves, rewards = np.zeros(shape), np.zeros(shape)
        used = self.process.probability > 0
        place = (*np.nonzero(used)[:2], self.process.next[used])
        moves[place], rewards[place] = self.process.probability[used], paid[used]
        return moves, rewards

    def optimal_values(self, gamma: float) -> Values:
        """Return the exact value of each state under the best policy.

        Raises:
            UsageError: gamma is not in [0, 1).

        Example:
            >>> tables(Layout(("S.G",))).optimal_values(0.5)
            array([0.5, 1. , 0. ])
        """
        check_below_one(gamma)
        paid = (self.process.probability * self.rewards).sum(2)
        return optimal_values(paid, self.process, gamma)

    def transitions(self) -> Iterator[npt.NDArray[Any]]:
        """Yield state, action and next state of every possible transition, flat."""
        used = self.process.probability > 0
        yield from np.nonzero(used)[:2]
        yield self.process.next[used]

    def spread(self, flat: Values) -> Values:
        """Put one number for each of :meth:`transitions` into ``(S, A, K)``."""
        result = np.zeros_like(self.rewards)
        result[self.process.probability > 0] = flat
        return result


def tables(layout: Layout) -> Tables:
    """Return the tables of a map.

    Raises:
        UsageError: The goal cannot be reached.

    Example:
        >>> tables(Layout(("SG",))).rewards[0, 1].tolist()
        [1.0]
    """
    states = _met(layout)
    number = {state: place for place, state in enumerate(states)}
    goal = layout.cells("G")[0]
    if not any(cell == goal for cell, _ in states):
        raise UsageError("The goal of the layout cannot be reached from its start.")
    lists = [[layout.led(state, action) for action in range(4)] for state in states]
    width = max(len(item) for row in lists for item in row)
    shape = (len(states), 4, width)
    following, chance, paid = (
        np.zeros(shape, np.int64),
        np.zeros(shape),
        np.zeros(shape),
    )
    for place in np.ndindex(*shape[:2]):
        s, a = place
        for k, (after, probability) in enumerate(lists[s][a].items()):
            following[s, a, k], chance[s, a, k] = number[after], probability
            paid[s, a, k] = float(after[0] == goal and states[s][0] != goal)
    first = np.array(
        [float((cell in layout.cells("S")) and not k) for cell, k in states]
    )
    return Tables(
        Successors(following, chance),
        paid,
        _observed(layout, states),
        np.array([layout.at(cell) in "GC" for cell, _ in states]),
        first / first.sum(),
    )


def _met(layout: Layout) -> list[State]:
    """Return the states that can be met, in the order of the map, keyless first."""
    waiting: list[State] = [(cell, False) for cell in layout.cells("S")]
    met = set(waiting)
    while waiting:
        state = waiting.pop()
        for action in range(4):
            fresh = set(layout.led(state, action)) - met
            met |= fresh
            waiting += fresh
    return sorted(met, key=lambda state: (state[1], state[0]))


def _observed(layout: Layout, states: Sequence[State]) -> npt.NDArray[np.float32]:
    """Return position and goal; with a door also the key in hand, key and door."""
    fixed = [*layout.cells("G")[0]]
    if not layout.cells("D"):
        return np.array([[*cell, *fixed] for cell, _ in states], np.float32)
    places = [*layout.cells("K")[0], *layout.cells("D")[0]]
    return np.array(
        [[*cell, *fixed, float(key), *places] for cell, key in states], np.float32
    )
