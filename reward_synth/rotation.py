"""Quaternions and rotations, for reward programs and everybody else.

A quaternion is ``(w, x, y, z)``, as in MuJoCo and SAPIEN, and takes vectors from the
body's frame to the world's. Any length but zero will do. Reward programs may import these
functions: the reward language reads their text, so it stays within the language.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def quat_mul(p: Array, q: Array) -> Array:
    """Return the product of two quaternions: first turn by ``q``, then by ``p``.

    Hamilton's product; see Sola, "Quaternion kinematics for the error-state Kalman
    filter" (2017), also for the other functions here.

    Example:
        >>> i, j = np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 0.0])
        >>> print(quat_mul(i, j))
        [0. 0. 0. 1.]
    """
    pw, px, py, pz = p
    qw, qx, qy, qz = q
    return np.array(
        [
            pw * qw - px * qx - py * qy - pz * qz,
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
        ]
    )


def quat_conjugate(q: Array) -> Array:
    """Return the opposite turn of a unit quaternion.

    Example:
        >>> print(quat_conjugate(np.array([0.5, 0.5, -0.5, 0.5])))
        [ 0.5 -0.5  0.5 -0.5]
    """
    w, x, y, z = q
    return np.array([w, -x, -y, -z])


def quat_rotate(q: Array, v: Array) -> Array:
    """Return a vector of the body's frame as seen in the world's frame.

    Rodrigues' formula in the form ``v + 2 u x (u x v + w v)`` for ``q = (w, u)``.

    Example:
        >>> quarter_about_z = np.array([1.0, 0.0, 0.0, 1.0])
        >>> print(quat_rotate(quarter_about_z, np.array([1.0, 0.0, 0.0])))
        [0. 1. 0.]
    """
    w = q[0]
    u = q[1:4]
    twice = 2.0 / np.dot(q, q)
    turned: Array = v + twice * np.cross(u, np.cross(u, v) + w * v)
    return turned


def quat_angle(p: Array, q: Array) -> Array:
    """Return the angle between two orientations, from 0 to pi.

    Twice the angle between the quaternions as lines, by ``arctan2`` for accuracy near
    zero; see Huynh, "Metrics for 3D rotations" (2009).

    Example:
        >>> upright = np.array([1.0, 0.0, 0.0, 0.0])
        >>> quarter_about_z = np.array([1.0, 0.0, 0.0, 1.0])
        >>> print(round(float(quat_angle(upright, quarter_about_z)), 6))
        1.570796
    """
    between = quat_mul(quat_conjugate(p), q)
    angle: Array = 2.0 * np.arctan2(np.linalg.norm(between[1:4]), np.abs(between[0]))
    return angle


def quat_to_matrix(q: Array) -> Array:
    """Return the rotation matrix; its columns are the body's axes in the world.

    Example:
        >>> print(quat_to_matrix(np.array([1.0, 0.0, 0.0, 1.0])))
        [[ 0. -1.  0.]
         [ 1.  0.  0.]
         [ 0.  0.  1.]]
    """
    w, x, y, z = q
    s = 2.0 / np.dot(q, q)
    return np.array(
        [
            [1.0 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)],
            [s * (x * y + w * z), 1.0 - s * (x * x + z * z), s * (y * z - w * x)],
            [s * (x * z - w * y), s * (y * z + w * x), 1.0 - s * (x * x + y * y)],
        ]
    )


def quat_to_euler(q: Array) -> Array:
    """Return roll, pitch and yaw: turns about x, then y, then z of the world.

    The z-y'-x'' convention; see Diebel, "Representing attitude" (2006).

    Example:
        >>> print(np.round(quat_to_euler(np.array([1.0, 0.0, 0.0, 1.0])), 6))
        [0.       0.       1.570796]
    """
    w, x, y, z = q
    square = np.dot(q, q)
    roll = np.arctan2(2.0 * (w * x + y * z), w * w - x * x - y * y + z * z)
    pitch = np.arcsin(np.clip(2.0 * (w * y - x * z) / square, -1.0, 1.0))
    yaw = np.arctan2(2.0 * (w * z + x * y), w * w + x * x - y * y - z * z)
    return np.array([roll, pitch, yaw])


def quat_to_axis_angle(q: Array) -> tuple[Array, Array]:
    """Return the axis of a turn, of length 1, and its angle from 0 to pi.

    The axis is the z axis where there is no turn.

    Example:
        >>> axis, angle = quat_to_axis_angle(np.array([1.0, 0.0, 0.0, 1.0]))
        >>> print(axis, round(float(angle), 6))
        [0. 0. 1.] 1.570796
    """
    u = np.where(q[0] < 0.0, -1.0, 1.0) * q[1:4]
    length = np.linalg.norm(u)
    still = length <= 0.0
    axis = np.where(still, np.array([0.0, 0.0, 1.0]), u / np.where(still, 1.0, length))
    return axis, 2.0 * np.arctan2(length, np.abs(q[0]))


def quat_from_axis_angle(axis: Array, angle: Array) -> Array:
    """Return the unit quaternion of a turn by ``angle`` about ``axis``.

    The axis may have any length but zero.

    Example:
        >>> q = quat_from_axis_angle(np.array([0.0, 0.0, 2.0]), np.float64(np.pi))
        >>> print(np.round(q, 6))
        [0. 0. 0. 1.]
    """
    u = np.sin(0.5 * angle) * axis / np.linalg.norm(axis)
    return np.array([np.cos(0.5 * angle), u[0], u[1], u[2]])
