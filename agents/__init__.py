"""Agents that measure rewards: Stable-Baselines3 trials, run in processes of their own."""

from reward_synth.agents.config import AgentConfig
from reward_synth.agents.trial import ARMS, Arm, TrialSpec, run_trial, trial_call

__all__ = ["ARMS", "AgentConfig", "Arm", "TrialSpec", "run_trial", "trial_call"]
