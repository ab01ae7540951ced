"""Folders as bytes, to send them from one machine to another."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def packed_folder() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Give a new folder, and a function that returns what lies in it.

    Example:
        >>> with packed_folder() as (place, packed):
        ...     _ = Path(place, "a.txt").write_text("here")
        ...     data = packed()
        >>> with tempfile.TemporaryDirectory() as there:
        ...     fetched(data, Path(there))
        ...     Path(there, "a.txt").read_text()
        'here'
    """
    with tempfile.TemporaryDirectory(prefix="reward_synth-") as place:
        yield place, lambda: _packed(Path(place))


def _packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        archive.add(folder, arcname=".", filter=_plain)
    return buffer.getvalue()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out links and devices: a training may make them, and they lead elsewhere."""
    return member if member.isfile() or member.isdir() else None


def fetched(data: bytes, folder: Path) -> None:
    """Write what :func:`packed_folder` packed into a folder.

    Nothing is written outside of it, whatever the names say.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        archive.extractall(folder, filter="data")
