"""Plays with a policy and writes down what learning needs."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch.distributions import Distribution

from reward_synth.agents.ppo_network import ActorCritic, Judged
from reward_synth.agents.ppo_rollout import Lanes, Rollout, blank, copied
from reward_synth.agents.ppo_sight import Sight
from reward_synth.intrinsic import Captioner
from reward_synth.intrinsic.models import EpisodeCounts, LabelledRewards, Seen


class Collector:
    """Steps environments with a network, captions what each step led to, asks about it.

    Args:
        lanes: The environments.
        network: Acts and judges.
        sight: What it sees.
        rewards: Is shown what steps led to.
        captioner: Tells captions.
        seed: Of environments and actions.
    """

    def __init__(
        self,
        lanes: Lanes,
        network: ActorCritic,
        sight: Sight,
        rewards: LabelledRewards | None,
        captioner: Captioner | None,
        seed: int,
    ) -> None:
        self.lanes = lanes
        self.network = network
        self.sight = sight
        self.rewards = rewards
        self.captioner = captioner
        self.space = lanes.envs.single_action_space
        self._random = torch.Generator().manual_seed(seed)
        self._counts = EpisodeCounts(lanes.size)
        self._rows = sight(lanes.reset(seed))
        self._begins = np.ones(lanes.size, np.bool_)
        self._memory = network.blank(lanes.size)

    def collect(self, steps: int) -> Rollout:
        """Take so many steps of every environment."""
        width = self.sight.width
        rollout = blank(steps, self.lanes.size, width, self._idle(), self._memory)
        for step in range(steps):
            told = self._judge()
            if step:
                _reach(rollout, step - 1, told)
            action = draw(told.policy, self._random)
            rollout.rows[step], rollout.begins[step] = self._rows, self._begins
            rollout.actions[step] = action
            rollout.chances[step] = told.policy.log_prob(action)
            rollout.values[step] = told.values
            self._memory = told.memory
            self._advance(rollout, step, played(self.space, action))
        _reach(rollout, steps - 1, self._judge())
        return rollout

    @torch.no_grad()  # not around the environments: bonuses in them learn
    def _judge(self) -> Judged:
        keeps = torch.from_numpy(~self._begins).float()[:, None]
        return self.network.step(torch.from_numpy(self._rows), self._memory * keeps)

    def _advance(self, rollout: Rollout, step: int, actions: Any) -> None:
        obs, led, paid, bonus, terminated, truncated = self.lanes.step(actions)
        rollout.rewards[step], rollout.bonus[step] = paid, bonus
        rollout.terminated[step], rollout.truncated[step] = terminated, truncated
        ended = terminated | truncated
        if self.captioner is not None:
            self._caption(rollout, step, led, ended)
        cut = truncated & ~terminated
        if cut.any():  # the state is never acted in, but it has a value
            last = torch.from_numpy(self.sight(led))
            with torch.no_grad():
                values = self.network.step(last, self._memory).values.numpy()
            rollout.next_values[step][cut] = values[cut]
        self._rows, self._begins = self.sight(obs), ended

    def _caption(self, rollout: Rollout, step: int, led: Any, ended: Any) -> None:
        captioner = self.captioner
        texts = [] if captioner is None else captioner.batch(led, self.lanes.size)
        rollout.captions += texts
        rollout.counts[step] = self._counts(texts, ended)
        if self.rewards is None:
            return
        kept = copied(led) if self.rewards.reads_obs else None
        if kept is not None:
            rollout.obs.append(kept)
        self.rewards.watch(Seen(texts, kept))

    def _idle(self) -> Any:
        if isinstance(self.space, gym.spaces.Discrete):
            return np.zeros(self.lanes.size, np.int64)
        return np.zeros(
            (self.lanes.size, int(np.prod(self.space.shape or ()))), np.float32
        )


def draw(policy: Distribution, random: torch.Generator) -> torch.Tensor:
    """Draw actions with a generator of one's own.

    Example:
        >>> from torch.distributions import Categorical
        >>> draw(Categorical(logits=torch.zeros(2, 1)), torch.Generator())
        tensor([0, 0])
    """
    probabilities = getattr(policy, "probs", None)
    if probabilities is not None:
        return torch.multinomial(probabilities, 1, generator=random)[:, 0]
    noise = torch.randn(policy.mean.shape, generator=random)
    return policy.mean + policy.stddev * noise


def played(space: gym.Space[Any], actions: torch.Tensor) -> Any:
    """Return actions as environments take them: cut to the space's bounds.

    Example:
        >>> played(gym.spaces.Box(-1, 1, (1,)), torch.tensor([[3.0]]))
        array([[1.]], dtype=float32)
    """
    values = actions.numpy()
    if isinstance(space, gym.spaces.Box):
        values = values.reshape(len(values), *space.shape)
        return np.clip(values, space.low, space.high).astype(space.dtype)
    start = space.start if isinstance(space, gym.spaces.Discrete) else 0
    return values + start


def _reach(rollout: Rollout, step: int, told: Judged) -> None:
    """Write down the value of what a step led to, by the judgement of the next state."""
    values = told.values.numpy()
    rollout.begin_values[step] = values
    cut = rollout.truncated[step] & ~rollout.terminated[step]
    rollout.next_values[step][~cut] = values[~cut]
