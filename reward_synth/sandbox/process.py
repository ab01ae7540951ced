"""The way in: a sandbox that gives each job a locked process of its own."""

from __future__ import annotations

import dataclasses
import functools
import os
import secrets
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from reward_synth.errors import NotAvailableError, UsageError
from reward_synth.sandbox import reply, warm, wire
from reward_synth.sandbox.child import (
    Channel,
    Worker,
    WorkerEndedError,
    WorkerTimeoutError,
)
from reward_synth.sandbox.cold import ColdWorker
from reward_synth.sandbox.job import Execution, Job, Limits
from reward_synth.sandbox.lockdown import OPTIONAL_LAYERS
from reward_synth.sandbox.wire import LIVE

Mode: TypeAlias = Literal["strict", "reduced"]
_START_SECONDS = 60.0
"""Time to import NumPy and lock down; not the program's, so not its limit."""


class ProcessSandbox:
    r"""Runs each job in a new process, locked before the program enters it.

    Args:
        limits: What one job may use.
        mode: ``strict`` refuses to run unless every layer is live; ``reduced``
            goes on with those that are, and names them in ``Execution.layers``.

    Raises:
        NotAvailableError: This is not a POSIX system.
        UsageError: There is no such mode.

    Example:
        >>> import numpy as np
        >>> source = "def compute_reward(x):\n    return {'near': 1.0 - abs(x)}"
        >>> job = Job(source, "compute_reward", ("x",), {"x": np.array([0.5, -2.0])})
        >>> execution = ProcessSandbox().run(job)
        >>> execution.status, execution.names, execution.values.tolist()
        ('ok', ('near',), [[0.5], [-1.0]])
    """

    def __init__(self, limits: Limits | None = None, *, mode: Mode = "reduced") -> None:
        """Keep the limits and the mode."""
        if os.name != "posix":
            raise NotAvailableError("The sandbox needs Linux or another POSIX system.")
        if mode not in ("strict", "reduced"):
            raise UsageError(f"mode is {mode!r}; it must be 'strict' or 'reduced'.")
        self._limits = limits or Limits()
        self._mode = mode

    def run(self, job: Job, /) -> Execution:
        """Run a job; never raises for what the program does.

        Raises:
            NotAvailableError: No worker could be started, or in ``strict`` mode a
                layer is missing.  The program has not run then.
        """
        begun = time.perf_counter()
        with start(self._limits) as worker:
            layers = layers_of(worker)
            if self._mode == "strict":
                _require_all(layers)
            execution = self._ask(worker, job)
        return dataclasses.replace(
            execution,
            seconds=time.perf_counter() - begun,
            layers=tuple(name for name, state in layers.items() if state == LIVE),
        )

    def _ask(self, worker: Worker, job: Job) -> Execution:
        limits, token = self._limits, secrets.token_hex(16)
        data = reply.encode(job, limits, token)
        deadline = time.monotonic() + limits.seconds
        try:
            message = worker.exchange(data, cap=limits.output_bytes, deadline=deadline)
        except WorkerTimeoutError:
            sentence = f"no answer after {limits.seconds:g} s"
            return Execution.failed("timeout", sentence, rows=job.rows)
        except WorkerEndedError:
            return reply.died(worker.stop(), job, limits)
        except wire.WireError as error:
            return reply.unreadable(error, job)
        return reply.decode(message, job, token)


def start(limits: Limits) -> Worker:
    """Start a worker: forked from the warm server, or cold where there can be none.

    Raises:
        NotAvailableError: It cannot be started.
    """
    if warm.available():
        return Worker(warm.SHARED.fork(limits))
    return Worker(ColdWorker(limits))


@functools.cache
def live_layers() -> Mapping[str, str]:
    """Return layer to ``live`` or why not, as measured once in a worker.

    Example:
        >>> "rlimits" in live_layers()
        True
    """
    if os.name != "posix":
        return MappingProxyType({"process": "needs Linux or another POSIX system"})
    with start(Limits()) as worker:
        return MappingProxyType(layers_of(worker))


def layers_of(worker: Worker) -> dict[str, str]:
    """Wait for the worker's first message; no program is in it yet."""
    try:
        header = _first_message(worker).header
    except (WorkerTimeoutError, WorkerEndedError, wire.WireError) as error:
        code = worker.stop()
        raise NotAvailableError(
            f"The sandbox's worker did not start ({type(error).__name__}, exit code "
            f"{code}): {worker.error_text() or 'it wrote nothing'}"
        ) from error
    layers = header["layers"]
    if not isinstance(layers, dict):
        raise NotAvailableError(f"The sandbox's worker sent no layers: {header}")
    return {"process": LIVE, **layers}


def _first_message(channel: Channel) -> wire.Message:
    return channel.exchange(b"", cap=0, deadline=time.monotonic() + _START_SECONDS)


def missing_layers(layers: Mapping[str, str]) -> dict[str, str]:
    """Return the layers that ``strict`` needs and lacks, with the reasons.

    Example:
        >>> missing_layers({"seccomp": "the kernel refused", "namespaces": "refused"})
        {'seccomp': 'the kernel refused'}
    """
    return {
        name: why
        for name, why in layers.items()
        if why != LIVE and name not in OPTIONAL_LAYERS
    }


def _require_all(layers: Mapping[str, str]) -> None:
    missing = [f"{name} ({why})" for name, why in missing_layers(layers).items()]
    if missing:
        raise NotAvailableError(
            f"The strict sandbox lacks {'; '.join(missing)}. Use mode='reduced' to "
            "go on without."
        )
