"""A training whose captions a model labels meanwhile, for a soak.

The training is one, and as long as the soak: what grows with its steps must show. New
captions come all the time, for the game is NetHack.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reward_synth.agents.intrinsic_run import IntrinsicConfig, Training
from reward_synth.agents.intrinsic_setup import Asked
from reward_synth.intrinsic.annotation import Pace

ENV = "NetHackScore-v0"
_EVERY = 10.0
"""Seconds from sample to sample, where the training is long."""
_ENDLESS = 10**9
"""Steps: the clock ends the training."""


class _OverError(Exception):
    """The time is over."""


def train(
    url: str, folder: Path, seconds: float, look: Callable[[], None]
) -> dict[str, Any]:
    """Train for so many seconds; return what the annotation did.

    Args:
        url: Of the model that labels.
        folder: Takes the run.
        seconds: How long.
        look: Called between two updates: every ten seconds, more often in short trainings.
    """
    os.environ["OPENAI_API_KEY"] = "sk-soak-training"
    asked = Asked(annotator="tiny", base_url=url, pace=Pace(requests_per_minute=6000))
    config = IntrinsicConfig(
        env=ENV, model="oni-classification", asked=asked, steps=_ENDLESS
    )
    training = Training(config, folder)
    ends, looked = time.monotonic() + seconds, time.monotonic()
    every = min(_EVERY, seconds / 20)

    def tell(_: Any) -> None:
        nonlocal looked
        now = time.monotonic()
        if now >= ends:
            raise _OverError
        if now - looked >= every:
            looked = now
            look()

    with suppress(_OverError):
        training.run(tell)
    metrics = training.progress(seconds).labels
    told = {} if metrics is None else asdict(metrics)
    names = ("coverage", "coverage_recent", "known", "abstained", "failed", "dropped")
    return {
        "steps": training.agent.steps,
        "episodes": len(training.agent.episodes),
        **{name: told[name] for name in names},
        "threads after it": threading.active_count(),
    }
