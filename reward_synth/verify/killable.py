"""Processes that calls run in one after another, and that are killed where one hangs."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from types import TracebackType
from typing import Any, Literal

from pebble import ProcessExpired, ProcessPool

from reward_synth.engine.opencv import forget_failed_opencv
from reward_synth.engine.types import CallResult
from reward_synth.verify.kin import Kin, lead

Start = Literal["spawn", "forkserver"]
_AHEAD = 16
"""Calls that wait for each worker, so that none is ever idle."""


class Killable:
    """Runs functions in processes of its own; what is lost there is data here.

    It may be used from several threads; calls then wait for each other. What a process
    has started ends with it.

    Args:
        workers: Processes, and so calls at once.
        start: How one begins. ``forkserver``: from a server that has loaded ``preload``, so
            that a process that was killed is replaced in milliseconds. There is one server,
            with what the first pool preloads; it lives until Python ends.
        preload: Modules for that server.

    Example:
        >>> with Killable() as process:
        ...     process.run(abs, (-3,), 5.0).value
        3
    """

    def __init__(
        self, workers: int = 1, start: Start = "spawn", preload: Sequence[str] = ()
    ) -> None:
        self.workers = workers
        self.preload = tuple(preload)
        self.start: Start = start
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None
        self._kin: Kin | None = None

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
            kin, self._kin = self._kin, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble does not annotate it
            pool.join()
        if kin is not None:
            kin.close()

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
        return self._settled(future, seconds, start + seconds)

    def each(
        self,
        function: Callable[..., Any],
        arguments: Iterable[tuple[Any, ...]],
        seconds: float,
    ) -> Iterator[CallResult]:
        """Yield what each call gives, in order; a few are begun ahead of what is taken.

        Args:
            function: A module-level function.
            arguments: Of each call; picklable.
            seconds: Time from a call's begin after which its process is killed.

        Example:
            >>> with Killable(workers=2) as processes:
            ...     [found.value for found in processes.each(abs, [(-1,), (2,)], 5.0)]
            [1, 2]
        """
        waiting: deque[Future[Any]] = deque()
        try:
            for given in arguments:
                waiting.append(self._schedule(function, given, seconds))
                if len(waiting) > _AHEAD * self.workers:
                    yield self._settled(waiting.popleft(), seconds, None)
            while waiting:
                yield self._settled(waiting.popleft(), seconds, None)
        finally:
            for future in waiting:
                future.cancel()

    def _settled(
        self, future: Future[Any], seconds: float, longest: float | None
    ) -> CallResult:
        """Wait for a call; where its process is gone, end what that had started."""
        found = _result(future, seconds, longest)
        kin = self._kin
        if found.status in ("timeout", "crashed") and kin is not None:
            kin.bury()
        return found

    def _schedule(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float
    ) -> Future[Any]:
        with self._lock:
            if self._pool is None or not self._pool.active:
                self._kin = self._kin or Kin()
                self._pool = self._begun(self._kin.folder)
            future: Future[Any] = self._pool.schedule(
                function, args=arguments, timeout=seconds
            )
        return future

    def _begun(self, folder: str) -> ProcessPool:
        forget_failed_opencv()  # workers inherit sys.path
        forked = self.start == "forkserver"
        context = multiprocessing.get_context(self.start)
        if forked:
            context.set_forkserver_preload([__name__, *self.preload])
        return ProcessPool(
            max_workers=self.workers,
            initializer=lead,
            initargs=(folder, 0 if forked else os.getpid()),
            context=context,
        )


def _result(future: Future[Any], seconds: float, longest: float | None) -> CallResult:
    """Wait for a call; what went wrong in it, or in its process, is data."""
    try:
        return CallResult("", "ok", future.result(timeout=longest))
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


def _failed(cause: BaseException) -> CallResult:
    text = " ".join(str(cause).split())[:500]
    return CallResult("", "failed", error=f"{type(cause).__name__}: {text}")
