"""Scenes of PickCube for tests of batches: replayed from a recording, or watched."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.reward import Array
from tests.envs.by_hand import TASK, Row
from tests.envs.record_maniskill import PATH, SCENES, STEPS, fields, numbers


class Recorded:
    """The recording: 40 steps of 4 scenes."""

    def __init__(self) -> None:
        with np.load(PATH) as stored:
            self.arrays = {name: stored[name] for name in stored.files}

    def state(self, when: str, step: int) -> dict[str, Array]:
        head = f"{when}/"
        return {
            name.removeprefix(head): values[step]
            for name, values in self.arrays.items()
            if name.startswith(head)
        }

    def rows(self) -> list[Row]:
        return [
            Row(
                self.state("start", step),
                self.arrays["actions"][step],
                self.state("after", step),
                self.arrays["paid"][step],
                self.arrays["terminated"][step],
                self.arrays["truncated"][step],
            )
            for step in range(STEPS)
        ]


class Replay(gym.Env[Any, Any]):
    """Behaves as ManiSkill's environment of 4 scenes, with what real ones told.

    Args:
        spec: As which environment it presents itself.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as Gymnasium has it
    reconfiguration_freq = 0
    num_envs = SCENES

    def __init__(self, spec: Any = None) -> None:
        import torch

        self._torch = torch
        self.spec = spec
        self.device = torch.device("cpu")
        self.tape = Recorded()
        self.metadata = dict(self.metadata)
        size = self.tape.arrays["start/obs"].shape[-1]
        self.single_observation_space = gym.spaces.Box(-np.inf, np.inf, (size,))
        self.single_action_space = gym.spaces.Box(-1.0, 1.0, (4,))
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (SCENES, size))
        self.action_space = gym.spaces.Box(-1.0, 1.0, (SCENES, 4))
        self.step_number = 0
        self.now = self.tape.state("start", 0)
        self._show()

    def _show(self) -> None:
        """Put the state where ManiSkill has it: ``self.cube.pose.p`` and so on."""
        for name in ("agent", "cube", "goal_site"):
            setattr(self, name, SimpleNamespace())
        for item in TASK.fields:
            value: Any = self._torch.as_tensor(self.now[item.name])
            *parents, leaf = item.source.removeprefix("sim.").split(".")
            if not item.shape and item.dtype == "float":
                value = float(value[0])  # a constant of the task's class
            if leaf.endswith(")"):
                leaf, value = leaf.split("(")[0], _method(value)
            place: Any = self
            for parent in parents:
                vars(place).setdefault(parent, SimpleNamespace())
                place = vars(place)[parent]
            setattr(place, leaf, value)

    def _told(self, elapsed: Array) -> tuple[Any, dict[str, Any]]:
        self._show()
        self.elapsed_steps = self._torch.as_tensor(elapsed)
        success = self._torch.as_tensor(self.now["success"])
        info = {"elapsed_steps": self.elapsed_steps, "success": success}
        return self._torch.as_tensor(self.now["obs"]), info

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        """Begin anew, or go on to the next episode of some scenes."""
        chosen = (given.get("options") or {}).get("env_idx")
        if chosen is None:
            self.step_number = 0
            self.now = self.tape.state("start", 0)
            return self._told(np.zeros(SCENES, np.int32))
        assert isinstance(chosen, self._torch.Tensor)
        fresh = self.tape.state("start", self.step_number % STEPS)
        elapsed = self.elapsed_steps.numpy().copy()
        for lane in chosen.tolist():
            elapsed[lane] = 0
            for name, values in fresh.items():
                self.now[name] = self.now[name].copy()
                self.now[name][lane] = values[lane]
        return self._told(elapsed)

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Tell the next recorded step; the actions must be the recorded ones."""
        arrays, number = self.tape.arrays, self.step_number
        np.testing.assert_array_equal(action.numpy(), arrays["actions"][number])
        self.now = self.tape.state("after", number)
        self.step_number += 1
        obs, info = self._told(arrays["elapsed"][number])
        paid, terminated, truncated = (
            self._torch.as_tensor(arrays[name][number].copy())
            for name in ("paid", "terminated", "truncated")
        )
        return obs, paid, terminated, truncated, info


def _method(value: Any) -> Callable[..., Any]:
    return lambda *_: value


class Watch(gym.Wrapper[Any, Any, Any, Any]):
    """Reads every step's fields off the simulator, before anything else resets it."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.rows: list[Row] = []
        self.now: dict[str, Array] = {}

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        result = self.env.reset(**given)
        chosen = (given.get("options") or {}).get("env_idx")
        seen = fields(self.env.unwrapped)
        for name, value in seen.items():
            if chosen is not None:
                kept = np.ones(len(value), np.bool_)
                kept[chosen.cpu().numpy()] = False
                value[kept] = self.now[name][kept]
        self.now = seen
        return result

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        told: Any = self.env.step(action)
        obs, paid, terminated, truncated, info = told
        after = fields(self.env.unwrapped)
        seen = (numbers(item) for item in (paid, terminated, truncated))
        self.rows.append(Row(self.now, numbers(action), after, *seen))
        self.now = after
        return obs, paid, terminated, truncated, info
