"""Arms, descriptions and demonstrations of Meta-World's tasks."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.agents.trial import TrialSpec
from reward_synth.envs import EnvRef, describe_any, resolve
from reward_synth.envs.metaworld import FAMILY, demonstrations, make, task_spec
from reward_synth.envs.metaworld_tasks import MT10, TEXT2REWARD
from reward_synth.errors import TaskSpecError, UnknownEnvError, UsageError
from reward_synth.task.field import holds_answer
from tests.envs.metaworld_play import base_of, play

pytest.importorskip("metaworld")
pytestmark = pytest.mark.filterwarnings("ignore:Constant")
"""Its policies warn that they ask for longer moves than are made."""
NAMED = tuple(dict.fromkeys((*MT10, *TEXT2REWARD)))


@pytest.mark.parametrize("name", NAMED)
def test_arms_differ(name: str) -> None:
    """In the same episode the sparse arm pays success and the expert arm many values,
    and both call the same steps a success."""
    spec = TrialSpec(resolve(name), task_spec(name), "sparse", steps=1, seed=0)
    sparse = list(play(spec.build(), name, seed=0))
    expert = list(play(replace(spec, arm="expert").build(), name, seed=0))
    assert [step[1] for step in sparse] == [float(s[4]["is_success"]) for s in sparse]
    assert len({step[1] for step in expert}) > 10
    wins = [step[4]["is_success"] for step in expert]
    assert wins == [step[4]["is_success"] for step in sparse]
    assert any(wins)


def test_versions_agree_on_success() -> None:
    """Version 1 pays otherwise, but success is version 2's: Meta-World's own version 1
    never reports it in peg-insert-side."""
    name = "peg-insert-side-v3"
    played = {}
    for version in ("v1", "v2"):
        ref = resolve(name, {"reward_function_version": version}).expert()
        env = ref.make()
        played[version] = list(play(env, name, seed=0))
        assert base_of(env).reward_function_version == version
    wins = {key: [s[4]["success"] for s in steps] for key, steps in played.items()}
    assert wins["v1"] == wins["v2"]
    assert any(wins["v1"])
    paid = {key: [s[1] for s in steps] for key, steps in played.items()}
    assert paid["v1"] != paid["v2"]
    bench = import_module("metaworld").MT1(name, seed=0)
    raw = bench.train_classes[name](reward_function_version="v1")
    raw.set_task(bench.train_tasks[0])
    assert not any(step[4]["success"] for step in play(raw, name, seed=0))


def test_success_may_end_the_episode() -> None:
    """With terminate_on_success the first success terminates, and its task says so."""
    ref = resolve("handle-press-v3", {"terminate_on_success": True})
    assert ref.describe(rollouts=0).ends_on_success
    assert not resolve("handle-press-v3").describe(rollouts=0).ends_on_success
    steps = list(play(ref.make(), "handle-press-v3", seed=0))
    ends = [terminated for _, _, terminated, _, _ in steps]
    assert ends == [info["success"] for *_, info in steps]
    assert any(ends)


def test_description() -> None:
    """A description has the table's fields with ranges, and Meta-World's horizon."""
    task = resolve("MetaWorld/door-close-v3").describe(rollouts=1, max_steps=20)
    known = task_spec("door-close-v3")
    assert [f.signature for f in task.fields] == [f.signature for f in known.fields]
    assert (task.id, task.horizon, task.sparse) == (
        "MetaWorld/door-close-v3",
        500,
        True,
    )
    assert all(item.seen_low for item in task.fields)
    assert (task.success, task.dt) == (known.success, known.dt)
    assert resolve("door-close-v3").describe(rollouts=0).digest != task.digest


def test_own_environments_are_described() -> None:
    """What Meta-World's own gymnasium.make gives has the same fields; it is dense."""
    import metaworld  # noqa: F401 - registers the id

    env = gym.make(
        "Meta-World/MT1", env_name="reach-v3", seed=0, disable_env_checker=True
    )
    task = describe_any(env, rollouts=1, max_steps=20)
    assert [f.name for f in task.fields] == [
        f.name for f in task_spec("reach-v3").fields
    ]
    assert (task.id, task.sparse, task.horizon) == ("MetaWorld/reach-v3", False, 500)


def test_answers_are_withheld() -> None:
    """No key of info that tells the dense reward can become a field."""
    ref = resolve("reach-v3")
    keys = ref.describe(rollouts=1, max_steps=3).info_keys
    assert {"unscaled_reward", "in_place_reward", "near_object"} <= set(keys)
    for key in keys:
        if key in ("near_object", "obj_to_target"):
            with pytest.raises(TaskSpecError, match="dense reward"):
                ref.describe(rollouts=0, allow_info=(key,))
        else:
            assert holds_answer(key)


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"colour": "red"}, "colour='red'"),
        ({"max_episode_steps": 501}, "1 to 500.*received 501"),
        ({"reward_mode": "none"}, "sparse, dense; received 'none'"),
        ({"reward_function_version": "v3"}, "v2, v1; received 'v3'"),
    ],
)
def test_wrong_arguments(kwargs: dict[str, Any], words: str) -> None:
    """An argument that is not taken is named, with what is."""
    with pytest.raises(UsageError, match=words):
        resolve("reach-v3", kwargs).make()


def test_unknown_task() -> None:
    """A task that is not there is answered with the nearest one."""
    with pytest.raises(UnknownEnvError, match="drawer-open-v3"):
        make("drawer-opn-v3")
    with pytest.raises(UnknownEnvError, match="drawer-open-v3"):
        task_spec("drawer-opn-v3")


def test_demonstrations() -> None:
    """Scripted episodes succeed and go on for 10 steps; noisy ones may fail."""
    task = task_spec("push-v3")
    (plain,) = demonstrations(task, [0])
    assert plain.policy == "demonstration"
    assert plain.success is not None
    first = int(np.argmax(plain.success))
    assert len(plain) == first + 10
    assert plain.steps.after.keys() == {item.name for item in task.fields}
    np.testing.assert_array_equal(plain.steps.sparse, plain.success.astype(float))
    (again,) = demonstrations(task, [0])
    np.testing.assert_array_equal(plain.steps.action, again.steps.action)
    (noisy,) = demonstrations(task, [0], noise=1.0)
    assert noisy.policy == "perturbed"
    assert not noisy.succeeded


def test_family_demonstrates_both() -> None:
    """For screening there are six seeds, and six more with growing noise."""
    played = FAMILY.demonstrate(task_spec("handle-press-side-v3"), 3)
    names = [rollout.policy for rollout in played]
    assert names == ["demonstration"] * 6 + ["perturbed"] * 6
    assert [rollout.seed for rollout in played] == list(range(3, 15))
    other = replace(task_spec("reach-v3"), id="Hopper-v5")
    assert FAMILY.demonstrate(other, 0) == ()


def test_code_makes_it() -> None:
    """The printed Python names the task and its arguments."""
    ref: EnvRef = resolve("MetaWorld", {"seed": 2})
    assert ref.code() == "env = reward_synth.make('MetaWorld/drawer-close-v3', seed=2)"
