"""Undo what OpenCV leaves behind when it cannot be loaded.

Many packages try ``import cv2`` and go on without it. Where OpenCV is installed but lacks
a library of the system, such as libGL, the attempt leaves OpenCV's own folder on
``sys.path``: its ``typing`` then hides Python's in every process started from here.
"""

from __future__ import annotations

import sys
from pathlib import Path

_MARK = "OpenCV_LOADER"
"""What OpenCV sets on :mod:`sys` while it is loading; still there after a failure."""


def forget_failed_opencv() -> None:
    """Take OpenCV's folder off ``sys.path`` if OpenCV could not be loaded.

    Example:
        >>> forget_failed_opencv()
        >>> any(Path(entry).name == "cv2" for entry in sys.path)
        False
    """
    if hasattr(sys, _MARK):
        delattr(sys, _MARK)
        sys.path[:] = [entry for entry in sys.path if Path(entry).name != "cv2"]
