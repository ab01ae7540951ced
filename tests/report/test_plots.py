"""Pictures of rewards: what they show is what the reward says, and where it rises."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reward_synth.api.comparison import Comparison, Disagreement
from reward_synth.api.config import EnvConfig
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.report.plots import plot_reward
from reward_synth.report.plots_apart import ALL, disagreement_map
from reward_synth.report.plots_axes import Entry, two_entries
from reward_synth.report.plots_data import Axis, RewardPlots
from reward_synth.report.plots_draw import arrows
from reward_synth.report.plots_replay import stories
from reward_synth.reward import Rollout, Step
from reward_synth.task import Field, TaskSpec

CAR = EnvConfig("MountainCarContinuous-v0")
PLANE = """
def compute_reward(position, velocity, action):
    return {"place": 2.0 * position, "speed": -10.0 * velocity, "effort": -action[0] ** 2}
"""
"""Rises to the right, and downwards."""
TASK = TaskSpec(
    "T",
    "go",
    (Field("x"), Field("grip", (2, 3)), Field("near", dtype="bool")),
    Field("action", (2,)),
)


@pytest.fixture(scope="module")
def plane() -> RewardPlots:
    return plot_reward(
        PLANE, CAR, ("position", "velocity"), weight=0.5, at={"action[0]": 0.5}
    )


def test_the_grid_holds_the_rewards_own_values(plane: RewardPlots) -> None:
    """At every point the map is 2 x position - 10 x velocity - 0.25, by hand; the
    components' maps are their parts."""
    whole, place, speed, effort = plane.maps
    xs, ys = np.meshgrid(whole.xs, whole.ys)
    assert whole.values == pytest.approx(2.0 * xs - 10.0 * ys - 0.25, abs=1e-12)
    assert place.values == pytest.approx(2.0 * xs, abs=1e-12)
    assert speed.values == pytest.approx(-10.0 * ys, abs=1e-12)
    assert effort.values == pytest.approx(np.full(xs.shape, -0.25))
    assert plane.held == {"action": [0.5]}


def test_arrows_point_where_the_reward_rises(plane: RewardPlots) -> None:
    """Over whole axes the plane rises by 2 x the one's length to the right, and falls by
    10 x the other's; every arrow has that direction."""
    rise = plane.maps[0].rise
    assert rise is not None
    wide, high = (axis.high - axis.low for axis in (plane.across, plane.up))
    assert rise[0] == pytest.approx(np.full(rise[0].shape, 2.0 * wide), rel=1e-9)
    assert rise[1] == pytest.approx(np.full(rise[1].shape, -10.0 * high), rel=1e-9)
    drawn = np.array(arrows(plane.maps[0]))
    assert len(drawn) > 50
    assert (drawn[:, 2] > 0).all()
    assert (drawn[:, 3] < 0).all()
    # on the picture both axes are as long as each other
    seen = (drawn[:, 3] / high) / (drawn[:, 2] / wide)
    assert seen == pytest.approx(np.full(len(drawn), -10.0 * high / (2.0 * wide)))


def test_where_nothing_rises_there_is_no_arrow(plane: RewardPlots) -> None:
    """A component that does not change has none, whatever rounding makes of it."""
    assert arrows(plane.maps[3]) == []


def test_cells_of_a_grid_are_drawn_as_cells() -> None:
    """A field of whole numbers has a column for each; of a vector with one number drawn
    over, the others are held."""
    text = """def compute_reward(agent_pos, prev_agent_pos):
    return {"r": agent_pos[0] - prev_agent_pos[0] + 0.0 * prev_agent_pos[1]}
"""
    config = EnvConfig("Gridworld/GridFourRooms")
    found = plot_reward(text, config, ("agent_pos[0]", "prev_agent_pos[1]"))
    xs = found.maps[0].xs
    assert xs.tolist() == list(range(1, round(found.across.high) + 1))
    assert found.held.keys() == {"agent_pos[1]", "prev_agent_pos[0]"}
    start = found.held["prev_agent_pos[0]"]
    assert found.maps[0].values[0].tolist() == (xs - start).tolist()


def test_the_rule_of_success_is_drawn(plane: RewardPlots) -> None:
    """Success is position >= 0.45: on the grid exactly the columns from there on."""
    assert plane.success is not None
    expected = np.broadcast_to(plane.maps[0].xs >= 0.45, plane.success.shape)
    assert (plane.success == expected).all()
    assert plane.success.any()


def test_before_and_after_are_what_a_learner_is_paid(plane: RewardPlots) -> None:
    """Under add with weight 0.5: combined = sparse + 0.5 x the components' sum, step by
    step, and so are the means of each cell."""
    story = plane.story
    assert story.combined == pytest.approx(story.sparse + 0.5 * story.parts.sum(0))
    alone, sparse, combined = (item.values for item in plane.blended)
    known = np.isfinite(combined)
    assert known.any()
    assert combined[known] == pytest.approx((sparse + 0.5 * alone)[known])
    assert (np.isfinite(alone) == known).all()


def test_a_potential_is_drawn_itself_and_paid_as_differences() -> None:
    """A program with a potential alone: the map is Φ = 3 x position; a step pays
    sparse + γΦ(after) - Φ(before), with Φ = 0 where the task has ended it."""
    text = "def compute_potential(position):\n    return 3.0 * position\n"
    found = plot_reward(text, CAR, ("position", "velocity"), gamma=0.9, episode=0)
    xs = found.maps[0].xs
    assert found.combine == "potential"
    assert found.maps[0].values == pytest.approx(np.tile(3.0 * xs, (41, 1)))
    story = found.story
    assert story.parts[0] == pytest.approx(story.combined - story.sparse)
    assert not story.succeeded


def _rollout(xs: list[float], sparse: list[float]) -> Rollout:
    """Return an episode whose field x takes these values."""
    count = len(sparse)
    values, no = np.array(xs), np.zeros(count, np.bool_)
    grip, near = np.zeros((count, 2, 3)), np.ones(count, np.bool_)
    rest = {"grip": grip, "near": near}
    ended = no.copy()
    ended[-1] = True
    steps = Step(
        {"x": values[:-1], **rest},
        np.zeros((count, 2)),
        {"x": values[1:], **rest},
        np.array(sparse),
        ended,
        no,
        ~no,
    )
    return Rollout("held", 0, steps, None)


def test_recorded_episodes_are_paid_as_the_wrapper_pays() -> None:
    """By hand, Φ = x over 1, 2, 4 with gamma = 0.5: 0.5 x 2 - 1 = 0, then the end: 0 - 2."""
    text = "def compute_potential(x):\n    return x\n"
    program = RewardProgram.from_text(text)
    episodes = [_rollout([1.0, 2.0, 4.0], [0.0, 1.0])] * 2
    for told in stories(episodes, TASK, program, "potential", 0.5, 1.0):
        assert told.combined.tolist() == [0.0, -1.0]
        assert told.sparse.tolist() == [0.0, 1.0]


def test_disagreement_is_the_root_mean_square_of_gaps() -> None:
    """One state with gaps of 3 and -4, one with 0: the square root of 12.5, and 0. Plain
    means would hide the first."""
    rows = [(0, 0, -4.0), (0, 0, 3.0), (1, 1, 0.0)]
    found = Comparison(
        "E",
        ("sparse", "mine"),
        True,
        3,
        "value",
        0.9,
        np.array([[0.0, 0.5], [0.5, 0.0]]),
        np.eye(2),
        {},
        tuple(
            Disagreement(("sparse", "mine"), {"p": [x, y], "same": 1}, 0, gap)
            for x, y, gap in rows
        ),
        (),
    )
    apart = disagreement_map(found, top=1)
    assert apart.map is not None
    assert np.diag(apart.map.values) == pytest.approx([np.sqrt(12.5), 0.0])
    assert np.isnan(apart.map.values[0, 1])
    assert (apart.across, apart.up) == (
        Axis("p[0]", 0, 1, whole=True),
        Axis("p[1]", 0, 1, whole=True),
    )
    assert apart.marks == ((0.0, 0.0),)
    assert [item.gap for item in apart.found.disagreements] == [-4.0]
    with pytest.raises(UsageError, match="same was 1 in all 3 states"):
        disagreement_map(found, ("p[0]", "same"))
    with pytest.raises(UsageError, match=r"no number 'p\[2\]'\. Did you mean 'p\["):
        disagreement_map(found, ("p[0]", "p[2]"))
    assert disagreement_map(replace(found, disagreements=())).map is None
    assert ALL > 10**9


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "two fields, such as x,near; received 0."),
        (("x",), "received 1: x."),
        (("x", "x"), "two different fields; received x twice"),
        (("x", "grid[0,1]"), "has no field 'grid'. Did you mean 'grip'?"),
        (("x", "grip"), r"grip has shape (2, 3), so one of its numbers must be named"),
        (("x", "grip[1]"), "from grip[0,0] to grip[1,2]; received 'grip[1]'"),
        (("x", "grip[1,3]"), "to grip[1,2]; received 'grip[1,3]'"),
        (("x[0]", "near"), "x is a single number and takes no index"),
    ],
)
def test_what_cannot_be_drawn_over_is_told(names: tuple[str, ...], words: str) -> None:
    """Each wrong choice of fields is refused with what would be right."""
    with pytest.raises(UsageError) as told:
        two_entries(names, TASK)
    assert words in str(told.value)


def test_what_a_reward_may_read_can_be_drawn_over() -> None:
    """Entries of vectors, earlier values and actions are read and set where they lie,
    and the step that was given stays as it was."""
    step = _rollout([1.0, 2.0, 4.0], [0.0, 1.0]).steps
    for text in ("grip[1,2]", "prev_x", "action[1]", "near"):
        entry = Entry.parse(text, TASK)
        before = entry.of(step)
        changed = entry.set(step, np.array([0.0, 1.0]))
        assert entry.of(changed).tolist() == [0.0, 1.0]
        assert entry.of(step).tolist() == before.tolist()


def test_a_field_that_never_changes_is_refused() -> None:
    """The goal of this task stands still, so nothing can be drawn over it."""
    with pytest.raises(UsageError, match=r"goal_pos\[0\] was 11 in all \d+ recorded"):
        plot_reward(
            lambda t: 0.0,
            EnvConfig("Gridworld/GridFourRooms"),
            ("agent_pos[0]", "goal_pos[0]"),
        )


def test_no_value_is_a_blank_and_a_remark() -> None:
    """Where the reward is not finite the map is blank, and the count is told; an axis
    that it does not read is named."""
    text = "import numpy as np\n\ndef compute_reward(position):\n    return {'r': np.log(position)}\n"
    config = EnvConfig("MountainCarContinuous-v0")
    found = plot_reward(text, config, ("position", "velocity"), at={"action[0]": 0.0})
    bad = int((found.maps[0].xs <= 0).sum()) * 41
    assert int(np.isnan(found.maps[0].values).sum()) == bad
    assert found.remarks[:2] == (
        "The reward does not read velocity: the maps do not change along it.",
        f"The reward is not finite on {bad} of {41 * 41} points of the grid; "
        "they are left blank.",
    )
    assert re.match(r"On \d+ of \d+ recorded steps the reward is not", found.remarks[2])
    story = found.story  # it begins left of 0, where there is no logarithm
    assert story.faults > 0
    assert story.combined[: story.faults] == pytest.approx(story.sparse[: story.faults])


def test_folders_and_names_of_pictures_are_checked_first(tmp_path: Path) -> None:
    """Nothing is computed for a picture that could not be written."""
    from reward_synth.report.plots_files import picture_path

    (tmp_path / "map.png").mkdir()
    for name, words in (
        ("map.jpg", r"written as \.png or \.html"),
        ("map.png", "is a folder"),
        ("none/map.png", "There is no folder"),
    ):
        with pytest.raises(UsageError, match=words):
            picture_path(tmp_path / name)
