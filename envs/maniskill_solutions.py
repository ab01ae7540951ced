"""Scripted solutions of ManiSkill's tasks: its own, and ours where it has none."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Solve: TypeAlias = Callable[..., Any]
"""``(env, seed=, debug=, vis=)``: resets the environment and acts until done."""
Point: TypeAlias = npt.NDArray[np.float64]

FAILED = -1
"""What a solver's move returns if there is no plan."""
_PACKAGE = "mani_skill.examples.motionplanning.panda"
_HEAD = 0.12
"""Metres from the middle of PokeCube's peg to its head."""
_LIFT = 0.004
"""Metres by which the peg is lifted, so that it does not rub on the table."""
_BEHIND = (0.12, 0.10, 0.08, 0.07)
"""Metres behind the ball from which to hit it, the farthest reachable first."""
_THROUGH = (0.22, 0.15, 0.08)
"""Metres beyond the ball where the hit ends, likewise."""


def solution(task: str) -> Solve | None:
    """Return the scripted solution of a task, or None."""
    own = {"PokeCube-v1": poke_cube, "RollBall-v1": roll_ball}
    if task in own:
        return own[task]
    name = f"solve{task.rsplit('-v', 1)[0]}"
    found: Solve | None = getattr(import_module(f"{_PACKAGE}.solutions"), name, None)
    return found


def _solver(env: Any) -> Any:
    kind = import_module(f"{_PACKAGE}.motionplanner").PandaArmMotionPlanningSolver
    return kind(
        env,
        debug=False,
        vis=False,
        base_pose=env.unwrapped.agent.robot.pose,
        visualize_target_grasp_pose=False,
        print_env_info=False,
    )


def _pose(point: Any, quaternion: Any = (1, 0, 0, 0)) -> Any:
    return import_module("sapien").Pose(point, quaternion)


def poke_cube(env: Any, seed: int, debug: bool = False, vis: bool = False) -> None:
    """Grasp the peg, align it behind the cube, and push the cube into the goal."""
    del debug, vis
    env.reset(seed=seed)
    base, arm = env.unwrapped, _solver(env)
    peg = np.asarray(base.peg.pose.sp.p, np.float64)
    cube = np.asarray(base.cube.pose.sp.p, np.float64)
    goal = np.asarray(base.goal_region.pose.sp.p, np.float64)
    grasp = _grasp_from_above(base.agent, peg)
    if not _moves(arm, grasp * _pose([0, 0, -0.06]), grasp):
        return
    arm.close_gripper()

    def head_before(x: float) -> Any:
        """Where the grasp must be for the head to be at ``x``, in line with the cube."""
        return _pose([x - _HEAD - peg[0], cube[1] - peg[1], _LIFT]) * grasp

    back = _pose([-0.03, 0, _LIFT]) * grasp
    if _moves(arm, back, head_before(cube[0] - 0.05)):
        arm.move_to_pose_with_screw(head_before(goal[0] - 0.025), refine_steps=8)


def _grasp_from_above(agent: Any, point: Point) -> Any:
    facing = agent.tcp.pose.sp.to_transformation_matrix()[1, 1]
    closing = np.array([0.0, np.sign(facing) or 1.0, 0.0])
    return agent.build_grasp_pose(np.array([0.0, 0.0, -1.0]), closing, point)


def _moves(arm: Any, *poses: Any) -> bool:
    """Move to one pose after the other; return False at the first without a plan."""
    return all(not _is_failure(arm.move_to_pose_with_screw(pose)) for pose in poses)


def _is_failure(result: Any) -> bool:
    return isinstance(result, int) and result == FAILED


def roll_ball(env: Any, seed: int, debug: bool = False, vis: bool = False) -> None:
    """Get behind the ball, on the line to the goal, and hit it."""
    del debug, vis
    env.reset(seed=seed)
    base, arm = env.unwrapped, _solver(env)
    ball = np.asarray(base.ball.pose.sp.p, np.float64)
    away = np.asarray(base.goal_region.pose.sp.p, np.float64) - ball
    away[2] = 0.0
    away /= np.linalg.norm(away)
    turned = base.agent.tcp.pose.sp.q

    def at(along: float, above: float = 0.0) -> Any:
        return _pose(ball + along * away + np.array([0.0, 0.0, above]), turned)

    arm.close_gripper()
    if not any(_moves(arm, at(-back, 0.12), at(-back)) for back in _BEHIND):
        return
    arm.planner.joint_vel_limits[:] = 2.2
    arm.planner.joint_acc_limits[:] = 8.0
    if any(_moves(arm, at(beyond)) for beyond in _THROUGH):
        arm.open_gripper(t=60, gripper_state=-1)  # wait, closed, while the ball rolls
