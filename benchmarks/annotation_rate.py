"""Our PPO with an annotator that is always busy, and with none, in turns."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import torch

from reward_synth.agents import intrinsic_setup as setup
from reward_synth.agents.intrinsic_run import keyroom_learning
from reward_synth.agents.ppo import PPO
from reward_synth.agents.ppo_rollout import make_envs
from reward_synth.agents.ppo_sight import NetHackSight
from reward_synth.benchmarks import annotation_child as child
from reward_synth.envs import resolve
from reward_synth.intrinsic import Captioner
from reward_synth.intrinsic.models import LabelledRewards, NoLabels

ENV = "MiniHack-KeyRoom-S5-v0"
_LANES = 8
_UPDATE = 1024


class Pair:
    """One training, whose captions somebody labels or nobody does.

    Args:
        url: Of the server.
        place: Takes the journals of answers.
    """

    def __init__(self, url: str, place: Path) -> None:
        torch.set_num_threads(1)
        self.url, self.place = url, place
        self._numbers, self._journals = itertools.count(), itertools.count()
        maker = setup.env_maker(resolve(ENV), "message")
        self.agent = PPO(
            make_envs([maker] * _LANES),
            keyroom_learning(),
            seed=0,
            sight=NetHackSight(),
            rewards=LabelledRewards(NoLabels()),
            captioner=Captioner(self._caption),
        )

    def _caption(self, obs: Any) -> str:
        """Tell a state that was never seen, so that there is always something to ask."""
        return f"state {next(self._numbers)} at {obs['blstats'][:2].tolist()}"

    def warm(self) -> None:
        """Take one update, in which caches fill."""
        self.agent.learn(_UPDATE)

    def off(self, updates: int) -> float:
        """Return the seconds of some updates with nobody to ask."""
        return self._spent(NoLabels(), updates)

    def busy(self, updates: int) -> tuple[float, int]:
        """Return the same with the annotator busy, and how many labels came."""
        journal = self.place / f"labels-{next(self._journals)}"
        with child.service(self.url, journal, visible="at_publish") as service:
            spent = self._spent(service, updates)
            return spent, service.metrics().known

    def _spent(self, labels: Any, updates: int) -> float:
        rewards = self.agent.rewards
        if rewards is None:
            raise RuntimeError("The training has no rewards.")
        rewards.service = labels
        began = time.perf_counter()
        self.agent.learn(updates * _UPDATE)
        return time.perf_counter() - began
