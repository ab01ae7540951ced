"""The network of our PPO: a policy, and two values with a trunk of their own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, Normal

from reward_synth.errors import UsageError

VALUES = 2
"""Extrinsic first, then intrinsic."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the network says of states, and what it remembers after them."""

    policy: Distribution
    values: Tensor
    """Shape ``(..., 2)``: extrinsic, intrinsic."""
    memory: Tensor
    """Shape ``(N, memory)``; width 0 without memory."""


class ActorCritic(nn.Module):
    """Two perceptrons, one for the policy and one for both values.

    Args:
        inputs: Numbers of a row.
        space: Actions of one environment: Discrete or Box.
        hidden: Widths of the hidden layers.
        memory: Width of a gated recurrent unit before both; 0: none.

    Raises:
        UsageError: Actions are neither choices nor numbers.

    Example:
        >>> net = ActorCritic(4, gym.spaces.Discrete(3), (8,))
        >>> told = net.step(torch.zeros(5, 4), net.blank(5))
        >>> told.values.shape, told.policy.sample().shape
        (torch.Size([5, 2]), torch.Size([5]))
    """

    def __init__(
        self,
        inputs: int,
        space: gym.Space[Any],
        hidden: tuple[int, ...],
        memory: int = 0,
    ) -> None:
        super().__init__()
        self.memory = memory
        self.discrete = isinstance(space, gym.spaces.Discrete)
        size = _size(space)
        width = memory or inputs
        self.unit = nn.GRUCell(inputs, memory) if memory else None
        self.actor = perceptron((width, *hidden, size), last=0.01)
        self.trunk = perceptron((width, *hidden), last=2**0.5, ends=True)
        self.heads = perceptron(((hidden or (width,))[-1], VALUES), last=1.0)
        self.spread = nn.Parameter(torch.zeros(0 if self.discrete else size))

    def blank(self, lanes: int) -> Tensor:
        """Return the memory of environments that have just begun."""
        return torch.zeros(lanes, self.memory)

    def step(self, rows: Tensor, memory: Tensor) -> Judged:
        """Judge a state of every environment."""
        if self.unit is not None:
            memory = self.unit(rows, memory)
            rows = memory
        return self._judged(rows, memory)

    def sequence(self, rows: Tensor, memory: Tensor, begins: Tensor) -> Judged:
        """Judge T states of N environments in their order.

        Args:
            rows: Shape ``(T, N, inputs)``.
            memory: Before the first state.
            begins: Shape ``(T, N)``: where an episode begins, and memory ends.
        """
        if self.unit is None:
            return self._judged(rows, memory)
        found = []
        for row, begin in zip(rows, begins, strict=True):
            memory = self.unit(row, memory * (1.0 - begin.float())[:, None])
            found.append(memory)
        return self._judged(torch.stack(found), memory)

    def _judged(self, rows: Tensor, memory: Tensor) -> Judged:
        told = self.actor(rows)
        values = self.heads(self.trunk(rows))
        return Judged(self._policy(told), values, memory)

    def _policy(self, told: Tensor) -> Distribution:
        if self.discrete:
            return Categorical(logits=told, validate_args=False)
        normal = Normal(told, self.spread.exp().expand_as(told), validate_args=False)
        return Independent(normal, 1, validate_args=False)


def perceptron(
    sizes: tuple[int, ...], *, last: float, ends: bool = False
) -> nn.Sequential:
    """Return layers with tanh between them and orthogonal weights.

    Args:
        sizes: Widths, from inputs to outputs.
        last: Scale of the last layer's weights; the others have the root of 2.
        ends: Whether tanh also follows the last layer.

    Example:
        >>> perceptron((2, 8, 3), last=1.0)(torch.zeros(5, 2)).shape
        torch.Size([5, 3])
    """
    parts: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(sizes), start=2):
        linear = nn.Linear(before, after)
        nn.init.orthogonal_(linear.weight, last if number == len(sizes) else 2**0.5)
        nn.init.zeros_(linear.bias)
        parts += [linear, nn.Tanh()]
    return nn.Sequential(*(parts if ends else parts[:-1]))


def _size(space: gym.Space[Any]) -> int:
    if isinstance(space, gym.spaces.Discrete):
        return int(space.n)
    if isinstance(space, gym.spaces.Box):
        return int(np.prod(space.shape))
    raise UsageError(f"PPO acts in Discrete and Box spaces; received {space}.")
