"""Rewards of PickCube's steps by hand: what batches of scenes must be paid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from reward_synth import RewardProgram
from reward_synth.envs.maniskill import task_spec
from reward_synth.language import evaluate
from reward_synth.reward import Array, Transition
from tests.envs.record_maniskill import READ

TASK = task_spec("PickCube-v1")
GAMMA, WEIGHT = 0.9, 0.5
PROGRAM = RewardProgram("""
def compute_reward(tcp_pos, prev_tcp_pos, cube_pos, goal_pos, goal_radius, qvel,
                   is_grasped, action):
    return {
        "reach": -np.linalg.norm(tcp_pos - cube_pos),
        "move": np.linalg.norm(tcp_pos - prev_tcp_pos) - 0.01 * np.sum(np.square(qvel)),
        "place": goal_radius - np.linalg.norm(cube_pos - goal_pos),
        "hold": 0.3 if is_grasped else -0.1 * action[3],
    }

def compute_potential(tcp_pos, cube_pos, goal_pos, is_grasped):
    held = 0.5 if is_grasped else 0.0
    return held - np.linalg.norm(tcp_pos - cube_pos) - np.linalg.norm(cube_pos - goal_pos)
""")


def by_function(t: Transition) -> dict[str, float]:
    return {
        "lift": float(t.after["cube_pos"][2] - t.before["cube_pos"][2]),
        "told": t.sparse + 2.0 * t.terminated + 4.0 * t.truncated,
        "grip": float(t.action[3]) * float(t.after["is_grasped"]),
        "size": float(t.after["cube_half_size"]),
    }


Reward = RewardProgram | Callable[[Transition], dict[str, float]]
CASES: list[tuple[Reward, str]] = [
    (PROGRAM, "add"),
    (PROGRAM, "replace"),
    (PROGRAM, "potential"),
    (by_function, "add"),
]


@dataclass
class Row:
    """One step of all scenes, as it was seen beside the wrappers under test."""

    before: Mapping[str, Array]
    action: Array
    after: Mapping[str, Array]
    paid: Array
    terminated: Array
    truncated: Array

    def parts(self, reward: Reward, lane: int) -> dict[str, float]:
        """Return the components of one scene, in float64, by the reference."""
        before = {name: self.before[name][lane] for name in READ}
        after = {name: self.after[name][lane] for name in READ}
        if isinstance(reward, RewardProgram):
            values = {f"prev_{name}": value for name, value in before.items()} | after
            function = reward.ir(TASK).reward
            return evaluate(_known(function), values | {"action": self.action[lane]})
        return reward(
            Transition(
                before,
                self.action[lane],
                after,
                float(self.paid[lane]),
                bool(self.terminated[lane]),
                bool(self.truncated[lane]),
            )
        )

    def shaping(self, program: RewardProgram, lane: int) -> float:
        """Return gamma phi(s') - phi(s), where phi of a terminal state is 0."""
        function = _known(program.ir(TASK).potential)
        first, last = (
            evaluate(function, {name: side[name][lane] for name in READ})["potential"]
            for side in (self.before, self.after)
        )
        return GAMMA * last * (not self.terminated[lane]) - first

    def scored(self, reward: Reward, combine: str) -> tuple[Array, dict[str, Array]]:
        """Return the rewards of all scenes and the components."""
        lanes = range(len(self.paid))
        paid = self.paid.astype(np.float64)
        if combine == "potential" and isinstance(reward, RewardProgram):
            shaping = np.array([self.shaping(reward, lane) for lane in lanes])
            # told as it is paid
            return paid + WEIGHT * shaping, {"shaping": WEIGHT * shaping}
        rows = [self.parts(reward, lane) for lane in lanes]
        parts = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        dense = np.sum(list(parts.values()), axis=0)
        return (dense if combine == "replace" else paid + WEIGHT * dense), parts


def _known(function: Any) -> Any:
    assert function is not None
    return function


class Sums:
    """Sums over episodes, by hand."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.values: dict[str, Array] = {}

    def add(self, **steps: Array) -> None:
        for name, value in steps.items():
            self.values[name] = self.values.get(name, np.zeros(self.lanes)) + value

    def clear(self, lanes: Array) -> None:
        for value in self.values.values():
            value[lanes] = 0.0


def compare(
    row: Row, found: Any, info: Any, case: tuple[Reward, str], sums: Sums, atol: float
) -> None:
    """Check one step's reward, components and, where an episode ended, summary."""
    torch = pytest.importorskip("torch")
    reward, parts = row.scored(*case)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.cpu().numpy(), reward, rtol=1e-6, atol=atol)
    np.testing.assert_array_equal(info["sparse_reward"], row.paid)
    told = {k: v for k, v in info["reward_components"].items() if k[0] != "_"}
    assert set(told) == set(parts)
    for name, value in parts.items():
        np.testing.assert_allclose(told[name], value, atol=atol)
    sums.add(sparse_return=row.paid, dense_return=reward, **parts)
    ended = row.terminated | row.truncated
    assert ("reward_synth" in info) == ended.any()
    if not ended.any():
        return
    np.testing.assert_array_equal(info["_reward_synth"], ended)
    summary = info["reward_synth"]
    flat = {**summary, **summary["components"]}
    for name, value in sums.values.items():
        np.testing.assert_allclose(flat[name][ended], value[ended], atol=20 * atol)
    np.testing.assert_array_equal(summary["faults"][ended], 0)
    sums.clear(ended)
