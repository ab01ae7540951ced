"""Colours and shapes of pictures, the same in PNG files and in pages."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reward_synth.report.plots_data import Map, Mask, Values

Pixels = npt.NDArray[np.uint8]
Segment = tuple[tuple[float, float], tuple[float, float]]

RISING = ("#440154", "#3e4989", "#26828e", "#35b779", "#b5de2b", "#fde725")
"""From the lowest value to the highest; also told apart without seeing red and green."""
ARROWS = 12
"""At most so many along each axis."""
_LONGEST = 0.85
"""Of an arrow, as a part of the distance between two."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def pixels(item: Map) -> Pixels:
    """Return a colour for each number: shape ``(rows, columns, 4)``, the top row first.

    What is not known is transparent.

    Example:
        >>> one = Map("", np.arange(2.0), np.arange(1.0), np.array([[0.0, np.nan]]))
        >>> pixels(one)[0, :, 3].tolist()
        [255, 0]
    """
    low, high = item.ends
    known = np.isfinite(item.values)
    size = high - low
    flat = np.full(item.values.shape, 0.5)
    part = np.divide(item.values - low, size, out=flat, where=known & (size > 0))
    ends = np.array([_rgb(text) for text in RISING], np.float64)
    at = np.linspace(0.0, 1.0, len(ends))
    channels = [np.interp(part, at, ends[:, channel]) for channel in range(3)]
    alpha = np.where(known, 255.0, 0.0)
    image: Pixels = np.rint(np.stack([*channels, alpha], axis=-1)).astype(np.uint8)
    return image[::-1]


def _rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text.removeprefix("#")))


def as_png(image: Pixels) -> bytes:
    r"""Return an image as the bytes of a PNG file, a pixel for each entry.

    Args:
        image: Shape ``(rows, columns, 4)``.

    Example:
        >>> as_png(np.zeros((1, 2, 4), np.uint8))[:8]
        b'\x89PNG\r\n\x1a\n'
    """
    rows, columns = image.shape[:2]
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), image.reshape(rows, -1)], 1)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)
    data = zlib.compress(lines.tobytes(), 9)
    parts = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    checked = kind + body
    return (
        struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))
    )


def as_address(image: Pixels) -> str:
    """Return an image as a ``data:`` address."""
    return f"data:image/png;base64,{base64.b64encode(as_png(image)).decode()}"


def edges(middles: Values) -> tuple[float, float]:
    """Return where the first cell begins and the last one ends.

    Example:
        >>> edges(np.array([0.0, 1.0, 2.0]))
        (-0.5, 2.5)
    """
    step = (middles[-1] - middles[0]) / max(1, len(middles) - 1) or 1.0
    return float(middles[0] - step / 2), float(middles[-1] + step / 2)


def arrows(item: Map) -> list[tuple[float, float, float, float]]:
    """Return arrows ``(x, y, right, up)`` that point where the value rises.

    Lengths are in the axes' units: the steepest arrow nearly reaches the next one, the
    others are as long as the value is steep there.

    Example:
        >>> flat = np.arange(2.0)
        >>> rise = np.array([[[1.0, 1.0]] * 2, [[0.0, 0.0]] * 2])
        >>> arrows(Map("", flat, flat, np.zeros((2, 2)), rise))[0]
        (0.0, 0.0, 0.85, 0.0)
    """
    if item.rise is None:
        return []
    columns, rows = _chosen(len(item.xs)), _chosen(len(item.ys))
    steps = [_gap(item.xs, columns), _gap(item.ys, rows)]
    right, up = item.rise[:, rows][:, :, columns]
    size = np.hypot(right, up)
    most = np.nanmax(size) if np.isfinite(size).any() else 0.0
    if not most > 0:
        return []
    return [
        (
            float(item.xs[column]),
            float(item.ys[row]),
            float(_LONGEST * steps[0] * right[i, j] / most),
            float(_LONGEST * steps[1] * up[i, j] / most),
        )
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
        if size[i, j] > 0
    ]


def _chosen(count: int) -> npt.NDArray[np.int64]:
    step = -(-count // ARROWS)
    return np.arange((count - 1) % step // 2, count, step)


def _gap(middles: Values, chosen: npt.NDArray[np.int64]) -> float:
    if len(chosen) < 2:  # noqa: PLR2004 - a gap has two ends
        return float(middles[-1] - middles[0]) or 1.0
    return float(middles[chosen[1]] - middles[chosen[0]])


def outline(mask: Mask, xs: Values, ys: Values) -> list[Segment]:
    """Return the lines between cells in which a mask is true and their neighbours.

    Example:
        >>> outline(np.array([[True, False]]), np.array([0.0, 1.0]), np.array([0.0]))
        [((0.5, -0.5), (0.5, 0.5))]
    """
    (left, right), (bottom, top) = edges(xs), edges(ys)
    wide, high = (
        np.linspace(left, right, len(xs) + 1),
        np.linspace(bottom, top, len(ys) + 1),
    )
    upright = zip(*np.nonzero(mask[:, 1:] != mask[:, :-1]), strict=True)
    lying = zip(*np.nonzero(mask[1:] != mask[:-1]), strict=True)
    found = [
        (
            (float(wide[column + 1]), float(high[row])),
            (float(wide[column + 1]), float(high[row + 1])),
        )
        for row, column in upright
    ]
    return found + [
        (
            (float(wide[column]), float(high[row + 1])),
            (float(wide[column + 1]), float(high[row + 1])),
        )
        for row, column in lying
    ]


def stacked(parts: Values) -> list[tuple[Values, Values]]:
    """Return the lower and the upper edge of each component's area.

    What gives is stacked up from 0 and what takes is stacked down from it, so the sum is
    the highest edge plus the lowest.

    Args:
        parts: Shape ``(components, steps)``.

    Example:
        >>> [(low.tolist(), high.tolist()) for low, high in
        ...  stacked(np.array([[2.0], [-1.0], [3.0]]))]
        [([0.0], [2.0]), ([-1.0], [0.0]), ([2.0], [5.0])]
    """
    gives = np.cumsum(np.maximum(parts, 0.0), axis=0)
    takes = np.cumsum(np.minimum(parts, 0.0), axis=0)
    areas = []
    for part, above, below in zip(parts, gives, takes, strict=True):
        positive = part >= 0
        near = np.where(positive, above - part, below - part)
        far = np.where(positive, above, below)
        areas.append((np.minimum(near, far), np.maximum(near, far)))
    return areas


def thinned(values: Values, most: int = 400) -> npt.NDArray[np.int64]:
    """Return which steps are drawn: all, or ``most`` of a long episode, evenly spread."""
    count = len(values)
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.int64))


def lines_of(
    sparse: Values, alone: Values, combined: Values
) -> Sequence[tuple[str, str, Values]]:
    """Return name, style and values of the lines before and after blending."""
    return (
        ("the reward alone", "d0", alone),
        ("the environment", "sparse", sparse),
        ("combined", "d1", combined),
    )
