"""More wrong input, for every command: one line, the right code, no traceback."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.test_bad_input import refused
from tests.cli.tools import CAR, CAR_PROGRAM, Cli

PROGRAM = "def compute_reward(position):\n    return {'a': position}\n"
GENERATE = ("generate", "--env", CAR)
TRAIN = ("train", "--env", CAR, "--train-steps", 10)
LONG = "a" * 5000
UNICODE = "ü/\U0001f600"
NO_RUNS = ("half", "text", "folder", "cut", "empty", "missing", "good.py", "loop")
"""Folders, and what is none, that hold no run that can be read."""
NAMES = ("/dev/null", "/proc/1", "", " ", LONG, UNICODE, "\udcff", "~nobody")
"""Names that no run has."""
PROGRAMS = ("latin.py", "empty", "/dev/zero", "", LONG)
"""Files that hold no program."""

RUNS = {
    **{f"report {x[:9]!r}": ("report", x) for x in (*NO_RUNS, *NAMES)},
    **{f"export {x[:9]!r}": ("export", x) for x in (*NO_RUNS, *NAMES)},
    **{f"replay {x[:9]!r}": (*GENERATE, "--replay", x) for x in (*NO_RUNS, *NAMES)},
    **{
        f"run {x[:9]!r}": (*GENERATE, "--n", 1, "--run", x)
        for x in ("half", "text", "folder", "cut", "good.py", "loop", LONG)
    },
}
REWARDS = {
    **{f"check {x[:9]!r}": ("check", x, "--env", CAR) for x in PROGRAMS},
    **{f"train {x[:9]!r}": (*TRAIN, "--reward", x) for x in PROGRAMS},
}
HUGE = 10**30
OTHERS = {
    "no such suite": (("bench", "nope"), 2),
    "suite in a folder": (("bench", "empty"), 2),
    "broken suite": (("bench", "broken.toml"), 2),
    "suite of other things": (("bench", "other.toml"), 2),
    "binary suite": (("bench", "binary.toml"), 2),
    "suite without a name": (("bench", ""), 2),
    "nothing is left": (("bench", "quick", "--only", "nope"), 2),
    "no jobs": (("bench", "quick", "--jobs", 0), 2),
    "jobs in words": (("bench", "quick", "--jobs", "all"), 2),
    "bench run and resume": (("bench", "quick", "--run", "x", "--resume"), 2),
    "report as": (("report", "missing", "--format", "pdf"), 2),
    "report without a run": (("report",), 2),
    "export without a run": (("export",), 2),
    "export to nowhere": (("export", "missing", "--to", ""), 2),
    "export seed": (("export", "missing", "--seed", -1), 2),
    "watch port": (("watch", "--port", 70_000, "--no-open"), 2),
    "watch port negative": (("watch", "--port", -1, "--no-open"), 2),
    "watch port in words": (("watch", "--port", "http", "--no-open"), 2),
    "watch what is missing": (("watch", "missing", "--no-open"), 2),
    "watch a file": (("watch", "good.py", "--no-open"), 2),
    "envs of what": (("envs", "extra"), 2),
    "describe nothing": (("describe",), 2),
    "describe an empty name": (("describe", "--env", ""), 3),
    "describe blanks": (("describe", "--env", "  "), 3),
    "describe a path": (("describe", "--env", "../../etc/passwd"), 3),
    "describe unicode": (("describe", "--env", UNICODE), 3),
    "describe no module": (("describe", "--env", ":X-v0"), 2),
    "describe no id": (("describe", "--env", "gymnasium:"), 3),
    "describe two colons": (("describe", "--env", "a:b:c"), 3),
    "describe long": (("describe", "--env", LONG), 3),
    "describe a broken module": (("describe", "--env", "broken_module:X-v0"), 3),
    "kwargs of NaN": (("describe", "--env", CAR, "--env-kwargs", "NaN"), 2),
    "kwargs deep": (("describe", "--env", CAR, "--env-kwargs", "[" * 100_000), 2),
    "kwargs empty": (("describe", "--env", CAR, "--env-kwargs", ""), 2),
    "rule that calls": (
        ("describe", "--env", CAR, "--success", "__import__('os').system('touch x')"),
        2,
    ),
    "rule of NaN": (("describe", "--env", CAR, "--success", "position > nan"), 2),
    "save nowhere": (("describe", "--env", CAR, "--save", "/proc/x/task.json"), 2),
    "spec is a list": ((*GENERATE, "--task-spec", "list.json"), 2),
    "spec is empty": ((*GENERATE, "--task-spec", "empty.json"), 2),
    "spec is binary": ((*GENERATE, "--task-spec", "binary.json"), 2),
    "spec is deep": ((*GENERATE, "--task-spec", "deep.json"), 2),
    "spec is a folder": ((*GENERATE, "--task-spec", "empty"), 2),
    "spec never ends": ((*GENERATE, "--task-spec", "/proc/self/mem"), 2),
    "demos broken": ((*GENERATE, "--demos", "broken.npz"), 2),
    "demos a folder": ((*GENERATE, "--demos", "empty"), 2),
    "n huge": ((*GENERATE, "--n", HUGE), 2),
    "n a fraction": ((*GENERATE, "--n", 1.5), 2),
    "n NaN": ((*GENERATE, "--n", "nan"), 2),
    "rounds negative": ((*GENERATE, "--rounds", -1), 2),
    "temperature infinite": ((*GENERATE, "--temperature", "inf"), 2),
    "temperature negative": ((*GENERATE, "--temperature", -0.1), 2),
    "timeout negative": ((*GENERATE, "--timeout", -1), 2),
    "timeout infinite": ((*GENERATE, "--timeout", "inf"), 2),
    "weight infinite": ((*GENERATE, "--weight", "-inf"), 2),
    "weight in words": ((*GENERATE, "--weight", "heavy"), 2),
    "seed huge": ((*GENERATE, "--seed", HUGE), 2),
    "prices one": ((*GENERATE, "--prices", "1"), 2),
    "prices NaN": ((*GENERATE, "--prices", "nan,1"), 2),
    "prices negative": ((*GENERATE, "--prices", "-1,1"), 2),
    "prices three": ((*GENERATE, "--prices", "1,2,3"), 2),
    "prices empty": ((*GENERATE, "--prices", ""), 2),
    "address of a file": (
        (*GENERATE, "--model", "m", "--base-url", "file:///etc/passwd"),
        2,
    ),
    "address without host": ((*GENERATE, "--model", "m", "--base-url", "http://"), 2),
    "address half": ((*GENERATE, "--model", "m", "--base-url", "http://[::1"), 2),
    "no value": ((*GENERATE, "--model"), 2),
    "two programs": (("check", "good.py", "good.py", "--env", CAR), 2),
    "steps huge": ((*TRAIN, "--reward", "good.py", "--train-steps", HUGE), 2),
    "steps negative": ((*TRAIN, "--reward", "good.py", "--train-steps", -1), 2),
    "episodes zero": ((*TRAIN, "--reward", "good.py", "--episodes", 0), 2),
    "an option twice over": (("--nope", "generate"), 2),
    "a command in capitals": (("GENERATE",), 2),
}


@pytest.fixture(autouse=True)
def files(place: Path, cli: Cli) -> None:
    """Files and folders of all wrong kinds."""
    for name, data in {
        "good.py": CAR_PROGRAM.encode(),
        "latin.py": f"# caf\xe9\n{PROGRAM}".encode("latin-1"),
        "nul.py": f"{PROGRAM}\x00".encode(),
        "deep.py": f"def compute_reward(x):\n    return {'(' * 3000}x\n".encode(),
        "broken_module.py": b"import no_such_module_at_all",
        "broken.toml": b"name = [",
        "other.toml": b"x = 1\n",
        "binary.toml": b"\xff\xfe\x00",
        "list.json": b"[1]",
        "empty.json": b"{}",
        "binary.json": bytes(range(256)),
        "deep.json": b"[" * 100_000,
        "broken.npz": b"PK\x03\x04broken",
        "half/run.sqlite": b"SQLite format 3\x00half",
        "text/run.sqlite": b"hello",
    }.items():
        path = place / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (place / "empty").mkdir()
    (place / "folder" / "run.sqlite").mkdir(parents=True)
    os.symlink("loop", place / "loop")
    with sqlite3.connect(place / "whole.sqlite") as whole:
        whole.execute("create table t(x)")
        whole.executemany("insert into t values (?)", [("x" * 100,)] * 500)
    whole.close()
    data = (place / "whole.sqlite").read_bytes()
    (place / "cut").mkdir()
    (place / "cut" / "run.sqlite").write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("name", RUNS)
def test_runs_that_are_none(cli: Cli, name: str, place: Path) -> None:
    """What holds no run is refused by name, exit code 2, and left as it is."""
    before = {item: item.lstat().st_size for item in place.rglob("*")}
    # A database that cannot be opened may be a passing trouble: the same run again.
    code = 75 if name == "run 'folder'" else 2
    refused(cli, RUNS[name], code)
    after = {item: item.lstat().st_size for item in place.rglob("*")}
    assert {k: v for k, v in after.items() if k in before} == before


@pytest.mark.parametrize("name", REWARDS)
def test_programs_that_are_none(cli: Cli, name: str) -> None:
    """What holds no program is refused, exit code 2, without waiting for its end."""
    refused(cli, REWARDS[name], 2)


@pytest.mark.parametrize("name", OTHERS)
def test_other_wrong_input(cli: Cli, name: str, place: Path) -> None:
    """Names, numbers and files that nothing can be made of; nothing is written."""
    arguments, code = OTHERS[name]
    refused(cli, arguments, code)
    assert not (place / "x").exists()
    runs = place / "runs"
    assert not runs.exists() or list(runs.iterdir()) == []


@pytest.mark.parametrize("name", ["nul.py", "deep.py"])
def test_programs_that_cannot_be_parsed(cli: Cli, name: str) -> None:
    """They have findings, exit code 1; train refuses them, exit code 2."""
    result = cli("check", name, "--env", CAR)
    assert result.code == 1, result.err
    assert f"{name}: not usable" in result.out
    assert "Traceback" not in result.out + result.err
    refused(cli, (*TRAIN, "--reward", name), 2)


def test_what_may_not_be_read(cli: Cli, place: Path) -> None:
    """Files without permission are named; root may read all, so it is left out."""
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (place / "good.py").chmod(0)
    assert "good.py" in refused(cli, ("check", "good.py", "--env", CAR), 2)


def test_there_are_enough() -> None:
    """At least 60 inputs, none twice."""
    commands = [*RUNS.values(), *REWARDS.values(), *(x for x, _ in OTHERS.values())]
    assert len({str(item) for item in commands}) == len(commands) >= 60


def test_a_run_that_is_moved_away(cli: Cli) -> None:
    """A run whose folder went is refused like one that never was."""
    assert cli(*GENERATE, "--n", 1, "--run", "mine").code == 0
    shutil.rmtree("mine")
    refused(cli, ("report", "mine"), 2)
