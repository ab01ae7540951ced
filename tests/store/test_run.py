"""What a run store keeps, and what it refuses."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reward_synth.errors import RewardSynthError, RunConflictError, UsageError
from reward_synth.store import (
    Event,
    ProgramRow,
    RunStore,
    TrialRow,
    latest_unfinished,
    new_run_folder,
)

CONFIG = {"env": "PushCube-v1", "search": {"rounds": 3, "arms": ("a", "b")}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore.open(tmp_path / "run", CONFIG) as opened:
        yield opened


def reopened(store: RunStore) -> RunStore:
    store.close()
    return RunStore.open(store.folder, CONFIG)


def test_everything_survives_a_restart(store: RunStore) -> None:
    """Rows come back equal, and in the order of writing."""
    first = ProgramRow("d1", "def compute_reward(x): ...", "model", "tiny", "r1")
    second = ProgramRow("d0", "def compute_reward(y): ...", "mutate", parents=("d1",))
    trial = TrialRow("k", "dense", 3, {"steps": 10}, "ok", {"returns": [0.5, 1.0]})
    for row in (first, second):
        store.programs.record(row)
    store.programs.record_findings("d1", "parse", [{"line": 3, "says": "no unit"}])
    store.programs.record_findings("d1", "speed", [])
    store.programs.record_score("d1", "success", 0.25)
    store.record_trial(trial)
    store.record_event("skipped", "No GPU: kernels run on the CPU.")
    store.finish()
    with reopened(store) as again:
        assert list(again.programs) == [first, second]
        assert again.programs.find("d0") == second
        assert again.programs.findings("d1") == {
            "parse": [{"line": 3, "says": "no unit"}],
            "speed": [],
        }
        assert again.programs.scores("d1") == {"success": 0.25}
        assert (again.find_trial("k"), list(again.trials())) == (trial, [trial])
        assert list(again.events()) == [
            Event("skipped", "No GPU: kernels run on the CPU.")
        ]
        assert again.finished
        assert again.config == {
            "env": "PushCube-v1",
            "search": {"rounds": 3, "arms": ["a", "b"]},
        }


def test_missing_rows_are_none(store: RunStore) -> None:
    """What was never recorded is None or empty, not an error."""
    assert store.find_trial("k") is None
    assert store.programs.find("d") is None
    assert store.calls.find("r") is None
    assert store.programs.scores("d") == {}
    assert not store.finished


def test_the_same_row_again_changes_nothing(store: RunStore) -> None:
    """A resumed run may go through its steps again: one row stays one row."""
    trial = TrialRow("k", "dense", 0, {"steps": 10}, "ok", {"return": math.nan})
    for _ in range(3):
        store.calls.intend("r", {"slot": 0})
        store.calls.settle("r", {"text": "Hi"})
        store.record_trial(trial)
        store.programs.record_score("d", "success", 1.0)
        store.record_event("skipped", "once")
        store.finish()
    assert len(list(store.calls.completions())) == 1
    assert len(list(store.trials())) == 1
    assert len(list(store.events())) == 1


def test_another_row_under_the_same_key_is_an_error(store: RunStore) -> None:
    """Nothing that was recorded can be replaced, and the error shows both."""
    store.calls.settle("r", {"text": "Hi"})
    store.programs.record_score("d", "success", 0.5)
    with pytest.raises(RewardSynthError, match=r'"Hi".*"Ho"'):
        store.calls.settle("r", {"text": "Ho"})
    with pytest.raises(RewardSynthError, match=r"0\.5.*0\.75"):
        store.programs.record_score("d", "success", 0.75)
    with sqlite3.connect(store.folder / "run.sqlite") as file:
        for change in ("UPDATE scores SET payload = 1", "DELETE FROM scores"):
            with pytest.raises(sqlite3.IntegrityError, match="rows are never"):
                file.execute(change)
    file.close()
    assert store.programs.scores("d") == {"success": 0.5}


def test_a_program_proposed_twice_keeps_both_origins(store: RunStore) -> None:
    """Models repeat themselves: a program counts once and keeps every origin."""
    first = ProgramRow("d", "def f(): ...", "model", request="r1")
    second = ProgramRow("d", "def f():  ...", "model", request="r2")
    assert store.programs.record(first)
    assert not store.programs.record(second)
    assert not store.programs.record(first)
    assert list(store.programs) == [first]
    assert list(store.programs.proposals()) == [first, second]


def test_only_a_standing_completion_can_be_reopened(store: RunStore) -> None:
    """Reopening what has no completion, or is open already, is refused."""
    with pytest.raises(UsageError, match="no completion"):
        store.calls.reopen("r")
    store.calls.settle("r", {"status": "timeout"})
    store.calls.reopen("r")
    with pytest.raises(UsageError, match="no completion"):
        store.calls.reopen("r")


def test_numbers_of_all_kinds_are_kept(store: RunStore) -> None:
    """NumPy values, NaN and infinity come back as the same plain numbers."""
    result = {
        "mean": np.float32(0.5),
        "curve": np.array([1.0, 2.0]),
        "steps": np.int64(7),
        "solved": np.bool_(True),
        "worst": -math.inf,
    }
    store.record_trial(TrialRow("k", "a", 0, {}, "ok", result))
    found = store.find_trial("k")
    assert found is not None
    assert found.result == {
        "mean": 0.5,
        "curve": [1.0, 2.0],
        "steps": 7,
        "solved": True,
        "worst": -math.inf,
    }


def test_values_without_json_are_refused(store: RunStore) -> None:
    """An object that JSON cannot hold is named by its type."""
    with pytest.raises(RewardSynthError, match="cannot be stored as JSON"):
        store.record_trial(TrialRow("k", "a", 0, {"f": object()}, "ok"))


def test_any_text_is_kept(store: RunStore) -> None:
    """NUL, half characters and quotes in a model's text come back as they were."""
    text = "a\x00b\ud800c'\"\n漢"
    store.calls.settle("r", {"text": text})
    store.record_event("skipped", text)
    assert store.calls.find("r") == {"text": text}
    assert list(store.events()) == [Event("skipped", text)]


def test_long_tables_come_back_whole(store: RunStore) -> None:
    """Reading in pages of 256 neither loses nor repeats a row."""
    for number in range(256 * 2 + 1):
        store.calls.settle(f"r{number:04d}", {"number": number})
    found = [payload["number"] for _, payload in store.calls.completions()]
    assert found == list(range(256 * 2 + 1))


def test_time_is_kept_but_no_key(tmp_path: Path) -> None:
    """The same row at another time is the same row; the first time stays."""
    times = iter(float(second) for second in range(100, 200))
    with RunStore.open(tmp_path, {}, clock=lambda: next(times)) as store:
        begun = store.created
        store.record_event("skipped", "a")
        store.record_event("skipped", "a")
        assert begun == store.created == 101.0  # 100 is the schema's row
        assert len(list(store.events())) == 1


def test_threads_share_a_store(store: RunStore) -> None:
    """Eight threads that write at once lose nothing."""

    def write(thread: int) -> None:
        for number in range(20):
            store.calls.settle(f"{thread}-{number}", {"thread": thread})

    threads = [threading.Thread(target=write, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.calls.completions())) == 8 * 20


class TestOpening:
    """Who may open a run, and with which configuration."""

    def test_another_configuration_is_refused(self, store: RunStore) -> None:
        """Every differing key is listed with both values, and nothing else."""
        store.close()
        other = {
            "env": "PushCube-v1",
            "search": {"rounds": 5, "arms": ["a", "b"]},
            "seed": 1,
        }
        with pytest.raises(RunConflictError) as caught:
            RunStore.open(store.folder, other)
        assert str(caught.value).split("\n")[1:] == [
            "  search.rounds: 5 asked, 3 in the run",
            "  seed: 1 asked, (absent) in the run",
        ]
        RunStore.open(store.folder, CONFIG).close()  # the refusal left no lock

    def test_an_empty_section_is_no_missing_one(self, tmp_path: Path) -> None:
        """``{"a": {}}`` and ``{}`` are different configurations."""
        RunStore.open(tmp_path, {"a": {}}).close()
        with pytest.raises(RunConflictError, match="a:"):
            RunStore.open(tmp_path, {})

    def test_one_process_a_run(self, store: RunStore) -> None:
        """A second process is told which one holds the run; reading is free."""
        code = (
            "import sys; from reward_synth.store import RunStore\n"
            "RunStore.read(sys.argv[1]).close()\n"
            "RunStore.open(sys.argv[1], {})"
        )
        ran = subprocess.run(
            [sys.executable, "-c", code, str(store.folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "RunConflictError" in ran.stderr
        assert f"in use by process {os.getpid()}" in ran.stderr

    def test_a_forked_worker_does_not_keep_the_run(self, store: RunStore) -> None:
        """A child that outlives us holds no lock, and cannot write."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                store.record_event("skipped", "from a child")
                os.write(writer, b"written")
            except RewardSynthError:
                os.write(writer, b"refused")
            threading.Event().wait(30)
            os._exit(0)
        try:
            assert os.read(reader, 7) == b"refused"
            store.close()
            RunStore.open(store.folder, CONFIG).close()
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)
            os.close(reader)
            os.close(writer)

    def test_create_false_makes_nothing(self, tmp_path: Path) -> None:
        """Going on with a run that is not there is refused, and leaves no folder."""
        with pytest.raises(UsageError, match="holds no run"):
            RunStore.open(tmp_path / "none", CONFIG, create=False)
        assert not (tmp_path / "none").exists()

    def test_a_file_that_is_no_run(self, tmp_path: Path) -> None:
        """Garbage named run.sqlite is refused, for reading and for writing."""
        (tmp_path / "run.sqlite").write_bytes(b"garbage " * 1000)
        for attempt in (RunStore.read, lambda path: RunStore.open(path, CONFIG)):
            with pytest.raises(UsageError, match="no run file"):
                attempt(tmp_path)

    def test_a_file_of_something_else_stays_as_it_is(self, tmp_path: Path) -> None:
        """A database of another program named run.sqlite is refused and not touched."""
        path = tmp_path / "run.sqlite"
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE recipes (name TEXT)")
            other.commit()
        with pytest.raises(RunConflictError, match="recipes"):
            RunStore.open(tmp_path, CONFIG)
        with contextlib.closing(sqlite3.connect(path)) as other:
            names = other.execute("SELECT name FROM sqlite_master").fetchall()
        assert names == [("recipes",)]

    def test_a_folder_below_a_file(self, tmp_path: Path) -> None:
        """A path that cannot be made is named, with what to do."""
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match=r"file/run.*Give a folder"):
            RunStore.open(tmp_path / "file" / "run", CONFIG)

    def test_a_folder_without_permission(self, tmp_path: Path) -> None:
        """An unwritable folder is refused by its path (as an ordinary user)."""
        code = (
            "import os, sys; from reward_synth.store import RunStore\n"
            "os.chdir(sys.argv[1]); os.getuid() or os.setuid(65534)\n"
            "RunStore.open('closed', {})"
        )
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o555)
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        ran = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        last = ran.stderr.strip().splitlines()[-1]
        assert "UsageError: Cannot write closed/lock: Permission denied" in last

    def test_another_format_is_refused(self, store: RunStore) -> None:
        """A file of a later version is not touched."""
        store.close()
        other = store.folder.parent / "later"
        other.mkdir()
        RunStore.open(other, CONFIG).close()
        with sqlite3.connect(other / "run.sqlite") as file:
            file.execute("DROP TRIGGER meta_no_update")
            file.execute("UPDATE meta SET payload = '99' WHERE key = 'schema'")
        file.close()
        for attempt in (RunStore.read, lambda path: RunStore.open(path, CONFIG)):
            with pytest.raises(RunConflictError, match="format 99"):
                attempt(other)


class TestReading:
    """Reading a run for replay and reports."""

    def test_nothing_can_be_written(self, store: RunStore) -> None:
        """A run opened for reading refuses rows."""
        with (
            RunStore.read(store.folder) as reader,
            pytest.raises(UsageError, match="opened for reading"),
        ):
            reader.record_event("skipped", "a")

    def test_a_run_that_goes_on(self, store: RunStore) -> None:
        """A reader sees what the writer wrote a moment before."""
        with RunStore.read(store.folder) as reader:
            store.programs.record_score("d", "success", 1.0)
            assert reader.programs.scores("d") == {"success": 1.0}

    def test_a_folder_that_cannot_be_written(self, store: RunStore) -> None:
        """A finished run on read-only storage can be read (as an ordinary user)."""
        store.programs.record_score("d", "success", 1.0)
        store.close()
        assert not (store.folder / "run.sqlite-wal").exists()
        store.folder.chmod(0o555)
        mine = Path(tempfile.gettempdir())
        for folder in store.folder.parents:
            if mine in folder.parents:
                folder.chmod(0o755)
        code = (
            "import os, sys; from reward_synth.store import RunStore\n"
            "os.chdir(sys.argv[1]); os.getuid() or os.setuid(65534)\n"
            "print(RunStore.read('.').programs.scores('d'))"
        )
        ran = subprocess.run(
            [sys.executable, "-c", code, str(store.folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stdout.strip() == "{'success': 1.0}", ran.stderr

    @pytest.mark.parametrize("make", [True, False], ids=["empty", "missing"])
    def test_no_run(self, make: bool, tmp_path: Path) -> None:
        """A folder without a run is named; reading makes no file in it."""
        folder = tmp_path / "runs"
        if make:
            folder.mkdir()
        with pytest.raises(UsageError, match=f"{folder} holds no run"):
            RunStore.read(folder)
        assert not make or not list(folder.iterdir())


class TestFolders:
    """Names of run folders."""

    def test_numbers_rise(self, tmp_path: Path) -> None:
        """The next number is above the highest, gaps and other names left alone."""
        for name in ("pick-0007", "pick-0002", "pick-place-0044", "pick-x"):
            (tmp_path / name).mkdir()
        assert new_run_folder(tmp_path, "Pick").name == "pick-0008"
        assert new_run_folder(tmp_path, "pick/place").name == "pick-place-0045"

    @pytest.mark.parametrize("name", ["../../etc", "/", "", "a b\n", "…", "x" * 500])
    def test_names_stay_below_the_root(self, name: str, tmp_path: Path) -> None:
        """Whatever the name, the folder lies directly in the root."""
        folder = new_run_folder(tmp_path, name)
        assert folder.is_dir()
        assert folder.parent == tmp_path

    def test_two_processes_never_share_a_name(self, tmp_path: Path) -> None:
        """Four processes that make 25 folders each make 100 different ones."""
        code = (
            "import sys; from reward_synth.store import new_run_folder\n"
            "for _ in range(25): print(new_run_folder(sys.argv[1]).name)"
        )
        command = [sys.executable, "-c", code, str(tmp_path)]
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        names = [name for p in running for name in p.communicate()[0].split()]
        assert len(set(names)) == len(names) == 100

    def test_latest_unfinished(self, tmp_path: Path) -> None:
        """The run started last counts, unless it is finished or no run at all."""
        assert latest_unfinished(tmp_path / "none") is None
        assert latest_unfinished(tmp_path) is None
        for number, name in enumerate(["b", "c", "a"]):
            clock = itertools.repeat(float(number)).__next__
            with RunStore.open(tmp_path / name, {}, clock=clock) as store:
                if name == "a":
                    store.finish()
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / "run.sqlite").write_bytes(b"garbage " * 1000)
        assert latest_unfinished(tmp_path) == tmp_path / "c"

    def test_a_run_of_the_same_name_comes_first(self, tmp_path: Path) -> None:
        """An older run of the name is preferred to newer ones of others."""
        for number, name in enumerate(["bench-quick-0001", "hopper-v5-0001"]):
            clock = itertools.repeat(float(number)).__next__
            RunStore.open(tmp_path / name, {}, clock=clock).close()
        assert latest_unfinished(tmp_path, "bench-quick").name == "bench-quick-0001"  # type: ignore[union-attr]  # there is one
        assert latest_unfinished(tmp_path, "Ant-v5") == tmp_path / "hopper-v5-0001"
