"""The benchmark of combiners measures every one of them."""

from __future__ import annotations

from reward_synth.benchmarks.combiners import every, measure
from reward_synth.combine import COMBINERS


def test_every_combiner_is_measured() -> None:
    """A tiny run has a row for each name; what takes arguments is measured with some."""
    rows = measure(1, lanes=64)
    assert {row["combiner"] for row in rows} == set(every()) >= set(COMBINERS)
    assert all(row["ns_per_state"] > 0 for row in rows)
    assert all(row["one_us"] or row["acts_on"] == "group" for row in rows)
