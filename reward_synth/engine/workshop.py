"""Compiles many programs without filling this process, and with a limit on time.

Machine code cannot be unloaded, and the compiler keeps more than the code (about 4 MB a
program). A process that is replaced now and then compiles into the cache folder; loading
from there costs this process a few milliseconds and about 0.1 MB.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from pebble import ProcessExpired, ProcessPool

from reward_synth.engine.opencv import forget_failed_opencv
from reward_synth.kernels import compile_ahead, keeps_code
from reward_synth.language import FunctionIR

_SECONDS = 120.0
_AT_HOME = 24
"""So many programs are compiled in this process: starting another takes two seconds."""
_LONG = 1000
"""Scalar operations from which a program may take long, and is compiled elsewhere."""
_PROGRAMS = 64
"""Programs after which the process is replaced."""


class Workshop:
    r"""Compiles functions before they are used here.

    Args:
        seconds: Limit for one function.
        at_home: How many short functions this process compiles itself.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action"))
        >>> text = "def compute_reward(x):\n    return {'near': -abs(x)}"
        >>> with Workshop() as workshop:
        ...     workshop(parse(text, task).ir.reward)
        ''
    """

    def __init__(self, seconds: float = _SECONDS, at_home: int = _AT_HOME) -> None:
        self.seconds = seconds
        self.at_home = at_home
        self.pool: ProcessPool | None = None
        self._count = 0

    def __enter__(self) -> Workshop:
        """Begin; the other process is started when it is needed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the other process."""
        if self.pool is not None:
            self.pool.stop()  # type: ignore[no-untyped-call]  # pebble does not annotate it
            self.pool.join()

    def __call__(self, function: FunctionIR) -> str:
        """Compile ``function``; return why it failed, or ``""``."""
        self._count += 1
        short = function.operations < _LONG
        if (short and self._count <= self.at_home) or not keeps_code():
            return ""
        try:
            self._schedule(function).result()
        except TimeoutError:
            return f"It was not compiled within {self.seconds:g} s."
        except ProcessExpired as cause:
            return f"The compiler ended with exit code {cause.exitcode}."
        except (Exception, SystemExit) as cause:  # a program's failure is data
            return f"{type(cause).__name__}: {' '.join(str(cause).split())[:300]}"
        return ""

    def _schedule(self, function: FunctionIR) -> Future[Any]:
        if self.pool is None:
            forget_failed_opencv()  # workers inherit sys.path
            context = multiprocessing.get_context("spawn")
            self.pool = ProcessPool(max_workers=1, max_tasks=_PROGRAMS, context=context)
        future: Future[Any] = self.pool.schedule(
            compile_ahead, args=(function,), timeout=self.seconds
        )
        return future
