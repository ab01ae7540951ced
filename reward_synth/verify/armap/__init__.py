r"""Rewards of whole trajectories, learned from what a model writes about random play.

After ARMAP, "Scaling Autonomous Agents via Automatic Reward Modeling And Planning"
(arXiv:2502.12130), whose steps are given as remembered: random exploration of an
environment of texts; a language model writes for each trajectory an intent that it fulfils,
and a worse trajectory; a model learns :math:`-\log\sigma(R(i, h^+) - R(i, h^-))`; of
several trajectories for an intent the one of the largest reward is taken. No one labels
anything, and no reward of the environment is used.

    played = explore(env, random_actor(actions), 200, seed=0)
    lessons = synthesise(juror, env, played)
    reward = fit_reward(lessons)
    best = reward.best("Put the tea on the table.", several)

Differences: worse trajectories are played in the environment again, so that no observation
is made up; the reward model is a small network on words instead of a vision-language
model. Training needs PyTorch.
"""

from reward_synth.verify.armap.lessons import Lesson, others_as_negatives, synthesise
from reward_synth.verify.armap.play import (
    TextEnv,
    Trajectory,
    Turn,
    explore,
    random_actor,
    replay,
)
from reward_synth.verify.armap.reward import TrajectoryReward, fit_reward

__all__ = [
    "Lesson",
    "TextEnv",
    "Trajectory",
    "TrajectoryReward",
    "Turn",
    "explore",
    "fit_reward",
    "others_as_negatives",
    "random_actor",
    "replay",
    "synthesise",
]
