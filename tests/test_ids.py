"""The ids reward_synth/<Task>: registered cheaply, made, made again, in vectors."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.envs.registration import EnvSpec, WrapperSpec, parse_env_id
from gymnasium.utils.env_checker import check_env

import reward_synth
from reward_synth.envs import families
from reward_synth.errors import ProgramError, UsageError
from reward_synth.ids import id_of, names
from reward_synth.wrappers import DenseReward, SparseReward

CAR = "reward_synth/MountainCarContinuous-v0"
PROGRAM = """def compute_reward(position, velocity):
    return {"place": position, "speed": 10.0 * velocity}
"""
HEAVY = ("torch", "stable_baselines3", "mujoco", "metaworld", "mani_skill", "numba")


def fresh(code: str) -> str:
    """Return what a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def rewards(env: gym.Env[Any, Any], steps: int = 5) -> list[float]:
    """Return the rewards of a few seeded steps."""
    env.reset(seed=3)
    env.action_space.seed(3)
    return [float(env.step(env.action_space.sample())[1]) for _ in range(steps)]


def again(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """Make an environment again from its spec as JSON."""
    assert env.spec is not None
    return gym.make(EnvSpec.from_json(env.spec.to_json()))


def test_importing_stays_light() -> None:
    """`import reward_synth` loads no simulator and no learner."""
    code = f"import sys, reward_synth; print([n for n in {HEAVY} if n in sys.modules])"
    assert fresh(code) == "[]"


@pytest.mark.parametrize(
    "imports",
    [
        "import reward_synth, gymnasium",
        "import gymnasium, reward_synth",
        "import reward_synth.task, gymnasium",
    ],
)
def test_ids_are_there_in_any_order_of_imports(imports: str) -> None:
    """The ids are registered whichever package is imported first; nothing heavy is."""
    code = (
        f"import sys; {imports}; print({CAR!r} in gymnasium.registry, "
        "[n for n in ('torch', 'mujoco', 'metaworld') if n in sys.modules])"
    )
    assert fresh(code) == "True []"


def test_every_task_of_every_family_has_an_id() -> None:
    """The table in ids.py holds the tasks of envs/families.py: add new ones there."""
    known = [family.canonical(task) for family in families() for task in family.tasks]
    assert names() == known
    for name in names():
        task = name.rpartition("/")[2]
        assert gym.spec(id_of(name)).kwargs == {"env_name": name}
        space, _, version = parse_env_id(id_of(name))
        assert space == "reward_synth"
        assert task.endswith(f"-v{version}")


def test_without_a_reward_success_alone_is_paid() -> None:
    """The id alone makes the sparse arm: 1 for success, else 0."""
    env = gym.make(CAR)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(env.action_space.sample())
    assert (reward, info["is_success"]) == (0.0, False)
    assert info["env_reward"] != 0.0


def test_a_reward_comes_on_top(tmp_path: Path) -> None:
    """A program, as text or as a file, is added to success as in trainings."""
    file = tmp_path / "reward.py"
    file.write_text(PROGRAM)
    bare = gym.make("MountainCarContinuous-v0")
    task = reward_synth.describe_env(bare, rollouts=0)
    by_hand = DenseReward(SparseReward(bare, task), PROGRAM, task)
    expected = rewards(by_hand)
    assert rewards(gym.make(CAR, reward=PROGRAM)) == expected
    assert rewards(gym.make(CAR, reward=str(file), combine="add")) == expected
    assert rewards(gym.make(f"reward_synth:{CAR}", reward=PROGRAM)) == expected


def test_combine_and_weight_are_passed_on() -> None:
    """combine and weight mean what they mean for wrap."""
    once = rewards(gym.make(CAR, reward=PROGRAM, combine="replace"))
    twice = rewards(gym.make(CAR, reward=PROGRAM, weight=2.0))
    assert twice == pytest.approx([2 * value for value in once])


def test_the_spec_holds_everything_as_json(tmp_path: Path) -> None:
    """A spec makes the same environment where the program's file is gone."""
    file = tmp_path / "reward.py"
    file.write_text(PROGRAM)
    env = gym.make(CAR, reward=str(file), render_mode="rgb_array")
    file.unlink()
    assert env.spec is not None
    twin = again(env)
    assert twin.spec == env.spec
    assert rewards(twin) == rewards(env)
    data = json.loads(env.spec.to_json())
    assert data["id"] == CAR
    assert [item["name"] for item in data["additional_wrappers"]] == ["RewardArm"]


def test_a_spec_takes_another_reward() -> None:
    """Keywords win over what the spec holds."""
    env = gym.make(CAR, reward=PROGRAM)
    assert env.spec is not None
    other = gym.make(
        env.spec, reward="def compute_reward(action):\n    return {'n': 7.0}"
    )
    assert rewards(other, 1) == [7.0]


def test_further_wrappers_stay_in_the_spec() -> None:
    """Wrappers of Gymnasium around the id are made again too."""
    env: gym.Env[Any, Any] = gym.wrappers.ClipAction(gym.make(CAR, reward=PROGRAM))
    twin = again(env)
    assert twin.spec == env.spec
    assert isinstance(twin, gym.wrappers.ClipAction)


def test_a_shorter_limit_ends_the_episode_inside() -> None:
    """max_episode_steps truncates inside the reward, so its sums are told."""
    env = gym.make(CAR, reward=PROGRAM, max_episode_steps=2)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    *_, truncated, info = env.step(env.action_space.sample())
    assert truncated
    assert set(info["reward_synth"]["components"]) == {"place", "speed"}


def test_wrapped_environments_pickle() -> None:
    """A made environment goes through pickle and plays on alike."""
    env = gym.make(CAR, reward=PROGRAM)
    twin = pickle.loads(pickle.dumps(env))
    assert rewards(twin) == rewards(env)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_make_vec(mode: str) -> None:
    """Vectors of ids are made in this process and in others."""
    together = gym.make_vec(CAR, num_envs=2, vectorization_mode=mode, reward=PROGRAM)
    together.reset(seed=3)
    together.action_space.seed(3)
    paid = together.step(together.action_space.sample())[1]
    together.close()
    assert paid.shape == (2,)
    assert (paid != 0.0).all()


def test_gymnasium_finds_nothing_wrong() -> None:
    """Gymnasium's own checker accepts what an id makes."""
    check_env(gym.make(CAR, reward=PROGRAM), skip_render_check=True)


@pytest.mark.parametrize(
    ("kwargs", "fix"),
    [
        ({"combine": "replace"}, "Give reward='reward.py'"),
        ({"max_episode_steps": 2000, "reward": PROGRAM}, "Give at most 999"),
        ({"frame_skip": 2}, "does not take the argument frame_skip=2"),
        ({"reward": ""}, "Give a file or a program"),
        ({"reward": PROGRAM, "combine": "mul"}, "'mul'"),
    ],
)
def test_misuse_names_the_fix(kwargs: dict[str, Any], fix: str) -> None:
    """What cannot be made is refused with the way out."""
    with pytest.raises(UsageError, match=fix):
        gym.make(CAR, **kwargs)


def test_a_missing_file_is_named() -> None:
    """A reward file that is not there is a ProgramError with its name."""
    with pytest.raises(ProgramError, match=r"gone\.py"):
        gym.make(CAR, reward="gone.py")


def test_without_success_and_reward_there_is_nothing_to_pay() -> None:
    """A task without success rule takes a reward or a rule."""
    task = {
        "id": "T",
        "instruction": "go",
        "fields": [{"name": "position", "source": "obs[0]"}],
        "action": {"name": "action", "shape": [1]},
    }
    with pytest.raises(UsageError, match=r"Give reward='reward\.py', or success="):
        gym.make(CAR, task=task)
    env = gym.make(CAR, task=task, success="position > -2")
    assert rewards(env, 1) == [1.0]
    assert rewards(again(env), 1) == [1.0]


def test_a_function_works_but_has_no_json() -> None:
    """A function rewards in this process; its spec refuses JSON and says why."""
    env = gym.make(CAR, reward=lambda t: 2.0)
    assert env.spec is not None
    assert rewards(env, 1) == [2.0]
    assert rewards(gym.make(env.spec), 1) == [2.0]
    with pytest.raises(UsageError, match="has no JSON form"):
        env.spec.to_json()


def test_the_arm_is_for_ids_alone() -> None:
    """RewardArm around another environment points to wrap."""
    bare = gym.make("CartPole-v1")
    with pytest.raises(UsageError, match=r"reward_synth\.wrap"):
        gym.make(
            EnvSpec(
                "Own-v0",
                lambda **_: bare,
                additional_wrappers=(
                    WrapperSpec("RewardArm", "reward_synth.api.ids:RewardArm", {}),
                ),
            )
        )


@pytest.mark.parametrize("as_file", [False, True])
def test_wrap_is_recorded_in_additional_wrappers(tmp_path: Path, as_file: bool) -> None:
    """What wrap made is made again from its spec, from text and from a file."""
    file = tmp_path / "reward.py"
    file.write_text(PROGRAM)
    env = reward_synth.wrap(
        gym.make("MountainCarContinuous-v0"), file if as_file else PROGRAM
    )
    file.unlink()
    assert env.spec is not None
    assert [item.name for item in env.spec.additional_wrappers] == ["DenseReward"]
    assert rewards(again(env)) == rewards(env)


def test_wrap_can_be_registered() -> None:
    """A WrapperSpec with the entry point reward_synth:wrap gives any id a reward."""
    task = reward_synth.describe_env(gym.make("MountainCarContinuous-v0"), rollouts=0)
    given = {"reward": PROGRAM, "task": task.to_dict()}
    dense = WrapperSpec("wrap", "reward_synth:wrap", given)
    gym.register(
        "DenseCar-v0",
        "gymnasium.envs.classic_control:Continuous_MountainCarEnv",
        max_episode_steps=999,
        additional_wrappers=(dense,),
    )
    try:
        made = gym.make("DenseCar-v0")
        own = reward_synth.wrap(gym.make("MountainCarContinuous-v0"), PROGRAM)
        assert rewards(made) == rewards(own)
    finally:
        del gym.registry["DenseCar-v0"]


@pytest.mark.parametrize("task", ["FetchReach-v4", "door-close-v3"])
def test_other_simulators(task: str) -> None:
    """Ids of tasks with a namespace of their own are made, and made again."""
    family = next(item for item in families() if task in item.tasks)
    if not family.installed:
        pytest.skip(f"needs the extra {family.extra}")
    env = gym.make(f"reward_synth/{task}")
    assert rewards(again(env), 2) == rewards(env, 2) == [0.0, 0.0]


@pytest.mark.maniskill
def test_maniskill() -> None:
    """ManiSkill's tasks have ids without their namespace."""
    pytest.importorskip("mani_skill")
    env = gym.make("reward_synth/PickCube-v1")
    assert rewards(env, 2) == [0.0, 0.0]
