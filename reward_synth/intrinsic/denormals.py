"""Numbers that are too small for a float's usual form, which processors compute slowly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_SMALL = 1e-38
"""Nearly the smallest float32 of the usual form."""


@contextmanager
def flushed() -> Iterator[None]:
    """Let this thread take such numbers as 0 while the block runs.

    Adam's moments of inputs that are seldom other than 0, as most of NetHack's are, decay
    through the whole range of these numbers. With them each step of the descent takes
    twice to three times as long.

    Example:
        >>> with flushed():
        ...     flushes()
        True
        >>> flushes()
        False
    """
    before = flushes()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def flushes() -> bool:
    """Return whether this thread takes such numbers as 0."""
    return bool(torch.tensor(_SMALL) * 1e-2 == 0.0)
