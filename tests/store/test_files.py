"""Files and blobs are there whole or not at all; room is kept for what is paid for."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from reward_synth.errors import RewardSynthError, TryAgainError
from reward_synth.store import RunStore, whole_file
from reward_synth.store.blobs import LARGE, BlobRef, Blobs
from reward_synth.store.reserve import Reserve


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was synced and renamed, in order."""
    seen: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(number: int) -> None:
        seen.append(f"sync {Path(os.readlink(f'/proc/self/fd/{number}')).name}")
        real_fsync(number)

    def replace(old: Any, new: Any) -> None:
        seen.append(f"rename {Path(new).name}")
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return seen


def test_a_file_is_synced_before_it_gets_its_name(
    tmp_path: Path, order: list[str]
) -> None:
    """The bytes, then the name, then the folder that holds the name."""
    with whole_file(tmp_path / "report.md") as part:
        part.write_text("x")
    expected = ["sync .part-report.md", "rename report.md", f"sync {tmp_path.name}"]
    assert order == expected


def test_a_row_comes_after_its_blob(tmp_path: Path, order: list[str]) -> None:
    """When the row is written, the blob and its folder are synced already."""
    with RunStore.open(tmp_path / "run", {}) as store:
        order.clear()
        store.calls.settle("r", {"text": "x" * LARGE})
        digest = next(iter(store.calls.completions()))[0]
    assert digest == "r"
    renamed = next(n for n, text in enumerate(order) if text.startswith("rename"))
    assert order[renamed - 1].startswith("sync .part-")
    assert order[renamed + 1].startswith("sync ")


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails, the old contents stay and nothing half-written is left."""
    path = tmp_path / "report.md"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, name, fail)
    with (
        pytest.raises(TryAgainError, match=r"report\.md: Input/output error"),
        whole_file(path) as part,
    ):
        part.write_text("new")
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["report.md"]


def test_large_payloads_come_back_from_blobs(tmp_path: Path) -> None:
    """Equal large payloads are kept once, and read as they were written."""
    payload = {"text": "é" * LARGE}
    with RunStore.open(tmp_path, {}) as store:
        for name in ("a", "b"):
            store.calls.settle(name, payload)
        store.calls.settle("a", payload)  # the same row again
    with RunStore.read(tmp_path) as store:
        assert store.calls.find("a") == store.calls.find("b") == payload
    assert len(list(Blobs(tmp_path).files())) == 1


@pytest.mark.parametrize("harm", ["missing", "cut", "changed"])
def test_a_damaged_blob_is_never_taken_for_the_answer(
    harm: str, tmp_path: Path
) -> None:
    """A blob whose bytes are not the recorded ones is named, with the cure."""
    with RunStore.open(tmp_path, {}) as store:
        store.calls.settle("r", {"text": "x" * LARGE})
    (blob,) = Blobs(tmp_path).files()
    if harm == "missing":
        blob.unlink()
    else:
        data = blob.read_bytes()
        blob.write_bytes(data[:-1] if harm == "cut" else b"y" + data[1:])
    with (
        RunStore.read(tmp_path) as store,
        pytest.raises(RewardSynthError, match="runs repair"),
    ):
        store.calls.find("r")


def test_a_damaged_blob_is_written_again(tmp_path: Path) -> None:
    """Putting the same bytes again mends a damaged blob."""
    blobs = Blobs(tmp_path)
    ref = blobs.put(b"abc")
    assert ref == BlobRef.of(b"abc")
    blobs.path(ref).write_bytes(b"abd")
    blobs.put(b"abc")
    assert blobs.get(ref) == b"abc"


def test_no_request_without_room_for_its_answer(tmp_path: Path) -> None:
    """Once the reserve is given up, requests are refused and answers still kept."""
    with RunStore.open(tmp_path, {}) as store:
        store.calls.intend("r1", {})
        assert (tmp_path / "reserve").stat().st_size > 100_000
        reserve: Reserve = store._database.reserve
        assert reserve.give_up()
        assert not (tmp_path / "reserve").exists()
        store.calls.settle("r1", {"text": "paid for"})
        with pytest.raises(TryAgainError, match="disk is full"):
            store.calls.intend("r2", {})
    with RunStore.open(tmp_path, {}) as store:  # space was freed
        store.calls.intend("r2", {})
    assert not (tmp_path / "reserve").exists()
