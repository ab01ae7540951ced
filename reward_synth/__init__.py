"""Dense rewards for sparse Gymnasium environments.

    import gymnasium as gym
    import reward_synth

    env = reward_synth.wrap(gym.make("MountainCarContinuous-v0"), "runs/x/reward.py")

Names load on first use: importing this package loads no simulator, no learner and no
client of a model server. It registers the ids ``reward_synth/<Task>`` with Gymnasium.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from reward_synth.ids import register

if TYPE_CHECKING:
    from reward_synth.api import (
        GenerateConfig,
        Generated,
        TrainConfig,
        generate,
        make,
        relabel,
        wrap,
    )
    from reward_synth.envs import describe_env
    from reward_synth.errors import RewardSynthError
    from reward_synth.program import Provenance, RewardProgram
    from reward_synth.reward import Transition
    from reward_synth.task import Field, FieldReader, Success, TaskSpec
    from reward_synth.wrappers import (
        DenseReward,
        EpisodicReturn,
        PublishFields,
        SparseReward,
        SuccessInfo,
        VectorDenseReward,
        VectorEpisodicReturn,
    )
    from reward_synth.wrappers.bonus import BonusReward, VectorBonusReward

_HOMES = {
    "BonusReward": "reward_synth.wrappers.bonus",
    "DenseReward": "reward_synth.wrappers",
    "EpisodicReturn": "reward_synth.wrappers",
    "Field": "reward_synth.task",
    "FieldReader": "reward_synth.task",
    "GenerateConfig": "reward_synth.api",
    "Generated": "reward_synth.api",
    "Provenance": "reward_synth.program",
    "PublishFields": "reward_synth.wrappers",
    "RewardProgram": "reward_synth.program",
    "RewardSynthError": "reward_synth.errors",
    "SparseReward": "reward_synth.wrappers",
    "Success": "reward_synth.task",
    "SuccessInfo": "reward_synth.wrappers",
    "TaskSpec": "reward_synth.task",
    "TrainConfig": "reward_synth.api",
    "Transition": "reward_synth.reward",
    "VectorBonusReward": "reward_synth.wrappers.bonus",
    "VectorDenseReward": "reward_synth.wrappers",
    "VectorEpisodicReturn": "reward_synth.wrappers",
    "describe_env": "reward_synth.envs",
    "generate": "reward_synth.api",
    "make": "reward_synth.api",
    "relabel": "reward_synth.api",
    "wrap": "reward_synth.api",
}

__all__ = [
    "BonusReward",
    "DenseReward",
    "EpisodicReturn",
    "Field",
    "FieldReader",
    "GenerateConfig",
    "Generated",
    "Provenance",
    "PublishFields",
    "RewardProgram",
    "RewardSynthError",
    "SparseReward",
    "Success",
    "SuccessInfo",
    "TaskSpec",
    "TrainConfig",
    "Transition",
    "VectorBonusReward",
    "VectorDenseReward",
    "VectorEpisodicReturn",
    "describe_env",
    "generate",
    "make",
    "relabel",
    "wrap",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'reward_synth' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)


register()
