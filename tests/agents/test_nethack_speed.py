"""The benchmark of speed in NetHack: ratios are those of the blocks."""

from __future__ import annotations

import pytest

from reward_synth.benchmarks.nethack_speed import ratio


def test_a_ratio_is_that_of_pairs_of_blocks() -> None:
    """Blocks of 1, 2 and 4 s beside those of 2, 6 and 4 s: twice, three times, as fast;
    the median pair is twice as fast."""
    ours, theirs = iter([1.0, 2.0, 4.0]), iter([2.0, 6.0, 4.0])
    found = ratio(lambda: next(ours), lambda: next(theirs), 3, 100)
    assert found["ratio"] == pytest.approx(2.0)
    assert (found["ours, steps a second"], found["theirs, steps a second"]) == (50, 25)
