"""Names of environments."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

from reward_synth.envs import EnvRef, families, resolve
from reward_synth.envs.families import (
    MANISKILL,
    METAWORLD,
    MUJOCO,
    ROBOTICS,
    Family,
)
from reward_synth.errors import (
    MissingExtraError,
    NotAvailableError,
    UnknownEnvError,
    UsageError,
)

OWN = "tests.envs.own_envs"


@pytest.mark.parametrize(
    ("text", "name", "family"),
    [
        ("ManiSkill", "ManiSkill/PickCube-v1", "ManiSkill"),
        ("maniskill", "ManiSkill/PickCube-v1", "ManiSkill"),
        ("ManiSkill/PushCube-v1", "ManiSkill/PushCube-v1", "ManiSkill"),
        ("maniskill/pushcube", "ManiSkill/PushCube-v1", "ManiSkill"),
        ("StackCube-v1", "ManiSkill/StackCube-v1", "ManiSkill"),
        ("MetaWorld", "MetaWorld/drawer-close-v3", "MetaWorld"),
        ("MetaWorld/door-close-v3", "MetaWorld/door-close-v3", "MetaWorld"),
        ("metaworld/door-close", "MetaWorld/door-close-v3", "MetaWorld"),
        ("sweep-into-v3", "MetaWorld/sweep-into-v3", "MetaWorld"),
        ("FetchPush", "Robotics/FetchPush-v4", "Robotics"),
        ("Classic", "MountainCarContinuous-v0", "Classic"),
        ("MuJoCo/Reacher-v5", "Reacher-v5", "MuJoCo"),
        ("Hopper-v5", "Hopper-v5", "MuJoCo"),
        ("Hopper", "Hopper-v5", "MuJoCo"),
        ("Hopper-v4", "Hopper-v4", "Gymnasium"),
        ("FrozenLake", "FrozenLake-v1", "Gymnasium"),
        (f"{OWN}:OwnGoal-v0", f"{OWN}:OwnGoal-v0", "Gymnasium"),
        (f"{OWN}:OwnWords", f"{OWN}:OwnWords-v1", "Gymnasium"),
    ],
)
def test_forms(text: str, name: str, family: str) -> None:
    """Each form finds its environment, and canonical names find themselves."""
    ref = resolve(text)
    assert (ref.name, ref.family) == (name, family)
    assert resolve(ref.name) == ref


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("PickCub-v1", "PickCube-v1"),
        ("Hoper-v5", "Hopper-v5"),
        ("ManiSkil", "ManiSkill"),
        ("Classic/CartPol-v1", "Classic/CartPole-v1"),
        ("Hopper-v99", "Hopper-v5"),
        ("FrozenLak-v1", "FrozenLake-v1"),
        (f"{OWN}:OwnGol-v0", "OwnGoal-v0"),
    ],
)
def test_unknown_names_suggest_near_ones(text: str, near: str) -> None:
    """A misspelt name is answered with the name that was probably meant."""
    with pytest.raises(UnknownEnvError, match=near):
        resolve(text)


def test_unknown_without_near_name() -> None:
    """A name like nothing else is answered with where to look."""
    with pytest.raises(UnknownEnvError, match="reward_synth envs"):
        resolve("qqqqqqqqqqqq")


def test_missing_module() -> None:
    """A module that is not there is named, with the folder that was searched."""
    with pytest.raises(UnknownEnvError, match=r"no module 'no_such_module'"):
        resolve("no_such_module:X-v0")


def test_module_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's file in the current directory is enough, also after pickling."""
    text = (
        "import gymnasium as gym\n"
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "class Mine(CartPoleEnv): pass\n"
        "gym.register('Mine-v0', Mine, max_episode_steps=7)\n"
    )
    (tmp_path / "file_of_a_user.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    ref = resolve("file_of_a_user:Mine-v0")
    monkeypatch.chdir("/")
    monkeypatch.delitem(sys.modules, "file_of_a_user")
    gym.registry.pop("Mine-v0")
    again: EnvRef = pickle.loads(pickle.dumps(ref))
    env = again.make()
    assert env.spec is not None
    assert env.spec.max_episode_steps == 7
    gym.registry.pop("Mine-v0")


def test_module_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error inside a user's module is reported as theirs, with its text."""
    (tmp_path / "module_that_fails.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        resolve("module_that_fails:X-v0")


def test_kwargs_reach_the_environment() -> None:
    """Arguments given on finding and on making arrive, and the later ones win."""
    ref = resolve("MountainCarContinuous-v0", {"goal_velocity": 0.01})
    first = ref.make().unwrapped
    second = ref.make(goal_velocity=0.02).unwrapped
    assert getattr(first, "goal_velocity") == 0.01  # noqa: B009 - mypy
    assert getattr(second, "goal_velocity") == 0.02  # noqa: B009 - mypy


@pytest.mark.parametrize("name", ["CartPole-v1", "Hopper-v5"])
def test_refused_kwarg_is_named(name: str) -> None:
    """An argument that an environment does not take is named."""
    with pytest.raises(UsageError, match="colour='red'"):
        resolve(name, {"colour": "red"}).make()


def test_kwargs_must_be_json() -> None:
    """Arguments go into run files, so what JSON cannot hold is refused by name."""
    with pytest.raises(UsageError, match="shape="):
        resolve("CartPole-v1", {"shape": {1, 2}})


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family whose package is missing tells the pip command that installs it."""
    monkeypatch.setattr(Family, "installed", property(lambda self: False))
    with pytest.raises(MissingExtraError, match=r"pip install 'reward-synth\[robotics"):
        resolve("FetchReach-v4")
    with pytest.raises(MissingExtraError, match=r"'reward-synth\[maniskill\]'"):
        resolve("PickCube-v1")
    with pytest.raises(MissingExtraError, match=r"'reward-synth\[metaworld\]'"):
        resolve("MetaWorld/reach-v3")


def test_missing_dependency_of_gymnasium() -> None:
    """A registered id whose own package is missing is reported, not a traceback."""
    try:
        import Box2D  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        with pytest.raises(NotAvailableError, match="Box2D"):
            resolve("LunarLander-v3").make()
    else:
        resolve("LunarLander-v3").make().close()  # type: ignore[no-untyped-call]


def test_missing_mujoco_while_making(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mujoco an older id, of no family of ours, names our extra too."""
    monkeypatch.setitem(sys.modules, "mujoco", None)
    for name in [name for name in sys.modules if name.startswith("gymnasium.envs.muj")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r"'reward-synth\[mujoco\]'"):
        resolve("Hopper-v4").make()


def test_families_list_what_resolves() -> None:
    """Each family's tasks are found under its name, and the first is its default."""
    for family in families():
        if not family.installed:
            continue
        assert resolve(family.name).task == family.default == family.tasks[0]
        for task in family.tasks:
            assert resolve(f"{family.name}/{task}").name == family.canonical(task)


def test_gymnasium_tasks_exist() -> None:
    """The tasks that Gymnasium itself registers are registered under these ids."""
    for family in families():
        if not family.registers:
            assert set(family.tasks) <= gym.registry.keys()


def test_extras_of_families() -> None:
    """Packages and extras are those of pyproject.toml."""
    found = {f.package: f.extra for f in (MUJOCO, MANISKILL, ROBOTICS, METAWORLD)}
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    for package, extra in found.items():
        line = next(row for row in text.splitlines() if row.startswith(f"{extra} = "))
        assert package.replace("_", "") in line.replace("_", "").replace("-", "")


def test_import_is_light() -> None:
    """Importing the package imports no simulator and no training library."""
    heavy = ["mujoco", "torch", "mani_skill", "stable_baselines3", "minari", "sapien"]
    heavy += ["metaworld", "gymnasium_robotics"]
    code = (
        "import sys, reward_synth.envs;"
        f"sys.exit(','.join(m for m in {heavy} if m in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
