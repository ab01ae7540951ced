"""Engines: where trials run. A trial's crash or hang is one trial's record."""

from reward_synth.engine.cluster import RayEngine, Resources
from reward_synth.engine.config import EngineConfig
from reward_synth.engine.local import LocalEngine
from reward_synth.engine.types import Call, CallResult, Engine
from reward_synth.engine.workshop import Workshop

__all__ = [
    "Call",
    "CallResult",
    "Engine",
    "EngineConfig",
    "LocalEngine",
    "RayEngine",
    "Resources",
    "Workshop",
]
