"""Ctrl-C once finishes the current step, twice stops now; SIGTERM counts as once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

INTERRUPTED = 130
_ECHO = 0.5
"""Seconds in which a signal is the one before, sent on by a shell or a supervisor."""
_SAME_WISH = 5.0
"""Seconds in which a further signal asks for nothing new while we clean up."""
_PATIENCE = 5.0
"""Seconds that cleaning up may take when it must be now."""
_FINISHING = (
    "\n· The current step is finished and kept; then the run stops. "
    "Ctrl-C again stops now.\n"
)


class Interrupts:
    """Handles SIGINT and SIGTERM for this process.

    Outside of :meth:`steps` a signal stops the command at once. Inside, the first one
    waits for the next call of :meth:`checkpoint`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.folder: Path | None = None
        """Where the command keeps its run, to be named in the last message."""
        self.ending = False
        """True once the message is out: a traceback would tell nothing more."""
        self._in_steps = False
        self._asked: float | None = None
        """When the current step was asked to be the last one."""
        self._raised: float | None = None

    def install(self) -> None:
        """Handle both signals, unless whoever started us wants them ignored."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self)

    @property
    def asked(self) -> bool:
        """Whether the current step is to be the last one."""
        return self._asked is not None

    def checkpoint(self) -> None:
        """Stop here if that was asked for; called between steps.

        Raises:
            KeyboardInterrupt: If it was.
        """
        if self.asked:
            self._raised = self.clock()
            raise KeyboardInterrupt

    @contextmanager
    def steps(self) -> Iterator[None]:
        """Let the block finish its current step when the first signal comes."""
        self._in_steps = True
        try:
            yield
        finally:
            self._in_steps = False

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Handle a signal."""
        now = self.clock()
        if self._raised is not None:
            if now - self._raised < _SAME_WISH:
                return
            if self.ending:
                os._exit(INTERRUPTED)
        elif self._in_steps and self._asked is None:
            self._asked = now
            _tell(_FINISHING)
            return
        elif self._in_steps and self._asked is not None:
            if number == signal.SIGTERM or now - self._asked < _ECHO:
                return
            _leave_soon()
        self._raised = now
        raise KeyboardInterrupt


def _tell(text: str) -> None:
    """Write in a signal handler, where a print could be inside another print."""
    try:
        os.write(2, text.encode())
    except OSError:
        return  # nobody reads it


def _leave_soon() -> None:
    """End the process even if something does not let itself be cleaned up."""
    timer = threading.Timer(_PATIENCE, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    for child in _children():
        try:
            os.kill(child, signal.SIGKILL)
        except OSError:
            continue  # it ended meanwhile
    _tell("error: Interrupted. The same command with --run or --resume goes on.\n")
    os._exit(INTERRUPTED)


def _children() -> list[int]:
    """Return the processes that this one started; empty where /proc is missing."""
    mine = str(os.getpid())
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text("ascii", "replace")
        except OSError:
            continue
        if text.rpartition(")")[2].split()[1] == mine:
            found.append(int(entry.parent.name))
    return found


INTERRUPTS = Interrupts()
"""Of this process: signals are the process's own, and so is what they ask for."""
