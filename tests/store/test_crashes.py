"""kill -9 and full disks: what was acknowledged is there."""

from __future__ import annotations

import random
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from reward_synth.store import RunStore

WRITER = textwrap.dedent("""
    import sys
    from reward_synth.store import RunStore
    with RunStore.open(sys.argv[1], {"a": 1}) as store:
        number = sum(1 for _ in store.calls.completions())
        print("open", number, flush=True)
        while True:
            store.calls.settle(f"r{number}", {"text": "x" * 3000})
            print("row", number, flush=True)
            number += 1
""")

FILLER = textwrap.dedent("""
    import sys
    from reward_synth.errors import TryAgainError
    from reward_synth.store import RunStore
    rows = 0
    try:
        store = RunStore.open(sys.argv[1], {"a": 1})
        while True:
            store.calls.settle(f"r{rows}", {"text": "x" * 3000})
            rows += 1
    except TryAgainError as error:
        print(rows, error)
        sys.exit(error.exit_code)
""")


def rows_of(folder: Path) -> list[str]:
    with RunStore.read(folder) as store:
        return [digest for digest, _ in store.calls.completions()]


def check_integrity(folder: Path) -> None:
    file = sqlite3.connect(folder / "run.sqlite")
    assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """Twenty kills at random moments, opening included: every printed row is there.

    Each child goes on where the one before was killed.
    """
    rng = random.Random(7)
    acknowledged: list[str] = []
    for _ in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            first = child.stdout.readline().split()
            assert first[0] == "open"
            assert int(first[1]) >= len(acknowledged)
            time.sleep(rng.uniform(0.0, 0.1))
            child.send_signal(signal.SIGKILL)
            lines = child.stdout.read().split("\n")
        # The last line may be cut; what precedes a line end was acknowledged.
        acknowledged += [f"r{line.split()[1]}" for line in lines[:-1]]
        check_integrity(tmp_path)
        found = rows_of(tmp_path)
        assert set(acknowledged) <= set(found)
        assert found == [f"r{number}" for number in range(len(found))]
    assert len(acknowledged) >= 20


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.01, 0.02, 0.04])
def test_a_kill_while_the_run_is_made(delay: float, tmp_path: Path) -> None:
    """A folder whose making was killed at any moment can be made again."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "run")], stdout=subprocess.PIPE
    ) as child:
        while not (tmp_path / "run").exists() and child.poll() is None:
            time.sleep(0.0005)
        time.sleep(delay)
        child.kill()
    RunStore.open(tmp_path / "run", {"a": 1}).close()
    check_integrity(tmp_path / "run")


def fill(folder: Path, limit: int | None = None) -> tuple[int, str]:
    """Write until the disk is full; return the acknowledged rows and the message."""

    def set_limit() -> None:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ran = subprocess.run(
        [sys.executable, "-c", FILLER, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=set_limit,
    )
    assert ran.returncode == 75, ran.stderr
    rows, _, message = ran.stdout.strip().partition(" ")
    return int(rows), message


@pytest.mark.parametrize(
    "limit", [10, 1_000, 30_000, 200_000, 1_000_000, 2_000_000], ids=str
)
def test_a_limit_of_the_file_size(limit: int, tmp_path: Path) -> None:
    """Where no more may be written: exit code 75, a message, and no row lost."""
    rows, message = fill(tmp_path, limit)
    assert str(tmp_path) in message
    assert "run the same command again" in message
    with RunStore.open(tmp_path, {"a": 1}) as store:
        found = [digest for digest, _ in store.calls.completions()]
        assert found[:rows] == [f"r{number}" for number in range(rows)]
        store.record_event("resumed", "there is space again")
    check_integrity(tmp_path)


def test_a_full_disk(tmp_path: Path) -> None:
    """On a full disk of 2 MB: as above, and the run goes on once space is freed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        (disk / "ballast").write_bytes(b"x" * 500_000)
        rows, message = fill(disk / "run")
        assert rows > 10
        assert "full" in message
        assert "Traceback" not in message
        assert rows_of(disk / "run")[:rows] == [f"r{number}" for number in range(rows)]
        (disk / "ballast").unlink()
        more, _ = fill(disk / "run")
        assert more > rows
        check_integrity(disk / "run")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_run_on_read_only_storage(tmp_path: Path) -> None:
    """A run on a read-only disk can be read; going on with it names the path."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        RunStore.open(disk / "run", {"a": 1}).close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert rows_of(disk / "run") == []
        ran = subprocess.run(
            [sys.executable, "-c", FILLER, str(disk / "run")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "UsageError: Cannot write" in ran.stderr
        assert "Read-only file system" in ran.stderr
    finally:
        subprocess.run(["umount", str(disk)], check=True)


PAID = textwrap.dedent("""
    import os, sys
    from reward_synth.errors import TryAgainError
    from reward_synth.store import RunStore
    folder = sys.argv[1]
    store = RunStore.open(folder, {"a": 1})
    store.calls.intend("r1", {"slot": 1})
    with open(os.path.join(os.path.dirname(folder), "ballast"), "ab", 0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    store.calls.settle("r1", {"text": "x" * 20_000})
    try:
        store.calls.intend("r2", {"slot": 2})
    except TryAgainError as error:
        sys.exit(error.exit_code)
""")


def test_an_answer_finds_room_on_a_full_disk(tmp_path: Path) -> None:
    """The disk fills up between request and answer: it is kept, and no other is asked."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        ran = subprocess.run(
            [sys.executable, "-c", PAID, str(disk / "run")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 75, ran.stderr
        assert rows_of(disk / "run") == ["r1"]
        check_integrity(disk / "run")
        (disk / "ballast").unlink()
        with RunStore.open(disk / "run", {"a": 1}) as store:
            store.calls.intend("r2", {"slot": 2})
    finally:
        subprocess.run(["umount", str(disk)], check=True)
