"""Pages of runs while they run: read from their folders, served on this machine alone.

Nothing here writes to a run's folder, so it may stand beside the process that does.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_synth.errors import MissingExtraError

if TYPE_CHECKING:
    from reward_synth.watch.server import WatchServer

__all__ = ["open_server"]


def open_server(
    runs: Sequence[str | Path] = (), root: str | Path = "runs", port: int = 0
) -> WatchServer:
    """Return a server that listens on this machine; its ``run`` answers.

    Args:
        runs: Folders of runs; none: every run in ``root``, also later ones.
        root: Where runs lie.
        port: Where to listen; 0 takes any free port.

    Raises:
        MissingExtraError: The extra ``watch`` is not installed.
        UsageError: A folder holds no run, or the port cannot be used.
    """
    try:
        server: Any = import_module("reward_synth.watch.server")
    except ModuleNotFoundError as cause:
        raise MissingExtraError(cause.name or "starlette", "watch") from cause
    made: WatchServer = server.WatchServer(server.Watched(runs, root), port)
    return made
