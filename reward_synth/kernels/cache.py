"""Where machine code is kept between processes, and when it is trusted.

numba keeps code as pickles, which could run anything when they are read. So they are
read only from a folder that nobody else can write to, and only if a note beside them
names the digest of what is computed and of the bytes of each file. Anything else is as
good as nothing: the kernel is compiled anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

CACHE = "REWARD_SYNTH_CACHE"
"""Environment variable: the folder of compiled kernels; empty: keep none."""
_PRIVATE = 0o700
_MOST_KEPT = 4000
"""About 300 MB."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Checked:
    """numba's cache of one function, which takes files that were changed as none.

    numba itself unpickles what it finds, and stops with whatever that raises.

    Args:
        cache: numba's own.
        digest: Of what is computed.
    """

    def __init__(self, cache: Any, digest: str) -> None:
        self._inner = cache
        self._digest = digest
        self._base: Path = Path(cache.cache_path) / str(cache._impl.filename_base)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def load_overload(self, *args: Any) -> Any:
        """Return kept code, or None; an index that is not ours is emptied."""
        if not self._file(".nbi").exists():
            return None
        try:
            if self._read() == self._note():
                return self._inner.load_overload(*args)
        except Exception:  # unpickling what another version wrote may raise anything
            pass
        with suppress(OSError):
            self._inner.flush()
            self._write()
        return None

    def save_overload(self, *args: Any) -> None:
        """Keep code; on a full disk it is not kept."""
        with suppress(OSError):
            self._inner.save_overload(*args)
            self._write()

    def _note(self) -> dict[str, Any]:
        """Return what a note on the files as they are says."""
        paths, number = [self._file(".nbi")], 1
        while (path := self._file(f".{number}.nbc")).exists():
            paths.append(path)
            number += 1
        files = {path.name: _sha256(path.read_bytes()) for path in paths}
        return {"digest": self._digest, **versions(), "files": files}

    def _read(self) -> Any:
        try:
            return json.loads(self._file(".json").read_bytes())
        except (OSError, ValueError):
            return None

    def _write(self) -> None:
        part = self._file(f".{os.getpid()}.part")
        part.write_text(json.dumps(self._note()))
        part.replace(self._file(".json"))

    def _file(self, end: str) -> Path:
        made: Path = self._base.with_name(self._base.name + end)
        return made


@lru_cache(maxsize=1)
def _versions() -> tuple[tuple[str, str], ...]:
    import llvmlite  # noqa: PLC0415 - takes seconds to import
    import numba  # noqa: PLC0415 - the same

    return (
        ("numba", numba.__version__),
        ("llvmlite", llvmlite.__version__),
        ("python", platform.python_version()),
    )


def versions() -> dict[str, str]:
    """Return the versions of what machine code is made with."""
    return dict(_versions())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, or None where none can be trusted.

    Compiled code is loaded from it, so it must belong to the user alone.
    """
    named = os.environ.get(CACHE)
    if named == "":
        return None
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(named) if named else Path(base) / "reward_synth" / "kernels"
    try:
        folder = folder.expanduser()
        code = folder / "__pycache__"  # where numba puts it
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        code.mkdir(mode=_PRIVATE, exist_ok=True)
        trusted = all(map(_private, (folder, code)))
    except (OSError, RuntimeError):
        return None
    return folder if trusted else None


def _private(folder: Path) -> bool:
    """Tell whether the user, and nobody else, can write to a folder."""
    found = folder.stat()
    owned = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return owned and os.access(folder, os.W_OK) and not found.st_mode & _OTHERS_WRITE


def keeps_code() -> bool:
    """Tell whether machine code is kept for later processes."""
    return cache_folder() is not None


def kept(text: str, digest: str) -> Path | None:
    """Write a kernel's text where numba keeps compiled code beside it.

    Args:
        text: Of the kernel.
        digest: Of the text and of all else that the code depends on.
    """
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / f"generated_{digest[:32]}.py"
    if path.exists():  # numba compares its time of change
        return path
    _prune(folder)
    try:
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(text)
        part.rename(path)
    except OSError:
        return None
    return path


def _prune(folder: Path) -> None:
    """Drop the older half where too many kernels are kept."""
    kept = list(folder.glob("generated_*.py"))
    if len(kept) < _MOST_KEPT:
        return
    with suppress(OSError):  # another process may prune, too
        kept.sort(key=lambda path: path.stat().st_mtime)
        for path in kept[: _MOST_KEPT // 2]:
            for code in folder.glob(f"__pycache__/{path.stem}.*"):
                code.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
