"""A learned blend: how much of each reward is paid in each state, and with what discount.

Learned by :mod:`reward_synth.agents.barfi`, usable by every agent: NumPy alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from reward_synth.errors import MissingExtraError, UsageError
from reward_synth.preference import Network
from reward_synth.wrappers.words import COMPONENTS, SPARSE_REWARD

Values = npt.NDArray[np.float64]
FIXED = 2
"""Outputs before the components': what is paid for being there, and the factor of the
environment's reward."""
_FORMAT = "reward_synth.blend/1"
_META = "reward_synth"


@dataclass(frozen=True, slots=True)
class Sight:
    """Turns observations into rows of numbers of about unit size.

    Example:
        >>> Sight(choices=3).rows(np.array([2, 0]))
        array([[0., 0., 1.],
               [1., 0., 0.]])
    """

    choices: int = 0
    """Of a discrete observation: how many there are; it is seen as 0s and a 1."""
    mean: Values | None = None
    """Taken away from the numbers of an observation, shape ``(D,)``."""
    scale: Values | None = None
    """What they are then divided by, shape ``(D,)``."""

    def rows(self, obs: Any) -> Values:
        """Return rows of shape ``(N, D)`` for N observations."""
        if self.choices:
            return np.eye(self.choices)[np.asarray(obs, np.int64)]
        table = np.asarray(obs, np.float64).reshape(len(obs), -1)
        if self.mean is None or self.scale is None:
            return table
        return (table - self.mean) / self.scale


@dataclass(frozen=True, slots=True)
class BlendWeights:
    """Pays bias(s) + f(s) * sparse + sum of f_k(s) * component k, s before the action.

    Bias and factors are the network's outputs, bent by tanh to stay within bounds.

    Example:
        >>> net = Network((np.zeros((1, 3)),), (np.array([0.0, 9.0, -9.0]),))
        >>> blend = BlendWeights(net, np.array([0.1, 1.0, 2.0]), Sight(), ("near",), 0.9)
        >>> paid = blend.rewards(np.zeros((1, 1)), np.ones(1), {"near": np.array([0.25])})
        >>> paid.round(3)
        array([0.5])
    """

    network: Network
    """Rows to bias, factor of the environment's reward, factors of the components."""
    bounds: Values
    """The most that each of them is, shape ``(2 + components,)``."""
    sight: Sight
    components: tuple[str, ...]
    """The dense rewards' names, in order."""
    gamma: float
    """The discount that was learned with them; give it to the agent."""

    def factors(self, obs: Any) -> Values:
        """Return bias and factors in N states, shape ``(N, 2 + components)``."""
        return self.bounds * np.tanh(self.network(self.sight.rows(obs)))

    def rewards(
        self, obs: Any, sparse: Values, components: Mapping[str, Values]
    ) -> Values:
        """Return what N steps are paid.

        Args:
            obs: Observations before the actions.
            sparse: What the environment paid, shape ``(N,)``.
            components: What the dense reward paid, by name.

        Raises:
            UsageError: A component is missing.
        """
        missing = [name for name in self.components if name not in components]
        if missing:
            raise UsageError(
                f"The blend needs the component {missing[0]!r}; received "
                f"{', '.join(components) or 'none'}. Use the reward it was learned with."
            )
        paid = [np.ones(len(sparse)), sparse, *(components[n] for n in self.components)]
        made: Values = (self.factors(obs) * np.stack(paid, 1)).sum(1)
        return made

    def wrap(self, env: gym.Env[Any, Any]) -> LearnedBlend:
        """Return an environment that pays the blend.

        Args:
            env: One that :func:`reward_synth.wrap` gave its dense reward.
        """
        return LearnedBlend(env, self)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file: names, shapes and numbers, nothing that runs."""
        layers = zip(self.network.weights, self.network.biases, strict=True)
        tensors = {"bounds": self.bounds}
        for number, (weight, bias) in enumerate(layers):
            tensors[f"weight.{number}"] = np.ascontiguousarray(weight)
            tensors[f"bias.{number}"] = np.ascontiguousarray(bias)
        for name in ("mean", "scale"):
            if getattr(self.sight, name) is not None:
                tensors[name] = getattr(self.sight, name)
        about = {
            "format": _FORMAT,
            "components": self.components,
            "gamma": self.gamma,
            "choices": self.sight.choices,
            "layers": len(self.network.weights),
        }
        data = _safetensors().numpy.save(tensors, {_META: json.dumps(about)})
        Path(path).write_bytes(data)

    @classmethod
    def load(cls, path: str | Path) -> BlendWeights:
        """Read what :meth:`save` wrote.

        Raises:
            UsageError: It is no such file.
        """
        try:
            with _safetensors().safe_open(str(path), framework="numpy") as file:
                about = json.loads((file.metadata() or {})[_META])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return _read(about, tensors)
        except (OSError, KeyError, ValueError, _safetensors().SafetensorError) as cause:
            raise UsageError(f"{path} is no learned blend: {cause!r}.") from cause


class LearnedBlend(gym.Wrapper[Any, Any, Any, Any]):
    """Pays a learned blend instead of what the wrapped environment pays.

    Args:
        env: One that :func:`reward_synth.wrap` gave its dense reward.
        weights: The blend.
    """

    def __init__(self, env: gym.Env[Any, Any], weights: BlendWeights) -> None:
        super().__init__(env)
        self.weights = weights
        self._before: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._before = np.array(obs)[None]
        return obs, info

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the environment and pay the blend."""
        obs, _, terminated, truncated, info = self.env.step(action)
        sparse, parts = told(info)
        lanes = {name: np.array([value]) for name, value in parts.items()}
        paid = self.weights.rewards(self._before, np.array([sparse]), lanes)
        self._before = np.array(obs)[None]
        return obs, float(paid[0]), terminated, truncated, info


def told(info: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the environment's reward and the components that a wrapper tells.

    Raises:
        UsageError: Nothing is told: no dense reward is there.

    Example:
        >>> told({"sparse_reward": 0.0, "reward_components": {"near": 0.5}})
        (0.0, {'near': 0.5})
    """
    if COMPONENTS not in info:
        raise UsageError(
            "The environment tells no components to blend. Give it a dense reward with "
            "reward_synth.wrap(env, reward) first."
        )
    parts = {n: v for n, v in info[COMPONENTS].items() if not n.startswith("_")}
    return info[SPARSE_REWARD], parts


def _read(about: Any, tensors: Mapping[str, Values]) -> BlendWeights:
    if about.get("format") != _FORMAT:
        raise ValueError(f"its format is {about.get('format')!r}, not {_FORMAT!r}")
    bad = [name for name, value in tensors.items() if not np.isfinite(value).all()]
    if bad:
        raise ValueError(f"{bad[0]} holds numbers that are not finite")
    count = range(int(about["layers"]))
    return BlendWeights(
        Network(
            tuple(tensors[f"weight.{n}"] for n in count),
            tuple(tensors[f"bias.{n}"] for n in count),
        ),
        tensors["bounds"],
        Sight(int(about["choices"]), tensors.get("mean"), tensors.get("scale")),
        tuple(about["components"]),
        float(about["gamma"]),
    )


def _safetensors() -> Any:
    try:
        import safetensors.numpy  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as cause:
        raise MissingExtraError("safetensors", "train") from cause
    return safetensors
