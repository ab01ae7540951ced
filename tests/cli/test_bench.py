"""``bench`` and ``report``: one table, files beside it, nothing trained twice."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import time
from pathlib import Path

import pytest

from reward_synth.report.runs import read_run
from tests.cli.tools import CAR, CAR_PROGRAM, SECONDS, Cli, start, wait_until

SUITE = f"""
seeds = 2
episodes = 2
evaluations = 2
[agents.default]
net_arch = [16]
[designs.sparse]
[designs.hand]
kind = "file"
file = "hand.py"
[tasks.{CAR}]
steps = 100
env_kwargs = {{ max_episode_steps = 50 }}
"""


@pytest.fixture
def suite(place: Path) -> str:
    (place / "hand.py").write_text(CAR_PROGRAM)
    (place / "mine.toml").write_text(SUITE)
    return "mine.toml"


def done(folder: Path) -> dict[str, float]:
    """Return when each training that the run holds was finished."""
    files = (
        folder / "trials" / item.key for item in read_run(folder).trials if item.final
    )
    return {path.name: (path / "trial.json").stat().st_mtime for path in files}


@pytest.mark.slow
def test_a_killed_bench_repeats_no_finished_training(
    cli: Cli, place: Path, suite: str
) -> None:
    """SIGKILL after the first training: the same command with --resume ends with all
    four, and has not touched the finished one again."""
    child = start("bench", suite, "--jobs", "1", "--run", "runs/b")
    folder = place / "runs" / "b"
    wait_until((folder / "plan.json").exists, "the plan")
    wait_until(lambda: len(done(folder)) >= 1, "the first training")
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=SECONDS)
    wait_until(lambda: read_run(folder).state == "stopped", "the end")
    before = done(folder)
    assert 1 <= len(before) < 4
    time.sleep(0.1)
    result = cli("bench", suite, "--resume")
    assert result.code == 0, result.err
    after = done(folder)
    assert len(after) == 4
    assert {key: after[key] for key in before} == before
    assert read_run(folder).state == "finished"
    for name in ("report.html", "report.md", "report.json"):
        assert (folder / name).stat().st_size > 500
    assert CAR in result.out
    again = cli("bench", suite, "--run", "runs/b")
    assert again.out == result.out


@pytest.mark.slow
def test_a_cluster_gives_the_same_table(cli: Cli, place: Path, suite: str) -> None:
    """--engine ray starts a cluster of this machine, and measures the same numbers."""
    pytest.importorskip("ray")
    part = ("bench", suite, "--only", "hand", "--json")
    here, there = cli(*part, "--run", "h"), cli(*part, "--run", "t", "--engine", "ray")
    assert (here.code, there.code) == (0, 0), there.err
    cells = [json.loads(item.out)["summary"]["cells"] for item in (here, there)]
    for (cell,) in cells:
        del cell["seconds"]
    assert cells[0] == cells[1]


def test_reports_are_written_as_asked(cli: Cli, place: Path, suite: str) -> None:
    """A page, a text, data or a picture; - prints; the run may be any folder."""
    told = cli.json("bench", suite, "--only", "hand", "--run", "b")
    assert [item["design"] for item in told["run"]["trials"]] == ["hand", "hand"]
    for form, begin in (
        ("html", b"<!doctype html>"),
        ("png", b"\x89PNG"),
        ("md", b"# mine"),
        ("json", b"{"),
    ):
        result = cli("report", "b", "--format", form, "--out", f"x.{form}")
        assert (result.code, result.out.strip()) == (0, f"x.{form}")
        assert (place / f"x.{form}").read_bytes().lower().startswith(begin.lower())
    printed = cli("report", "b", "--format", "json", "--out", "-").out
    assert json.loads(printed)["run"]["title"] == "mine"
    again = cli("report", "x.json", "--format", "md")
    assert (again.code, again.out.strip()) == (0, "x.md")
    assert (place / "x.md").read_text() == cli(
        "report", "b", "--format", "md", "--out", "-"
    ).out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("bench", "quik"), 2, "Did you mean 'quick'"),
        (("bench", "none.toml"), 2, "no suite file none.toml"),
        (("bench", "mine.toml", "--only", "x*"), 2, "'x*' names nothing"),
        (("bench", "mine.toml", "--jobs", "0"), 2, "jobs must be at least 1"),
        (("bench", "mine.toml", "--resume"), 2, "no unfinished run"),
        (("bench", "mine.toml", "--engine", "rey"), 2, "'rey'"),
        (("bench", "mine.toml", "--ray-address", "auto"), 2, "--engine ray"),
        (("bench", "mine.toml", "--ray-resources", "RAM=1"), 2, "CPU=2,GPU=0.5"),
        (
            ("bench", "mine.toml", "--engine", "ray", "--ray-address", "127.0.0.2:1"),
            3,
            "No Ray cluster answers at 127.0.0.2:1",
        ),
        (("bench", "mine.toml", "--run", "f", "--resume"), 2, "not both"),
        (("report", "nowhere"), 2, "holds no run"),
        (("report", "b", "--out", "-"), 2, "holds no run"),
        (("report", "b", "--format", "pdf"), 2, "pdf"),
        (("report", "mine.toml"), 2, "cannot be read as a report"),
    ],
)
def test_misuse_is_one_line(
    cli: Cli, suite: str, arguments: tuple[str, ...], code: int, message: str
) -> None:
    """The error names what is wrong; nothing is left behind."""
    result = cli(*arguments)
    assert result.code == code
    assert message in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert "Traceback" not in result.err
    assert not Path("runs").exists() or not list(Path("runs").iterdir())


@pytest.mark.parametrize(
    ("package", "extra"), [("scipy", "report"), ("jinja2", "report")]
)
def test_a_missing_package_is_named_before_anything_is_trained(
    cli: Cli, suite: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the report needs is asked for at the start, and no folder is left behind."""
    found = importlib.util.find_spec

    def find(name: str, *rest: object) -> object:
        return None if name == package else found(name)

    monkeypatch.setattr("importlib.util.find_spec", find)
    result = cli("bench", suite)
    assert result.code == 3
    assert f"pip install 'reward-synth[{extra}]'" in result.err
    assert not Path("runs").exists()


def test_suites_are_listed(cli: Cli) -> None:
    """Without a suite, those that are shipped are named with what they compare."""
    result = cli("bench")
    assert result.code == 0
    assert "quick" in result.out
    names = [item["name"] for item in cli.json("bench")]
    assert {"quick", "text2reward", "throughput"} <= set(names)


def test_throughput_trains_nothing(cli: Cli, place: Path) -> None:
    """A suite that measures throughput prints steps a second and writes them."""
    text = SUITE.replace("seeds = 2", 'seeds = 2\nmeasure = "throughput"')
    (place / "hand.py").write_text(CAR_PROGRAM)
    (place / "fast.toml").write_text(text)
    rows = cli.json("bench", "fast.toml", "--run", "t")
    assert [(row["task"], row["design"]) for row in rows] == [
        (CAR, "sparse"),
        (CAR, "hand"),
    ]
    for row in rows:
        assert row["steps"] == 600  # at least three blocks of 200
        assert row["bare"] > 0
        assert row["wrapped"] > 0
        assert row["ratio"] > 0
    assert len(json.loads((place / "t" / "throughput.json").read_text())) == 2
    assert not (place / "t" / "trials").exists()
