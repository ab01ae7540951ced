"""One update of PPO: minibatches, the clipped objective, and both values' errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from reward_synth.agents.ppo_config import PPOConfig
from reward_synth.agents.ppo_network import ActorCritic
from reward_synth.agents.ppo_rollout import Rollout
from reward_synth.intrinsic.annotation import Label
from reward_synth.intrinsic.denormals import flushed

Table = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Targets:
    """What one update learns from."""

    advantages: Table
    """Of both streams, weighted and added, shape ``(T, N)``."""
    returns: Table
    """What the values should be, shape ``(T, N, 2)``."""
    intrinsic: Table
    """What was paid beside the environment, shape ``(T, N)``."""
    labels: list[Label]
    """Of each step, T times N of them; empty without labels."""


class Learner:
    """Improves a network by rollouts and their targets.

    J. Schulman and others, arXiv 1707.06347; advantages are normalised in each minibatch.

    Args:
        network: Is improved.
        config: How.
        seed: Of the minibatches.
    """

    def __init__(self, network: ActorCritic, config: PPOConfig, seed: int) -> None:
        self.network = network
        self.config = config
        self._rng = np.random.default_rng(seed)
        weights = network.parameters()
        self._optimiser = torch.optim.Adam(weights, config.rate, eps=1e-5, fused=True)

    def improve(self, rollout: Rollout, targets: Targets, rate: float) -> float:
        """Learn from a rollout; return the mean loss."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        batch = self._tensors(rollout, targets)
        losses = []
        with flushed():
            for _ in range(self.config.epochs):
                for part in self._parts(rollout):
                    chosen = {name: value[:, part] for name, value in batch.items()}
                    losses.append(self._step(chosen, self._before(rollout, part)))
        return float(np.mean(losses))

    def _step(self, batch: dict[str, Tensor], memory: Tensor) -> float:
        """Take one step of the descent; return the loss before it."""
        loss = self._loss(batch, memory)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's has no types
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.longest)
        self._optimiser.step()
        return float(loss.detach())

    def _parts(self, rollout: Rollout) -> Iterator[Any]:
        """Yield what belongs to a minibatch: environments with memory, else steps."""
        steps, lanes = rollout.rewards.shape
        size = lanes if self.config.memory else lanes * steps
        order = self._rng.permutation(size)
        yield from np.array_split(order, self.config.batches)

    def _before(self, rollout: Rollout, part: Any) -> Tensor:
        """Return the memory before the first state of a minibatch."""
        return rollout.memory[part] if self.config.memory else rollout.memory

    def _loss(self, batch: dict[str, Tensor], memory: Tensor) -> Tensor:
        config = self.config
        told = self.network.sequence(batch["rows"], memory, batch["begins"])
        ratio = (told.policy.log_prob(batch["actions"]) - batch["chances"]).exp()
        gain = batch["advantages"]
        if gain.numel() > 1:
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
        held = ratio.clamp(1.0 - config.clip, 1.0 + config.clip)
        surrogate = torch.minimum(ratio * gain, held * gain).mean()
        errors = (told.values - batch["returns"]).square().sum(-1).mean()
        entropy = told.policy.entropy().mean()
        return config.value * errors - surrogate - config.entropy * entropy

    def _tensors(self, rollout: Rollout, targets: Targets) -> dict[str, Tensor]:
        """Return what minibatches are cut from along the second axis.

        Without memory all steps lie along it, and the first has length 1.
        """
        given = {
            "rows": rollout.rows,
            "begins": rollout.begins,
            "actions": rollout.actions,
            "chances": rollout.chances,
            "advantages": targets.advantages,
            "returns": targets.returns,
        }
        found = {}
        for name, value in given.items():
            kind = np.int64 if value.dtype == np.int64 else np.float32
            tensor = torch.from_numpy(np.asarray(value, kind))
            found[name] = tensor if self.config.memory else tensor.flatten(0, 1)[None]
        return found
