"""What an agent that chooses can point at, and how it is told in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.envs.tooluse_generate import DOMAINS, LEVELS, TaskConfig
from reward_synth.envs.tooluse_tasks import Output, Task
from reward_synth.verify import ToolCall

Floats = npt.NDArray[np.float32]
FINISH = 0
"""The tool of this number ends the episode."""
_TOLD_A_GOAL, _DEEP_A_GOAL = 4, 10
"""Places for each thing that is asked for."""
_WORDINGS = 2
_COUNTED = 3
"""More calls of one tool than this look alike."""


@dataclass(slots=True)
class Place:
    """A value that arguments can take."""

    kind: str
    value: Any
    sentence: int
    """The sentence that told it, or that the call which found it was made for."""
    found: bool = False
    """Whether a tool told it."""
    used: bool = False
    """Whether a call that was not refused took it."""


class Board:
    """Places with values, and what was done with them in an episode.

    Args:
        config: What tasks are drawn from.

    Example:
        >>> from reward_synth.envs.tooluse_generate import make_task
        >>> config = TaskConfig("shop")
        >>> board = Board(config)
        >>> board.begin(make_task(config, 3))
        >>> [(place.kind, place.value) for place in board.places]
        [('sku', 'P684'), ('quantity', 58)]
        >>> board.call(9, [0, 1, 3])
        ToolCall(name='restock', arguments={'sku': 'P684', 'quantity': 58})
    """

    def __init__(self, config: TaskConfig) -> None:
        self.domain = DOMAINS[config.domain]
        each = _DEEP_A_GOAL if LEVELS[config.level].deep else _TOLD_A_GOAL
        self.capacity = each * config.wishes
        """Most places; values beyond them are not kept."""
        self.widest = max(len(tool.required) for tool in self.domain.tools)
        self.tools = len(self.domain.tools) + 1
        self.places: list[Place] = []
        self._wishes = config.wishes
        self._kinds = {kind: i for i, kind in enumerate(self.domain.kinds)}
        self._offered = np.zeros(self.tools, np.bool_)
        self._counts = np.zeros(self.tools, np.float32)
        self._last = np.zeros(self.tools + 1, np.float32)
        self._request = np.zeros(
            (self._wishes, len(self.domain.makers) * _WORDINGS), np.float32
        )

    def begin(self, task: Task) -> None:
        """Take the values of a request, and forget the last episode."""
        self.places = []
        for item in task.told:
            self._keep(Place(item.kind, item.value, item.sentence))
        offered = [tool.name in task.tools for tool in self.domain.tools]
        self._offered[:] = [True, *offered]
        self._counts[:] = 0
        self._last[:] = 0
        self._request[:] = 0
        for sentence, (maker, wording) in enumerate(task.sorts):
            self._request[sentence, maker * _WORDINGS + wording] = 1

    def call(self, tool: int, chosen: list[int]) -> ToolCall | None:
        """Return the call that numbers mean; None: a place that it needs is empty."""
        found = self.domain.tools[tool - 1]
        taken = chosen[: len(found.required)]
        if any(place >= len(self.places) for place in taken):
            return None
        values = [self.places[place].value for place in taken]
        return ToolCall(found.name, dict(zip(found.required, values, strict=True)))

    def note(self, tool: int, chosen: list[int], output: Output | None) -> None:
        """Take in what a call gave; None: it could not be made."""
        failed = output is None or output.failed
        self._last[:] = 0
        self._last[tool] = 1
        self._last[-1] = failed
        if output is None or failed:
            return
        self._counts[tool] += 1
        taken = [self.places[i] for i in chosen[: len(output.call.arguments)]]
        for place in taken:
            place.used = True
        sentence = taken[0].sentence if taken else 0
        told = output.value if isinstance(output.value, dict) else {}
        for kind, value in told.items():
            if kind in self._kinds:
                self._keep(Place(kind, value, sentence, found=True))

    def masks(self) -> npt.NDArray[np.bool_]:
        """Return which numbers mean something: tools offered, places with a value.

        The first place always counts, because a learner needs one number that does.
        """
        filled = np.arange(self.capacity) < max(1, len(self.places))
        return np.concatenate([self._offered, *[filled] * self.widest])

    def numbers(self, left: float) -> Floats:
        """Return what is seen, numbers from 0 to 1.

        Args:
            left: Share of the turns that are left.
        """
        kinds = len(self._kinds)
        seen = np.zeros((self.capacity, kinds + self._wishes + 3), np.float32)
        for row, place in zip(seen, self.places, strict=False):
            row[self._kinds[place.kind]] = 1
            row[kinds + place.sentence] = 1
            row[-3:] = (1, place.found, place.used)
        counts = np.minimum(self._counts, _COUNTED) / _COUNTED
        parts = (
            self._request.ravel(),
            seen.ravel(),
            self._offered,
            counts,
            self._last,
            [left],
        )
        return np.concatenate(parts, dtype=np.float32)

    def _keep(self, place: Place) -> None:
        """Keep a value, unless it is there already or no place is free."""
        known = any(
            p.kind == place.kind and p.value == place.value for p in self.places
        )
        if not known and len(self.places) < self.capacity:
            self.places.append(place)
