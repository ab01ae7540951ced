"""The programs of the corpus that the tests of the sandbox run one by one."""

from __future__ import annotations

from reward_synth.benchmarks.hostile_files import READS, WAYS_OUT, WRITES, Escape
from reward_synth.benchmarks.hostile_outside import (
    CRASHES,
    HANGS,
    MEMORY,
    NETWORK,
    PROCESSES,
    RAISES,
)

ESCAPES = [*WAYS_OUT, *READS, *WRITES, *NETWORK, *PROCESSES]

__all__ = ["CRASHES", "ESCAPES", "HANGS", "MEMORY", "RAISES", "Escape"]
