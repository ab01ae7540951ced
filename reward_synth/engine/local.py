"""Runs calls in killable processes of this machine."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

from pebble import ProcessExpired, ProcessPool

from reward_synth.engine.opencv import forget_failed_opencv
from reward_synth.engine.types import Call, CallResult
from reward_synth.errors import UsageError

_PR_SET_PDEATHSIG = 1
_POLL = 0.5
"""Seconds between two calls of ``tick``."""


class LocalEngine:
    """A pool of fresh processes: each call has its own, which may be killed.

    Args:
        jobs: How many calls run at once.
        stopping: Asked before a call is begun; True: no further one is, and those that
            run are waited for.

    Example:
        >>> [result.value for result in LocalEngine(1).run([Call("a", abs, (-3,))])]
        [3]
    """

    def __init__(
        self, jobs: int = 2, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        if jobs < 1:
            raise UsageError(f"jobs must be at least 1, received {jobs}.")
        self.jobs = jobs
        self.stopping = stopping

    def run(
        self, calls: Sequence[Call], tick: Callable[[], None] = lambda: None
    ) -> Iterator[CallResult]:
        """Yield one result a call, in the order in which they end.

        Leaving the loop early, an exception or Ctrl-C kills what still runs.

        Args:
            calls: The work.
            tick: Called about twice a second while calls run, for progress.
        """
        forget_failed_opencv()  # workers inherit sys.path
        context = multiprocessing.get_context("spawn")
        workers = min(self.jobs, max(1, len(calls)))
        pool = ProcessPool(
            max_workers=workers,
            max_tasks=1,
            initializer=_die_with,
            initargs=(os.getpid(),),
            context=context,
        )
        try:
            waiting: dict[Future[bytes], Call] = {}
            for call in calls:
                try:
                    waiting[self._start(pool, call)] = call
                except Exception as cause:  # whatever pickling raises
                    yield _failed(call, cause)
            while waiting:
                if self.stopping():
                    _drop_unstarted(waiting)
                done, _ = wait(waiting, timeout=_POLL, return_when=FIRST_COMPLETED)
                tick()
                for future in done:
                    yield _result(waiting.pop(future), future)
        finally:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble does not annotate it
            pool.join()

    @staticmethod
    def _start(pool: ProcessPool, call: Call) -> Future[bytes]:
        packed = pickle.dumps((call.function, call.arguments))
        future: Future[bytes] = pool.schedule(
            _carry_out, args=(packed,), timeout=call.timeout
        )
        return future


def _carry_out(packed: bytes) -> bytes:
    """Run a call in its process; what it raises is data there already.

    An exception is not sent: one that cannot be made again from its message would
    break the pool, and with it every other call.
    """
    try:
        function, arguments = pickle.loads(packed)
        return pickle.dumps(("ok", function(*arguments)))
    except (Exception, SystemExit) as cause:  # a trial's failure is data
        return pickle.dumps(("failed", told(cause)))


def _drop_unstarted(waiting: dict[Future[bytes], Call]) -> None:
    for future in [item for item in waiting if not (item.running() or item.done())]:
        future.cancel()
        del waiting[future]


def _die_with(parent: int) -> None:
    """Let the system kill this process with its parent, also by ``kill -9``."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)


def _result(call: Call, future: Future[bytes]) -> CallResult:
    try:
        status, value = pickle.loads(future.result())
    except TimeoutError:
        error = f"It did not end within {call.timeout} s and was stopped."
        return CallResult(call.key, "timeout", error=error)
    except ProcessExpired as cause:
        error = f"Its process ended with exit code {cause.exitcode}."
        return CallResult(call.key, "crashed", error=error)
    except Exception as cause:  # a value that cannot be made again here
        return _failed(call, cause)
    if status == "ok":
        return CallResult(call.key, "ok", value)
    return CallResult(call.key, "failed", error=value)


def _failed(call: Call, cause: BaseException) -> CallResult:
    return CallResult(call.key, "failed", error=told(cause))


def told(cause: BaseException) -> str:
    r"""Return an exception as one line.

    Example:
        >>> told(ValueError("first\n  second"))
        'ValueError: first second'
    """
    text = " ".join(str(cause).split())[:500]
    return f"{type(cause).__name__}: {text}"
