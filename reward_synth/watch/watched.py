"""Which runs are shown, each under an id; a request can name no other folder."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from reward_synth.errors import UsageError
from reward_synth.store.run import FILE, is_run
from reward_synth.watch.live import LiveRun


class Watched:
    """The runs that were asked for, or all that lie in a folder.

    Args:
        runs: Folders of runs; none: every run in ``root``, also later ones.
        root: Where runs lie; it may be made later.

    Raises:
        UsageError: One of ``runs`` holds no run.

    Example:
        >>> import tempfile
        >>> from reward_synth.store import RunStore
        >>> root = Path(tempfile.mkdtemp())
        >>> watched = Watched(root=root)
        >>> RunStore.open(root / "hopper-0001", {}).close()
        >>> list(watched.runs())
        ['hopper-0001']
    """

    def __init__(
        self, runs: Sequence[str | Path] = (), root: str | Path = "runs"
    ) -> None:
        self.root = Path(root)
        self.alone = len(runs) == 1
        """True if there is one run and will be no other."""
        self._given = [_checked(Path(item)) for item in runs]
        self._lock = threading.Lock()
        self._runs: dict[str, LiveRun] = {}

    @property
    def place(self) -> str:
        """Where the runs come from, in words."""
        return "the folders that were given" if self._given else f"{self.root}/"

    def runs(self) -> Mapping[str, LiveRun]:
        """Return the runs that are there now, by id."""
        found = dict(_named(self._given or _inside(self.root)))
        with self._lock:
            self._runs = {
                name: self._runs.get(name) or LiveRun(name, folder)
                for name, folder in found.items()
            }
            return dict(self._runs)


def _checked(folder: Path) -> Path:
    if not is_run(folder):
        raise UsageError(
            f"{folder} holds no run (there is no {FILE} in it). Check the folder's name, "
            "or leave it out to watch every run in runs/."
        )
    return folder


def _inside(root: Path) -> list[Path]:
    try:
        return sorted(item for item in root.iterdir() if is_run(item))
    except OSError:
        return []  # not made yet, or gone


def _named(folders: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Yield each folder once, with its name; a further one of that name gets a number.

    Example:
        >>> [name for name, _ in _named([Path("/a/x"), Path("/b/x"), Path("/a/x")])]
        ['x', 'x-2']
    """
    names: set[str] = set()
    for folder in dict.fromkeys(item.resolve() for item in folders):
        plain = folder.name.encode("utf-8", "replace").decode() or "run"
        name, number = plain, 1
        while name in names:
            number += 1
            name = f"{plain}-{number}"
        names.add(name)
        yield name, folder
