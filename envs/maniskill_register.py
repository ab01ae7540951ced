"""Importing this module registers ManiSkill's tasks with Gymnasium, without a word."""

from reward_synth.envs.maniskill_render import load_simulator, rendering

load_simulator(rendering())
