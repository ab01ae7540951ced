"""BARFI: learns a task while it learns how much of a dense reward to believe, and where.

The inner learner follows the gradient of a blended reward

    r(s, a) = bias(s) + f(s) * sparse + sum of f_k(s) * component k

with a learned discount. The outer learner changes blend and discount so that what the
inner one ends with does well by the *environment's* reward alone, through the implicit
gradient of :mod:`reward_synth.agents.barfi_gradient`. After BARFI (Gupta et al.,
"Behavior Alignment via Reward Function Optimization", arXiv 2310.19007).

    envs = reward_synth.wrap(gym.make_vec(id, num_envs=32), "reward.py")
    trained = train(envs, Barfi(updates=200))
    trained.weights.save("blend.safetensors")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from reward_synth.agents.barfi_blend import BlendWeights
from reward_synth.agents.barfi_gradient import Neumann, implicit_gradient
from reward_synth.agents.barfi_model import (
    BlendNetwork,
    Policy,
    mean,
    perceptron,
    returns,
    surrogates,
)
from reward_synth.agents.barfi_play import Episodes, play, sight_of
from reward_synth.errors import UsageError
from reward_synth.preference import Network
from reward_synth.preference.training import one_thread

Blend = Literal["learned", "add", "sparse"]
_OUTER_NORM = 1.0
_SMALL = 1e-6


@dataclass(frozen=True, slots=True)
class Barfi:
    """Settings.

    Raises:
        UsageError: One is out of range.

    Example:
        >>> Barfi(updates=100).gamma
        0.99
    """

    updates: int = 300
    """Batches of episodes, one of each environment."""
    horizon: int = 200
    """The most steps of an episode."""
    gamma: float = 0.99
    """The discount of what is wanted."""
    blend: Blend = "learned"
    """``learned``; or, to compare with, what is paid otherwise: ``add`` (the sum) or
    ``sparse`` (the environment's reward alone)."""
    rate: float = 5e-3
    """Of the policy and the critic."""
    blend_rate: float = 5e-2
    every: int = 2
    """Updates of the policy between those of the blend."""
    warm_up: int = 0
    """Updates of the policy before the first one of the blend."""
    remembered: int = 64
    """Episodes of the highest returns by the environment's reward, from any time of the
    training, that the blend is also judged by; without them a policy that no longer
    succeeds tells nothing about success."""
    most_factor: float = 2.0
    """Factors stay between plus and minus this; above 1."""
    most_bias: float = 0.1
    """What is paid for being in a state does likewise."""
    entropy: float = 0.01
    """What entropy is worth to the inner learner; it keeps it looking around."""
    discount_price: float = 0.0
    """What a learned discount near 1 costs; above 0 prefers quick credit."""
    learn_discount: bool = True
    hidden: tuple[int, ...] = (64,)
    neumann: Neumann = field(
        default_factory=lambda: Neumann(terms=5, damping=0.01, probes=4)
    )
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be used."""
        if min(self.updates, self.horizon, self.every) < 1 or self.warm_up < 0:
            raise UsageError(
                f"Barfi needs updates, horizon and every of at least 1 and warm_up of at "
                f"least 0; received {self}."
            )
        if not self.most_factor > 1.0 or self.most_bias < 0 or self.remembered < 0:
            raise UsageError(
                f"Barfi needs most_factor above 1, most_bias and remembered of at least 0; "
                f"received {self}."
            )
        if not 0.0 < self.gamma < 1.0 or self.blend not in get_args(Blend):
            raise UsageError(
                f"Barfi needs gamma in (0, 1) and blend learned, add or sparse; received "
                f"gamma={self.gamma!r}, blend={self.blend!r}."
            )


@dataclass(frozen=True, slots=True)
class Point:
    """What one update met and did."""

    sparse: float
    """Mean return of the episodes by the environment's reward, not discounted."""
    dense: float
    """The same of the sum of the components."""
    gamma: float
    """The learned discount."""
    residual: float
    """Of the Neumann series; above 1 it diverged, and the blend was left as it was. NaN
    where the blend was not updated."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training gave."""

    policy: Policy
    weights: BlendWeights
    curve: tuple[Point, ...]


def train(
    envs: gym.vector.VectorEnv[Any, Any, Any],
    settings: Barfi,
    notify: Callable[[int, Point], None] | None = None,
) -> Trained:
    """Learn a policy and a blend.

    Args:
        envs: Environments that :func:`reward_synth.wrap` gave a dense reward.
        settings: How.
        notify: Told after each update.

    Raises:
        UsageError: The environments tell no components, or have other spaces.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        learner = _Learner(envs, settings)
        curve = []
        for number in range(settings.updates):
            curve.append(learner.update(number))
            if notify is not None:
                notify(number, curve[-1])
        return Trained(learner.policy, learner.weights(), tuple(curve))


class _Learner:
    """The state of a training."""

    def __init__(
        self, envs: gym.vector.VectorEnv[Any, Any, Any], settings: Barfi
    ) -> None:
        self.envs, self.settings = envs, settings
        self.sight = sight_of(envs, settings.seed)
        obs, _ = envs.reset(seed=settings.seed)
        inputs = self.sight.rows(obs).shape[1]
        self.policy = Policy(inputs, envs.single_action_space, settings.hidden)
        self.names = self._play(0, 1).names
        self.blend = BlendNetwork(
            inputs,
            len(self.names),
            gamma=settings.gamma,
            factor=settings.most_factor,
            bias=settings.most_bias,
            hidden=settings.hidden,
        )
        self.critic = perceptron(inputs, 2, settings.hidden)
        self.memory: Episodes | None = None
        made = torch.optim.Adam
        self.inner = made(self.policy.parameters(), settings.rate)
        self.outer = made(self.blend.parameters(), settings.blend_rate)
        self.valued = made(self.critic.parameters(), settings.rate)

    def _play(self, number: int, horizon: int) -> Episodes:
        def act(rows: Tensor) -> Tensor:
            with torch.no_grad():
                found: Tensor = self.policy(rows).sample()
                return found

        seed = self.settings.seed * 100_003 + number
        return play(self.envs, self.sight, act, horizon=horizon, seed=seed)

    def update(self, number: int) -> Point:
        """Play a batch; learn from it."""
        batch = self._play(1 + number, self.settings.horizon)
        recorded = batch if self.memory is None else batch.beside(self.memory)
        late = number - self.settings.warm_up
        residual = float("nan")
        due = late >= 0 and late % self.settings.every == 0
        if self.settings.blend == "learned" and due:
            residual = self._reblend(recorded)
        self._improve(recorded, batch.alive.shape[1])
        if self.settings.remembered:
            self.memory = recorded.best(self.settings.remembered)
        return Point(
            float(batch.returns.mean()),
            float(batch.parts.sum((0, 2)).mean()),
            float(self.blend.gamma.detach()),
            residual,
        )

    def _paid(self, batch: Episodes) -> tuple[Tensor, Tensor]:
        """Return what the inner learner is paid for, and its discount."""
        if self.settings.blend == "learned":
            gamma = self.blend.gamma
            fixed = gamma if self.settings.learn_discount else gamma.detach()
            return self.blend(batch), fixed
        dense = batch.parts.sum(-1) if self.settings.blend == "add" else 0.0
        return batch.sparse + dense, torch.tensor(self.settings.gamma)

    def _improve(self, batch: Episodes, fresh: int) -> None:
        """Take a step along the gradient of the blended reward.

        Of the first ``fresh`` lanes, which the policy has just played, good and bad are
        learned; of remembered ones only what went better than the critic expects (after
        Oh et al., "Self-Imitation Learning", ICML 2018).
        """
        with torch.no_grad():
            goal = returns(*self._paid(batch))
            wish = returns(batch.sparse, torch.tensor(self.settings.gamma))
            apart = goal - self.critic(batch.rows)[..., 0]
            now, then = apart[:, :fresh], apart[:, fresh:].clamp(min=0.0)
            now = now - mean(now, batch.alive[:, :fresh])
            advantage = torch.cat([now, then], 1)
            size = mean(advantage**2, batch.alive).sqrt() + _SMALL
        played: Any = self.policy(batch.rows)
        gain = played.log_prob(batch.actions) * advantage / size
        gain = gain + self.settings.entropy * played.entropy()
        _descend(self.inner, -mean(gain, batch.alive))
        errors = (self.critic(batch.rows) - torch.stack([goal, wish], -1)) ** 2
        _descend(self.valued, mean(errors.sum(-1), batch.alive))

    def _reblend(self, batch: Episodes) -> float:
        """Take a step along the implicit gradient of the environment's reward."""
        outer, inner, mixed = surrogates(
            self.policy,
            batch,
            *self._paid(batch),
            true_gamma=self.settings.gamma,
            entropy=self.settings.entropy,
        )
        outer = outer - self.settings.discount_price * self.blend.gamma
        phi = [*self.blend.parameters()]
        theta = [x for x in self.policy.parameters() if x.numel()]
        found = implicit_gradient(
            outer, inner, theta, phi, self.settings.neumann, mixed
        )
        if found.residual > 1.0 or not np.isfinite(found.residual):
            return found.residual
        for parameter, gradient in zip(phi, found.gradients, strict=True):
            parameter.grad = -gradient
        nn.utils.clip_grad_norm_(phi, _OUTER_NORM)
        self.outer.step()
        return found.residual

    def weights(self) -> BlendWeights:
        """Return the blend without PyTorch."""
        linear: list[Any] = [x for x in self.blend.layers if isinstance(x, nn.Linear)]
        network = Network(
            tuple(x.weight.detach().double().numpy().T.copy() for x in linear),
            tuple(x.bias.detach().double().numpy().copy() for x in linear),
        )
        gamma = float(self.blend.gamma.detach())
        bounds = self.blend.bounds.double().numpy()
        return BlendWeights(network, bounds, self.sight, self.names, gamma)


def _descend(descent: torch.optim.Optimizer, loss: Tensor) -> None:
    descent.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch's has no types
    descent.step()
