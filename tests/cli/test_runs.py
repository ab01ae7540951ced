"""``reward_synth runs``: what is told of runs, and with which exit codes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reward_synth.store import RunStore
from reward_synth.store.blobs import Blobs
from tests.cli.tools import CAR, KEY, Cli
from tests.store.damage import CONFIG, change, make_run, old_run, spoil_page

pytestmark = pytest.mark.usefixtures("place")


def test_every_run_is_listed_with_its_state(cli: Cli) -> None:
    """Finished, unfinished, empty, damaged, of an older and a newer version."""
    make_run(Path("runs/finished"))
    RunStore.open("runs/unfinished", CONFIG).close()
    old_run(Path("runs/older"))
    change(make_run(Path("runs/newer")), "meta", "UPDATE meta SET payload = '9'")
    spoil_page(make_run(Path("runs/damaged")), "meta")
    Path("runs/none").mkdir()
    found = {item["run"]: item for item in cli.json("runs", "list")}
    assert {Path(name).name: item["state"] for name, item in found.items()} == {
        "finished": "finished",
        "unfinished": "unfinished",
        "older": "unfinished",
        "newer": "newer",
        "damaged": "damaged",
    }
    whole = found["runs/finished"]
    assert (whole["answers"], whole["programs"], whole["trainings"]) == (3, 3, 1)
    assert whole["task"] == "PushCube-v1"
    table = cli("runs", "list")
    assert table.code == 0
    assert [line.split()[0] for line in table.out.splitlines()[1:]] == sorted(found)


def test_no_runs_is_no_error(cli: Cli) -> None:
    """Where nothing was run, that is said, and JSON is an empty list."""
    result = cli("runs", "list")
    assert (result.code, result.out) == (0, "")
    assert "no run in runs/" in result.err
    assert cli.json("runs", "list") == []


def test_verify_tells_by_its_exit_code(cli: Cli) -> None:
    """0 for sound runs and leftovers, 1 for damage, 2 for a folder without a run."""
    run = make_run(Path("runs/a"))
    Blobs(run).put(b"nobody's")
    assert cli("runs", "verify").code == 0
    next(path for path in Blobs(run).files() if path.stat().st_size > 100).unlink()
    result = cli("runs", "verify", run)
    assert result.code == 1
    assert "damage: Row completions 1" in result.out
    assert "cure: reward_synth runs repair runs/a" in result.out
    assert cli("runs", "verify", "nothing").code == 2


def test_verify_as_json(cli: Cli) -> None:
    """Every trouble has a kind, a sentence and, if it is one, the file."""
    run = make_run(Path("runs/a"))
    (run / ".part-report.md").write_text("# Rep")
    (found,) = cli.json("runs", "verify")
    assert (found["run"], found["ok"], found["blobs"]) == ("runs/a", True, 1)
    (trouble,) = found["troubles"]
    assert trouble["kind"] == "leftover"
    assert trouble["path"] == "runs/a/.part-report.md"


def test_verify_finds_the_key(cli: Cli) -> None:
    """A file with the key of this environment makes verify fail, without showing it."""
    run = make_run(Path("runs/a"))
    (run / "notes.txt").write_text(KEY)
    result = cli("runs", "verify")
    assert result.code == 1
    assert "notes.txt holds a key" in result.out
    assert KEY not in result.out + result.err


def test_repair_explains_and_keeps_a_copy(cli: Cli) -> None:
    """A dry run only tells; the repair names what is lost and where the old file is."""
    run = make_run(Path("runs/a"))
    spoil_page(run, "trials")
    damaged = (run / "run.sqlite").read_bytes()
    dry = cli("runs", "repair", run, "--dry-run")
    assert dry.code == 0
    assert "Nothing was changed" in dry.out
    assert (run / "run.sqlite").read_bytes() == damaged
    done = cli("runs", "repair", run)
    assert done.code == 0
    assert "1 rows of trials are lost: trainings" in done.out
    assert (run / "before-repair-0001" / "run.sqlite").read_bytes() == damaged
    assert cli("runs", "verify").code == 0
    assert "nothing is damaged" in cli("runs", "repair", run).out


def test_gc_removes_only_when_asked(cli: Cli) -> None:
    """Without --delete files stay; with it the unneeded ones go."""
    run = make_run(Path("runs/a"))
    Blobs(run).put(b"nobody's")
    part = run / ".part-report.md"
    part.write_text("# Rep")
    told = cli("runs", "gc")
    assert told.code == 0
    assert part.exists()
    assert str(part) in told.out
    assert "13 bytes can be freed" in told.err
    assert cli("runs", "gc", "--delete").code == 0
    assert not part.exists()
    assert cli("runs", "gc").out == ""


def test_a_run_in_use_is_refused_by_its_process(cli: Cli) -> None:
    """A second generate, gc or repair is told who works on the run: exit code 2."""
    config = ("generate", "--env", CAR, "--n", 1, "--rounds", 1)
    with RunStore.open("runs/a", CONFIG):
        for command in (
            ("runs", "gc"),
            ("runs", "repair", "runs/a"),
            (*config, "--run", "runs/a"),
        ):
            result = cli(*command)
            assert result.code == 2
            assert f"in use by process {os.getpid()}" in result.err
            assert result.err.count("error: ") == 1


def test_a_search_leaves_a_sound_run(cli: Cli) -> None:
    """After generate verify finds nothing at all, and list says finished."""
    run = cli.json("generate", "--env", CAR, "--n", 1, "--rounds", 1)["run"]
    (found,) = cli.json("runs", "verify")
    assert (found["run"], found["troubles"]) == (run, [])
    assert [item["state"] for item in cli.json("runs", "list")] == ["finished"]
