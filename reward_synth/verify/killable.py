"""A process that calls run in one after another, and that is killed where one hangs."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from types import TracebackType
from typing import Any

from pebble import ProcessExpired, ProcessPool

from reward_synth.engine.local import _die_with
from reward_synth.engine.opencv import forget_failed_opencv
from reward_synth.engine.types import CallResult


class Killable:
    """Runs functions in a process of its own; what is lost there is data here.

    It may be used from several threads; calls then wait for each other.

    Example:
        >>> with Killable() as process:
        ...     process.run(abs, (-3,), 5.0).value
        3
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None

    def __enter__(self) -> Killable:
        """Begin; the process is started by the first call."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process; the next call starts another."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble does not annotate it
            pool.join()

    def run(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        seconds: float,
        start: float = 60.0,
    ) -> CallResult:
        """Return what a call gives, or why it gave nothing.

        Args:
            function: A module-level function.
            arguments: Picklable.
            seconds: Time from its begin after which its process is killed.
            start: Time that starting the process, and calls before, may take.
        """
        future = self._schedule(function, arguments, seconds)
        try:
            return CallResult("", "ok", future.result(timeout=start + seconds))
        except FutureTimeoutError as cause:
            if cause.__cause__ is not None:  # the call's own, not the pool's
                return _failed(cause)
            error = f"It did not end within {seconds:g} s and was stopped."
            return CallResult("", "timeout", error=error)
        except ProcessExpired as cause:
            error = f"Its process ended with exit code {cause.exitcode}."
            return CallResult("", "crashed", error=error)
        except (Exception, SystemExit) as cause:  # a call's failure is data
            return _failed(cause)

    def _schedule(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float
    ) -> Future[Any]:
        with self._lock:
            if self._pool is None:
                forget_failed_opencv()  # workers inherit sys.path
                self._pool = ProcessPool(
                    max_workers=1,
                    initializer=_die_with,
                    initargs=(os.getpid(),),
                    context=multiprocessing.get_context("spawn"),
                )
            future: Future[Any] = self._pool.schedule(
                function, args=arguments, timeout=seconds
            )
        return future


def _failed(cause: BaseException) -> CallResult:
    text = " ".join(str(cause).split())[:500]
    return CallResult("", "failed", error=f"{type(cause).__name__}: {text}")
