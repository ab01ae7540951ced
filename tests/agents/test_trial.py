"""Trials: what an arm pays, what is measured, and what is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.agents import AgentConfig, TrialSpec, run_trial
from reward_synth.agents.evaluate import evaluate
from reward_synth.agents.training import read_progress, train_all
from reward_synth.agents.warm_trainers import SHARED
from reward_synth.engine import LocalEngine
from reward_synth.envs import resolve
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.store import RunStore
from reward_synth.task import Field, TaskSpec
from reward_synth.wrappers import DenseReward, SparseReward, SuccessInfo

TASK = TaskSpec(
    "MountainCarContinuous-v0",
    "Drive up the hill.",
    (Field("position", source="obs[0]"), Field("velocity", source="obs[1]")),
    Field("action", (1,)),
    horizon=999,
).with_success("position >= 0.45")
SHORT = {"max_episode_steps": 50}
"""Of trials that are trained: nothing is to be learned, and episodes cost time."""
SPEED = "def compute_reward(velocity):\n    return {'speed': 10.0 * abs(velocity)}\n"


def spec(arm: str = "sparse", **changes: Any) -> TrialSpec:
    options: dict[str, Any] = {
        "env": resolve("MountainCarContinuous-v0", SHORT),
        "task": TASK,
        "steps": 120,
        "seed": 0,
        "episodes": 2,
        "evaluations": 2,
        "program": RewardProgram.of(SPEED, TASK) if arm == "dense" else None,
    }
    return TrialSpec(arm=arm, **{**options, **changes})  # type: ignore[arg-type]


class Swing:
    """Pushes in the direction of motion, which climbs this hill."""

    def predict(self, obs: Any, deterministic: bool) -> tuple[Any, None]:
        return np.array([1.0 if obs[1] >= 0 else -1.0], np.float32), None


class Still:
    """Does nothing."""

    def predict(self, obs: Any, deterministic: bool) -> tuple[Any, None]:
        return np.zeros(1, np.float32), None


def test_the_sparse_arm_pays_success_alone() -> None:
    """1 where the rule holds, 0 elsewhere; the environment's reward is only told."""
    env = spec("sparse").build()
    assert isinstance(env, SparseReward)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.array([1.0], np.float32))
    assert (reward, info["is_success"]) == (0.0, False)
    assert info["env_reward"] == pytest.approx(-0.1)


def test_the_dense_arm_adds_the_program_to_the_sparse_arm() -> None:
    """Dense = sparse + components, with the agent's discount."""
    env = spec("dense", agent=AgentConfig(gamma=0.5)).build()
    assert isinstance(env, DenseReward)
    assert env.gamma == 0.5
    env.reset(seed=0)
    obs, reward, _, _, info = env.step(np.array([1.0], np.float32))
    assert reward == pytest.approx(10 * abs(float(obs[1])))
    assert info["sparse_reward"] == 0.0


def test_the_expert_arm_is_the_environments_own_reward() -> None:
    """The expert arm pays what the environment pays."""
    env = spec("expert").build()
    assert type(env) is SuccessInfo
    env.reset(seed=0)
    assert env.step(np.array([1.0], np.float32))[1] == pytest.approx(-0.1)


def test_evaluation_counts_what_happened() -> None:
    """A policy that climbs succeeds in every episode, one that rests in none."""
    env = spec("dense", env=resolve("MountainCarContinuous-v0")).build()
    climbs = evaluate(Swing(), env, range(3))
    assert (climbs["success_any"], climbs["success_last"]) == (1.0, 1.0)
    assert climbs["length"] < 200
    # 100 at the flag, minus 0.1 for each step of full thrust
    assert climbs["env_return"] == pytest.approx(100 - 0.1 * climbs["length"])
    rests = evaluate(Still(), env, range(3))
    assert (rests["success_any"], rests["length"]) == (0.0, 999.0)
    assert rests["env_return"] == 0.0


def test_a_trial_measures_and_logs(tmp_path: Path) -> None:
    """A trial returns evaluations and leaves TensorBoard logs and component curves."""
    result = run_trial(spec("dense"), str(tmp_path), None, SHARED.address())
    assert [point["step"] for point in result["curve"]] == [60, 120]
    assert 0.0 <= result["success_any"] <= 1.0
    assert set(result["selection"]) >= {"success_any", "env_return"}
    rows = [json.loads(line) for line in (tmp_path / "curves.jsonl").open()]
    assert rows[0]["step"] == 50
    assert set(rows[0]["components"]) == {"speed"}
    assert result["curve"][0]["components"] == rows[0]["components"]
    assert "components" in result["claimed"]
    assert not (tmp_path / "training").exists()
    assert list(tmp_path.glob("events.out.tfevents.*"))
    (progress,) = read_progress(tmp_path.parent, [tmp_path.name])
    assert progress.total == 120


def test_equal_trials_have_equal_keys_and_results(tmp_path: Path) -> None:
    """The same specification gives the same key and, on a CPU, the same numbers."""
    server = SHARED.address()
    first = run_trial(spec(), str(tmp_path / "a"), None, server)
    again = run_trial(spec(), str(tmp_path / "b"), None, server)
    for result in (first, again):
        del result["seconds"]
    assert first == again
    assert spec().key == spec().key
    keys = {
        spec(**change).key
        for change in ({}, {"seed": 1}, {"steps": 121}, {"arm": "dense"})
    }
    assert len(keys) == 4


def test_trials_are_trained_once(tmp_path: Path) -> None:
    """What the store holds is not trained again; failures are one trial's record."""
    specs = [spec(), spec(agent=AgentConfig("sac", batch_size=1)), spec(seed=1)]
    with RunStore.open(tmp_path / "run", {}) as store:
        first = train_all(specs[:1], store, LocalEngine(1))
        second = train_all(specs[:1], store, LocalEngine(1))
    assert [item.reused for item in first + second] == [False, True]
    assert first[0].result == second[0].result


def test_a_failing_trial_is_a_record(tmp_path: Path) -> None:
    """A trial that cannot be trained is reported and does not stop the others."""
    task = TASK.with_success("info.nothing")
    with RunStore.open(tmp_path / "run", {}) as store:
        bad, good = train_all([spec(task=task), spec()], store, LocalEngine(2))
    assert (bad.status, good.status) == ("failed", "ok")
    assert "nothing" in bad.error


def test_ppo_is_the_choice_for_discrete_actions(tmp_path: Path) -> None:
    """auto trains PPO where actions are discrete, and SAC is refused there."""
    task = TaskSpec(
        "CartPole-v1",
        "balance",
        (Field("angle", source="obs[2]"),),
        Field("action", dtype="int"),
    ).with_success("abs(angle) < 0.1")
    options: dict[str, Any] = {
        "env": resolve("CartPole-v1"),
        "task": task,
        "evaluations": 1,
    }
    assert (
        run_trial(spec(**options), str(tmp_path), None, SHARED.address())["step"] >= 120
    )
    with pytest.raises(UsageError, match="SAC needs continuous actions"):
        run_trial(spec(**options, agent=AgentConfig("sac")), str(tmp_path))


def test_what_cannot_be_measured_is_refused() -> None:
    """No success rule, no steps, or no program: one clear error each."""
    no_rule = TaskSpec("T", "go", TASK.fields, TASK.action)
    with pytest.raises(UsageError, match="no success rule"):
        spec(task=no_rule)
    with pytest.raises(UsageError, match="at least 1"):
        spec(steps=0)
    with pytest.raises(UsageError, match="needs a reward program"):
        spec("dense", program=None)


def test_agents_have_public_spaces() -> None:
    """Every arm keeps the environment's spaces, so that policies transfer."""
    spaces = {str(spec(arm).build().observation_space) for arm in ("sparse", "dense")}
    assert spaces == {str(gym.make("MountainCarContinuous-v0").observation_space)}


def test_no_program_is_where_agents_are_measured(tmp_path: Path) -> None:
    """The evaluator's process never parses, compiles or calls a reward program."""
    code = (
        "import sys\n"
        "from tests.agents.test_trial import spec\n"
        "from reward_synth.agents import run_trial\n"
        "from reward_synth.program import RewardProgram\n"
        "if __name__ == '__main__':\n"
        "    trial = spec('dense')\n"
        "    def refuse(*_): raise RuntimeError('the evaluator loads the program')\n"
        "    RewardProgram.ir = refuse\n"
        "    print(run_trial(trial, sys.argv[1])['step'], 'numba' in sys.modules)\n"
    )
    (tmp_path / "main.py").write_text(code)
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, str(tmp_path / "main.py"), str(tmp_path / "trial")],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["120", "False"], done.stderr


def test_a_policy_acts_as_the_agent_that_its_weights_are_from() -> None:
    """Weights carry everything that a deterministic action needs, for every policy."""
    from reward_synth.agents import sb3

    env = spec().build()
    agent = sb3.make_agent(spec(), env)
    policy = sb3.make_policy(spec(), env)
    policy.load_state_dict(agent.policy.state_dict())
    for seed in range(5):
        env.observation_space.seed(seed)
        obs = env.observation_space.sample()
        action = agent.predict(obs, deterministic=True)[0]
        assert policy.predict(obs, deterministic=True)[0] == action


def test_evaluations_are_where_training_stops_too(tmp_path: Path) -> None:
    """Where steps do not divide evenly, the last evaluation is of the final weights."""
    result = run_trial(
        spec(steps=5, evaluations=2), str(tmp_path), None, SHARED.address()
    )
    assert [point["step"] for point in result["curve"]] == [2, 4, 5]
    assert result["step"] == 5


def test_the_expert_is_measured_in_the_environment_of_the_user() -> None:
    """Returns of all arms are in the reward that the environment was made with."""
    measured = spec("expert").build_for_measurement()
    measured.reset(seed=0)
    info = measured.step(np.array([1.0], np.float32))[4]
    assert isinstance(measured, SparseReward)
    assert info["env_reward"] == pytest.approx(-0.1)
