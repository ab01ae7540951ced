"""Trials of our PPO: labels and bonuses reach it, and it is measured by its weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reward_synth.agents import AgentConfig, TrialSpec, run_trial
from reward_synth.agents.intrinsic_spec import Intrinsic
from reward_synth.agents.intrinsic_trial import evaluation_points
from reward_synth.agents.progress import CURVES
from reward_synth.benchmarks.designs import Labels, Place, Skipped, Treatment
from reward_synth.benchmarks.suite import load_suite
from reward_synth.envs import resolve
from reward_synth.errors import UsageError
from reward_synth.task import Field, TaskSpec

CART = TaskSpec(
    "CartPole-v1",
    "Balance.",
    (Field("angle", source="obs[2]"),),
    Field("action", dtype="int"),
    horizon=30,
).with_success("abs(angle) < 0.1")
AGENT = AgentConfig("two-value-ppo", net_arch=(8,))


def cart(**changes: Any) -> TrialSpec:
    env = resolve("CartPole-v1", {"max_episode_steps": 30})
    options: dict[str, Any] = {"steps": 2048, "episodes": 2, "evaluations": 2}
    options |= {"agent": AGENT, **changes}
    return TrialSpec(env, CART, "sparse", seed=0, **options)


def room(**changes: Any) -> TrialSpec:
    pytest.importorskip("minihack")
    env = resolve("MiniHack-KeyRoom-S5-v0", {"max_episode_steps": 60})
    task = env.describe(rollouts=1, max_steps=5)
    options: dict[str, Any] = {"episodes": 1, "evaluations": 1, "agent": AGENT}
    return TrialSpec(env, task, "sparse", 1024, 0, **options | changes)


def test_a_confined_training_with_a_bonus_is_measured_and_repeats(
    tmp_path: Path,
) -> None:
    """Two trainings of one seed end in equal figures; another seed's weights differ, and
    the episodes' bonuses are told as a component."""
    paid = cart(intrinsic=Intrinsic(bonuses=("e3b",)))
    first, again = (run_trial(paid, str(tmp_path / name)) for name in ("a", "b"))
    names = ("curve", "selection", "env_return")
    assert [first[n] for n in names] == [again[n] for n in names]
    assert [point["step"] for point in first["curve"]] == [1024, 2048]
    assert first["curve"][-1]["components"]["bonus"] > 0.0
    assert first["curve"][-1]["components"]["labels"] == 0.0


def test_games_are_played_in_the_confined_process(tmp_path: Path) -> None:
    """MiniHack starts a compiler when it is made, which the locked process may not; it
    is made before the lock, and labels pay there."""
    told = room(intrinsic=Intrinsic("oni-retrieval"))
    result = run_trial(told, str(tmp_path / "trial"))
    assert result["curve"][-1]["step"] == 1024
    assert set(result["components"]) == {"labels", "bonus"}
    assert result["components"]["bonus"] == 0.0


def test_only_our_ppo_learns_from_labels() -> None:
    """Another agent is refused before anything is trained."""
    with pytest.raises(UsageError, match="two-value-ppo"):
        cart(agent=AgentConfig("ppo"), intrinsic=Intrinsic(bonuses=("count",)))
    with pytest.raises(UsageError, match="neither"):
        Intrinsic()


def test_what_is_paid_is_in_the_key_and_nothing_else_changed() -> None:
    """Trials with other labels are other trials; those without have the keys that they
    had before there were labels."""
    plain = cart()
    assert "intrinsic" not in plain.config()
    kinds = [Intrinsic("oni-retrieval"), Intrinsic("oni-retrieval", power=0.0)]
    keys = {replace(plain, intrinsic=kind).key for kind in kinds}
    assert len(keys | {plain.key}) == 3


def test_weights_are_kept_at_the_first_update_after_each_point() -> None:
    """Points are told beforehand: up to the end of the last whole update."""
    assert evaluation_points(cart(steps=2500, evaluations=2)) == [1250, 2500]
    assert evaluation_points(cart(steps=3000, evaluations=3)) == [1000, 2000, 3000]


def test_labels_are_left_out_where_nobody_can_give_them(tmp_path: Path) -> None:
    """Rules are known for some tasks alone; the reason names the task."""
    for name, known in (("CartPole-v1", False), ("NetHackStaircase-v0", True)):
        if known:
            pytest.importorskip("nle")
        place: Any = Place(None, resolve(name), CART, tmp_path)  # type: ignore[arg-type]
        found = Labels("oni-ranking").treat(place)
        assert isinstance(found, Treatment if known else Skipped)
        if isinstance(found, Skipped):
            assert "CartPole-v1" in found.reason


@pytest.mark.parametrize("name", ["oni", "bonuses"])
def test_shipped_suites_train_our_ppo(name: str) -> None:
    """Every task of the suites names the agent that learns from what they pay."""
    suite = load_suite(name)
    for task in suite.tasks:
        assert suite.agents[task.agent].algorithm == "two-value-ppo"
    assert "sparse" in suite.designs


def test_a_bonus_that_there_is_not(tmp_path: Path) -> None:
    """The suite's file is refused, with the nearest name."""
    file = tmp_path / "mine.toml"
    file.write_text(
        '[designs.new]\nkind = "bonus"\nbonus = "cuont"\n[tasks.CartPole-v1]\nsteps = 1\n'
    )
    with pytest.raises(UsageError, match="Did you mean 'count'"):
        load_suite(str(file))


def test_curves_hold_every_episode_once(tmp_path: Path) -> None:
    """Lengths of all finished episodes are at most the steps, and the sums of CartPole's
    own pay are what is told as sparse."""
    from reward_synth.agents import intrinsic_trial
    from reward_synth.agents.progress import WEIGHTS

    (tmp_path / WEIGHTS).mkdir()
    intrinsic_trial.train(cart(), tmp_path, lambda _: None)
    rows = [json.loads(x) for x in (tmp_path / CURVES).read_text().splitlines()]
    steps = [row["step"] for row in rows]
    assert steps == sorted(steps)
    assert steps[-1] <= 2048
    assert len(rows) >= 8 * (2048 // 8 // 30)  # an episode has 30 steps at most
