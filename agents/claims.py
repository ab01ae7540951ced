"""What a training process says, read as hostile: progress, how it is confined, errors.

Nothing of it enters a result but for the layers, which are told before generated code is
loaded, and component sums, which are marked as claimed.
"""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from reward_synth.agents.failures import TrainingError, printable
from reward_synth.agents.plain import open_plain
from reward_synth.agents.progress import CURVES, PROGRESS
from reward_synth.agents.warm_trainers import Started

_LINE = 1 << 16
_MOST = 16 << 20
"""Bytes in all: progress is a line a second."""
_CURVES = 256 << 20
"""Most bytes of curves that are read."""
_NAMES, _NAME = 64, 100
"""Most components, and most characters of a component's name."""
_PATIENCE = 5.0
"""Seconds for what is left in the pipe of a process that has ended."""
_LONGEST = 1e9
"""Seconds of a training that are shown."""
_LARGEST = 1e300
"""Component sums above this are left out."""


class Claims:
    """Reads the lines that a process says, in a thread of its own.

    Args:
        process: Its standard output is read.
        place: Folder for the progress.
        total: Steps of the training.
    """

    def __init__(self, process: Started, place: Path, total: int) -> None:
        self.layers: dict[str, str] = {}
        self.error = ""
        self._flooded = False
        self._process = process
        self._file = place / PROGRESS
        self._total = total
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> Claims:
        """Return when all was read that a process that has ended has said."""
        self._thread.join(_PATIENCE)
        return self

    def refuse_flood(self) -> None:
        """Give up on a process that says more than a training can have to say.

        Raises:
            TrainingError: It does.
        """
        if self._flooded:
            raise TrainingError(
                f"The training process sent a line of over {_LINE} bytes, or over "
                f"{_MOST} bytes in all."
            )

    def _read(self) -> None:
        pipe, taken = self._process.stdout, 0
        if pipe is None:
            return
        with pipe:
            while line := pipe.readline(_LINE):
                taken += len(line)
                if taken > _MOST or not line.endswith(b"\n"):
                    self._flooded = len(line) >= _LINE or taken > _MOST
                    return
                self._take(_parsed(line))

    def _take(self, message: Mapping[str, Any]) -> None:
        layers = message.get("layers")
        if isinstance(layers, dict) and not self.layers:
            self.layers = {printable(str(k)): printable(str(layers[k])) for k in layers}
        if isinstance(message.get("error"), str) and not self.error:
            self.error = printable(message["error"]) or "It gave no reason."
        progress = message.get("progress")
        if isinstance(progress, dict):
            self._show(progress.get("steps"), progress.get("seconds"))

    def _show(self, steps: Any, seconds: Any) -> None:
        if type(steps) is not int or type(seconds) is not float:
            return
        if not (0 <= steps <= 2 * self._total + 10_000 and 0.0 <= seconds < _LONGEST):
            return
        data = {"steps": steps, "total": self._total, "seconds": seconds}
        fresh = self._file.with_suffix(".tmp")
        with suppress(OSError):  # a full disk does not end a training
            fresh.write_text(json.dumps(data))
            os.replace(fresh, self._file)  # a reader never sees half a file


def component_sums(folder: Path, after: int, until: int) -> dict[str, float]:
    """Return each component's mean sum over training episodes, as the process tells it.

    Args:
        folder: Holds the curves.
        after: Episodes that ended after this step count.
        until: And up to this one.
    """
    sums: dict[str, list[float]] = {}
    for row in _rows(folder / CURVES):
        step, told = row.get("step"), row.get("components")
        if type(step) is int and after < step <= until and isinstance(told, dict):
            for name, value in told.items():
                if len(sums) < _NAMES or name in sums:
                    sums.setdefault(name, []).append(value)
    return {
        name: math.fsum(values) / len(values)
        for name, values in sorted(sums.items())
        if len(name) <= _NAME and name.isprintable() and all(map(_plain, values))
    }


def _rows(path: Path) -> list[Mapping[str, Any]]:
    try:
        with open_plain(path) as file:
            lines = file.read(_CURVES).split(b"\n")
    except OSError:
        return []
    return [_parsed(line) for line in lines[:-1]]


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _plain(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < _LARGEST  # type: ignore[arg-type]
