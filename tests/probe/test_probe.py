"""Exploits of rewards: found, compared with success, and played again."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

from reward_synth.api.config import EnvConfig
from reward_synth.errors import UsageError
from reward_synth.probe import CrossEntropy, Trajectory, probe, replay
from reward_synth.probe.run import Mixed
from tests.cli.tools import Cli

ROOMS = EnvConfig("Gridworld/GridFourRooms")
QUICK = CrossEntropy(population=8, generations=2)
ALIVE = """import numpy as np


def compute_reward(agent_pos, goal_pos):
    return {"near": 1.0 - 0.05 * np.linalg.norm(agent_pos - goal_pos)}
"""
"""Pays for every step, most beside the goal: entering it ends the pay."""
HONEST = """import numpy as np


def compute_reward(agent_pos, goal_pos):
    return {"near": -0.05 * np.linalg.norm(agent_pos - goal_pos)}
"""
"""Charges for every step, so that the end is worth most."""
SHAPING = HONEST.replace("compute_reward", "compute_potential").replace(
    '{"near": -0.05 * np.linalg.norm(agent_pos - goal_pos)}',
    "-0.05 * np.linalg.norm(agent_pos - goal_pos)",
)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


def test_a_loop_beside_the_goal_is_found() -> None:
    """Of pay for being near, the best loop stands beside the goal: by hand 0.95 a step
    for ever, 0.95 / (1 - gamma) from there, which beats every success."""
    found = probe(ALIVE, ROOMS, settings=QUICK)
    kinds = {item.kind: item for item in found.found}
    assert {"loop", "policy"} <= {item.kind for item in found.exploits}
    loop = kinds["loop"].trajectory
    assert loop.paid[-20:] == pytest.approx(np.full(20, 0.95))
    assert kinds["policy"].total >= kinds["loop"].total - 1e-9
    # Exact worths have no end: all later steps beside the goal pay 0.95.
    policy = kinds["policy"].trajectory.paid
    tail = 0.99**200 * 0.95 / 0.01
    assert found.exact["without"] == pytest.approx(
        kinds["policy"].worth + tail, rel=1e-9
    )
    assert len(policy) == 200
    assert found.success is not None
    assert found.success == pytest.approx(found.exact["success"])


def test_an_honest_reward_has_no_exploit() -> None:
    """Where every step costs, nothing without success beats success."""
    found = probe(HONEST, ROOMS, settings=QUICK)
    assert found.exploits == ()
    assert found.exact["without"] < found.exact["success"]


def test_shaping_has_no_exploit() -> None:
    """Potential-based shaping leaves optimal policies optimal, so nothing beats them."""
    found = probe(SHAPING, ROOMS, mixed=Mixed("potential"), settings=QUICK)
    assert found.success is not None
    assert found.exploits == ()
    assert any("Exact search knows add and replace" in x for x in found.remarks)


def test_chance_does_not_stop_the_search() -> None:
    """On a slippery map there is no sure loop, but a policy; its trajectory replays."""
    found = probe(ALIVE, EnvConfig("Gridworld/GridSlippery"), settings=QUICK)
    kinds = [item.kind for item in found.found]
    assert "loop" not in kinds
    assert "policy" in kinds
    assert found.exact["without"] > found.exact["success"]


def test_actions_and_states_of_a_simulation_are_searched(tmp_path: Path) -> None:
    """Of pay for a spinning arm, states that spin and actions that spin it are found;
    each replays to the same pay, also from a state that no reset gives."""
    pytest.importorskip("mujoco")
    text = (
        "import numpy as np\n\n\ndef compute_reward(first_arm_angular_velocity):\n"
        "    return {'spin': 0.1 * np.abs(first_arm_angular_velocity)}\n"
    )
    config = EnvConfig("Reacher-v5")
    found = probe(
        text, config, settings=QUICK, steps=20, folder=tmp_path, mixed=Mixed("replace")
    )
    kinds = {item.kind: item for item in found.found}
    assert {"actions", "state"} <= set(kinds)
    for kind in ("actions", "state"):
        assert kinds[kind].total > 0
        played, same = replay(text, config, kinds[kind].file, Mixed("replace"))
        assert same
        assert not played.succeeded
        assert played.paid.sum() == pytest.approx(kinds[kind].total)
    assert Trajectory.load(kinds["state"].file).start is not None
    with pytest.raises(UsageError, match="cannot be set"):
        replay(HONEST, ROOMS, kinds["state"].file)


def test_the_command_tells_and_its_replay_does_what_it_says(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each trajectory comes with the command that plays it; with another weight the pay
    differs, which is an error."""
    monkeypatch.chdir(tmp_path)
    Path("alive.py").write_text(ALIVE)
    quick = ("--population", 8, "--generations", 1)
    data = cli.json("probe", "alive.py", "--env", "Gridworld/GridFourRooms", *quick)
    assert data["exploits"] >= 2
    best = data["found"][0]
    program, *words = shlex.split(best["replay"])
    assert program == "reward_synth"
    again = cli.json(*words)
    assert again["as_recorded"]
    assert again["success"] is False
    assert again["paid"] == pytest.approx(best["total"])
    other = cli(*words, "--weight", 2)
    assert other.code == 2
    assert "recorded with other pay" in other.err
    shown = cli("probe", "alive.py", "--env", "Gridworld/GridFourRooms", *quick)
    assert "beats success" in shown.out


def test_what_cannot_be_probed_is_refused(tmp_path: Path) -> None:
    """Tasks without success, files that are none, searches of nothing."""
    survive = EnvConfig("InvertedPendulum-v5")
    with pytest.raises(UsageError, match=r"^A probe needs a success rule"):
        probe("def compute_reward(action):\n    return {'a': 1.0}\n", survive)
    path = tmp_path / "x.npz"
    path.write_bytes(b"no")
    with pytest.raises(UsageError, match="no recorded trajectory"):
        replay(HONEST, ROOMS, path)
    with pytest.raises(UsageError, match="at least 8"):
        CrossEntropy(population=2)
