"""Importing this module registers the motions with Gymnasium."""

import gymnasium as gym

from reward_synth.envs.behaviours_tasks import TASKS

_HORIZON = 500

for _name, _task in TASKS.items():
    if _name not in gym.registry:
        gym.register(
            _name,
            _task.entry,
            max_episode_steps=_HORIZON if not _task.falls else 1000,
            kwargs={"terminate_when_unhealthy": _task.falls},
        )
