"""Writes what RL Baselines3 Zoo reads: hyperparameters with an ``env_wrapper``, logs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym

from reward_synth.agents import AgentConfig
from reward_synth.envs import EnvRef, families, resolve
from reward_synth.export.chosen import Exported, Setting
from reward_synth.export.usage import family_task
from reward_synth.export.yamltext import yaml_text
from reward_synth.ids import id_of
from reward_synth.report import TrialData

_STEPS = 30_000
"""Where the run trained nothing; as ``reward_synth train`` has it."""
PACKAGE = "reward_synth"
_ARM = "reward_synth.wrappers.arm.arm"
_CALLBACK = "reward_synth.agents.callbacks.RewardComponentsCallback"


@dataclass(frozen=True, slots=True)
class Place:
    """What RL Zoo makes an environment by, and where its files lie."""

    env_id: str
    package: str
    """What ``--gym-packages`` imports; empty: nothing."""
    kwargs: Mapping[str, Any]
    files: str = ""
    """Folder of the program and the task, seen from where RL Zoo is started."""

    @property
    def name(self) -> str:
        """The name of the environment in folders, as RL Zoo writes it."""
        return self.env_id.replace("/", "-")


def write_zoo(exported: Exported, folder: str | Path) -> list[str]:
    """Write a folder to start RL Zoo in, and return the command that trains there.

    It holds ``hyperparams/<algo>.yml``, the program and the task in
    ``rewards/<env>/``, and for every training of the run
    ``logs/<algo>/<env>_<n>/<env>/config.yml`` and ``args.yml``. Models are not kept in
    runs, so RL Zoo's ``enjoy`` needs a training of its own.

    Args:
        exported: The program.
        folder: Where; other files in it stay.

    Raises:
        NotAvailableError: The environment, whose observations decide the size of
            networks, is not installed.
    """
    root = Path(folder)
    setting = exported.setting
    ref = resolve(setting.env, setting.env_kwargs)
    place = _place(setting, ref)
    files = root / place.files
    files.mkdir(parents=True, exist_ok=True)
    exported.program.save(files / "reward.py")
    exported.task.save(files / "task.json")
    with closing(ref.make()) as env:
        size = int(gym.spaces.flatdim(env.observation_space))
    trained = exported.own_trials
    agent = _agent(exported, trained[0] if trained else None)
    steps = trained[0].steps if trained else _STEPS
    settings = hyperparameters(exported, place, agent, steps, size)
    path = root / "hyperparams" / f"{agent.algorithm}.yml"
    path.parent.mkdir(exist_ok=True)
    command = _command(agent.algorithm, place)
    text = f"# {command}\n{yaml_text({place.env_id: settings})}"
    path.write_text(text, encoding="utf-8")
    _write_logs(exported, place, root, size)
    return [f"cd {shlex.quote(str(root))}", command]


def _place(setting: Setting, ref: EnvRef) -> Place:
    """Return an id of ours where there is one, else the environment's own."""
    task = family_task(ref.name)
    if not task:
        module, _, own = ref.task.rpartition(":")
        registers = (item.registers for item in families() if item.name == ref.family)
        return _with_files(
            Place(own, module or next(registers, ""), setting.env_kwargs)
        )
    place = _with_files(Place(id_of(task), PACKAGE, setting.env_kwargs))
    return replace(place, kwargs={**place.kwargs, "task": f"{place.files}/task.json"})


def _with_files(place: Place) -> Place:
    return replace(place, files=f"rewards/{place.name}")


def _agent(exported: Exported, item: TrialData | None) -> AgentConfig:
    """Return the agent of a training, with its algorithm decided."""
    config = exported.configs.get(item.key, {}) if item else {}
    given = dict(config.get("agent", {}))
    if given.get("net_arch") is not None:
        given["net_arch"] = tuple(given["net_arch"])
    agent = AgentConfig(**given)
    if agent.algorithm != "auto":
        return agent
    continuous = exported.task.action.dtype == "float"
    return replace(agent, algorithm="sac" if continuous else "ppo")


def hyperparameters(
    exported: Exported, place: Place, agent: AgentConfig, steps: int, size: int
) -> dict[str, Any]:
    """Return an entry of ``hyperparams/<algo>.yml``: the agent that our trainings use."""
    dictionary = any(i.source.startswith("obs.") for i in exported.task.fields)
    common = {
        "n_timesteps": steps,
        "policy": "MultiInputPolicy" if dictionary else "MlpPolicy",
        "gamma": _gamma(exported, agent),
        "learning_rate": agent.learning_rate,
        "policy_kwargs": f"dict(net_arch={agent.layers(size)})",
    }
    off_policy = {
        "batch_size": agent.batch_size,
        "learning_starts": min(agent.learning_starts, max(1, steps // 2)),
        "train_freq": agent.steps_an_update(size),
        "gradient_steps": 1,
        "buffer_size": min(agent.buffer_size, steps),
    }
    return {
        **common,
        **(off_policy if agent.algorithm == "sac" else {}),
        **({"env_kwargs": dict(place.kwargs)} if place.kwargs else {}),
        "env_wrapper": [{_wrapper(place): _wrapper_kwargs(exported, place, agent)}],
        "callback": _CALLBACK,
    }


def _gamma(exported: Exported, agent: AgentConfig) -> float:
    return exported.task.gamma if agent.gamma is None else agent.gamma


def _wrapper(place: Place) -> str:
    """Return the function that adds the reward; our ids pay success alone already."""
    return "reward_synth.wrap" if place.package == PACKAGE else _ARM


def _wrapper_kwargs(
    exported: Exported, place: Place, agent: AgentConfig
) -> dict[str, Any]:
    setting = exported.setting
    kwargs: dict[str, Any] = {
        "reward": f"{place.files}/reward.py",
        "task": f"{place.files}/task.json",
        "combine": setting.combine,
    }
    if setting.weight != 1.0:
        kwargs["weight"] = setting.weight
    if setting.combine == "potential":
        kwargs["gamma"] = _gamma(exported, agent)
    return kwargs


def _command(algorithm: str, place: Place) -> str:
    parts = ["python", "-m", "rl_zoo3.train", "--algo", algorithm]
    parts += ["--env", place.env_id, "-conf", f"hyperparams/{algorithm}.yml"]
    if place.package:
        parts += ["--gym-packages", place.package]
    return shlex.join(parts)


def _write_logs(exported: Exported, place: Place, root: Path, size: int) -> None:
    """Write the settings of each training with this program."""
    ended = [item for item in exported.own_trials if item.status == "ok"]
    for number, item in enumerate(ended, start=1):
        agent = _agent(exported, item)
        settings = hyperparameters(exported, place, agent, item.steps, size)
        log = root / "logs" / agent.algorithm / f"{place.name}_{number}" / place.name
        log.mkdir(parents=True, exist_ok=True)
        args = {
            "algo": agent.algorithm,
            "conf_file": f"hyperparams/{agent.algorithm}.yml",
            "env": place.env_id,
            "env_kwargs": None,
            "eval_episodes": exported.configs[item.key]["episodes"],
            "gym_packages": [place.package] if place.package else [],
            "log_folder": "logs",
            "n_timesteps": item.steps,
            "seed": item.seed,
        }
        ordered = dict(sorted(settings.items()))
        (log / "config.yml").write_text(yaml_text(ordered), encoding="utf-8")
        (log / "args.yml").write_text(yaml_text(args), encoding="utf-8")
        (log / "command.txt").write_text(f"{exported.run.command}\n", encoding="utf-8")
