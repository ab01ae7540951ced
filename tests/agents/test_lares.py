"""A population on one replay buffer: what is scored, who acts, what goes on, who owns it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from reward_synth.agents import run_trial
from reward_synth.agents.failures import TrainingError
from reward_synth.agents.lares import Lares, Matching, SharedReplay, Thompson
from reward_synth.agents.lares_spec import PeriodSpec, policy_file
from reward_synth.agents.lares_steps import (
    Transitions,
    read_steps,
    shapes,
    write_steps,
)
from reward_synth.agents.lares_train import Period
from reward_synth.agents.lares_train import train as train_period
from reward_synth.agents.schedule import weights_file
from reward_synth.agents.trainer import Tell
from reward_synth.agents.trial_spec import TrialSpec
from reward_synth.agents.warm_trainers import SHARED
from reward_synth.agents.weights import write_weights
from reward_synth.envs import resolve
from reward_synth.errors import UsageError
from reward_synth.kernels import Population
from reward_synth.language import FunctionIR, parse
from reward_synth.program import RewardProgram
from tests.agents.test_trial import SHORT, TASK

STEPS = 60


def program(weight: float) -> RewardProgram:
    text = (
        "def compute_reward(velocity, prev_position, position, action):\n"
        f"    return {{'go': {weight} * (position - prev_position),\n"
        "            'effort': -action[0] ** 2}\n"
    )
    return RewardProgram.of(text, TASK)


POOL = (program(1.0), program(10.0), program(100.0))


def function(text: str) -> FunctionIR:
    found = parse(text, TASK).ir
    assert found is not None
    assert found.reward is not None
    return found.reward


def population(*programs: RewardProgram) -> Population:
    return Population([function(item.source) for item in programs])


def period(*programs: RewardProgram, **changes: Any) -> PeriodSpec:
    options: dict[str, Any] = {
        "env": resolve("MountainCarContinuous-v0", SHORT),
        "task": TASK,
        "arm": "dense",
        "steps": STEPS,
        "seed": 0,
        "episodes": 1,
        "program": programs[0],
        "population": programs,
    }
    return PeriodSpec(**options | changes)


def steps(count: int, seed: int = 0) -> Transitions:
    rng = np.random.default_rng(seed)
    place = rng.uniform(-1, 1, (count + 1, 2))
    action = rng.uniform(-1, 1, (count, 1))
    zeros = np.zeros(count)
    values = {
        "position": place[1:, 0],
        "prev_position": place[:-1, 0],
        "velocity": place[1:, 1],
        "prev_velocity": place[:-1, 1],
        "action": action,
    }
    return Transitions(place[:-1], place[1:], action, zeros, zeros + 0.5, values)


def paid(weight: float, made: Transitions) -> Any:
    values = made.values
    moved = values["position"] - values["prev_position"]
    return weight * moved - values["action"][:, 0] ** 2


def test_every_step_is_scored_for_every_program() -> None:
    """Row p holds program p's own reward of each step, beside the sparse one."""
    shared = SharedReplay(population(*POOL))
    first, second = steps(5, 1), steps(3, 2)
    shared.extend(first)
    shared.extend(second)
    kept, rewards = shared.rows()
    assert len(kept) == len(shared) == 8
    for row, weight in enumerate((1.0, 10.0, 100.0)):
        expected = np.concatenate([paid(weight, first), paid(weight, second)]) + 0.5
        np.testing.assert_allclose(rewards[row], expected, atol=1e-9)


def test_new_programs_score_old_steps_like_the_elite() -> None:
    """Relabelled with its own reward, of the best elite's mean and spread; elites stay."""
    known = steps(200)
    shared = SharedReplay(population(*POOL), known, inherited=1, sparse=False)
    rewards = shared.rows()[1]
    np.testing.assert_allclose(rewards[0], paid(1.0, known), atol=1e-9)
    for row, weight in ((1, 10.0), (2, 100.0)):
        assert rewards[row].mean() == pytest.approx(rewards[0].mean(), abs=1e-9)
        assert rewards[row].std() == pytest.approx(rewards[0].std())
        own = paid(weight, known)
        assert np.corrcoef(rewards[row], own)[0, 1] == pytest.approx(1.0)
    more = steps(4, 9)
    shared.extend(more)  # later steps go through the same map
    fresh = shared.rows()[1][2, 200:]
    scale = np.std(paid(1.0, known)) / np.std(paid(100.0, known))
    expected = scale * (paid(100.0, more) - paid(100.0, known).mean())
    np.testing.assert_allclose(fresh, expected + paid(1.0, known).mean(), atol=1e-9)


def test_what_is_not_finite_counts_as_nothing() -> None:
    """NaN and huge rewards of a step leave the sparse reward alone, and are counted."""
    text = (
        "import numpy as np\ndef compute_reward(position):\n"
        "    return {'a': np.log(position) if position < 0.5 else 1e9 * position}\n"
    )
    shared = SharedReplay(Population([function(text)]))
    made = steps(40)
    with pytest.warns(UserWarning, match="reward of program 0"):
        shared.extend(made)
    rewards = shared.rows()[1][0]
    odd = (made.values["position"] < 0) | (made.values["position"] >= 0.5)
    assert odd.any()
    assert (rewards[odd] == 0.5).all()
    assert shared.faults.record()["faults"] == odd.sum()


@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=9),
    st.lists(st.floats(-5, 5), min_size=2, max_size=9),
)
def test_matching_keeps_the_order(own: list[float], elite: list[float]) -> None:
    """An affine map with a factor of 0 or more: no step overtakes another."""
    values = np.array(own)
    mapped = Matching.of(values, np.array(elite))(values)
    order = np.argsort(values, kind="stable")
    assert (np.diff(mapped[order]) >= -1e-9).all()
    assert mapped.mean() == pytest.approx(np.mean(elite), abs=1e-6)


def test_who_acts_is_drawn_from_the_posterior() -> None:
    """Beta(2, 1) beats Beta(1, 2) in 5 of 6 draws: the integral of 2x (2x - x^2)."""
    arms = Thompson(2, 10, np.random.default_rng(0))
    arms.tell(0, success=True)
    arms.tell(1, success=False)
    share = np.mean([arms.draw() == 0 for _ in range(6000)])
    assert share == pytest.approx(5 / 6, abs=0.02)


def test_old_episodes_are_forgotten() -> None:
    """Only the newest ``window`` of a policy count; nobody acts twice in a turn."""
    arms = Thompson(2, 3, np.random.default_rng(0))
    for success in (True, True, False, False, False):
        arms.tell(0, success=success)
    assert list(arms.seen[0]) == [False] * 3
    turns = [arms.chosen() for _ in range(30)]
    assert all(len(set(turn)) == len(turn) for turn in turns)


def _bad(columns: dict[str, Any], what: str) -> Mapping[str, Any]:
    changes = {
        "missing": {"sparse": None},
        "unknown": {"more": columns["sparse"]},
        "short": {"actions": columns["actions"][1:]},
        "wide": {"actions": np.zeros((4, 2))},
        "single": {"actions": columns["actions"].astype(np.float32)},
        "nan": {"value.velocity": columns["value.velocity"] * np.nan},
        "scalar": {"sparse": np.zeros(())},
    }
    return {k: v for k, v in {**columns, **changes[what]}.items() if v is not None}


@pytest.mark.parametrize(
    "what", ["missing", "unknown", "short", "wide", "single", "nan", "scalar"]
)
def test_steps_of_another_form_are_refused(what: str, tmp_path: Path) -> None:
    """Columns, shapes, types and numbers are those of the task, or nothing is taken."""
    expected = shapes(TASK, period(*POOL).build_for_measurement())
    path = tmp_path / "s.safetensors"
    write_steps(steps(4), path)
    assert len(read_steps(path, expected, 4)) == 4
    save_file(dict(_bad(steps(4).columns(), what)), path)
    with pytest.raises(TrainingError, match="cannot be taken"):
        read_steps(path, expected, 4)


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    """Too many steps, junk, links and nothing at all."""
    expected = shapes(TASK, period(*POOL).build_for_measurement())
    path, link = tmp_path / "s.safetensors", tmp_path / "l.safetensors"
    write_steps(steps(4), path)
    link.symlink_to(path)
    for file, most in ((path, 3), (link, 4), (tmp_path / "none", 4)):
        with pytest.raises(TrainingError, match="cannot be taken"):
            read_steps(file, expected, most)
    path.write_bytes(b"\x80\x04junk" * 9)
    with pytest.raises(TrainingError, match="cannot be taken"):
        read_steps(path, expected, 4)


def begun(tmp_path: Path, count: int = 1) -> tuple[PeriodSpec, Path]:
    """Return a second period with ``count`` elites, and the folder that it is given."""
    spec = period(POOL[2], *POOL[:2], elites=tuple(range(count)), before="first")
    first = Period(period(*POOL, seed=7), None)
    for row in range(count):
        path = tmp_path / weights_file(policy_file(row))
        write_weights(first.agents[row].policy.state_dict(), path)
    write_steps(steps(50), tmp_path / "replay.safetensors")
    return spec, tmp_path


def same(first: Any, second: Any) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_elites_go_on_and_new_programs_begin_with_the_best(tmp_path: Path) -> None:
    """Policies of the files, in their order; the third gets the first one's."""
    spec, given = begun(tmp_path, count=2)
    made = Period(spec, given)
    first = Period(period(*POOL, seed=7), None)
    tables = [agent.policy.state_dict() for agent in first.agents]
    for agent, row in zip(made.agents, (0, 1, 0), strict=True):
        assert same(agent.policy.state_dict(), tables[row])
    assert len(made.replay) == 50


def test_only_new_policies_are_held_near_the_elite(tmp_path: Path) -> None:
    """A pull of 1 / rate sets them back to it after each step; the elite moves on."""
    spec, given = begun(tmp_path)
    rate = spec.agent.learning_rate
    made = Period(spec, given, Lares(pull=1.0 / rate, batch=8))
    made.learn(2)
    assert made.elite is not None
    moved, new, _ = [dict(agent.policy.named_parameters()) for agent in made.agents]
    for name, value in new.items():
        torch.testing.assert_close(value, made.elite[name])
    assert not same(moved, made.elite)


def test_policies_learn_from_each_others_steps() -> None:
    """One episode of one policy, and all of them take gradient steps on it."""
    made = Period(period(*POOL), None, Lares(batch=8))
    before = [
        {k: v.clone() for k, v in x.policy.state_dict().items()} for x in made.agents
    ]
    made.play(1)
    made.learn(1)
    for agent, old in zip(made.agents, before, strict=True):
        assert not same(agent.policy.state_dict(), old)


def spoiling(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Train, and then spoil the copies that were given."""
    train_period(spec, folder, tell)
    for path in (folder / "given").iterdir():
        path.write_bytes(b"spoiled")


def test_the_parent_owns_the_buffer(tmp_path: Path) -> None:
    """Two periods in confined processes: the buffer is the first one's steps and the
    second one's, whatever the second does with its copy."""
    first = period(*POOL)
    second = period(POOL[2], POOL[0], elites=(2,), before=first.key)
    address = SHARED.address()
    one = run_trial(first, str(tmp_path / first.key), None, address)
    two = run_trial(second, str(tmp_path / second.key), spoiling, address)
    assert (one["steps"], two["steps"]) == (STEPS, 2 * STEPS)
    told = [row["program"] for row in two["population"]]
    assert told == [POOL[2].digest, POOL[0].digest]
    expected = shapes(TASK, first.build_for_measurement())
    old, new = (
        read_steps(tmp_path / key / "replay.safetensors", expected, 2 * STEPS)
        for key in (first.key, second.key)
    )
    np.testing.assert_array_equal(new.observations[:STEPS], old.observations)


def test_no_program_is_where_periods_are_measured() -> None:
    """The evaluator does not even import what loads programs in a period."""
    code = (
        "import sys; import reward_synth.agents.lares_trial\n"
        "print([x for x in ('lares_train', 'lares')\n"
        "       if f'reward_synth.agents.{x}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_period_that_leaves_no_steps_fails(tmp_path: Path) -> None:
    """The trial's failure says what could not be taken."""
    spec = period(*POOL)
    with pytest.raises(TrainingError, match=r"fresh\.safetensors.*cannot be taken"):
        run_trial(spec, str(tmp_path / spec.key), forgetful, SHARED.address())


def forgetful(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Leave policies without steps."""
    if not isinstance(spec, PeriodSpec):
        raise UsageError("a period is needed")
    for row, agent in enumerate(Period(spec, None).agents):
        path = folder / "weights" / weights_file(policy_file(row))
        write_weights(agent.policy.state_dict(), path)


def test_what_cannot_be_shared_is_refused() -> None:
    """No program, elites without a period, other combiners, settings out of range."""
    spec = period(*POOL)
    for changes, says in (
        ({"population": ()}, "A period needs programs"),
        ({"elites": (0,)}, "Elites come from the period before"),
        ({"combine": "potential"}, "cannot be shared"),
    ):
        with pytest.raises(UsageError, match=says):
            replace(spec, **changes)
    with pytest.raises(UsageError, match="window and batch"):
        Lares(window=0)


def test_everything_that_the_result_depends_on_is_in_the_key() -> None:
    """Another population, other elites or another period before: another trial."""
    spec = period(*POOL)
    others = [
        period(*POOL[:2]),
        period(*POOL, before="x"),
        period(*POOL, elites=(0,), before="x"),
        period(*POOL, elites=(1,), before="x"),
    ]
    assert len({item.key for item in (spec, *others)}) == 5
