"""Looks for ways in which a reward is earned without doing the task."""

from reward_synth.probe.arena import Arena, Played, Start
from reward_synth.probe.cem import CrossEntropy, best_actions, best_start
from reward_synth.probe.exploit import Exploit, Probed, Trajectory
from reward_synth.probe.hacking import Hacking, detect_hacking
from reward_synth.probe.loops import Cycle, best_cycle
from reward_synth.probe.run import probe, replay

__all__ = [
    "Arena",
    "CrossEntropy",
    "Cycle",
    "Exploit",
    "Hacking",
    "Played",
    "Probed",
    "Start",
    "Trajectory",
    "best_actions",
    "best_cycle",
    "best_start",
    "detect_hacking",
    "probe",
    "replay",
]
