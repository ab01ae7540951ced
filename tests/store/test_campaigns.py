"""The campaigns of kills and faults see what they are made to see."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reward_synth.benchmarks.crash_story import Search, Story, contents, summary
from reward_synth.benchmarks.journal_steps import Plan, Steps
from reward_synth.benchmarks.loopback import question_digest
from reward_synth.benchmarks.soak import slope
from reward_synth.store import RunStore
from reward_synth.store.blobs import Blobs
from reward_synth.store.rows import TrialRow
from tests.store.damage import CONFIG, LONG

QUESTION = {"seed": 0, "messages": [["user", "Write a reward."]]}


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """A story whose run holds one answer, to a question that the server has logged."""
    (tmp_path / "log").write_text("")
    found = Story(tmp_path, Search("http://127.0.0.1:1/v1"), tmp_path / "log", "sk-a")
    with RunStore.open(found.folder, CONFIG) as store:
        store.calls.intend("r", QUESTION)
        store.calls.settle("r", LONG)
    found._judge()
    assert found.wrong == []
    return found


def test_a_row_that_was_acknowledged_and_is_not_there(story: Story) -> None:
    """It is counted as lost."""
    (story.place / "acks").write_text("completions 72 30 0123456789abcdef0123\n")
    story._judge()
    assert summary([story])["acknowledged and lost"] == 1


def test_a_question_whose_answer_was_kept(story: Story) -> None:
    """Asked again by this run it is paid twice; asked by another it is not."""
    digest = question_digest(QUESTION["seed"], QUESTION["messages"])  # type: ignore[arg-type]  # as they are
    lines = [
        json.dumps({"who": who, "question": digest, "sent": "answer"})
        for who in ("sk-a", "sk-another")
    ]
    story.log.write_text("\n".join(lines) + "\n")
    story._judge()
    assert summary([story])["paid twice"] == 1


def test_a_spoilt_blob(story: Story) -> None:
    """It is counted as corrupt."""
    next(Blobs(story.folder).files()).write_bytes(b"y")
    story._judge()
    assert summary([story])["corrupt"] >= 1


def act(folder: Path, plan: Plan) -> int:
    """Make a run with one answer in a child that follows a plan; return its status."""
    child = os.fork()
    if child == 0:
        code = 75
        try:
            Steps(plan).install()
            with RunStore.open(folder, CONFIG) as store:
                store.calls.settle("r", LONG)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_steps_lie_inside_sqlites_commits(tmp_path: Path) -> None:
    """Of the steps there are writes, syncs, renames and removals, by SQLite and us."""
    log = os.open(tmp_path / "steps", os.O_WRONLY | os.O_CREAT)
    assert act(tmp_path / "run", Plan(tmp_path / "run", log=log)) == 0
    os.close(log)
    kinds = {line.split()[0] for line in (tmp_path / "steps").read_text().splitlines()}
    assert kinds >= {
        "sqlite-open",
        "sqlite-write",
        "sqlite-sync",
        "sqlite-remove",
        "open",
        "write",
        "fsync",
        "rename",
        "mkdir",
    }


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("kill", -signal.SIGKILL),
        ("torn", -signal.SIGKILL),
        ("once", 75),
        ("always", 75),
    ],
)
def test_a_plan_is_followed(action: str, status: int, tmp_path: Path) -> None:
    """A step kills or fails; what is left can be gone on with."""
    run = tmp_path / "run"
    assert act(run, Plan(run, action, 25)) == status  # type: ignore[arg-type]  # one of them
    assert act(run, Plan(run)) == 0


def test_slopes() -> None:
    """A line's slope is found in spite of an outlier; none is found where none is."""
    times = [60.0 * minute for minute in range(60)]
    rising = [5.0 + 2.0 * time / 3600.0 for time in times]
    rising[30] += 1000.0
    found = slope(times, rising)
    assert found.value == pytest.approx(2.0)
    flat = [7.0 + (-1.0) ** n for n in range(60)]
    assert slope(times, flat).low <= 0.0 <= slope(times, flat).high
    assert slope(times, [3.0] * 60).value == 0.0


def test_contents_are_rows_without_times(tmp_path: Path) -> None:
    """Two runs of the same rows have the same contents, written in any order and however
    long a training took; another score is another content."""
    for name, seconds, digests, score in (
        ("a", 1.0, ("p", "q"), 0.5),
        ("b", 2.0, ("q", "p"), 0.5),
        ("c", 1.0, ("p", "q"), 0.25),
    ):
        with RunStore.open(tmp_path / name, CONFIG) as store:
            for digest in digests:
                store.programs.record_score(digest, "screen", score)
            result = {"seconds": seconds, "curve": [{"step": 1, "seconds": seconds}]}
            store.record_trial(TrialRow("k", "dense", 0, {}, "ok", result))
    found = [contents(tmp_path / name) for name in "abc"]
    assert found[0] == found[1] != found[2]
    assert len(found[0]) == 3


@pytest.mark.slow
def test_a_small_campaign_of_a_method(tmp_path: Path) -> None:
    """A population that trains on one replay buffer, killed once and gone on with."""
    command = [sys.executable, "-m", "reward_synth.benchmarks.kills_methods"]
    options = ["--methods", "lares", "--kills", "1", "--json", str(tmp_path / "kills")]
    one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [*command, *options],
        env={**os.environ, **one},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (found,) = json.loads((tmp_path / "kills").read_text()).values()
    assert (found["outcomes that differ"], found["paid twice"]) == (0, 0)


@pytest.mark.slow
def test_a_small_campaign(tmp_path: Path) -> None:
    """A search killed at three of its steps, and while it goes on, ends as unbroken."""
    command = [sys.executable, "-m", "reward_synth.benchmarks.kills"]
    options = ["--parts", "steps", "--every", "120", "--json", str(tmp_path / "kills")]
    one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [*command, *options],
        env={**os.environ, **one},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (found,) = json.loads((tmp_path / "kills").read_text()).values()
    assert found["kills"] >= 3
    assert found["first troubles"] == []
