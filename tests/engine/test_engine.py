"""LocalEngine: every call has a result, and nothing stays behind."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reward_synth.engine import Call, CallResult, LocalEngine
from reward_synth.errors import UsageError
from tests.engine import work


def alone(call: Call) -> CallResult:
    (result,) = LocalEngine(1).run([call])
    assert result.key == call.key
    return result


def test_a_value_comes_back() -> None:
    """What the function returns is the result's value."""
    assert alone(Call("a", work.double, (21,))) == CallResult("a", "ok", 42)


FAILURES: dict[str, tuple[Call, str, str]] = {
    "exception": (
        Call("a", work.fail, ("first line\n  second line",)),
        "failed",
        "ValueError: first line second line",
    ),
    "an exception of two parts": (
        Call("a", work.fail_in_two_parts),
        "failed",
        "TwoPartsError: this and that",
    ),
    "a value that cannot be received": (
        Call("a", work.give_a_trap),
        "failed",
        "ValueError: invalid literal for int() with base 10: 'no number'",
    ),
    "arguments that cannot be received": (
        Call("a", work.double, (work.Trap(1),)),
        "failed",
        "ValueError: invalid literal for int() with base 10: 'no number'",
    ),
    "its own timeout": (
        Call("a", work.miss_a_deadline, timeout=60.0),
        "failed",
        "TimeoutError: the database did not answer",
    ),
    "sys.exit": (Call("a", work.leave, (3,)), "failed", "SystemExit: 3"),
    "death": (
        Call("a", work.die, (7,)),
        "crashed",
        "Its process ended with exit code 7.",
    ),
}


@pytest.mark.parametrize(("call", "status", "error"), FAILURES.values(), ids=FAILURES)
def test_a_failure_is_a_record(call: Call, status: str, error: str) -> None:
    """Whatever a call does is told in one line, never raised here."""
    assert alone(call) == CallResult("a", status, error=error)  # type: ignore[arg-type]


def test_what_cannot_travel_fails() -> None:
    """Arguments and values that cannot be pickled fail their call and no other."""
    for call in (
        Call("in", work.double, (work.Stubborn(),)),
        Call("out", work.give_what_cannot_travel),
    ):
        result = alone(call)
        assert result.status == "failed"
        assert "this stays here" in result.error


def test_a_hang_is_stopped_at_its_limit(tmp_path: Path) -> None:
    """A call that does not end is killed at its timeout, long before it would end."""
    start = time.monotonic()
    result = alone(Call("a", work.hang, (str(tmp_path / "mark"),), timeout=1.5))
    assert result.status == "timeout"
    assert "1.5 s" in result.error
    assert time.monotonic() - start < 30.0  # it would sleep for 600


def test_every_call_has_one_result_in_a_process_of_its_own() -> None:
    """Failures do not stop the others, and no process is used twice."""
    calls: list[Call] = [
        Call("a", work.my_process),
        Call("b", work.die, (1,)),
        Call("c", work.my_process),
        Call("d", work.fail, ("no",)),
    ]
    ticks: list[float] = []
    results = {
        item.key: item
        for item in LocalEngine(2).run(calls, lambda: ticks.append(time.monotonic()))
    }
    assert {key: item.status for key, item in results.items()} == {
        "a": "ok",
        "b": "crashed",
        "c": "ok",
        "d": "failed",
    }
    assert len({os.getpid(), results["a"].value, results["c"].value}) == 3
    assert ticks


def test_no_failure_takes_others_along() -> None:
    """Exceptions and values that cannot be made again fail their call alone, also while
    others run and wait."""
    calls: list[Call] = [
        Call("0", work.wait_a_little, (0,)),
        Call("e", work.fail_in_two_parts),
        Call("v", work.give_a_trap),
        Call("i", work.double, (work.Stubborn(),)),
        Call("1", work.wait_a_little, (1,)),
    ]
    results = {item.key: item for item in LocalEngine(2).run(calls)}
    assert {key for key, item in results.items() if item.status == "failed"} == set(
        "evi"
    )
    assert (results["0"].value, results["1"].value) == (0, 1)


def test_leaving_the_loop_early_ends_what_still_runs(tmp_path: Path) -> None:
    """Closing the iterator, as break does, kills the calls that are left."""
    mark = tmp_path / "mark"
    calls: list[Any] = [
        Call("hang", work.hang, (str(mark),)),
        Call("a", work.double, (1,)),
    ]
    results = LocalEngine(2).run(calls)
    assert next(iter(results)).key == "a"
    limit = time.monotonic() + 30.0
    while not (mark.exists() and mark.read_text()) and time.monotonic() < limit:
        time.sleep(0.05)
    process = int(mark.read_text())
    os.kill(process, 0)  # it runs
    results.close()  # type: ignore[attr-defined]  # a generator
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of it")
def test_a_killed_parent_takes_its_workers_along(tmp_path: Path) -> None:
    """``kill -9`` of the process that runs an engine ends what it runs."""
    mark = tmp_path / "mark"
    code = (
        "import sys; from reward_synth.engine import Call, LocalEngine\n"
        "from tests.engine import work\n"
        "if __name__ == '__main__':\n"
        "    list(LocalEngine(1).run([Call('a', work.hang, (sys.argv[1],))]))"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, str(script), str(mark)], env={**os.environ, "PYTHONPATH": root}
    )
    _until(lambda: mark.exists() and mark.read_text() != "")
    worker = int(mark.read_text())
    parent.kill()
    parent.wait()
    _until(lambda: not _alive(worker))


def _alive(process: int) -> bool:
    """A process that nobody has asked after yet is dead all the same."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_no_calls_have_no_results() -> None:
    """Nothing to do is done at once."""
    assert list(LocalEngine(2).run([])) == []


def test_an_engine_needs_a_job() -> None:
    """Zero processes could run nothing."""
    with pytest.raises(UsageError, match="received 0"):
        LocalEngine(0)


def test_an_opencv_that_cannot_be_loaded_breaks_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a failed ``import cv2`` leaves on sys.path hides no module from workers."""
    opencv = tmp_path / "cv2"
    (opencv / "typing").mkdir(parents=True)
    (opencv / "typing/__init__.py").write_text("raise ImportError('libGL')")
    monkeypatch.setattr(sys, "path", [str(opencv), *sys.path])
    call = Call("a", work.double, (21,))
    assert alone(call).status == "failed"  # no failed import is known: nothing to undo
    vars(sys)["OpenCV_LOADER"] = True  # as a failed import leaves it
    assert alone(call) == CallResult("a", "ok", 42)
