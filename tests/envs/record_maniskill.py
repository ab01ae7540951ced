"""Records four scenes of ManiSkill's PickCube for tests of batched environments.

Run ``python -m tests.envs.record_maniskill``, which needs the maniskill extra and takes
about 20 s. It writes ``tests/data/maniskill_pick_cube.npz``. Its arrays hold 40 steps of
4 scenes, shape ``(40, 4, ...)``:

| name | holds |
|---|---|
| ``start/<name>`` | the state that a step began in, after a reset if there was one |
| ``after/<name>`` | the state that it led to, before any reset |
| ``actions``, ``paid``, ``terminated``, ``truncated``, ``elapsed`` | the step itself |

``<name>`` is ``obs``, ``success``, or a field of :data:`READ`. The scenes were simulated
one by one on the CPU; three are played by a script that picks the cube, so episodes end
with success and by the clock, at different steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.envs.maniskill import make
from reward_synth.reward import Array

PATH = Path(__file__).parents[1] / "data" / "maniskill_pick_cube.npz"
SCENES, STEPS, HORIZON = 4, 40, 20
_NOISE = (0.0, 0.1, 0.2)
"""Standard deviation of the script's actions; scenes beyond are played at random."""
_ABOVE = 0.05

READ: dict[str, Callable[[Any], Any]] = {
    "tcp_pos": lambda base: base.agent.tcp.pose.p,
    "tcp_quat": lambda base: base.agent.tcp.pose.q,
    "tcp_vel": lambda base: base.agent.tcp.linear_velocity,
    "tcp_angvel": lambda base: base.agent.tcp.angular_velocity,
    "qpos": lambda base: base.agent.robot.qpos,
    "qvel": lambda base: base.agent.robot.qvel,
    "cube_pos": lambda base: base.cube.pose.p,
    "cube_quat": lambda base: base.cube.pose.q,
    "cube_vel": lambda base: base.cube.linear_velocity,
    "cube_angvel": lambda base: base.cube.angular_velocity,
    "goal_pos": lambda base: base.goal_site.pose.p,
    "goal_radius": lambda base: base.goal_thresh,
    "cube_half_size": lambda base: base.cube_half_size,
    "is_grasped": lambda base: base.agent.is_grasping(base.cube),
    "is_robot_static": lambda base: base.agent.is_static(),
}
"""The task's fields, read from ManiSkill by hand."""


def numbers(value: Any) -> Array:
    """Return a tensor of any device, or a number, as an array of its own."""
    return np.array(value.cpu().numpy() if hasattr(value, "cpu") else value)


def fields(base: Any) -> dict[str, Array]:
    """Read all fields of all scenes; a plain number stands for each scene."""
    count = base.num_envs
    values = {name: numbers(get(base)) for name, get in READ.items()}
    return {
        name: value if value.ndim else np.full(count, value)
        for name, value in values.items()
    }


def _script(state: Mapping[str, Array]) -> Array:
    """Return the action that goes on with picking the cube up."""
    tcp, cube, goal = (state[name][0] for name in ("tcp_pos", "cube_pos", "goal_pos"))
    grip, aim = 1.0, cube
    if state["is_grasped"][0]:
        grip, aim = -1.0, goal + (tcp - cube)
    elif np.linalg.norm(tcp[:2] - cube[:2]) > 0.01:
        aim = cube + np.array([0.0, 0.0, _ABOVE])
    elif tcp[2] - cube[2] < 0.01:
        grip, aim = -1.0, tcp
    return np.append(np.clip((aim - tcp) / 0.1, -1.0, 1.0), grip)


def _state(env: Any, obs: Any, info: Mapping[str, Any]) -> dict[str, Array]:
    seen = {"obs": numbers(obs), "success": numbers(info["success"])}
    return seen | fields(env.unwrapped)


def _scene(env: Any, lane: int) -> dict[str, list[Array]]:
    """Play one scene; return each array's rows of shape ``(1, ...)``."""
    rng = np.random.default_rng(lane)
    rows: dict[str, list[Array]] = {}
    number, ended = 100 * lane, True
    now: dict[str, Array] = {}
    for _ in range(STEPS):
        if ended:
            now = _state(env, *env.reset(seed=number))
            number += 1
        action: Array = rng.uniform(-1.0, 1.0, 4)
        if lane < len(_NOISE):
            action = _script(now) + _NOISE[lane] * rng.normal(size=4) * np.array(
                [1, 1, 1, 0]
            )
        action = action.clip(-1.0, 1.0).astype(np.float32)[None]
        obs, paid, terminated, truncated, info = env.step(action)
        after = _state(env, obs, info)
        told = {
            "actions": action,
            "paid": numbers(paid),
            "terminated": numbers(terminated),
            "truncated": numbers(truncated),
            "elapsed": numbers(info["elapsed_steps"]),
        }
        told |= {f"start/{name}": value for name, value in now.items()}
        told |= {f"after/{name}": value for name, value in after.items()}
        for name, value in told.items():
            rows.setdefault(name, []).append(value)
        now, ended = after, bool(told["terminated"] | told["truncated"])
    return rows


def main() -> None:
    """Play all scenes and write the file."""
    env = make("PickCube-v1", batched=True, exact_reset=True, max_episode_steps=HORIZON)
    scenes = [_scene(env, lane) for lane in range(SCENES)]
    arrays: dict[str, Any] = {
        name: np.concatenate([np.stack(scene[name]) for scene in scenes], axis=1)
        for name in scenes[0]
    }
    PATH.parent.mkdir(exist_ok=True)
    np.savez_compressed(PATH, **arrays)


if __name__ == "__main__":
    main()
