"""Checks of what kernels are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from reward_synth.errors import UsageError
from reward_synth.kernels.emit import DType
from reward_synth.reward import Array

_TYPES: tuple[DType, ...] = ("float32", "float64")
_KNOWN = "?bhilqBHILQfd"
"""Type codes that machine code reads; others are converted."""


def checked_dtype(dtype: Any) -> DType:
    """Return the name of a type that kernels compute in.

    Raises:
        UsageError: It is neither float32 nor float64.

    Example:
        >>> checked_dtype(np.float32)
        'float32'
    """
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = ""
    for known in _TYPES:
        if name == known:
            return known
    raise UsageError(f"dtype must be 'float32' or 'float64', received {dtype!r}.")


def checked_threads(threads: Any) -> int:
    """Return a number of threads.

    Raises:
        UsageError: It is no whole number of at least 1.

    Example:
        >>> checked_threads(2)
        2
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise UsageError(
            f"threads must be a whole number of at least 1, received {threads!r}."
        )
    return threads


def native(array: Array) -> Array:
    """Return an array that machine code can read: half and foreign floats as float64.

    Raises:
        UsageError: The array holds no numbers.

    Example:
        >>> native(np.ones(1, np.float16)).dtype.name
        'float64'
    """
    if array.dtype.char in _KNOWN and array.dtype.isnative:
        return array
    if array.dtype.kind not in "fiub":
        raise UsageError(
            f"Rewards are computed from numbers, received an array of {array.dtype}."
        )
    return array.astype(np.float64)
