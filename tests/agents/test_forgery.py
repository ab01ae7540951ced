"""A training process cannot forge its score: real processes that try."""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reward_synth.agents import run_trial
from reward_synth.agents.failures import TrainingError, WeightsError
from reward_synth.agents.warm_trainers import SHARED, Address
from reward_synth.benchmarks import forgers as hostile
from reward_synth.engine import Call, LocalEngine
from reward_synth.sandbox import live_layers
from tests.agents.test_trial import spec

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the layers")


@pytest.fixture(params=["new", pytest.param("forked", marks=linux)], scope="module")
def server(request: pytest.FixtureRequest) -> Address | None:
    """Where training processes come from: each rule holds for both kinds."""
    return SHARED.address() if request.param == "forked" else None


@pytest.fixture(scope="module")
def honest(
    tmp_path_factory: pytest.TempPathFactory, server: Address | None
) -> dict[str, Any]:
    """What the weights earn that the forgers leave."""
    place = str(tmp_path_factory.mktemp("h") / "t")
    return run_trial(spec("dense"), place, hostile.untrained, server)


def score(result: dict[str, Any]) -> dict[str, Any]:
    """Return what candidates are chosen and reported by."""
    measured = ("step", "success_any", "success_last", "env_return", "length", "curve")
    return {name: result[name] for name in (*measured, "selection")}


def test_forged_files_and_messages_change_no_score(
    honest: dict[str, Any], tmp_path: Path, server: Address | None
) -> None:
    """The score is what the weights earn, whatever the process writes or says."""
    place = tmp_path / "trial"
    result = run_trial(spec("dense"), str(place), hostile.forged, server)
    assert score(result) == score(honest)
    assert result["confinement"] == honest["confinement"]
    rows = (place / "evaluations.jsonl").read_text().splitlines()
    assert [json.loads(row) for row in rows] == result["curve"]
    assert not (place / "failed.json").exists()
    assert "success_any" not in json.loads((place / "trial.json").read_text())


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "pickle": (hostile.hostile_pickle, WeightsError, "are no safetensors"),
    "nothing": (hostile.nothing, TrainingError, "without the weights of step"),
    "flood": (hostile.flood, TrainingError, "sent a line of over"),
    "raises": (hostile.raises, TrainingError, r"^ValueError: \[2Jno luck$"),
    "dies": (hostile.dies, TrainingError, "exit code 139 .*printed: Segmentation"),
}


@pytest.mark.parametrize(("train", "kind", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_policy_has_no_score(
    train: Any,
    kind: type[Exception],
    says: str,
    tmp_path: Path,
    server: Address | None,
) -> None:
    """A named failure instead of a score; nothing is unpickled, nothing is left running."""
    with pytest.raises(kind, match=says):
        run_trial(spec("dense"), str(tmp_path / "trial"), train, server)
    assert not list(tmp_path.rglob(hostile.RAN))


@linux
@pytest.mark.skipif("not _live('landlock_files')", reason="no Landlock here")
def test_the_process_is_confined(
    honest: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: Address | None,
) -> None:
    """No writing elsewhere, no programs, network, signals, links, or keys."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    place = str(tmp_path / "trial")
    result = run_trial(spec("dense"), place, hostile.breaks_out, server)
    assert score(result) == score(honest)
    with pytest.raises(TrainingError, match=r"^PermissionError: "):
        run_trial(spec("dense"), str(tmp_path / "link"), hostile.link_out, server)


@linux
def test_the_layers_are_in_the_record(honest: dict[str, Any]) -> None:
    """Every layer that a locked worker has is told by name: live, or why not."""
    found = honest["confinement"]
    assert found
    for name, state in live_layers().items():
        if name in found:
            assert found[name] == state
    assert {"landlock_files", "seccomp", "rlimits", "no_new_privs"} <= set(found)


def test_a_hang_is_stopped_at_the_trials_limit(tmp_path: Path) -> None:
    """A training that never ends is a record once its time is over."""
    call = Call(
        "hang", run_trial, (spec("dense"), str(tmp_path / "t"), hostile.hangs), 3.0
    )
    (result,) = LocalEngine(1).run([call])
    assert (result.status, "3.0 s" in result.error) == ("timeout", True)


@linux
def test_a_killed_evaluator_takes_its_training_along(
    tmp_path: Path, server: Address | None
) -> None:
    """``kill -9``, as at a time limit, leaves no training process behind."""
    arguments = (spec("dense"), str(tmp_path), hostile.hangs, server)
    evaluator = multiprocessing.get_context("spawn").Process(
        target=run_trial, args=arguments
    )
    evaluator.start()
    mark = tmp_path / "training" / "process"
    until(lambda: mark.exists() and mark.read_text() != "")
    training = int(mark.read_text())
    assert alive(training)
    evaluator.kill()
    evaluator.join()
    until(lambda: not alive(training))


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 300
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def alive(process: int) -> bool:
    """A process that nobody has asked after yet is dead all the same."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def _live(layer: str) -> bool:
    return live_layers().get(layer) == "live"
