"""Stable-Baselines3 callbacks: component curves, progress, evaluation on the way."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from reward_synth.agents.progress import EVALUATIONS, PROGRESS

_EPISODE = "reward_synth"


class RewardComponentsCallback(BaseCallback):
    """Logs each component's sum over an episode, and the sparse and dense returns.

    They appear in TensorBoard as ``reward/<component>``, ``reward/sparse_return`` and
    ``reward/dense_return``.

    Args:
        path: Also append one JSON line an episode to this file.

    Example:
        ``model.learn(10_000, callback=RewardComponentsCallback())``
    """

    def __init__(self, path: str | Path | None = None) -> None:
        super().__init__()
        self.path = Path(path) if path else None

    def _on_step(self) -> bool:
        for info in self.locals.get("infos", ()):
            summary = info.get(_EPISODE)
            if summary is not None:
                self._log(summary)
        return True

    def _log(self, summary: dict[str, Any]) -> None:
        row = {f"reward/{name}": value for name, value in summary["components"].items()}
        row["reward/sparse_return"] = summary["sparse_return"]
        row["reward/dense_return"] = summary["dense_return"]
        for name, value in row.items():
            self.logger.record_mean(name, value)
        if self.path is not None:
            line = json.dumps({"step": self.num_timesteps, **summary})
            with self.path.open("a") as file:
                file.write(line + "\n")


class ProgressCallback(BaseCallback):
    """Writes how far a trial is to a small file, for whoever watches."""

    def __init__(self, folder: Path, total: int, seconds: float = 1.0) -> None:
        super().__init__()
        self.file = folder / PROGRESS
        self.total = total
        self.seconds = seconds
        self._began = time.monotonic()
        self._last = float("-inf")

    def _on_step(self) -> bool:
        now = time.monotonic()
        if now - self._last >= self.seconds:
            self._last = now
            self._write(now)
        return True

    def _write(self, now: float) -> None:
        data = {
            "steps": self.num_timesteps,
            "total": self.total,
            "seconds": round(now - self._began, 1),
        }
        fresh = self.file.with_suffix(".tmp")
        fresh.write_text(json.dumps(data))
        os.replace(fresh, self.file)  # a reader never sees half a file


class CurveCallback(BaseCallback):
    """Evaluates every ``every`` steps, and writes the results for whoever watches."""

    def __init__(
        self, every: int, evaluate: Callable[[Any], dict[str, Any]], folder: Path
    ) -> None:
        super().__init__()
        self.every = every
        self.evaluate = evaluate
        self.file = folder / EVALUATIONS
        self.points: list[dict[str, Any]] = []
        self._next = every

    def _on_step(self) -> bool:
        if self.num_timesteps >= self._next:
            self._next += self.every
            point = {"step": self.num_timesteps, **self.evaluate(self.model)}
            self.points.append(point)
            with self.file.open("a") as file:
                file.write(json.dumps(point) + "\n")
        return True
