"""Large values beside the run's file, each under the digest of what it holds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reward_synth.errors import RewardSynthError
from reward_synth.store.files import PART, sync_folder, write_whole
from reward_synth.store.troubles import folder_error

FOLDER = "blobs"
LARGE = 32 * 1024
"""Bytes from which a value is kept outside the run's file."""
_REFERENCE = re.compile(r"blob:([0-9a-f]{64}):(\d+)\Z")


@dataclass(frozen=True, slots=True)
class BlobRef:
    """What stands in a row in place of a large value.

    Example:
        >>> ref = BlobRef.of(b"abc")
        >>> str(ref)[:20], BlobRef.parse(str(ref)) == ref
        ('blob:ba7816bf8f01cfe', True)
        >>> BlobRef.parse('{"text":"blob:"}') is None
        True
    """

    digest: str
    """SHA-256 of the bytes, in hexadecimal digits."""
    size: int
    """In bytes."""

    @classmethod
    def of(cls, data: bytes) -> BlobRef:
        """Return the reference to ``data``."""
        return cls(hashlib.sha256(data).hexdigest(), len(data))

    @classmethod
    def parse(cls, text: str) -> BlobRef | None:
        """Return the reference that ``text`` is; None if it is a value itself."""
        found = _REFERENCE.match(text)
        return None if found is None else cls(found[1], int(found[2]))

    def __str__(self) -> str:
        """Return what is written into a row; never valid JSON."""
        return f"blob:{self.digest}:{self.size}"


class Blobs:
    """The blobs of one run: ``folder/blobs/ba/7816bf…``.

    A blob is whole and synced before a row refers to it.

    Example:
        >>> import tempfile
        >>> blobs = Blobs(Path(tempfile.mkdtemp()))
        >>> blobs.get(blobs.put(b"abc"))
        b'abc'
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def path(self, ref: BlobRef) -> Path:
        """Return where a blob lies."""
        return self.folder / ref.digest[:2] / ref.digest[2:]

    def put(self, data: bytes) -> BlobRef:
        """Keep ``data``; on return it survives a power cut.

        Raises:
            TryAgainError: If the disk is full or fails.
        """
        ref = BlobRef.of(data)
        path = self.path(ref)
        if self.trouble(ref):  # absent, or damaged: written again
            self._make(path.parent)
            write_whole(path, data)
        return ref

    def get(self, ref: BlobRef) -> bytes:
        """Return the bytes of a blob.

        Raises:
            RewardSynthError: If it is missing or damaged.
        """
        trouble = self.trouble(ref)
        if trouble:
            run = self.folder.parent
            raise RewardSynthError(
                f"{self.path(ref)} {trouble}. `reward_synth runs repair {run}` drops "
                "what depends on it, and going on with the run makes it again."
            )
        return self.path(ref).read_bytes()

    def _make(self, place: Path) -> None:
        if place.is_dir():
            return
        try:
            place.mkdir(parents=True, exist_ok=True)
            for folder in (self.folder, self.folder.parent):  # their names, too
                sync_folder(folder)
        except OSError as cause:
            raise folder_error(place, cause) from cause

    def trouble(self, ref: BlobRef) -> str:
        """Return what is wrong with a blob, empty if it is whole."""
        try:
            data = self.path(ref).read_bytes()
        except FileNotFoundError:
            return "is missing"
        except OSError as cause:
            return f"cannot be read: {cause.strerror}"
        if len(data) != ref.size:
            return f"has {len(data)} bytes, not {ref.size}"
        return "" if BlobRef.of(data) == ref else "is damaged: its digest is another"

    def files(self) -> Iterator[Path]:
        """Yield every file below the folder, half-written ones too, by name."""
        yield from sorted(item for item in self.folder.rglob("*") if item.is_file())

    def digest_of(self, path: Path) -> str | None:
        """Return the digest that a file is named after; None: it is half-written."""
        if path.name.startswith(PART):
            return None
        return path.parent.name + path.name
