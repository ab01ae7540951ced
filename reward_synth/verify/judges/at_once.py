"""Questions that are asked at once, no more than a server is to be given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


def each(function: Callable[[T], U], items: Sequence[T], at_once: int) -> list[U]:
    """Return what a function gives for each item, in order.

    The first exception ends it: what has not begun then never does.

    Example:
        >>> each(abs, [-1, 2, -3], at_once=2)
        [1, 2, 3]
    """
    if len(items) <= 1 or at_once == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(at_once, len(items))) as pool:
        waiting = [pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in waiting]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
