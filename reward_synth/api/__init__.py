"""What users call: wrap an environment, generate, check and train rewards."""

from reward_synth.api.config import (
    EnvConfig,
    GenerateConfig,
    ModelConfig,
    TrainConfig,
)
from reward_synth.api.generate import generate
from reward_synth.api.prepare import Prepared, check_program, prepare
from reward_synth.api.relabel import relabel
from reward_synth.api.result import Generated, Watcher
from reward_synth.api.scores import Relabelled
from reward_synth.api.train import train
from reward_synth.api.wrap import make, wrap

__all__ = [
    "EnvConfig",
    "GenerateConfig",
    "Generated",
    "ModelConfig",
    "Prepared",
    "Relabelled",
    "TrainConfig",
    "Watcher",
    "check_program",
    "generate",
    "make",
    "prepare",
    "relabel",
    "train",
    "wrap",
]
