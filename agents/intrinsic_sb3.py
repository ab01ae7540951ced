"""Labels for the agents of Stable-Baselines3, where they reach the learner.

On-policy agents are paid before advantages are computed, off-policy ones when steps are
drawn from the buffer. Both have one value, so that labels have the agent's own discount;
:class:`~reward_synth.agents.ppo.PPO` has a value of its own for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.buffers import (
    DictReplayBuffer,
    DictRolloutBuffer,
    ReplayBuffer,
    RolloutBuffer,
)
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from reward_synth.errors import UsageError
from reward_synth.intrinsic import Captioner
from reward_synth.intrinsic.models import EpisodeCounts, LabelledRewards, Seen
from reward_synth.wrappers.sb3 import _final

CAPTION, COUNT = "caption", "caption_count"
"""Keys of each ``info``: what the step led to, and how often in its episode."""


class VecCaptions(VecEnvWrapper):
    """Tells what each step led to, the last one of an episode too, and asks about it.

    Args:
        venv: The environments.
        captioner: Tells captions.
        rewards: Is shown them; pays in the buffers of this module.

    Raises:
        UsageError: The reward model reads observations.

    Example:
        >>> import gymnasium as gym
        >>> from stable_baselines3.common.vec_env import DummyVecEnv
        >>> from reward_synth.intrinsic.annotation import AnnotationService, RuleAnnotator
        >>> rewards = LabelledRewards(AnnotationService(RuleAnnotator([])))
        >>> venv = DummyVecEnv([lambda: gym.make("CartPole-v1")])
        >>> venv = VecCaptions(venv, Captioner(lambda obs: "upright"), rewards)
        >>> _ = venv.reset()
        >>> venv.step(np.zeros(1, np.int64))[3][0]["caption"]
        'upright'
    """

    def __init__(
        self, venv: VecEnv, captioner: Captioner, rewards: LabelledRewards
    ) -> None:
        super().__init__(venv)
        _require_texts(rewards)
        self.captioner = captioner
        self.rewards = rewards
        self.tape: list[tuple[list[str], npt.NDArray[np.int64]]] = []
        """Captions and counts since the last rollout began."""
        self._counts = EpisodeCounts(venv.num_envs)

    def reset(self) -> Any:
        """Reset all environments."""
        self._counts = EpisodeCounts(self.num_envs)
        return self.venv.reset()

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        """Take the steps, and tell what they led to."""
        obs, paid, dones, infos = self.venv.step_wait()
        led = _final(obs, infos, dones) if dones.any() else obs
        texts = self.captioner.batch(led, self.num_envs)
        counts = self._counts(texts, dones)
        self.rewards.watch(Seen(texts))
        self.tape.append((texts, counts))
        for info, text, count in zip(infos, texts, counts.tolist(), strict=True):
            info[CAPTION], info[COUNT] = text, count
        return obs, paid, dones, infos


class _PaidRollout(RolloutBuffer):
    """Pays for captions before advantages are computed."""

    def __init__(
        self, *given: Any, source: VecCaptions, weight: float = 0.1, **settings: Any
    ) -> None:
        self.source = source
        self.weight = weight
        self.intrinsic: npt.NDArray[np.float64] = np.zeros(0)
        super().__init__(*given, **settings)

    def reset(self) -> None:
        """Begin a rollout."""
        super().reset()
        self.source.tape.clear()

    def compute_returns_and_advantage(self, last_values: Any, dones: Any) -> None:
        """Add what captions pay, by the labels that are known now; then compute."""
        rewards, tape = self.source.rewards, self.source.tape
        rewards.update()
        texts = [text for row, _ in tape for text in row]
        counts = np.concatenate([row for _, row in tape])
        self.intrinsic = rewards.pay(Seen(texts), counts).reshape(self.rewards.shape)
        self.rewards += self.weight * self.intrinsic
        super().compute_returns_and_advantage(last_values, dones)


class LabelledRolloutBuffer(_PaidRollout):
    """For PPO and A2C: ``PPO(..., rollout_buffer_class=LabelledRolloutBuffer,
    rollout_buffer_kwargs={"source": venv, "weight": 0.1})``.

    Args:
        given: What the agent gives.
        source: The environments that the agent trains in.
        weight: Factor of what captions pay.
        settings: What the agent gives.
    """  # noqa: D205 - the first sentence holds the code


class LabelledDictRolloutBuffer(_PaidRollout, DictRolloutBuffer):
    """The same for Dict observations."""


class _PaidReplay(ReplayBuffer):
    """Pays for captions when steps are drawn."""

    def __init__(
        self,
        *given: Any,
        rewards: LabelledRewards,
        weight: float = 0.1,
        every: int = 256,
        **settings: Any,
    ) -> None:
        super().__init__(*given, **settings)
        _require_texts(rewards)
        if every < 1:
            raise UsageError(f"every must be at least 1; received {every}.")
        self.labels = rewards
        self.weight = weight
        self.every = every
        size = self.buffer_size, self.n_envs
        self.sparse = np.zeros(size, np.float32)
        """What the environment paid."""
        self._ids = np.zeros(size, np.int64)
        self._counts = np.ones(size, np.int64)
        self._texts: list[str] = []
        self._places: dict[str, int] = {}
        self._added = 0

    def add(self, *step: Any, **named: Any) -> None:
        """Take in a step of every environment."""
        place = self.pos
        super().add(*step, **named)
        infos = named["infos"] if "infos" in named else step[5]
        self.sparse[place] = self.rewards[place]
        for lane, info in enumerate(infos):
            self._ids[place, lane] = self._id(_caption(info))
            self._counts[place, lane] = info[COUNT]
        self._added += 1
        if self._added % self.every == 0:
            self.labels.update()

    def _get_samples(self, batch_inds: Any, env: Any = None) -> Any:
        """Draw steps, paid by the labels that are known now."""
        rows = np.unique(batch_inds)
        texts = [self._texts[number] for number in self._ids[rows].ravel()]
        paid = self.labels.pay(Seen(texts), self._counts[rows].ravel())
        self.rewards[rows] = self.sparse[rows] + self.weight * paid.reshape(
            len(rows), -1
        )
        return super()._get_samples(batch_inds, env)

    def _id(self, text: str) -> int:
        place = self._places.get(text)
        if place is None:
            place = self._places[text] = len(self._texts)
            self._texts.append(text)
        return place


class LabelledReplayBuffer(_PaidReplay):
    """For SAC, TD3, DDPG and DQN: ``replay_buffer_class=LabelledReplayBuffer,
    replay_buffer_kwargs={"rewards": rewards, "weight": 0.1}``.

    Args:
        given: What the agent gives.
        rewards: Of the :class:`VecCaptions` that the agent trains in.
        weight: Factor of what captions pay.
        every: Steps of the vector after which labels are taken in and the model learns.
        settings: What the agent gives.
    """  # noqa: D205 - the first sentence holds the code


class LabelledDictReplayBuffer(_PaidReplay, DictReplayBuffer):
    """The same for Dict observations."""


def _caption(info: Any) -> str:
    if CAPTION not in info:
        raise UsageError(
            f"A step's info has no {CAPTION!r}. Train in VecCaptions(venv, captioner, "
            "rewards)."
        )
    return str(info[CAPTION])


def _require_texts(rewards: LabelledRewards) -> None:
    if rewards.reads_obs:
        raise UsageError(
            "The buffers of Stable-Baselines3 pay for captions alone, and this reward "
            "model reads observations. Take one that reads texts, or reward_synth's PPO."
        )
