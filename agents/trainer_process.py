"""The evaluator's side of a training process: starts it, reads its weights, ends it.

Nothing that comes from it is unpickled or believed.  Its messages are lines of JSON of a
limited size, from which progress is shown; its files are read through the descriptor of
a folder that was opened before it began.
"""

from __future__ import annotations

import os
import pickle
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import torch

from reward_synth.agents.claims import Claims
from reward_synth.agents.failures import TrainingError, printable
from reward_synth.agents.plain import open_plain
from reward_synth.agents.progress import CURVES, DECODER, OUTPUT, TRAINING, WEIGHTS
from reward_synth.agents.schedule import weights_file
from reward_synth.agents.surroundings import scrubbed
from reward_synth.agents.trainer import Train, TrainingJob
from reward_synth.agents.trial_spec import TrialSpec
from reward_synth.agents.warm_trainers import (
    SCRIPT,
    Address,
    ForkedTraining,
    Started,
    preparation,
)
from reward_synth.agents.weights import read_weights

_POLL = 0.1
"""Seconds between two looks for weights."""
_END = 60.0
"""Seconds that a training process may take to end after its last weights."""
_TAIL = 300
_EVENTS = "events.out.tfevents."


class TrainerProcess:
    """A confined process that trains; leaving the ``with`` kills it.

    Args:
        spec: The trial.
        place: The trial's folder, in which the process may write one folder.
        train: What it runs.
        server: Where it is forked; None, or a server that is gone: a new program.
    """

    def __init__(
        self, spec: TrialSpec, place: Path, train: Train, server: Address | None = None
    ) -> None:
        self.place = place
        self._server = server
        self.folder = place / TRAINING
        self._job = TrainingJob(spec, str(self.folder.resolve()), train, os.getpid())

    def __enter__(self) -> TrainerProcess:
        """Start it."""
        (self.folder / WEIGHTS).mkdir(parents=True)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        self._weights = os.open(self.folder / WEIGHTS, flags)
        self.began = time.monotonic()
        with (self.folder / OUTPUT).open("wb") as output:
            self._process = self._start(output.fileno())
        self.claims = Claims(self._process, self.place, self._job.spec.steps)
        self._send()
        return self

    def _start(self, printed: int) -> Started:
        if self._server is not None:
            with suppress(OSError):
                return ForkedTraining(self._server, printed)
        return subprocess.Popen(
            [sys.executable, "-P", str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=printed,
            env=self._variables(),
        )

    def _variables(self) -> dict[str, str]:
        return scrubbed(os.environ, self.folder.resolve())

    def _send(self) -> None:
        pipe = self._process.stdin
        # It may be dead already; then its weights are missing, which is told.
        with suppress(BrokenPipeError):
            if pipe is not None:
                with pipe:
                    for item in (self._variables(), preparation(), self._job):
                        pipe.write(pickle.dumps(item))

    def weights(
        self, step: int | str, expected: Mapping[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Wait for the weights of a step and return them.

        Raises:
            TrainingError: The process has ended without.
            WeightsError: They are not those of this policy.
        """
        while True:
            over = self._process.poll() is not None  # before the look: no race
            with suppress(FileNotFoundError):
                return read_weights(self._weights, weights_file(step), expected)
            self.claims.refuse_flood()
            if over:
                raise self._failure(f"without the weights of step {step}")
            time.sleep(_POLL)

    @property
    def left(self) -> int:
        """Descriptor of the folder in which it leaves weights, opened before it began."""
        return self._weights

    def finish(self) -> None:
        """Wait for its end; what it then left is no longer written.

        Raises:
            TrainingError: It failed, or does not end.
        """
        try:
            code = self._process.wait(_END)
        except subprocess.TimeoutExpired:
            raise TrainingError(
                f"The training process did not end within {_END:g} s of its last weights."
            ) from None
        if code != 0 or self.claims.close().error:
            raise self._failure("after its last weights")

    def _failure(self, when: str) -> TrainingError:
        self.claims.close()
        if self.claims.error:
            return TrainingError(self.claims.error)
        code = self._process.wait()
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        said = f" It last printed: {self._tail()}" if self._tail() else ""
        return TrainingError(f"The training process ended {how} {when}.{said}")

    def _tail(self) -> str:
        with suppress(OSError), open_plain(self.folder / OUTPUT) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            return printable(file.read(_TAIL).decode("utf-8", "replace"))
        return ""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill it and keep its logs; after a result also remove its folder."""
        self._process.kill()
        self._process.wait()
        self.claims.close()
        os.close(self._weights)
        self._keep_logs()
        if error is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _keep_logs(self) -> None:
        """Move logs where readers look for them, if they are plain files."""
        with suppress(OSError):
            for name in os.listdir(self.folder):
                path = self.folder / name
                log = name in (CURVES, DECODER) or name.startswith(_EVENTS)
                if log and stat.S_ISREG(path.lstat().st_mode):
                    os.replace(path, self.place / name)
