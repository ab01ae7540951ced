"""Values by a neural network, for states that fixed features describe badly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from reward_synth.distance.samples import Batch, Values, lstd


@dataclass(frozen=True, slots=True)
class NetworkValue:
    """Values linear in the last hidden layer of a trained network.

    The layers are trained by temporal differences with a target network; the last one is
    then solved for exactly by least squares (after Levine et al., "Shallow Updates for
    Deep Reinforcement Learning", NeurIPS 2017), so that scaled and negated rewards stay
    at 0 and 1 on the same layers. Runs on the CPU.

    Example:
        >>> batch = Batch(np.zeros(64), np.zeros(64), np.zeros(64))
        >>> before, _ = NetworkValue(steps=5)(batch, np.ones((64, 1)), 0.5)
        >>> bool(abs(before[0, 0] - 2.0) < 1e-3)
        True
    """

    hidden: int = 64
    """Width of both hidden layers."""
    steps: int = 300
    """Of gradient descent."""
    rows: int = 1024
    """Transitions a step."""
    rate: float = 1e-3
    renewed: int = 25
    """Steps between copies to the target network."""
    seed: int = 0

    def __call__(
        self, batch: Batch, rewards: Values, gamma: float
    ) -> tuple[Values, Values]:
        """Return values before and after each transition."""
        both = np.concatenate([batch.before, batch.after])
        mean, spread = both.mean(0), both.std(0)
        scale = np.where(spread > 0, spread, 1.0)
        sizes = np.abs(rewards).max(0)
        paid = rewards / np.where(sizes > 0, sizes, 1.0)
        now, then = (_tensor((x - mean) / scale) for x in (batch.before, batch.after))
        layers = self._trained(now, then, _tensor(paid), _tensor(batch.alive), gamma)
        with torch.no_grad():
            first, second = (layers(x).numpy().astype(np.float64) for x in (now, then))
        one = np.ones((batch.count, 1))
        first, second = (np.concatenate([one, x], 1) for x in (first, second))
        return lstd(
            lambda rows: (first[rows], second[rows]), batch.alive, rewards, gamma
        )

    def _trained(
        self, now: Any, then: Any, paid: Any, alive: Any, gamma: float
    ) -> nn.Sequential:
        source = torch.Generator().manual_seed(self.seed)
        layers, head = self._made(now.shape[1], paid.shape[1])
        target = _copy(
            nn.Sequential(layers, head), self._made(now.shape[1], paid.shape[1])
        )
        given = [*layers.parameters(), *head.parameters()]
        descent = torch.optim.Adam(given, self.rate)
        for step in range(self.steps):
            if step % self.renewed == 0:
                target.load_state_dict(nn.Sequential(layers, head).state_dict())
            rows = torch.randint(
                len(now), (min(self.rows, len(now)),), generator=source
            )
            with torch.no_grad():
                wanted = paid[rows] + gamma * alive[rows, None] * target(then[rows])
            loss = nn.functional.mse_loss(head(layers(now[rows])), wanted)
            descent.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's has no types
            descent.step()
        return layers

    def _made(self, inputs: int, outputs: int) -> tuple[nn.Sequential, nn.Linear]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            layers = nn.Sequential(
                nn.Linear(inputs, self.hidden),
                nn.Tanh(),
                nn.Linear(self.hidden, self.hidden),
                nn.Tanh(),
            )
            return layers, nn.Linear(self.hidden, outputs)


def _copy(
    source: nn.Sequential, made: tuple[nn.Sequential, nn.Linear]
) -> nn.Sequential:
    target = nn.Sequential(*made)
    target.load_state_dict(source.state_dict())
    return target


def _tensor(values: Values) -> Any:
    return torch.as_tensor(values, dtype=torch.float32)
