"""Folders for RL Baselines3 Zoo: read as it reads them, with it where it is installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

from reward_synth.api.ids import RewardArm
from reward_synth.cli.main import run
from reward_synth.export import read_exports, write_zoo
from reward_synth.export.chosen import Setting
from reward_synth.wrappers import DenseReward, SparseReward
from tests.export.conftest import CAR, STEPS

yaml = pytest.importorskip("yaml")
ID = f"reward_synth/{CAR}"
NAME = ID.replace("/", "-")
Wrap = Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]]


def as_zoo_parses(hyperparams: Mapping[str, Any]) -> Wrap:
    """Do what ``rl_zoo3.utils.get_wrapper_class`` does with ``env_wrapper``.

    A text ``module.name``, a mapping of one such text to keywords, or a list of both.
    """
    given = hyperparams["env_wrapper"]
    found = []
    for item in given if isinstance(given, list) else [given]:
        ((name, kwargs),) = (
            item.items() if isinstance(item, dict) else {item: {}}.items()
        )
        module, _, attribute = name.rpartition(".")
        found.append((getattr(importlib.import_module(module), attribute), kwargs))

    def wrap(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
        for wrapper, kwargs in found:
            env = wrapper(env, **kwargs)
        return env

    return wrap


def zoo_parser() -> Callable[[Mapping[str, Any]], Wrap]:
    """Return RL Zoo's own parser if it can be imported."""
    try:
        parser: Callable[[Mapping[str, Any]], Wrap] = importlib.import_module(
            "rl_zoo3.utils"
        ).get_wrapper_class
    except ImportError:
        return as_zoo_parses
    return parser


@pytest.fixture
def zoo(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert run(["export", str(trained), "--zoo", str(tmp_path)]) == 0
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entry(zoo: Path) -> dict[str, Any]:
    """Return the hyperparameters of the environment."""
    ((name, found),) = yaml.safe_load(
        (zoo / "hyperparams" / "sac.yml").read_text()
    ).items()
    assert name == ID
    return dict(found)


def test_the_env_wrapper_gives_the_reward(zoo: Path) -> None:
    """The line builds what trainings learn in: the program on top of success."""
    settings = entry(zoo)
    env = zoo_parser()(settings)(gym.make(ID, **settings["env_kwargs"]))
    assert isinstance(env, DenseReward)
    assert isinstance(env.env, RewardArm)
    assert isinstance(env.env.env, SparseReward)
    env.reset(seed=0)
    info = env.step(env.action_space.sample())[4]
    assert set(info["reward_components"]) == {"place", "speed"}
    assert info["sparse_reward"] == 0.0


def test_the_agent_is_the_run_s(zoo: Path) -> None:
    """Hyperparameters are those that the run trained with."""
    settings = entry(zoo)
    assert settings["n_timesteps"] == STEPS
    assert settings["policy_kwargs"] == "dict(net_arch=[64, 64])"
    assert settings["learning_rate"] == pytest.approx(3e-4)
    assert settings["learning_starts"] == STEPS // 2


def test_each_training_has_a_log_folder(zoo: Path) -> None:
    """logs/<algo>/<env>_<n>/<env>/ holds config.yml and args.yml of each training."""
    seeds = []
    for number in (1, 2):
        log = zoo / "logs" / "sac" / f"{NAME}_{number}" / NAME
        assert yaml.safe_load((log / "config.yml").read_text()) == entry(zoo)
        args = yaml.safe_load((log / "args.yml").read_text())
        assert (args["env"], args["algo"], args["env_kwargs"]) == (ID, "sac", None)
        seeds.append(args["seed"])
    assert sorted(seeds) == [0, 1]


def test_the_command_is_told(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The flags that train in the folder are printed, and stand in the file."""
    assert run(["export", str(trained), "--zoo", str(tmp_path)]) == 0
    place, command = capsys.readouterr().out.splitlines()
    assert place == f"cd {tmp_path}"
    assert command.startswith(f"python -m rl_zoo3.train --algo sac --env {ID} -conf ")
    text = (tmp_path / "hyperparams" / "sac.yml").read_text()
    assert text.startswith(f"# {command}\n")


def test_one_program_at_a_time(
    benched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A suite's designs share an environment, so one must be named."""
    assert run(["export", str(benched), "--zoo", str(tmp_path)]) == 2
    assert f"--task {CAR} --design mine" in capsys.readouterr().err


OWN = """import gymnasium as gym

gym.register(
    "OwnCar-v0",
    "gymnasium.envs.classic_control:Continuous_MountainCarEnv",
    max_episode_steps=99,
)
"""


def test_an_environment_of_your_own(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """module:Id becomes --gym-packages module; the line makes the whole arm."""
    (tmp_path / "owncar.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = read_exports(trained)
    found = replace(found, setting=Setting("owncar:OwnCar-v0"))
    _, command = write_zoo(found, tmp_path)
    assert command.endswith(
        "--env OwnCar-v0 -conf hyperparams/sac.yml --gym-packages owncar"
    )
    text = (tmp_path / "hyperparams" / "sac.yml").read_text()
    env = zoo_parser()(yaml.safe_load(text)["OwnCar-v0"])(gym.make("OwnCar-v0"))
    assert isinstance(env, DenseReward)
    assert isinstance(env.env, SparseReward)


@pytest.mark.parametrize("wrapper", ["reward_synth.DenseReward", "reward_synth.wrap"])
def test_lines_written_by_hand(zoo: Path, wrapper: str) -> None:
    """DenseReward and wrap can be named in an env_wrapper line too."""
    from reward_synth.task import TaskSpec

    task = TaskSpec.load(zoo / "rewards" / NAME / "task.json").to_dict()
    kwargs = {"reward": f"rewards/{NAME}/reward.py", "task": task}
    env = as_zoo_parses({"env_wrapper": {wrapper: kwargs}})(gym.make(CAR))
    assert isinstance(env, DenseReward)
