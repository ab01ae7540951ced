"""reward_synth compare: exact on gridworlds, estimated elsewhere, clear when refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_synth.api.compare import compare
from reward_synth.api.config import EnvConfig
from reward_synth.cli.main import run
from reward_synth.distance import starc
from reward_synth.envs.gridworld import GridEnv
from reward_synth.errors import ProgramError, UsageError

HEAD = "import numpy as np\n\n\n"
SHAPED = HEAD + (
    "def compute_reward(agent_pos, prev_agent_pos, goal_pos):\n"
    "    near = -np.linalg.norm(agent_pos - goal_pos)\n"
    "    there = 1.0 if near > -0.5 else 0.0\n"
    "    before = -np.linalg.norm(prev_agent_pos - goal_pos)\n"
    "    return {'goal': 2.0 * there, 'shape': 2.0 * (0.9 * near - before)}\n"
)
AWAY = HEAD + (
    "def compute_reward(agent_pos, goal_pos):\n"
    "    return {'away': np.linalg.norm(agent_pos - goal_pos)}\n"
)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two reward programs for gridworlds."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shaped.py").write_text(SHAPED)
    (tmp_path / "away.py").write_text(AWAY)
    return tmp_path


def test_a_shaped_reward_is_at_distance_zero_and_without_regret(files: Path) -> None:
    """Twice the goal, shaped by a distance that is 0 there: 0 from sparse, no regret;
    the opposite wish has all the regret there is: it never reaches the goal."""
    found = compare(
        ["shaped.py", "away.py"],
        EnvConfig("Gridworld/GridFourRooms"),
        gamma=0.9,
        episodes=1,
    )
    assert found.names == ("sparse", "shaped", "away")
    assert found.exact
    assert found.distances[0, 1] < 1e-7
    assert found.regrets["shaped"]["regret"] == pytest.approx(0.0, abs=1e-9)
    assert found.regrets["away"]["regret"] == pytest.approx(1.0)
    assert found.distances[0, 2] > 0.3
    assert found.disagreements[0].rewards in {("sparse", "away"), ("shaped", "away")}


def test_the_exact_distance_is_that_of_the_tables(files: Path) -> None:
    """The program, written out on the tables by hand, is as far as compare says, and
    the states that are told are the ones that differ most."""
    world = GridEnv("GridKeyDoor-v0").tables
    moves, truth = world.dense()
    places = world.observations.astype(np.float64)
    far = np.linalg.norm(places[:, :2] - places[:, 2:4], axis=1)
    alive = ~world.terminal[:, None, None]  # a task that is over pays nothing
    away = far * alive * np.ones_like(moves)  # far after the step
    by_hand = starc(away, truth, moves, 0.9)
    found = compare(
        ["away.py"], EnvConfig("Gridworld/GridKeyDoor"), gamma=0.9, episodes=1, top=3
    )
    assert found.distances[0, 1] == pytest.approx(by_hand, abs=1e-9)
    gaps = [abs(item.gap) for item in found.disagreements]
    assert gaps == sorted(gaps, reverse=True)
    assert len(gaps) == 3


def test_estimates_know_the_negative(files: Path) -> None:
    """On a simulator: a reward and its negative are 1 apart and correlate by -1; half
    of it is 0 apart and correlates by 1."""
    rewards = [
        f"def compute_reward(action):\n    return {{'push': {x} * action[0]}}\n"
        for x in ("1.0", "-1.0", "0.5")
    ]
    found = compare(
        rewards,
        EnvConfig("MountainCarContinuous-v0"),
        episodes=1,
        names=["push", "pull", "half"],
    )
    assert not found.exact
    assert found.regrets == {}
    assert found.distances[1, 2] == pytest.approx(1.0, abs=1e-6)
    assert found.distances[1, 3] == pytest.approx(0.0, abs=1e-6)
    assert found.correlations[1, 2] == pytest.approx(-1.0)


def test_functions_are_compared_too() -> None:
    """A function of transitions has a number for its name."""
    found = compare(
        [lambda t: 3 * t.sparse], EnvConfig("Gridworld/GridCliff"), episodes=1
    )
    assert found.names == ("sparse", "reward 1")
    assert found.distances[0, 1] < 1e-9


def test_the_command_line_tells_tables_and_json(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both forms hold the same numbers; JSON has no NaN."""
    words = ["compare", "shaped.py", "away.py", "--env", "Gridworld/GridCliff"]
    words += ["--episodes", "1"]
    assert run(words) == 0
    text = capsys.readouterr().out
    assert run([*words, "--json"]) == 0
    data: Any = json.loads(capsys.readouterr().out)
    assert data["names"] == ["sparse", "shaped", "away"]
    assert f"{data['distances'][0][2]:.3f}" in text
    assert f"{data['regrets']['away']['regret']:.3f}" in text
    for title in ("STARC distance", "correlation", "regret", "disagree most"):
        assert title in text
    assert run(["combiners", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"name": "add", "acts_on": "step"}.items() <= rows[0].items()
    assert run(["combiners"]) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rewards": []}, "one or more rewards"),
        ({"episodes": 0}, "at least one episode"),
        ({"names": ["sparse"]}, "names of their own"),
        ({"gamma": 1.0}, r"gamma below 1"),
        ({"kind": "valu"}, "Did you mean 'value'"),
        ({"rewards": [lambda t: float("nan")]}, "not finite on"),
    ],
)
def test_misuse_is_named(change: dict[str, Any], said: str) -> None:
    """What cannot be compared is refused with the reason."""
    given: Any = {"rewards": [lambda t: 1.0], "episodes": 1} | change
    rewards = given.pop("rewards")
    with pytest.raises(UsageError, match=said):
        compare(rewards, EnvConfig("Gridworld/GridCliff"), **given)


def test_other_kinds_need_every_transition() -> None:
    """EPIC on a simulator is refused with where it can be had."""
    with pytest.raises(UsageError, match="needs every transition"):
        compare(
            [lambda t: 1.0],
            EnvConfig("MountainCarContinuous-v0"),
            kind="epic",
            episodes=1,
        )


def test_a_potential_alone_is_no_reward() -> None:
    """A program without compute_reward is refused by name."""
    text = "def compute_potential(agent_pos):\n    return agent_pos[0]\n"
    with pytest.raises(ProgramError, match="compute_reward"):
        compare([text], EnvConfig("Gridworld/GridCliff"), episodes=1)
