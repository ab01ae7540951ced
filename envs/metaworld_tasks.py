"""What is known about the 50 tasks of Meta-World, as one table."""

from __future__ import annotations

from reward_synth.envs.metaworld_fields import Known
from reward_synth.envs.metaworld_headline import HEADLINE
from reward_synth.envs.metaworld_more import MORE

TASKS: dict[str, Known] = HEADLINE | MORE
"""The default first."""
MT10 = (
    "reach-v3",
    "push-v3",
    "pick-place-v3",
    "door-open-v3",
    "drawer-open-v3",
    "drawer-close-v3",
    "button-press-topdown-v3",
    "peg-insert-side-v3",
    "window-open-v3",
    "window-close-v3",
)
"""Meta-World's benchmark of ten tasks."""
TEXT2REWARD = (
    "drawer-open-v3",
    "drawer-close-v3",
    "window-open-v3",
    "window-close-v3",
    "button-press-v3",
    "sweep-into-v3",
    "door-unlock-v3",
    "door-close-v3",
    "handle-press-v3",
    "handle-press-side-v3",
)
"""The ten tasks for which Text2Reward published rewards."""
