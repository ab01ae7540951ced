"""Straight tool motions for demonstrations: SAPIEN's Pinocchio model and toppra.

ManiSkill's solutions plan with ``mplib``, whose release crashes the process under NumPy
2. This planner answers the same calls. It does not avoid collisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.float64]
Plan: TypeAlias = dict[str, Any]
"""``status``, and if that is ``"Success"``: ``position``, ``velocity``, ``time``."""

_MOST_STEPS = 400
_CONVERGED = 1e-5
_SMALL_ANGLE = 1e-7
_SLACK = 1e-3
"""Radians by which a joint may pass its limit on the way."""
_APART = 1e-4
"""Radians between points of the path; closer ones are left out."""


def twist_of(transform: Numbers) -> Numbers:
    """Return the screw motion ``(v, w)`` that makes a 4x4 transform in unit time.

    Example:
        >>> slide = np.eye(4)
        >>> slide[:3, 3] = [0.0, 0.5, 0.0]
        >>> twist_of(slide).tolist()
        [0.0, 0.5, 0.0, 0.0, 0.0, 0.0]
    """
    rotation = import_module("scipy.spatial.transform").Rotation
    w = rotation.from_matrix(transform[:3, :3]).as_rotvec()
    angle = float(np.linalg.norm(w))
    skew = np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])
    back = np.eye(3) - 0.5 * skew
    if angle > _SMALL_ANGLE:
        ratio = (1 + np.cos(angle)) / (2 * angle * np.sin(angle))
        back = back + (1 / angle**2 - ratio) * skew @ skew
    return np.concatenate([back @ transform[:3, 3], w])


class ScrewPlanner:
    """What ManiSkill's solvers ask of ``mplib.Planner``.

    Args:
        articulation: SAPIEN's robot.
        base: Pose of its base.
        tool: Name of the link to move.
        speed: Limit of every joint in rad/s; accelerations are limited by its square.
    """

    def __init__(
        self, articulation: Any, base: Any, tool: str, *, speed: float, arm: int = 7
    ) -> None:
        self._model = articulation.create_pinocchio_model()
        names = [link.name for link in articulation.links]
        self._tool = next(i for i, name in enumerate(names) if name.endswith(tool))
        self._base = base
        self._limits = np.asarray(articulation.get_qlimits())[:arm]
        self._arm = arm
        self.joint_vel_limits = np.full(arm, speed)
        self.joint_acc_limits = np.full(arm, speed**2)

    def plan_screw(
        self,
        target_pose: Numbers,
        qpos: Numbers,
        qpos_step: float = 0.1,
        time_step: float = 0.1,
        **_: Any,
    ) -> Plan:
        """Plan a screw motion of the tool.

        Args:
            target_pose: Position and quaternion (w, x, y, z) of the tool in the world.
            qpos: Joint positions to start from.
            qpos_step: Longest step of the search in joint space.
            time_step: Seconds between two points of the plan.
        """
        path = self._path(self._in_base(target_pose), np.array(qpos, float), qpos_step)
        if isinstance(path, str):
            return {"status": path}
        return self._timed(path, time_step)

    def plan_qpos_to_pose(
        self, goal_pose: Numbers, current_qpos: Numbers, time_step: float, **_: Any
    ) -> Plan:
        """Plan a motion of the tool; here it is a screw motion, too."""
        return self.plan_screw(goal_pose, current_qpos, time_step=time_step)

    def update_point_cloud(self, points: Numbers) -> None:
        """Do nothing: collisions are not avoided."""

    def _in_base(self, pose: Numbers) -> Numbers:
        pose_of = import_module("sapien").Pose
        target = self._base.inv() * pose_of(pose[:3], pose[3:])
        return np.asarray(target.to_transformation_matrix(), np.float64)

    def _twist(self, target: Numbers, joints: Numbers) -> Numbers:
        self._model.compute_forward_kinematics(joints)
        here = self._model.get_link_pose(self._tool).to_transformation_matrix()
        return twist_of(target @ np.linalg.inv(here))

    def _path(self, target: Numbers, joints: Numbers, longest: float) -> Numbers | str:
        """Follow the screw axis; return the joint positions on the way, or why not."""
        arm, low, high = self._arm, self._limits[:, 0], self._limits[:, 1]
        path = [joints[:arm].copy()]
        for _ in range(_MOST_STEPS):
            twist = self._twist(target, joints)
            if np.linalg.norm(twist) < _CONVERGED:
                return self._ended(path, joints[:arm])
            step = self._joint_step(joints, twist)
            length = float(np.linalg.norm(step))
            joints[:arm] += step * min(1.0, longest / max(length, _CONVERGED))
            here = joints[:arm]
            if np.any(here < low - _SLACK) or np.any(here > high + _SLACK):
                return "screw plan failed: joint limit"
            if length > _APART:
                path.append(here.copy())
        return "screw plan failed: did not converge"

    def _joint_step(self, joints: Numbers, twist: Numbers) -> Numbers:
        self._model.compute_full_jacobian(joints)
        jacobian = self._model.get_link_jacobian(self._tool, local=False)
        step = np.linalg.pinv(np.asarray(jacobian)[:, : self._arm]) @ twist
        return np.asarray(step, np.float64)

    @staticmethod
    def _ended(path: list[Numbers], end: Numbers) -> Numbers:
        if len(path) == 1:  # a path needs two points, which must differ
            return np.stack([path[0], end + _CONVERGED])
        return np.stack([*path[:-1], end])

    def _timed(self, path: Numbers, time_step: float) -> Plan:
        """Move along the path as fast as the limits allow."""
        toppra = import_module("toppra")
        algorithm = import_module("toppra.algorithm")
        constraint = import_module("toppra.constraint")
        toppra.setup_logging("WARNING")
        spline = toppra.SplineInterpolator(np.linspace(0, 1, len(path)), path)
        limits = [
            constraint.JointVelocityConstraint(self.joint_vel_limits),
            constraint.JointAccelerationConstraint(self.joint_acc_limits),
        ]
        solver = algorithm.TOPPRA(limits, spline, parametrizer="ParametrizeConstAccel")
        run = solver.compute_trajectory()
        if run is None:
            return {"status": "time parameterisation failed"}
        times = np.linspace(0, run.duration, max(2, int(run.duration / time_step)))
        return {
            "status": "Success",
            "time": times,
            "position": run(times),
            "velocity": run(times, 1),
            "duration": run.duration,
        }


@contextmanager
def screw_planner(speed: float) -> Iterator[None]:
    """Let ManiSkill's solvers plan with :class:`ScrewPlanner` for a while.

    Args:
        speed: Multiplies the speeds that the solutions ask for.
    """
    module = import_module(
        "mani_skill.examples.motionplanning.base_motionplanner.motionplanner"
    )
    solver = module.BaseMotionPlanningSolver

    def setup(self: Any) -> ScrewPlanner:
        robot = self.robot._objs[0]
        planner = ScrewPlanner(robot, self.base_pose, self.MOVE_GROUP, speed=speed)
        planner.joint_vel_limits *= self.joint_vel_limits
        planner.joint_acc_limits *= self.joint_acc_limits
        return planner

    before, solver.setup_planner = solver.setup_planner, setup
    try:
        yield
    finally:
        solver.setup_planner = before
