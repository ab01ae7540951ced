"""What networks see of observations: rows of numbers, from whatever the space is."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError

Rows = npt.NDArray[np.float32]
"""Shape ``(num_envs, width)``."""


class Sight(Protocol):
    """Turns batched observations into rows; copies, so that environments may reuse theirs."""

    width: int

    def __call__(self, obs: Any, /) -> Rows:
        """Return a row for each environment."""


class FlatSight:
    """All numbers of an observation: choices one-hot, bytes from 0 to 1, all else as is.

    Args:
        space: Of one environment: Box, Discrete, MultiDiscrete, MultiBinary, or Dict and
            Tuple of these.

    Raises:
        UsageError: It holds something else, such as Text.

    Example:
        >>> space = gym.spaces.Dict({"x": gym.spaces.Box(-1, 1, (2,)),
        ...                          "door": gym.spaces.Discrete(3)})
        >>> FlatSight(space)({"x": np.zeros((1, 2)), "door": np.array([2])})
        array([[0., 0., 1., 0., 0.]], dtype=float32)
    """

    def __init__(self, space: gym.Space[Any]) -> None:
        self.space = space
        self.width = _width(space)

    def __call__(self, obs: Any, /) -> Rows:
        """Return a row for each environment."""
        return _flat(self.space, obs)


def _width(space: gym.Space[Any]) -> int:
    if isinstance(space, gym.spaces.Dict):
        return sum(_width(part) for part in space.spaces.values())
    if isinstance(space, gym.spaces.Tuple):
        return sum(_width(part) for part in space.spaces)
    known = gym.spaces.Box, gym.spaces.Discrete, gym.spaces.MultiDiscrete
    if isinstance(space, (*known, gym.spaces.MultiBinary)):
        return int(gym.spaces.flatdim(space))
    raise UsageError(
        f"PPO sees Box, Discrete, MultiDiscrete and MultiBinary, in Dict or Tuple; "
        f"received {space}. Give a sight of your own, or wrap the environment."
    )


def _flat(space: gym.Space[Any], obs: Any) -> Rows:
    if isinstance(space, gym.spaces.Dict):
        parts = [_flat(part, obs[name]) for name, part in space.spaces.items()]
        return np.concatenate(parts, 1)
    if isinstance(space, gym.spaces.Tuple):
        pairs = zip(space.spaces, obs, strict=True)
        return np.concatenate([_flat(part, one) for part, one in pairs], 1)
    values = np.asarray(obs)
    if isinstance(space, gym.spaces.Discrete):
        return _chosen(values.reshape(-1) - space.start, int(space.n))
    rows = values.reshape(len(values), -1)
    if isinstance(space, gym.spaces.MultiDiscrete):
        sizes = np.ravel(space.nvec).tolist()
        starts = np.ravel(space.start)
        columns = enumerate(sizes)
        return np.concatenate(
            [_chosen(rows[:, k] - starts[k], size) for k, size in columns], 1
        )
    scale = 255.0 if values.dtype == np.uint8 else 1.0
    return np.array(rows / scale if scale > 1 else rows, np.float32)


def _chosen(numbers: Any, size: int) -> Rows:
    rows: Rows = np.eye(size, dtype=np.float32)[numbers]
    return rows


_GROUPS: tuple[str, ...] = (
    *(" ", ".", "#", "|-", "+", "@", "<", ">", "(", "[", ")", "%", "!", "?", "/"),
    *("=", '"', "*", "$", "^", "{", "}_", "`0"),
)
_LETTERS = len(_GROUPS)
_BUCKETS = 64
_STATUS = {0: 79.0, 1: 21.0, 10: 20.0, 11: 20.0, 12: 10.0, 18: 10.0, 21: 4.0}
"""Columns of ``blstats``, and what they are divided by."""


class NetHackSight:
    """What is near the hero, the message and the bottom line of NetHack and MiniHack.

    The characters within ``radius`` of the hero, one-hot by kind; the message, hashed
    into 64 places; place, hit points, depth, level and hunger.

    Args:
        radius: Columns and rows on each side.

    Raises:
        UsageError: ``radius`` is below 1.

    Example:
        >>> sight = NetHackSight(1)
        >>> chars = np.full((1, 21, 79), ord("."), np.uint8)
        >>> obs = {"chars": chars, "message": np.zeros((1, 256), np.uint8),
        ...        "blstats": np.zeros((1, 27), np.int64)}
        >>> sight(obs).shape == (1, sight.width), 9 * 24 + 64 + 7 == sight.width
        (True, True)
    """

    def __init__(self, radius: int = 4) -> None:
        if radius < 1:
            raise UsageError(f"radius must be at least 1; received {radius}.")
        self.radius = radius
        side = 2 * radius + 1
        self._kinds = np.full(256, _LETTERS, np.int64)  # creatures
        for number, group in enumerate(_GROUPS):
            self._kinds[[ord(symbol) for symbol in group]] = number
        self._offsets = np.arange(side)
        self._hot = np.eye(_LETTERS + 1, dtype=np.float32)
        self._places: dict[bytes, int] = {}
        self.width = side * side * (_LETTERS + 1) + _BUCKETS + len(_STATUS)

    def __call__(self, obs: Any, /) -> Rows:
        """Return a row for each environment.

        Raises:
            UsageError: A part is missing.
        """
        for name in ("chars", "message", "blstats"):
            if not isinstance(obs, Mapping) or name not in obs:
                raise UsageError(f"NetHackSight needs {name!r} in the observation.")
        stats = np.asarray(obs["blstats"])
        lanes = np.arange(len(stats))
        near = self._near(np.asarray(obs["chars"]), stats, lanes)
        message = np.zeros((len(lanes), _BUCKETS), np.float32)
        message[lanes, [self._place(row) for row in np.asarray(obs["message"])]] = 1.0
        scaled = stats[:, list(_STATUS)] / np.array(list(_STATUS.values()))
        rows: Rows = np.concatenate([near, message, scaled], 1, dtype=np.float32)
        return rows

    def _near(self, chars: Any, stats: Any, lanes: Any) -> Rows:
        pad = self.radius
        kinds = np.pad(self._kinds[chars], ((0, 0), (pad, pad), (pad, pad)))
        across = stats[:, 0, None] + self._offsets
        down = stats[:, 1, None] + self._offsets
        near = kinds[lanes[:, None, None], down[:, :, None], across[:, None, :]]
        rows: Rows = self._hot[near].reshape(len(lanes), -1)
        return rows

    def _place(self, row: Any) -> int:
        raw = row.tobytes()
        place = self._places.get(raw)
        if place is None:
            place = zlib.crc32(raw.partition(b"\0")[0]) % _BUCKETS
            if len(self._places) < 100_000:  # noqa: PLR2004 - bounds the memory
                self._places[raw] = place
        return place
