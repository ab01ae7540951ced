"""Bonuses from prediction errors: RND, NovelD and ICM; needs torch.

RND: Y. Burda and others, arXiv 1810.12894. NovelD: T. Zhang and others (NeurIPS 2021).
ICM: D. Pathak and others, arXiv 1705.05363.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import Feature, Mask, State, Values, whole
from reward_synth.intrinsic.bonuses.scale import Moments, part
from reward_synth.intrinsic.denormals import flushed

_FAR = 5.0
"""Deviations beyond which an input of RND is cut."""


def layers(sizes: tuple[int, ...], seed: int) -> nn.Sequential:
    """Return linear layers with ReLU between, whose weights a seed decides.

    Example:
        >>> [tuple(weight.shape) for weight in layers((3, 8, 2), seed=0).parameters()]
        [(8, 3), (8,), (2, 8), (2,)]
    """
    source = torch.Generator().manual_seed(seed)
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes):
        linear = nn.Linear(before, after)
        with torch.no_grad():
            nn.init.orthogonal_(linear.weight, 2**0.5, generator=source)
            nn.init.zeros_(linear.bias)
        parts += [linear, nn.ReLU()]
    return nn.Sequential(*parts[:-1])


class _Trained:
    """Keeps modules that are made when the first observation tells its size."""

    def __init__(self, lanes: int, feature: Feature, seed: int, rate: float) -> None:
        if lanes < 1 or not rate > 0:
            raise UsageError(
                "A learned bonus needs at least one lane and a learning rate above 0; "
                f"received {lanes} and {rate}."
            )
        self.lanes = lanes
        self.feature = feature
        self.seed = seed
        self.rate = rate
        self._modules: dict[str, nn.Sequential] = {}
        self._optimiser: torch.optim.Adam | None = None
        self._kept: list[tuple[Any, ...]] = []

    def begin(self, obs: Any, lanes: Mask) -> None:
        """Do nothing: what is learned spans episodes."""

    def state(self) -> State:
        """Return the modules' weights; the optimiser's moments begin anew."""
        return {
            f"{name}.{key}": value.numpy().copy()
            for name, module in self._modules.items()
            for key, value in module.state_dict().items()
        }

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over what :meth:`state` gave."""
        for name, module in self._modules.items():
            weights = part(state, f"{name}.")
            module.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})

    def _make(self, trained: tuple[str, ...]) -> None:
        weights = [w for name in trained for w in self._modules[name].parameters()]
        self._optimiser = torch.optim.Adam(weights, self.rate)

    def _descend(self, loss: torch.Tensor) -> None:
        if self._optimiser is None:
            return
        with flushed():
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's has no types
            self._optimiser.step()

    def _flat(self, obs: Any) -> npt.NDArray[np.float64]:
        return np.asarray(self.feature(obs), np.float64)


class RND(_Trained):
    """Pays e(s') = |g(s') - f(s')|, the error of predicting a fixed random network f.

    Inputs are scaled by running moments and cut at five deviations. The predictor g
    takes one step of Adam for every ``batch`` states that were met.

    Args:
        lanes: How many environments.
        feature: What the networks read.
        seed: Decides the networks.
        hidden: Widths of the hidden layers.
        size: Width of f(s').
        rate: Of learning.
        batch: States of one step of learning.
        width: Width of the feature; None: told by the first observation.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> bonus, yes = RND(1, seed=0), np.array([True])
        >>> bonus.score(None, None, np.ones((1, 2)), yes, learning=False).shape
        (1,)
    """

    def __init__(
        self,
        lanes: int,
        feature: Feature = whole,
        *,
        seed: int,
        hidden: tuple[int, ...] = (64,),
        size: int = 32,
        rate: float = 1e-4,
        batch: int = 256,
        width: int | None = None,
    ) -> None:
        super().__init__(lanes, feature, seed, rate)
        if size < 1 or batch < 1:
            raise UsageError(f"size and batch must be at least 1; got {size}, {batch}.")
        self.hidden = hidden
        self.size = size
        self.batch = batch
        self.moments = Moments()
        if width is not None:
            self._build(width)

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the bonus of each step."""
        del obs, action
        paid = np.where(valid, self.errors(next_obs), 0.0)
        if learning:
            self.learn(next_obs, valid)
        return paid

    def errors(self, obs: Any) -> Values:
        """Return e of each environment's observation."""
        inputs = self._inputs(obs)
        with torch.no_grad():
            error = self._modules["guess"](inputs) - self._modules["target"](inputs)
            length: Values = error.norm(dim=1).double().numpy()
        return length

    def learn(self, obs: Any, valid: Mask) -> None:
        """Take in states: scale, then, once there are enough, learn from them."""
        inputs = self._inputs(obs)[torch.from_numpy(valid)]
        self.moments.add(self._flat(obs)[valid])
        self._kept.append((inputs,))
        if sum(len(one[0]) for one in self._kept) < self.batch:
            return
        rows = torch.cat([one[0] for one in self._kept])
        self._kept = []
        target = self._modules["target"](rows).detach()
        self._descend(((self._modules["guess"](rows) - target) ** 2).mean())

    def state(self) -> State:
        """Return networks and moments."""
        moments = {f"moments.{n}": v for n, v in self.moments.state().items()}
        return {**super().state(), **moments}

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over what :meth:`state` gave."""
        first = state.get("target.0.weight")
        if not self._modules and first is not None:
            self._build(first.shape[1])
        super().load(state)
        self.moments.load(part(state, "moments."))

    def _build(self, width: int) -> None:
        sizes = (width, *self.hidden, self.size)
        self._modules["target"] = layers(sizes, self.seed)
        self._modules["guess"] = layers(sizes, self.seed + 1)
        self._make(("guess",))

    def _inputs(self, obs: Any) -> torch.Tensor:
        rows = self._flat(obs)
        if not self._modules:
            self._build(rows.shape[1])
        scaled = (rows - self.moments.mean) / self.moments.deviation
        return torch.from_numpy(np.clip(scaled, -_FAR, _FAR)).float()


class NovelD(RND):
    """Pays max(0, e(s') - alpha e(s)) with RND's e; alpha = 0 is RND.

    Multiply it with an :class:`EpisodicCount` for NovelD as published.

    Args:
        lanes: How many environments.
        feature: What the networks read.
        alpha: How much of the error before the step is taken off.
        settings: As for :class:`RND`.

    Example:
        >>> bonus, yes, here = NovelD(1, seed=0, alpha=1.0), np.array([True]), np.ones((1, 2))
        >>> bonus.score(here, None, here, yes, learning=False)
        array([0.])
    """

    def __init__(
        self,
        lanes: int,
        feature: Feature = whole,
        *,
        alpha: float = 0.1,
        **settings: Any,
    ) -> None:
        super().__init__(lanes, feature, **settings)
        self.alpha = alpha

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the bonus of each step."""
        del action
        gain = self.errors(next_obs) - self.alpha * self.errors(obs)
        paid = np.where(valid, np.maximum(gain, 0.0), 0.0)
        if learning:
            self.learn(next_obs, valid)
        return paid
