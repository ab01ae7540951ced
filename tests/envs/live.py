"""Live scenes of PickCube in one batch, scored beside a watcher of their simulator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space

from reward_synth import wrap
from reward_synth.envs.maniskill import make
from reward_synth.wrappers import PublishFields
from tests.envs.by_hand import CASES, GAMMA, TASK, WEIGHT, Reward, Sums, compare
from tests.envs.scenes import Watch

NAME = "ManiSkill/PickCube-v1"
HORIZON, STEPS, EARLY = 4, 10, 2
"""Steps of an episode, steps that are checked, and the one after which every third
scene is reset early."""
Told = tuple[Any, dict[str, Any]]


class _Together:
    """The parts of many simulators as one: tensors side by side, as a GPU has them."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = parts

    def __getattr__(self, name: str) -> Any:
        return _together([getattr(part, name) for part in self._parts])

    def __call__(self, *given: _Together) -> Any:
        rows = zip(*(item._parts for item in given), strict=True)
        rest = rows if given else ((),) * len(self._parts)
        return _together([f(*a) for f, a in zip(self._parts, rest, strict=True)])


def _together(values: Sequence[Any]) -> Any:
    import torch

    if isinstance(values[0], torch.Tensor):
        return torch.cat(list(values))
    if isinstance(values[0], dict):
        names = set.intersection(*map(set, values))
        return {name: _together([item[name] for item in values]) for name in names}
    return values[0] if isinstance(values[0], float) else _Together(values)


class SideBySide(gym.Env[Any, Any]):
    """Steps real scenes on the CPU as one batch, with ManiSkill's conventions."""

    reconfiguration_freq = 0

    def __init__(self, count: int) -> None:
        import torch

        self.metadata = {"render_modes": []}
        self.num_envs, self.device = count, torch.device("cpu")
        self.scenes: list[Any] = [
            make(NAME, batched=True, max_episode_steps=HORIZON) for _ in range(count)
        ]
        base = self.scenes[0].unwrapped
        self.single_observation_space = base.single_observation_space
        self.single_action_space = base.single_action_space
        self.observation_space = batch_space(self.single_observation_space, count)
        self.action_space = batch_space(self.single_action_space, count)
        self.told: list[Told] = [({}, {})] * count

    def __getattr__(self, name: str) -> Any:
        if name not in {"agent", "cube", "goal_site", "goal_thresh", "cube_half_size"}:
            raise AttributeError(name)
        return _together([getattr(scene.unwrapped, name) for scene in self.scenes])

    def _now(self) -> Told:
        obs, infos = zip(*self.told, strict=True)
        return _together(obs), _together(infos)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Told:
        """Reset all scenes, or some by number."""
        chosen = (options or {}).get("env_idx")
        for lane in range(self.num_envs) if chosen is None else chosen.tolist():
            own = None if seed is None else seed + lane
            obs, info = self.scenes[lane].reset(seed=own)
            info.pop("reconfigure")
            self.told[lane] = obs, info
        return self._now()

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step each scene."""
        rows = [s.step(action[i : i + 1]) for i, s in enumerate(self.scenes)]
        self.told = [(row[0], row[4]) for row in rows]
        paid, terminated, truncated = (
            _together([r[k] for r in rows]) for k in (1, 2, 3)
        )
        obs, info = self._now()
        return obs, paid, terminated, truncated, info

    def close(self) -> None:
        """Close each scene."""
        for scene in self.scenes:
            scene.close()


def vector_of(env: Any, **given: Any) -> Any:
    """Put ManiSkill's own vector environment around one that tells its fields."""
    from mani_skill.vector.wrappers.gymnasium import ManiSkillVectorEnv

    vector = ManiSkillVectorEnv(PublishFields(env, TASK), **given)
    vector.closed = True  # or it closes the environment when it is let go
    return vector


def wrapped(env: Any, reward: Reward, combine: str) -> Any:
    return wrap(env, reward, combine, task=TASK, gamma=GAMMA, weight=WEIGHT)


def check(made: Any, vector: bool, atol: float) -> None:
    """Play each case against what a watcher reads; some scenes are reset early."""
    watch: Any = Watch(made)
    rng = np.random.default_rng(2)
    for case in CASES:
        env = wrapped(vector_of(watch) if vector else watch, *case)
        env.reset(seed=1)
        sums = Sums(watch.unwrapped.num_envs)
        for step in range(STEPS):
            found, info, chosen = _step(env, watch, rng)
            compare(watch.rows[-1], found, info, case, sums, atol)
            if step == EARLY:
                chosen[::3] = True
            elif vector:
                continue  # it resets by itself
            if chosen.any():
                env.reset(options={"env_idx": chosen.nonzero()[:, 0]})
                sums.clear(chosen.cpu().numpy())


def _step(env: Any, watch: Any, rng: Any) -> tuple[Any, Any, Any]:
    """Step at random; return the rewards, infos, and where an episode ended."""
    import torch

    size = (watch.unwrapped.num_envs, 4)
    action = torch.as_tensor(rng.uniform(-1.0, 1.0, size).astype(np.float32))
    _, found, terminated, truncated, info = env.step(action.to(watch.unwrapped.device))
    assert found.device == terminated.device
    return found, info, terminated | truncated


def check_on_gpu(count: int, vector: bool) -> None:
    """Play scenes that are simulated on a GPU; call it in a process of its own.

    Reading again after a reset of other scenes may round differently there.
    """
    env = make(NAME, num_envs=count, max_episode_steps=HORIZON)
    check(env, vector, atol=1e-4)
    env.close()  # type: ignore[no-untyped-call]
