"""Stable-Baselines3 callbacks: component curves, progress, weights on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from reward_synth.agents.schedule import weights_file
from reward_synth.agents.weights import write_weights

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
    """Tells how far a training is, about once a second."""

    def __init__(
        self, tell: Callable[[Mapping[str, Any]], None], seconds: float = 1.0
    ) -> None:
        super().__init__()
        self.tell = tell
        self.seconds = seconds
        self._began = time.monotonic()
        self._last = float("-inf")

    def _on_step(self) -> bool:
        now = time.monotonic()
        if now - self._last >= self.seconds:
            self._last = now
            spent = round(now - self._began, 1)
            self.tell({"progress": {"steps": self.num_timesteps, "seconds": spent}})
        return True


class WeightsCallback(BaseCallback):
    """Writes the policy's weights every ``every`` steps, for who measures them."""

    def __init__(self, every: int, folder: Path) -> None:
        super().__init__()
        self.every = every
        self.folder = folder
        self._next = every

    def _on_step(self) -> bool:
        if self.num_timesteps >= self._next:
            self._next += self.every
            name = weights_file(self.num_timesteps)
            write_weights(self.model.policy.state_dict(), self.folder / name)
        return True
