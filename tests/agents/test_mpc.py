"""Planning: the twin is the simulator, plans are weighed, and actions alone are believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from reward_synth.agents import run_trial
from reward_synth.agents.failures import WeightsError
from reward_synth.agents.mpc_spec import Mpc, PlanSpec
from reward_synth.agents.mpc_trial import replayed, seeds
from reward_synth.agents.trainer import Tell
from reward_synth.agents.trial_spec import TrialSpec
from reward_synth.agents.warm_trainers import SHARED
from reward_synth.agents.weights import write_weights
from reward_synth.envs import resolve
from reward_synth.errors import UsageError
from reward_synth.language import FunctionIR, parse
from reward_synth.program import RewardProgram
from reward_synth.task import Field, TaskSpec

mpc = pytest.importorskip("reward_synth.agents.mpc", exc_type=ImportError)
TASK = TaskSpec(
    "Reacher-v5",
    "Reach the target.",
    (
        Field("gap", (2,), source="obs[8:10]"),
        Field("speed", (2,), source="obs[6:8]"),
    ),
    Field("action", (2,)),
    horizon=50,
).with_success("np.linalg.norm(gap) < 0.05")
TEXT = (
    "import numpy as np\ndef compute_reward(gap, prev_gap, speed, action):\n"
    "    return {'near': -np.linalg.norm(gap), 'gain': np.linalg.norm(prev_gap),\n"
    "            'fast': np.sum(speed), 'effort': np.sum(action)}\n"
)
PROGRAM = RewardProgram.of(TEXT, TASK)


def function() -> FunctionIR:
    found = parse(TEXT, TASK).ir
    assert found is not None
    assert found.reward is not None
    return found.reward


def spec(**changes: Any) -> PlanSpec:
    options: dict[str, Any] = {
        "env": resolve("Reacher-v5"),
        "task": TASK,
        "arm": "dense",
        "steps": 100,
        "seed": 0,
        "episodes": 1,
        "program": PROGRAM,
        "planner": Mpc(samples=2, horizon=2),
    }
    return PlanSpec(**options | changes)


def test_a_plan_earns_in_the_twin_what_it_would_earn_here() -> None:
    """From the state of a running episode, each of several plans: the program's sum over
    the observations that the environment itself gives for these actions."""
    plans = np.random.default_rng(0).uniform(-1, 1, (3, 6, 2))
    found: list[float] = []
    expected: list[float] = []
    for plan in plans:
        env = gym.make("Reacher-v5")
        env.reset(seed=4)
        for _ in range(7):
            obs = env.step(np.array([0.3, -0.8]))[0]
        if not found:
            twin = mpc.Twin(gym.make("Reacher-v5"), TASK, function())
            found = twin.play(mpc.state_of(env), plans).tolist()
        total = 0.0
        for action in plan:
            before, obs = obs, env.step(action)[0]
            gap, speed = obs[8:10], obs[6:8]
            total -= float(np.linalg.norm(gap))
            more = np.linalg.norm(before[8:10]) + speed.sum() + action.sum()
            total += float(more)
        expected.append(total)
    # positions before a plan's first step lag by a substep here, and not in the twin
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_looking_ahead_changes_nothing_here() -> None:
    """The environment that is acted in has the same state before and after planning."""
    env = gym.make("Reacher-v5")
    env.reset(seed=1)
    before = mpc.state_of(env)
    twin = mpc.Twin(gym.make("Reacher-v5"), TASK, function())
    space: Any = env.action_space
    planner = mpc.Planner(space, twin.play, Mpc(samples=3), np.random.default_rng(0))
    planner.act(before)
    np.testing.assert_array_equal(mpc.state_of(env), before)


SPACE = gym.spaces.Box(-1.0, 3.0, (2,), np.float64)


def planner(score: Any, **settings: Any) -> Any:
    options = {"samples": 40, "horizon": 6, "knots": 3} | settings
    return mpc.Planner(SPACE, score, Mpc(**options), np.random.default_rng(0))


def test_the_best_plan_is_followed_and_its_rest_kept() -> None:
    """The plan with the highest score, shifted by one step; no action leaves its bounds."""
    seen: list[Any] = []

    def score(_: Any, plans: Any) -> Any:
        seen.append(plans)
        return plans[:, :, 0].sum(1)

    made = planner(score, noise=2.0)
    action = made.act(np.zeros(0))
    best = seen[0][np.argmax(seen[0][:, :, 0].sum(1))]
    np.testing.assert_array_equal(action, best[0])
    made.act(np.zeros(0))
    np.testing.assert_array_equal(seen[1][0], np.concatenate([best[1:], best[-1:]]))
    assert seen[0].min() >= -1.0
    assert seen[0].max() <= 3.0
    assert (seen[0] == 3.0).any()


def test_the_mean_is_weighted_by_what_plans_earn() -> None:
    """exp((r - max) / (spread * temperature)), of the plans that were tried."""
    seen: list[Any] = []

    def score(_: Any, plans: Any) -> Any:
        seen.append(plans)
        return -np.abs(plans - 1.5).sum((1, 2))

    action = planner(score, choice="mean", temperature=0.5).act(np.zeros(0))
    earned = -np.abs(seen[0] - 1.5).sum((1, 2))
    weights = np.exp((earned - earned.max()) / (earned.std() * 0.5))
    expected = (weights[:, None] * seen[0][:, 0]).sum(0) / weights.sum()
    np.testing.assert_allclose(action, expected, rtol=1e-6)


def test_plans_that_break_the_simulator_are_not_followed() -> None:
    """A score of minus infinity weighs nothing, under both choices."""

    def score(_: Any, plans: Any) -> Any:
        return np.where(plans[:, 0, 0] > 1.0, -np.inf, plans[:, 0, 0])

    for choice in ("best", "mean"):
        action = planner(score, choice=choice).act(np.zeros(0))
        assert action[0] <= 1.0
        assert np.isfinite(action).all()


def forged(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Claim to have planned, with actions that do nothing."""
    actions = torch.zeros((2, 50, 2), dtype=torch.float64)
    write_weights({"actions": actions}, folder / "weights" / "plan.safetensors")
    tell({"progress": {"success_any": 1.0}})


def short(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Leave actions of fewer episodes."""
    actions = torch.zeros((1, 50, 2), dtype=torch.float64)
    write_weights({"actions": actions}, folder / "weights" / "plan.safetensors")


def test_actions_alone_are_believed(tmp_path: Path) -> None:
    """Actions that do nothing score what doing nothing scores, from the same seeds."""
    trial = spec()
    result = run_trial(trial, str(tmp_path / "t"), forged, SHARED.address())
    env = trial.build_for_measurement()
    still = np.zeros((1, 50, 2), np.float32)
    assert result["selection"] == replayed(env, still, seeds(trial)[:1])
    assert result["env_return"] == replayed(env, still, seeds(trial)[1:])["env_return"]
    with pytest.raises(WeightsError, match="have actions as"):
        run_trial(trial, str(tmp_path / "s"), short, SHARED.address())


def test_environments_with_a_state_of_their_own_are_refused() -> None:
    """What MuJoCo does not know cannot be copied."""
    with pytest.raises(UsageError, match="Gymnasium's MuJoCo environments"):
        mpc.simulated(gym.make("Pendulum-v1"))

    class Own(type(gym.make("Reacher-v5").unwrapped)):  # type: ignore[misc]
        """As Meta-World's: of the same class, with a goal that Python alone knows."""

    with pytest.raises(UsageError, match="Own keeps a state"):
        mpc.simulated(Own())


def test_what_cannot_be_planned_is_refused() -> None:
    """No limit of an episode, choices as actions, settings out of range, no bounds."""
    endless = TaskSpec("T", "go", TASK.fields, TASK.action).with_success("gap[0] > 0")
    with pytest.raises(UsageError, match="how long episodes are"):
        spec(task=endless)
    with pytest.raises(UsageError, match="samples, horizon and knots"):
        Mpc(samples=0)
    with pytest.raises(UsageError, match="noise and temperature"):
        Mpc(noise=0.0)
    with pytest.raises(UsageError, match="'best' or 'mean'"):
        Mpc(choice="worst")  # type: ignore[arg-type]
    wide = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
    with pytest.raises(UsageError, match="actions with bounds"):
        mpc.Planner(wide, lambda *_: 0, Mpc(), np.random.default_rng(0))


def test_the_planner_is_in_the_key() -> None:
    """Another planner, another trial."""
    assert spec().key != spec(planner=Mpc(samples=3, horizon=2)).key
