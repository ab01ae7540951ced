"""Event files of trainings hold a curve for each component."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorboard")


def test_component_curves(trained: Path) -> None:
    """TensorBoard shows reward/<component> and the returns of the dense arm."""
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    wanted = {
        "reward/place",
        "reward/speed",
        "reward/sparse_return",
        "reward/dense_return",
    }
    found = set()
    for file in trained.glob("trials/*/events.out.tfevents.*"):
        events = EventAccumulator(str(file))
        events.Reload()
        found |= set(events.Tags()["scalars"])
    assert wanted <= found
