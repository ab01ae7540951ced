"""Verifying, repairing and tidying runs; runs of other versions."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reward_synth.benchmarks.journal_steps import Plan, Steps
from reward_synth.errors import RunConflictError, UsageError
from reward_synth.store import (
    RunStore,
    collect_garbage,
    inspect_run,
    latest_unfinished,
    repair_run,
    summarise_run,
)
from reward_synth.store.blobs import Blobs
from reward_synth.store.schema import VERSION
from tests.store.damage import CONFIG, LONG, change, make_run, old_run, spoil_page


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run")


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return every file's bytes, without the index that SQLite's readers make."""
    files = (
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    )
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


class TestVerify:
    """What is found, and that nothing is changed."""

    def test_a_sound_run(self, run: Path) -> None:
        """Nothing is wrong, every table is counted, and no byte changes."""
        before = snapshot(run)
        found = inspect_run(run)
        assert (found.ok, found.troubles, found.blobs) == (True, (), 1)
        assert found.rows["completions"] == found.rows["requests"] == 3
        assert snapshot(run) == before

    @pytest.mark.parametrize(
        "harm", ["page", "header", "blob", "json", "file", "truncated"]
    )
    def test_every_kind_of_damage_is_found(self, harm: str, run: Path) -> None:
        """A spoilt page, header, blob, payload, file, or a cut file is damage."""
        if harm == "page":
            spoil_page(run, "trials")
        elif harm == "header":
            (run / "run.sqlite").write_bytes(b"noise " * 2000)
        elif harm == "blob":
            next(Blobs(run).files()).write_bytes(b"y")
        elif harm == "json":
            change(run, "scores", "SELECT 1")
            change(run, "trials", "UPDATE trials SET payload = '{\"key'")
        elif harm == "file":
            (run / "task.json").write_text("{} ")
        else:
            data = (run / "run.sqlite").read_bytes()
            (run / "run.sqlite").write_bytes(data[: len(data) // 2])
        found = inspect_run(run)
        assert not found.ok
        assert {item.kind for item in found.troubles} == {"damage"}

    def test_leftovers_do_no_harm(self, run: Path) -> None:
        """A blob without a row and a half-written file are told, and the run is ok."""
        Blobs(run).put(b"nobody's")
        (run / ".part-report.md").write_text("# Rep")
        found = inspect_run(run)
        assert found.ok
        assert [item.kind for item in found.troubles] == ["leftover"] * 2

    def test_a_key_in_any_file_is_found(self, run: Path) -> None:
        """A file that holds a key of the environment is named."""
        assert inspect_run(run, ["sk-0123456789"]).ok
        (run / "trials").mkdir()
        (run / "trials" / "log.txt").write_text("Bearer sk-0123456789")
        found = inspect_run(run, ["sk-0123456789"])
        assert not found.ok
        assert [item.kind for item in found.troubles] == ["secret"]

    def test_a_run_that_goes_on_has_no_leftovers(self, tmp_path: Path) -> None:
        """What another process is writing just now is none of our business."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            store = RunStore.open(tmp_path / "run", CONFIG)
            Blobs(tmp_path / "run").put(b"not yet in a row")
            os.write(writer, b"x")
            signal.pause()
            store.close()
        try:
            os.read(reader, 1)
            found = inspect_run(tmp_path / "run")
            assert (found.ok, found.in_use, found.troubles) == (True, child, ())
            with pytest.raises(RunConflictError, match=f"in use by process {child}"):
                collect_garbage(tmp_path / "run", remove=True)
            assert summarise_run(tmp_path / "run").state == "in use"
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reader)
            os.close(writer)
        assert inspect_run(tmp_path / "run").in_use is None


class TestRepair:
    """Saving what can be read."""

    def test_a_sound_run_is_left_alone(self, run: Path) -> None:
        """Nothing is damaged: nothing is changed, and no copy is made."""
        before = snapshot(run)
        assert repair_run(run) is None
        assert snapshot(run) == before

    def test_the_other_tables_survive_a_spoilt_one(self, run: Path) -> None:
        """A spoilt table is lost and told; answers stay; the old file is kept."""
        spoil_page(run, "trials")
        damaged = (run / "run.sqlite").read_bytes()
        done = repair_run(run)
        assert done is not None
        assert done.lost["trials"] == 1
        assert "trainings" in done.lines()[0]
        assert done.copy is not None
        assert (done.copy / "run.sqlite").read_bytes() == damaged
        assert inspect_run(run).ok
        with RunStore.open(run, CONFIG) as store:
            assert store.calls.find("r0") == LONG
            assert [digest for digest, _ in store.calls.completions()] == [
                "r0",
                "r1",
                "r2",
            ]
            assert list(store.trials()) == []

    def test_an_answer_whose_blob_is_lost_is_asked_again(self, run: Path) -> None:
        """Its row goes, so that the request is unsettled; the others stay."""
        next(Blobs(run).files()).unlink()
        done = repair_run(run)
        assert done is not None
        assert (done.kept["completions"], done.lost["completions"]) == (2, 1)
        with RunStore.open(run, CONFIG) as store:
            assert store.calls.unsettled() == ["r0"]
            store.calls.settle("r0", LONG)
            assert store.calls.find("r0") == LONG

    def test_a_dry_run_changes_nothing(self, run: Path) -> None:
        """change=False tells the same and leaves every byte."""
        spoil_page(run, "trials")
        before = snapshot(run)
        done = repair_run(run, change=False)
        assert done is not None
        assert done.lost["trials"] == 1
        assert snapshot(run) == before

    def test_noise_is_not_repaired(self, run: Path) -> None:
        """Where nothing can be read, that is said, and the file stays as it is."""
        (run / "run.sqlite").write_bytes(b"noise " * 2000)
        with pytest.raises(UsageError, match="run"):
            repair_run(run)
        assert (run / "run.sqlite").read_bytes() == b"noise " * 2000

    def test_a_repair_may_be_killed_on_its_way(self, run: Path) -> None:
        """Killed at steps all along, the next repair ends it; the answers are there."""
        spoil_page(run, "trials")
        step, killed = 0, True
        while killed:
            step += 11
            copy = run.parent / f"copy{step}"
            shutil.copytree(run, copy)
            child = os.fork()
            if child == 0:
                Steps(Plan(copy, "kill", step)).install()
                repair_run(copy)
                os._exit(0)
            killed = os.waitpid(child, 0)[1] == signal.SIGKILL
            repair_run(copy)
            assert inspect_run(copy).ok
            with RunStore.open(copy, CONFIG) as store:
                assert store.calls.find("r0") == LONG
                assert len(list(store.calls.completions())) == 3
        assert step > 40


class TestGarbage:
    """Removing what nothing needs."""

    def test_only_leftovers_go(self, run: Path) -> None:
        """Without remove nothing changes; with it the run is as it was before."""
        before = snapshot(run)
        Blobs(run).put(b"nobody's")
        (run / ".part-report.md").write_text("# Rep")
        assert len(collect_garbage(run).files) == 2
        assert len(snapshot(run)) == len(before) + 2
        assert collect_garbage(run, remove=True).size == len(b"nobody's# Rep")
        assert snapshot(run) == before

    def test_a_damaged_run_is_not_tidied(self, run: Path) -> None:
        """Where rows cannot be read, what is needed is not known: nothing goes."""
        spoil_page(run, "completions")
        with pytest.raises(UsageError, match="runs repair"):
            collect_garbage(run, remove=True)
        assert len(list(Blobs(run).files())) == 1


class TestVersions:
    """Runs of other versions of this package."""

    def test_a_run_of_the_first_version_can_be_read(self, tmp_path: Path) -> None:
        """Reading changes nothing in it."""
        run = old_run(tmp_path / "run")
        before = (run / "run.sqlite").read_bytes()
        with RunStore.read(run) as store:
            assert store.calls.find("r1")["text"] == "def compute_reward(x): ..."  # type: ignore[index]  # it is there
            assert store.calls.find("r2") is None
            assert store.programs.scores("d1") == {"screen": 0.5}
        assert inspect_run(run).ok
        assert (run / "run.sqlite").read_bytes() == before

    def test_a_run_of_the_first_version_goes_on(self, tmp_path: Path) -> None:
        """It is brought to this version: all rows stay, and new ones are kept."""
        run = old_run(tmp_path / "run")
        config = {"env": "PushCube-v1", "search": {"rounds": 3}}
        for _ in range(2):
            with RunStore.open(run, config) as store:
                assert store.created == 1_700_000_001.0
                assert [item.key for item in store.trials()] == ["k"]
                store.calls.settle("r2", LONG)
                assert store.calls.find("r2") == LONG
        with closing(sqlite3.connect(run / "run.sqlite")) as file:
            query = "SELECT payload FROM meta WHERE key = 'schema'"
            assert file.execute(query).fetchall() == [(str(VERSION),)]
            with pytest.raises(sqlite3.IntegrityError, match="rows are never"):
                file.execute("UPDATE meta SET payload = '1'")

    def test_a_migration_may_be_killed_on_its_way(self, tmp_path: Path) -> None:
        """Before or after: the file is of one version or the other, and whole."""
        step, killed = 0, True
        while killed:
            step += 3
            run = old_run(tmp_path / f"run{step}")
            child = os.fork()
            if child == 0:
                Steps(Plan(run, "kill", step)).install()
                RunStore.open(run, {"env": "PushCube-v1", "search": {"rounds": 3}})
                os._exit(0)
            killed = os.waitpid(child, 0)[1] == signal.SIGKILL
            with RunStore.read(run) as store:
                assert [item.key for item in store.trials()] == ["k"]
            assert inspect_run(run).ok
        assert step > 10

    def test_a_later_version_is_refused_by_its_name(self, run: Path) -> None:
        """Format and package that wrote it are named, and the file stays."""
        later = f"UPDATE meta SET payload = '{VERSION + 1}' WHERE key = 'schema'"
        change(run, "meta", later)
        with closing(sqlite3.connect(run / "run.sqlite")) as file:
            file.execute(
                "UPDATE meta SET payload = '\"reward_synth 9.9\"' WHERE key = 'software'"
            )
            file.commit()
        before = (run / "run.sqlite").read_bytes()
        for attempt in (
            RunStore.read,
            inspect_run,
            repair_run,
            lambda folder: RunStore.open(folder, CONFIG),
        ):
            with pytest.raises(
                RunConflictError, match=rf"format {VERSION + 1} by reward_synth 9\.9"
            ):
                attempt(run)
        assert summarise_run(run).state == "newer"
        assert (run / "run.sqlite").read_bytes() == before


class TestPlaces:
    """Odd folders and clocks."""

    def test_a_run_on_a_symbolic_link(self, tmp_path: Path) -> None:
        """The run goes on through the link or without it; the lock holds for both."""
        (tmp_path / "disk").mkdir()
        (tmp_path / "run").symlink_to(tmp_path / "disk")
        make_run(tmp_path / "run")
        with RunStore.open(tmp_path / "disk", CONFIG) as store:
            assert store.calls.find("r0") == LONG
            with pytest.raises(RunConflictError, match="in use"):
                RunStore.open(tmp_path / "run", CONFIG)
        assert inspect_run(tmp_path / "run").ok

    def test_a_clock_that_goes_backwards(self, tmp_path: Path) -> None:
        """Rows keep the order of writing, whatever the clock says."""
        times = iter(range(1000, 0, -1))
        with RunStore.open(tmp_path / "run", {}, clock=lambda: next(times)) as store:
            for number in range(5):
                store.calls.settle(f"r{number}", {"number": number})
            found = [payload["number"] for _, payload in store.calls.completions()]
        assert found == [0, 1, 2, 3, 4]
        assert inspect_run(tmp_path / "run").ok

    def test_a_number_that_another_process_got(self, run: Path) -> None:
        """A killed run is free though its process's number is in use again."""
        (run / "lock").write_text(f"{os.getpid()}\n1\n")
        assert summarise_run(run).state == "finished"
        (run / "lock").write_text(f"{os.getppid()}\n")  # as earlier versions wrote
        assert summarise_run(run).process == os.getppid()

    def test_a_run_killed_while_its_file_was_made(self, tmp_path: Path) -> None:
        """At steps all along: it can be listed, verified, and begun again."""
        step, killed = 0, True
        while killed:
            step += 7
            run = tmp_path / f"run{step}"
            child = os.fork()
            if child == 0:
                Steps(Plan(run, "kill", step)).install()
                RunStore.open(run, CONFIG)
                os._exit(0)
            killed = os.waitpid(child, 0)[1] == signal.SIGKILL
            if (run / "run.sqlite").exists():
                assert inspect_run(run).ok
                assert summarise_run(run).state in {"empty", "unfinished"}
            assert latest_unfinished(tmp_path, "none") is None or step > 1
            RunStore.open(run, CONFIG).close()
        assert step > 50

    def test_a_recorded_file_must_stay(self, run: Path) -> None:
        """Going on with a file that was changed since is refused by its name."""
        with RunStore.open(run, CONFIG) as store:
            store.record_file("task.json")
            (run / "task.json").write_text("{ }")
            with pytest.raises(RunConflictError, match=r"task\.json was changed"):
                store.record_file("task.json")
