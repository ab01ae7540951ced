"""A line of places that every action follows, with a bell at one of them."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.intrinsic import Captioner
from reward_synth.intrinsic.annotation import AnnotationService, Rule, RuleAnnotator
from reward_synth.intrinsic.models import LabelledRewards

BELL = 3
"""The place with the bell; the step that leads there is number BELL - 1."""


class Line(gym.Env[Any, Any]):
    """Goes one place on with each step; pays nothing."""

    def __init__(
        self, length: int = 5, *, cut: bool = False, one_hot: bool = False
    ) -> None:
        self.length = length
        self.cut = cut
        self.one_hot = one_hot
        size = length + 1 if one_hot else 1
        self.observation_space = gym.spaces.Box(0, 9, (size,), np.float32)
        self.action_space = gym.spaces.Discrete(2)
        self.place = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = 0
        return self._obs(), {}

    def step(self, action: Any) -> Any:
        self.place += 1
        ends = self.place == self.length
        return self._obs(), 0.0, ends and not self.cut, ends and self.cut, {}

    def _obs(self) -> Any:
        if self.one_hot:
            return np.eye(self.length + 1, dtype=np.float32)[self.place]
        return np.array([self.place], np.float32)


def caption(obs: Any) -> str:
    """Tell the place of an observation."""
    place = int(np.argmax(obs)) if len(obs) > 1 else round(float(obs[0]))
    return "a bell rings" if place == BELL else "silence"


CAPTIONER = Captioner(caption)


def labelled(*, rings: bool = True, hidden: bool = False) -> LabelledRewards:
    """Return rewards for the bell; ``hidden`` until :meth:`LabelledRewards.update`."""
    rules = [Rule("bell", "helpful")] if rings else []
    annotator = RuleAnnotator(rules, otherwise="unhelpful")
    visible: Any = "at_publish" if hidden else "at_once"
    return LabelledRewards(AnnotationService(annotator, visible=visible))


def response(steps: int, length: int, decay: float) -> Any:
    """Return what a reward of 1 for each bell adds to the advantages of one lane.

    By the definition A_k is the sum over l of (gamma lam)^l times the gains l steps
    later in the same episode, so a reward at step b adds (gamma lam)^(b - k) to each step
    k <= b of its episode and nothing to any other.
    """
    found = np.zeros(steps)
    for step in range(steps):
        begin = step - step % length
        bell = begin + BELL - 1
        if step <= bell < steps:
            found[step] = decay ** (bell - step)
    return found
