"""Environments: found by name, described, played.

Nothing here imports a simulator before an environment of its family is made.
"""

from reward_synth.envs.describe import describe_env
from reward_synth.envs.families import Family, FamilyAdapter, families
from reward_synth.envs.notes import TaskNotes
from reward_synth.envs.policies import HeldPolicy, Policy, RandomPolicy
from reward_synth.envs.registry import EnvRef, describe_any, resolve
from reward_synth.envs.rollouts import collect, collect_many
from reward_synth.envs.stored import (
    from_minari,
    load_rollouts,
    open_minari,
    save_rollouts,
)

__all__ = [
    "EnvRef",
    "Family",
    "FamilyAdapter",
    "HeldPolicy",
    "Policy",
    "RandomPolicy",
    "TaskNotes",
    "collect",
    "collect_many",
    "describe_any",
    "describe_env",
    "families",
    "from_minari",
    "load_rollouts",
    "open_minari",
    "resolve",
    "save_rollouts",
]
