"""Names of run folders."""

from __future__ import annotations

import re
from pathlib import Path

from reward_synth.errors import RewardSynthError
from reward_synth.store.run import RunStore, is_run
from reward_synth.store.troubles import folder_error

_NUMBER = re.compile(r"-(\d{4,})$")


def new_run_folder(root: str | Path = "runs", name: str = "run") -> Path:
    """Make and return a fresh folder, such as ``runs/pickcube-v1-0003``.

    The number is above that of every folder of the same name, and two processes
    never get the same one.

    Raises:
        UsageError: If ``root`` cannot be written.
        TryAgainError: If the disk is full.

    Example:
        >>> import tempfile
        >>> root = tempfile.mkdtemp()
        >>> [new_run_folder(root, "PickCube-v1").name for _ in range(2)]
        ['pickcube-v1-0001', 'pickcube-v1-0002']
    """
    root, stem = Path(root), _slug(name)
    try:
        root.mkdir(parents=True, exist_ok=True)
        number = _highest(root, stem)
        while True:
            number += 1
            folder = root / f"{stem}-{number:04d}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue  # another process was faster
            return folder
    except OSError as cause:
        raise folder_error(root, cause) from cause


def latest_unfinished(root: str | Path = "runs", name: str = "") -> Path | None:
    """Return the folder of the run that was started last and is not finished.

    Folders that hold no run that can be read are passed over.

    Args:
        root: Where runs lie.
        name: Prefer runs of this name to others; see :func:`new_run_folder`.
    """
    root = Path(root)
    if not root.is_dir():
        return None
    stem = f"{_slug(name)}-" if name else ""
    started = [
        (folder.name.startswith(stem), created, folder)
        for folder in root.iterdir()
        if (created := _start_of_unfinished(folder)) is not None
    ]
    return max(started)[2] if started else None


def _start_of_unfinished(folder: Path) -> float | None:
    if not is_run(folder):
        return None
    try:
        with RunStore.read(folder) as store:
            return None if store.finished else store.created
    except RewardSynthError:
        return None


def _highest(root: Path, stem: str) -> int:
    numbers = [
        int(found.group(1))
        for folder in root.glob(f"{stem}-*")
        if (found := _NUMBER.search(folder.name))
        and folder.name == f"{stem}{found.group()}"
    ]
    return max(numbers, default=0)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "run"
