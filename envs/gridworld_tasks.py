"""The gridworlds that have ids, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass

from reward_synth.envs.notes import TaskNotes
from reward_synth.task import Field, Success

_ROOMS = (
    "#############",
    "#S....#.....#",
    "#.....#.....#",
    "#...........#",
    "#.....#.....#",
    "#.....#.....#",
    "##.####.....#",
    "#.....###.###",
    "#.....#.....#",
    "#.....#.....#",
    "#...........#",
    "#.....#....G#",
    "#############",
)
_CLIFF = ("............", "............", "............", "SCCCCCCCCCCG")
_DOOR = (
    "#########",
    "#...#...#",
    "#.S.#.G.#",
    "#...#...#",
    "#...D...#",
    "#K..#...#",
    "#########",
)


@dataclass(frozen=True, slots=True)
class GridTask:
    """A map and its words."""

    rows: tuple[str, ...]
    instruction: str
    slip: float = 0.0
    horizon: int = 200

    @property
    def kind(self) -> str:
        """The class that documents what is observed."""
        return "KeyDoorEnv" if any("D" in row for row in self.rows) else "GridEnv"


TASKS = {
    "GridFourRooms-v0": GridTask(
        _ROOMS, "Walk through the doorways of four rooms to the goal."
    ),
    "GridSlippery-v0": GridTask(
        _ROOMS,
        "Walk through the doorways of four rooms to the goal; every fifth move slips "
        "to a side.",
        slip=0.2,
        horizon=400,
    ),
    "GridCliff-v0": GridTask(
        _CLIFF,
        "Walk around the cliff to the goal; whoever steps on the cliff is out.",
        slip=0.1,
    ),
    "GridKeyDoor-v0": GridTask(
        _DOOR, "Fetch the key, open the door with it, and walk to the goal."
    ),
}
"""Four rooms: after Sutton, Precup and Singh, "Between MDPs and semi-MDPs", Artificial
Intelligence 112 (1999). Cliff: after Sutton and Barto, "Reinforcement Learning",
example 6.6, here sparse and slippery."""


def notes(task: GridTask) -> TaskNotes:
    """Return what the command line and models are told of a task.

    Example:
        >>> [field.name for field in notes(TASKS["GridCliff-v0"]).fields]
        ['agent_pos', 'goal_pos']
    """
    fields = [
        _place("agent_pos", 0, "Row and column of the walker; row 0 is the top."),
        _place("goal_pos", 2, "Row and column of the goal."),
    ]
    if task.kind == "KeyDoorEnv":
        fields += [
            Field("has_key", source="obs[4]", meaning="1 once the key is in hand."),
            _place("key_pos", 5, "Row and column where the key lies at first."),
            _place("door_pos", 7, "Row and column of the door."),
        ]
    return TaskNotes(
        instruction=task.instruction,
        success=Success(
            "np.linalg.norm(agent_pos - goal_pos) < 0.5",
            "the walker stands on the goal",
        ),
        fields=tuple(fields),
        sizes=(4, 9),
        sparse=True,
        ends_on_success=True,
        remarks=("The environment pays 1 for entering the goal and nothing else.",),
    )


def _place(name: str, first: int, meaning: str) -> Field:
    return Field(
        name, (2,), unit="cell", meaning=meaning, source=f"obs[{first}:{first + 2}]"
    )


NOTES = {name: notes(task) for name, task in TASKS.items()}
