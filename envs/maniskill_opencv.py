"""Import ManiSkill on machines where OpenCV lacks a system library.

ManiSkill imports OpenCV for the pictures of its digital twins alone, but imports it
always. OpenCV's usual wheel needs libGL, which servers and containers often lack.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from reward_synth.engine.opencv import forget_failed_opencv

_NAME = "cv2"
_FIX = "install libgl1 (Debian, Ubuntu) or pip install opencv-python-headless"


class _Unloadable(ModuleType):
    """Stands in for OpenCV; says why it is missing as soon as it is used."""

    def __init__(self, cause: ImportError) -> None:
        super().__init__(_NAME)
        self.__cause = cause

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        msg = f"{_NAME}.{name} is needed, but OpenCV cannot be loaded: {self.__cause}; {_FIX}"
        raise ImportError(msg) from self.__cause


@contextmanager
def opencv_optional() -> Iterator[None]:
    """Inside, ``import cv2`` succeeds even if OpenCV cannot be loaded.

    Afterwards other packages find the truth again, so that those with an alternative to
    OpenCV use it. A missing OpenCV stays missing: only one that is installed and cannot
    be loaded is replaced.
    """
    forget_failed_opencv()  # else a second attempt prints
    try:
        import_module(_NAME)
    except ModuleNotFoundError:
        yield
    except ImportError as cause:
        forget_failed_opencv()
        sys.modules[_NAME] = _Unloadable(cause)
        try:
            yield
        finally:
            del sys.modules[_NAME]
    else:
        yield
