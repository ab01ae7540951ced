"""What a pool's processes start, ended with them.

A process that is killed leaves what it started: a tool that waits for a program of its own
would leave that program behind. So each worker leads a group, which its children are in,
and the group of one that has gone is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from pathlib import Path

from reward_synth.engine.local import _die_with


class Kin:
    """The groups of a pool's workers; each writes its number down as it begins.

    Where the system has no groups of processes, nothing is written and nothing killed.

    Example:
        >>> kin = Kin()
        >>> kin.bury()
        >>> kin.close()
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="reward-synth-")
        self.folder = self._folder.name

    def bury(self) -> None:
        """Kill the groups of workers that have gone."""
        with contextlib.suppress(FileNotFoundError):  # closed by another thread
            for place in list(Path(self.folder).iterdir()):
                if not _alive(int(place.name)):
                    _end_group(int(place.name))
                    place.unlink(missing_ok=True)

    def close(self) -> None:
        """Kill all groups, once all workers have gone."""
        self.bury()
        self._folder.cleanup()


def lead(folder: str, parent: int) -> None:
    """Begin a worker: it leads a group, and dies with its parent.

    Args:
        folder: Where its number is written.
        parent: The process that it is to die with; 0: the one that forked it.
    """
    _die_with(parent or os.getppid())
    if hasattr(os, "setpgid"):
        Path(folder, str(os.getpid())).touch()
        os.setpgid(0, 0)


def _alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # the number is another user's by now
        return False
    return True


def _end_group(number: int) -> None:
    # No other group can have this number while one of its members lives.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)
