"""Importing this module registers the gridworlds with Gymnasium."""

import gymnasium as gym

from reward_synth.envs.gridworld_tasks import TASKS

for _name, _task in TASKS.items():
    if _name not in gym.registry:
        gym.register(
            _name,
            f"reward_synth.envs.gridworld:{_task.kind}",
            vector_entry_point="reward_synth.envs.gridworld:VectorGrid",
            max_episode_steps=_task.horizon,
            kwargs={"task": _name},
        )
