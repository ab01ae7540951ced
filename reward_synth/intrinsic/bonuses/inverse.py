"""ICM: curiosity in features that an agent's own actions change; needs torch.

D. Pathak and others, "Curiosity-driven Exploration by Self-supervised Prediction",
arXiv 1705.05363.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.learned import _Trained, layers
from reward_synth.intrinsic.bonuses.protocol import Feature, Mask, Values, whole


class ICM(_Trained):
    """Pays |F(φ(s), a) - φ(s')|² / 2, with φ trained to tell the action apart.

    Loss: (1 - β) times the inverse model's cross entropy plus β times the forward
    model's error, one step of Adam for every ``batch`` steps that were met.
    :meth:`encode` is the φ that E3B uses.

    Args:
        lanes: How many environments.
        actions: How many discrete actions there are.
        feature: What the networks read.
        seed: Decides the networks.
        hidden: Widths of the hidden layers.
        size: Width of φ.
        rate: Of learning.
        batch: Steps of one step of learning.
        beta: β.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> bonus, yes = ICM(1, 4, seed=0), np.array([True])
        >>> here, there = np.zeros((1, 2)), np.ones((1, 2))
        >>> bonus.score(here, np.array([3]), there, yes, learning=True).shape
        (1,)
    """

    def __init__(
        self,
        lanes: int,
        actions: int,
        feature: Feature = whole,
        *,
        seed: int,
        hidden: tuple[int, ...] = (64,),
        size: int = 32,
        rate: float = 1e-3,
        batch: int = 256,
        beta: float = 0.2,
    ) -> None:
        super().__init__(lanes, feature, seed, rate)
        if actions < 1 or size < 1 or batch < 1 or not 0 <= beta <= 1:
            raise UsageError(
                "actions, size and batch must be at least 1 and beta in [0, 1]; "
                f"received {actions}, {size}, {batch} and {beta}."
            )
        self.actions = actions
        self.hidden = hidden
        self.size = size
        self.batch = batch
        self.beta = beta

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the bonus of each step."""
        step = self._inputs(obs), self._chosen(action), self._inputs(next_obs)
        with torch.no_grad():
            paid: Values = self._forward(*step)[0].double().numpy()
        if learning:
            marked = torch.from_numpy(valid)
            self._learn(*(one[marked] for one in step))
        return np.where(valid, paid, 0.0)

    def encode(self, obs: Any) -> npt.NDArray[np.float64]:
        """Return φ of each environment's observation, shape ``(num_envs, size)``."""
        with torch.no_grad():
            features: npt.NDArray[np.float64] = (
                self._module("encoder", self._inputs(obs)).double().numpy()
            )
        return features

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over what :meth:`state` gave."""
        first = state.get("encoder.0.weight")
        if not self._modules and first is not None:
            self._build(first.shape[1])
        super().load(state)

    def _forward(
        self, before: torch.Tensor, action: torch.Tensor, after: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the forward model's error of each step, and the inverse's logits."""
        old, new = self._module("encoder", before), self._module("encoder", after)
        told = functional.one_hot(action, self.actions).float()
        guess = self._module("forward", torch.cat([old, told], 1))
        logits = self._module("inverse", torch.cat([old, new], 1))
        return 0.5 * ((guess - new) ** 2).sum(1), logits

    def _learn(
        self, before: torch.Tensor, action: torch.Tensor, after: torch.Tensor
    ) -> None:
        self._kept.append((before, action, after))
        if sum(len(step[1]) for step in self._kept) < self.batch:
            return
        kept, self._kept = self._kept, []
        steps = [torch.cat(column) for column in zip(*kept, strict=True)]
        error, logits = self._forward(*steps)
        told = functional.cross_entropy(logits, steps[1])
        self._descend((1.0 - self.beta) * told + self.beta * error.mean())

    def _module(self, name: str, inputs: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self._modules[name](inputs)
        return result

    def _build(self, width: int) -> None:
        size, tall = self.size, self.hidden
        self._modules = {
            "encoder": layers((width, *tall, size), self.seed),
            "forward": layers((size + self.actions, *tall, size), self.seed + 1),
            "inverse": layers((2 * size, *tall, self.actions), self.seed + 2),
        }
        self._make(("encoder", "forward", "inverse"))

    def _chosen(self, action: Any) -> torch.Tensor:
        return torch.from_numpy(np.asarray(action, np.int64).reshape(self.lanes))

    def _inputs(self, obs: Any) -> torch.Tensor:
        rows = self._flat(obs)
        if not self._modules:
            self._build(rows.shape[1])
        return torch.from_numpy(rows).float()
