"""A job or a limit that makes no sense is the caller's mistake."""

from __future__ import annotations

import numpy as np
import pytest

from reward_synth.errors import UsageError
from reward_synth.sandbox import Job, Limits
from reward_synth.sandbox.job import Column


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, "lacks x; it has nothing"),
        ({"y": np.ones(2)}, "lacks x; it has y"),
        ({"x": np.ones(2), "y": np.ones(3)}, "one number of rows"),
        ({"x": np.ones(2, dtype=np.float32)}, "received float32"),
        ({"x": [1.0]}, "received list"),
        ({"x": np.ones((0, 3))}, "at least one row"),
        ({"x": np.array(1.0)}, "at least one row"),
    ],
)
def test_a_job_that_cannot_be_run_is_misuse(
    inputs: dict[str, Column], expected: str
) -> None:
    """A wrong job is the caller's mistake: it raises, and says what it received."""
    with pytest.raises(UsageError, match=expected):
        Job("", "compute_reward", ("x",), inputs)


def test_limits_that_nothing_could_keep_are_misuse() -> None:
    """Each limit must be positive, and the message names it."""
    with pytest.raises(UsageError, match=r"Limits\.memory_bytes is 0"):
        Limits(memory_bytes=0)
