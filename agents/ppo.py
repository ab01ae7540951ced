"""Proximal policy optimisation with an extrinsic and an intrinsic value.

J. Schulman and others, arXiv 1707.06347; two values as in Y. Burda and others,
arXiv 1810.12894. Labels are applied to what was collected right before it is learned
from, so that labels which came late still count (after ONI, arXiv 2410.23022).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reward_synth.agents.ppo_advantage import advantages
from reward_synth.agents.ppo_collect import Collector, played
from reward_synth.agents.ppo_config import PPOConfig
from reward_synth.agents.ppo_learn import Learner, Table, Targets
from reward_synth.agents.ppo_network import ActorCritic
from reward_synth.agents.ppo_rollout import Episode, Lanes, Rollout, Vector
from reward_synth.agents.ppo_sight import FlatSight, Sight
from reward_synth.agents.weights import write_weights
from reward_synth.errors import RewardFaultError, UsageError
from reward_synth.intrinsic import Captioner
from reward_synth.intrinsic.annotation import Label, WarmStart
from reward_synth.intrinsic.models import Fit, LabelledRewards

_MOST = 1e15
"""Largest magnitude that is learned from: squares overflow above 1.8e19 in float32."""


@dataclass(frozen=True, slots=True)
class Update:
    """What one update did."""

    steps: int
    """Of all environments so far."""
    rollout: Rollout
    targets: Targets
    fit: Fit | None
    """What the reward model learned."""
    rate: float
    """Of learning; 0 while a warm start holds it."""
    loss: float
    """Mean over the update's minibatches; nan if nothing was learned."""


class PPO:
    """An agent, its environments, and what it is paid beside their rewards.

    Args:
        envs: From :func:`~reward_synth.agents.ppo_rollout.make_envs`, perhaps in a
            ``VectorBonusReward`` with ``pays="tell"``, whose bonus is paid too.
        config: How it learns.
        seed: Decides environments, network and all that is drawn.
        sight: What the network sees; by default all numbers of the observation.
        rewards: Pays for captions.
        captioner: Tells captions; needed with ``rewards``.
        gate: Holds or slows learning until enough steps have labels.

    Raises:
        UsageError: Spaces that it cannot serve, ``rewards`` without ``captioner``, or
            minibatches that cannot be made.

    Example:
        >>> import gymnasium as gym
        >>> from reward_synth.agents.ppo_rollout import make_envs
        >>> envs = make_envs([lambda: gym.make("CartPole-v1")] * 2)
        >>> PPO(envs, PPOConfig(rollout=8, batches=1), seed=0).learn(16).steps
        16
    """

    def __init__(
        self,
        envs: Vector,
        config: PPOConfig | None = None,
        *,
        seed: int,
        sight: Sight | None = None,
        rewards: LabelledRewards | None = None,
        captioner: Captioner | None = None,
        gate: WarmStart | None = None,
    ) -> None:
        if rewards is not None and captioner is None:
            raise UsageError("Rewards for captions need a captioner; give captioner=.")
        self.config = config or PPOConfig()
        self.rewards = rewards
        self.gate = gate
        self.sight = sight or FlatSight(envs.single_observation_space)
        self.lanes = Lanes(envs)
        self.config.require(self.lanes.size)
        self.space = envs.single_action_space
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            shape = self.config.hidden, self.config.memory
            self.network = ActorCritic(self.sight.width, self.space, *shape)
        self.collector = Collector(
            self.lanes, self.network, self.sight, rewards, captioner, seed
        )
        self.learner = Learner(self.network, self.config, seed)

    @property
    def steps(self) -> int:
        """Steps of all environments so far."""
        return self.lanes.steps

    @property
    def episodes(self) -> list[Episode]:
        """The episodes that ended so far."""
        return self.lanes.episodes

    def learn(self, steps: int, tell: Callable[[Update], None] | None = None) -> PPO:
        """Learn for at least so many more steps of all environments.

        Args:
            steps: How many.
            tell: Is told each update.

        Raises:
            RewardFaultError: A reward or a bonus was not finite, or far too large; nothing
                was learned from it.
        """
        start = self.steps
        while self.steps < start + steps:
            done = (self.steps - start) / steps
            rollout = self.collector.collect(self.config.rollout)
            fit = None if self.rewards is None else self.rewards.update()
            targets = self.targets(rollout)
            _require_usable(rollout, targets)
            rate = self._rate(done, targets.labels)
            loss = (
                self.learner.improve(rollout, targets, rate) if rate > 0 else math.nan
            )
            if tell is not None:
                tell(Update(self.steps, rollout, targets, fit, rate, loss))
        return self

    def targets(self, rollout: Rollout) -> Targets:
        """Return advantages and targets, by the labels that are known now."""
        config, values = self.config, rollout.values
        intrinsic, labels = self._paid(rollout)
        ends = rollout.terminated, rollout.truncated
        led = rollout.next_values[..., 1]
        outer = advantages(
            rollout.rewards,
            values[..., 0],
            rollout.next_values[..., 0],
            *ends,
            gamma=config.gamma,
            lam=config.lam,
        )
        if not config.episodic:
            never = np.zeros_like(rollout.terminated)
            ends, led = (never, never), rollout.begin_values[..., 1]
        inner = advantages(
            intrinsic,
            values[..., 1],
            led,
            *ends,
            gamma=config.intrinsic_gamma,
            lam=config.lam,
        )
        mixed = config.extrinsic_weight * outer + config.intrinsic_weight * inner
        returns = np.stack([outer, inner], -1) + values
        return Targets(mixed, returns, intrinsic, labels)

    def act(self, obs: Any, memory: Tensor | None = None) -> tuple[Any, Tensor]:
        """Return the likeliest actions, and the memory after them.

        Args:
            obs: Batched observations.
            memory: What this returned before; None: episodes begin.
        """
        rows = torch.from_numpy(self.sight(obs))
        with torch.no_grad():
            given = self.network.blank(len(rows)) if memory is None else memory
            told = self.network.step(rows, given)
        return played(self.space, told.policy.mode), told.memory

    def save(self, path: str | Path) -> None:
        """Write the network as safetensors."""
        write_weights(self.network.state_dict(), Path(path))

    def _paid(self, rollout: Rollout) -> tuple[Table, list[Label]]:
        """Return what is paid beside the environment, and the labels it is paid for."""
        if self.rewards is None:
            return rollout.bonus, []
        labels = self.rewards.judge(rollout.seen)
        paid = self.rewards.worth(labels, rollout.counts.ravel())
        return rollout.bonus + paid.reshape(rollout.bonus.shape), labels

    def _rate(self, done: float, labels: list[Label]) -> float:
        rate = self.config.rate * (1.0 - done if self.config.anneal else 1.0)
        if self.gate is None:
            return rate
        return rate * self.gate.factor_of(covered(labels), self.steps)


def _require_usable(rollout: Rollout, targets: Targets) -> None:
    """Refuse what would ruin the weights.

    Raises:
        RewardFaultError: A reward is not finite, or squares of it overflow.
    """
    if bool((np.abs(targets.returns) <= _MOST).all()):
        return
    paid = {"reward": rollout.rewards, "bonus or label": targets.intrinsic}
    for name, values in paid.items():
        bad = ~(np.abs(values) <= _MOST)
        if bad.any():
            step, lane = (int(axis[0]) for axis in np.nonzero(bad))
            raise RewardFaultError(
                f"The {name} of step {step} of this rollout, environment {lane}, is "
                f"{values[step, lane]}; expected a finite number of at most {_MOST:g}. The "
                "weights are those from before it. Repair the reward, or wrap the "
                "environment with reward_synth.wrap, whose guard leaves such steps out."
            )
    raise RewardFaultError(
        "The values of states are not finite, though every reward of this rollout is. Lower "
        "PPOConfig.rate, or scale observations."
    )


def covered(labels: Sequence[Label]) -> float:
    """Return the share of steps that have a label or a guess; nan of none.

    Example:
        >>> covered([Label("known", value=0.0), Label("pending")])
        0.5
    """
    return sum(one.usable for one in labels) / len(labels) if labels else math.nan
