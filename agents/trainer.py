"""The training process: confines itself, trains, writes weights, and says how far it is.

Generated code runs here and nowhere else in a trial.  Whatever this process says or
writes is its own claim; a trial's score is made of its weights alone, see
:mod:`~reward_synth.agents.evaluator`.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from reward_synth.agents.config import TWO_VALUES
from reward_synth.agents.failures import ConfinementError, sentence
from reward_synth.agents.surroundings import allowance
from reward_synth.agents.trial_spec import TrialSpec
from reward_synth.combine import DECODED
from reward_synth.sandbox.confine import confine, missing_layers

Tell: TypeAlias = Callable[[Mapping[str, Any]], None]
"""Says something to the evaluator: one JSON object."""
Train: TypeAlias = Callable[[TrialSpec, Path, Tell], None]
"""Trains and leaves weights in the folder; a module-level function."""
PRELOADED = (
    "reward_synth.agents.sb3",
    "reward_synth.agents.lare_trial",
    "torch.utils.tensorboard",
    "numba",
    "encodings.idna",
)
"""Imported before the lock, so that the process has but one thread at the lock, and
nothing of the libraries is missed after it."""


def train(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Train with Stable-Baselines3, or with our PPO; what trials do."""
    from reward_synth.agents import lare_trial, sb3  # noqa: PLC0415 - loads torch

    if spec.agent.algorithm == TWO_VALUES:
        from reward_synth.agents import intrinsic_trial  # noqa: PLC0415 - loads torch

        intrinsic_trial.train(spec, folder, tell)
        return
    decoded = spec.arm == "dense" and spec.combine == DECODED
    (lare_trial.train if decoded else sb3.train)(spec, folder, tell)


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What a training process is given; sent to it by its parent."""

    spec: TrialSpec
    folder: str
    """The one folder that it may write."""
    function: Train
    parent: int
    """The process that asks for it, with which it ends."""

    def run(self, forked_by: int | None = None) -> None:
        """Confine this process for good, then train.

        Args:
            forked_by: Its parent, where that is not the one that asks for it.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent sees to that
        tell = _private_pipe()
        for name in PRELOADED:
            importlib.import_module(name)
        _load_simulator(self.spec)
        layers = confine(
            allowance(self.spec.env, Path(self.folder)),
            parent=self.parent if forked_by is None else forked_by,
        )
        tell({"layers": layers})
        try:
            if self.spec.sandbox == "strict":
                _require_all(layers)
            self.function(self.spec, Path(self.folder), tell)
        except (Exception, SystemExit) as cause:  # told, and a failure of the trial
            traceback.print_exc()
            tell({"error": sentence(cause)})
        else:
            tell({"done": True})


def _load_simulator(spec: TrialSpec) -> None:
    """Make the environments once before the lock.

    Importing MuJoCo and asking for a Vulkan driver start other processes, as games of
    NetHack do when they are made, which is refused later. What fails here fails again,
    and is told, when it is made to train in.
    """
    with suppress(Exception):
        if spec.agent.algorithm == TWO_VALUES:
            from reward_synth.agents import intrinsic_trial  # noqa: PLC0415

            intrinsic_trial.prepare(spec)
        else:
            spec.env.prepare()


def _require_all(layers: Mapping[str, str]) -> None:
    missing = missing_layers(layers)
    if missing:
        raise ConfinementError(
            f"The strict sandbox lacks {missing}. Use sandbox='reduced' to go on "
            "without."
        )


def _private_pipe() -> Tell:
    """Keep standard output under another number; what is printed goes to the log."""
    pipe = os.dup(1)
    os.dup2(2, 1)

    def tell(message: Mapping[str, Any]) -> None:
        line = json.dumps(message) + "\n"
        view = memoryview(line.encode())
        while view:
            view = view[os.write(pipe, view) :]

    return tell
