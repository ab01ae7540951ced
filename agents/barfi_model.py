"""What BARFI trains: a policy, a blend of rewards, and the objectives of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from reward_synth.agents.barfi_blend import FIXED, Sight
from reward_synth.agents.barfi_play import Episodes
from reward_synth.errors import UsageError


class Policy(nn.Module):
    """A softmax over choices, or a Gaussian of fixed spread in each state.

    Args:
        inputs: Numbers of a row.
        space: The actions of one environment.
        hidden: Widths of the hidden layers.

    Raises:
        UsageError: Actions are neither numbers nor choices.
    """

    def __init__(self, inputs: int, space: Any, hidden: tuple[int, ...]) -> None:
        super().__init__()
        if isinstance(space, gym.spaces.Discrete):
            size = int(space.n)
        elif isinstance(space, gym.spaces.Box):
            size = int(np.prod(space.shape))
        else:
            raise UsageError(
                f"BARFI acts in Box and Discrete spaces; received {space}."
            )
        self.discrete = isinstance(space, gym.spaces.Discrete)
        self.layers = perceptron(inputs, size, hidden)
        self.spread = nn.Parameter(torch.zeros(0 if self.discrete else size))

    def forward(self, rows: Tensor) -> torch.distributions.Distribution:
        """Return the distribution of actions."""
        if self.discrete:
            return torch.distributions.Categorical(logits=self.layers(rows))
        normal = torch.distributions.Normal(self.layers(rows), self.spread.exp())
        return torch.distributions.Independent(normal, 1)


class BlendNetwork(nn.Module):
    """Bias and factors of each state, and a discount; begins as the plain sum.

    Args:
        inputs: Numbers of a row.
        components: Of the dense reward.
        gamma: The discount that it begins with.
        factor: The most that a factor is; above 1.
        bias: The most that is paid for being in a state.
        hidden: Widths of the hidden layers.
    """

    def __init__(
        self,
        inputs: int,
        components: int,
        *,
        gamma: float,
        factor: float,
        bias: float,
        hidden: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.layers = perceptron(inputs, FIXED + components, hidden)
        most = torch.full((FIXED + components,), factor)
        most[0] = bias
        self.bounds: Tensor
        self.register_buffer("bounds", most)
        last: Any = self.layers[-1]
        nn.init.zeros_(last.weight)
        with torch.no_grad():
            last.bias.copy_(torch.atanh(1.0 / most))
            last.bias[0] = 0.0
        self.raw = nn.Parameter(torch.logit(torch.tensor(gamma)))

    @property
    def gamma(self) -> Tensor:
        """The learned discount."""
        return torch.sigmoid(self.raw)

    def forward(self, batch: Episodes) -> Tensor:
        """Return what each step is paid, shape ``(T, N)``."""
        given = torch.cat(
            [batch.alive[..., None], batch.sparse[..., None], batch.parts], -1
        )
        factors = self.bounds * torch.tanh(self.layers(batch.rows))
        return (factors * given).sum(-1)


def greedy(policy: Policy, sight: Sight) -> Callable[[Any], Any]:
    """Return what maps N observations to the policy's likeliest actions.

    Args:
        policy: The policy of :class:`Trained`.
        sight: How it sees; ``weights.sight`` of the same.

    Example:
        >>> act = greedy(Policy(2, gym.spaces.Discrete(3), ()), Sight(choices=2))
        >>> act(np.array([0, 1])).shape
        (2,)
    """

    def act(obs: Any) -> Any:
        rows = torch.as_tensor(sight.rows(obs), dtype=torch.float32)
        with torch.no_grad():
            return policy(rows).mode.numpy()

    return act


def surrogates(
    policy: Policy,
    batch: Episodes,
    paid: Tensor,
    gamma: Tensor,
    *,
    true_gamma: float,
    entropy: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what is wanted, what the inner learner maximises, and the same with a baseline.

    The three are functions of recorded episodes whose derivatives are the estimates of
    BARFI: c, H, and A with B. Returns of the inner one are counted from the lowest, so
    that it has a maximum; in expectation a constant changes no gradient.

    Args:
        policy: What is trained.
        batch: The episodes.
        paid: What its steps are paid, ``(T, N)``; depends on the blend.
        gamma: The learned discount.
        true_gamma: The discount of what is wanted.
        entropy: What entropy is worth to the inner learner.
    """
    played: Any = policy(batch.rows)
    chance = played.log_prob(batch.actions) * batch.alive
    wish = returns(batch.sparse, torch.tensor(true_gamma))
    outer = (chance * centred(wish, batch.alive)).sum() / batch.alive.shape[1]
    goal = returns(paid, gamma)
    lowest = goal[batch.alive > 0].min()
    bonus = entropy * (played.entropy() * batch.alive).sum()
    inner = ((chance * (goal - lowest)).sum() + bonus) / batch.alive.shape[1]
    mixed = (chance * centred(goal, batch.alive)).sum() / batch.alive.shape[1]
    return outer, inner, mixed


def returns(paid: Tensor, gamma: Tensor) -> Tensor:
    """Return the discounted sum of what is paid from each step on, shape ``(T, N)``.

    Example:
        >>> returns(torch.tensor([[1.0], [2.0]]), torch.tensor(0.5))[:, 0].tolist()
        [2.0, 2.0]
    """
    step = torch.arange(len(paid))
    ahead = (step[None] - step[:, None]).clamp(min=0)
    weights = torch.triu(gamma ** ahead.to(paid.dtype))
    return weights @ paid


def centred(values: Tensor, alive: Tensor) -> Tensor:
    """Take away, at each time, the mean over the episodes that still run.

    Example:
        >>> centred(torch.tensor([[1.0, 3.0]]), torch.ones(1, 2)).tolist()
        [[-1.0, 1.0]]
    """
    count = alive.sum(1, keepdim=True).clamp(min=1.0)
    return (values - (values * alive).sum(1, keepdim=True) / count) * alive


def mean(values: Tensor, alive: Tensor) -> Tensor:
    """Return the mean over steps of running episodes.

    Example:
        >>> mean(torch.tensor([[1.0, 3.0]]), torch.tensor([[1.0, 0.0]])).item()
        1.0
    """
    return (values * alive).sum() / alive.sum()


def perceptron(inputs: int, outputs: int, hidden: tuple[int, ...]) -> nn.Sequential:
    """Return layers with tanh between them.

    Example:
        >>> perceptron(2, 3, (4,))(torch.zeros(5, 2)).shape
        torch.Size([5, 3])
    """
    parts: list[nn.Module] = []
    for before, after in zip((inputs, *hidden), (*hidden, outputs), strict=True):
        parts += [nn.Linear(before, after), nn.Tanh()]
    return nn.Sequential(*parts[:-1])
