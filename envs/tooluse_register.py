"""Importing this module registers the environments of tool use with Gymnasium."""

import gymnasium as gym

from reward_synth.envs.tooluse_names import CHOICES, TEXTS

for _kind, _ids in (
    ("reward_synth.envs.tooluse:ToolUseEnv", TEXTS),
    ("reward_synth.envs.tooluse_choice:ToolChoiceEnv", CHOICES),
):
    for _name, _domain in _ids.items():
        if _name not in gym.registry:
            gym.register(_name, _kind, kwargs={"domain": _domain})
