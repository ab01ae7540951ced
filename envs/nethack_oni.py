"""The NetHack tasks of ONI, written from the paper's description.

After "Online Intrinsic Rewards for Decision Making Agents from Large Language Model
Feedback" (arXiv 2410.23022): NLE's tasks with five more actions; success pays 50.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from nle import nethack
from nle.env import tasks

SUCCESS = 50.0
"""What success pays; the rest is NLE's penalty for steps that pass no time."""
ACTIONS = (
    *tasks.TASK_ACTIONS,
    nethack.Command.CAST,
    nethack.Command.QUAFF,
    nethack.Command.PRAY,
    nethack.Command.PICKUP,
    nethack.Command.PAY,
)


class Score(tasks.NetHackScore):  # type: ignore[misc]  # NLE ships no types
    """Pays the change of the game's score."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"actions": ACTIONS, **kwargs})


class RewardFree(Score):
    """Pays nothing; what is learned comes from intrinsic rewards."""

    def _reward_fn(self, *_: Any) -> float:
        return 0.0


class Goal(tasks.NetHackStaircase, ABC):  # type: ignore[misc]  # NLE ships no types
    """Ends when :meth:`reached` says so, and pays for it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"actions": ACTIONS, **kwargs})

    @abstractmethod
    def reached(self, observation: Any) -> bool:
        """Tell whether the goal is reached; ``observation`` is NLE's tuple."""

    def _is_episode_end(self, observation: Any) -> Any:
        done = self.reached(observation)
        return self.StepStatus.TASK_SUCCESSFUL if done else self.StepStatus.RUNNING

    def _reward_fn(self, before: Any, _: Any, after: Any, status: Any) -> float:
        won = SUCCESS if status == self.StepStatus.TASK_SUCCESSFUL else 0.0
        return won + float(self._get_time_penalty(before, after))


class Staircase(Goal):
    """Ends at a depth of the main dungeon, however the hero got there."""

    depth: ClassVar[int]

    def reached(self, observation: Any) -> bool:
        """Tell whether the hero is deep enough."""
        return int(observation[self._blstats_index][nethack.NLE_BL_DEPTH]) >= self.depth


class StaircaseLevel3(Staircase):
    """Ends at depth 3."""

    depth = 3


class StaircaseLevel4(Staircase):
    """Ends at depth 4."""

    depth = 4


class Oracle(Goal):
    """Ends beside the Oracle, or what the hero takes for it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        monsters = range(nethack.GLYPH_MON_OFF, nethack.GLYPH_PET_OFF)
        self._oracle = next(
            glyph
            for glyph in monsters
            if nethack.permonst(nethack.glyph_to_mon(glyph)).mname == "Oracle"
        )

    def reached(self, observation: Any) -> bool:
        """Tell whether one of the eight places around the hero shows the Oracle."""
        x, y = (int(value) for value in observation[self._blstats_index][:2])
        near = observation[self._glyph_index][
            max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2
        ]
        return bool((near == self._oracle).any())


class OracleSober(Oracle):
    """Ends beside the Oracle, but not while hallucinating.

    A hallucinating hero sees monsters as others, so the Oracle can appear anywhere:
    agents learn to eat what makes them hallucinate.
    """

    def reached(self, observation: Any) -> bool:
        """Tell whether the Oracle is near and no hallucination."""
        ails = int(observation[self._blstats_index][nethack.NLE_BL_CONDITION])
        return not ails & nethack.BL_MASK_HALLU and super().reached(observation)
