"""Code that uses an exported program, in the folder of its card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reward_synth.envs import families
from reward_synth.export.chosen import Exported
from reward_synth.export.words import fenced
from reward_synth.ids import id_of

_STEP = """\
obs, info = env.reset(seed=0)
obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
print(reward, info["reward_components"])"""


def snippets(exported: Exported) -> list[str]:
    """Return code, and words between, that runs in the card's folder."""
    setting = exported.setting
    way = [f"combine={_written(setting.combine)}"]
    if setting.weight != 1.0:
        way.append(f"weight={setting.weight!r}")
    name = _call(setting.env, setting.env_kwargs)
    wrapped = ", ".join(["env", '"reward.py"', 'task="task.json"', *way])
    parts = [
        fenced(
            f"import reward_synth\n\nenv = reward_synth.make({name})\n"
            f"env = reward_synth.wrap({wrapped})\n{_STEP}",
            "python",
        )
    ]
    task = family_task(setting.env)
    if task:
        kwargs = {**setting.env_kwargs, "reward": "reward.py", "task": "task.json"}
        made = ", ".join([_call(id_of(task), kwargs), *way])
        parts += [
            "Or as trainings use it, on top of 1 for success:",
            fenced(
                "import gymnasium as gym\nimport reward_synth\n\n"
                f"gym.register_envs(reward_synth)\nenv = gym.make({made})\n{_STEP}",
                "python",
            ),
        ]
    return parts


def _call(first: str, kwargs: Mapping[str, Any]) -> str:
    given = [f"{key}={_written(value)}" for key, value in kwargs.items()]
    return ", ".join([_written(first), *given])


def _written(value: Any) -> str:
    """Return a value as Python, texts in double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def family_task(env: str) -> str:
    """Return the task of a family that has an id of ours, or ``""``.

    Example:
        >>> family_task("ManiSkill/PickCube-v1"), family_task("mine:Own-v0")
        ('PickCube-v1', '')
        >>> family_task("maniskill")
        'PickCube-v1'
    """
    wanted = env.casefold()
    for family in families():
        if wanted == family.name.casefold():
            return family.default
        for task in family.tasks:
            if wanted in (task.casefold(), f"{family.name}/{task}".casefold()):
                return task
    return ""
