"""The study of KeyRoom: late and wrong labels are as told, and its tables are right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reward_synth.benchmarks import oni_keyroom
from reward_synth.benchmarks.oni_keyroom import (
    ARMS,
    PLAIN,
    Study,
    Through,
    chance,
    earlier,
    summary,
)
from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation import AnnotationService, Rule, RuleAnnotator

TEXTS = [f"a key of kind {n}" for n in range(400)]


def through(late: float = 0.0, flipped: float = 0.0) -> Through:
    rules = RuleAnnotator([Rule("key", "helpful")], otherwise="unhelpful")
    return Through(AnnotationService(rules), late, flipped, seed=1)


def test_late_labels_are_shown_so_many_steps_after_the_first_sight() -> None:
    """A caption is pending until as many steps were submitted since its own first one."""
    service = through(late=10)
    service.submit(["a key"])
    for _ in range(9):
        assert service.get(["a key"])[0].status == "pending"
        service.submit(["nothing"])
    assert service.get(["a key"])[0].value == 1.0


def test_a_quarter_is_flipped_and_stays_flipped() -> None:
    """About a quarter of captions get the other label, always the same ones."""
    service = through(flipped=0.25)
    service.submit(TEXTS)
    values = [label.value for label in service.get(TEXTS)]
    wrong = values.count(0.0)
    assert wrong == sum(chance(text, 1) < 0.25 for text in TEXTS)
    assert 70 <= wrong <= 130  # 100 expected, deviation 8.7
    assert [label.value for label in service.get(TEXTS)] == values


def row(arm: str, seed: int, success: float) -> dict[str, Any]:
    return {"arm": arm, "seed": seed, "last_fifth": success, "whole": success / 2}


def test_the_summary_counts_what_was_measured() -> None:
    """Three of three runs that beat all without labels: chance 1; two reach 0.8."""
    given = [
        ("labels", 1.0),
        ("labels", 0.9),
        ("labels", 0.5),
        (PLAIN, 0.0),
        (PLAIN, 0.1),
    ]
    told = {
        r["arm"]: r for r in summary([row(a, n, x) for n, (a, x) in enumerate(given)])
    }
    labels = told["labels"]
    assert (labels["runs"], labels["solved"]) == (3, 2)
    assert labels["last_fifth"]["value"] == pytest.approx(0.8)
    assert labels["whole"] == pytest.approx(0.4)
    assert labels["better_than_none"]["value"] == 1.0
    assert told[PLAIN]["better_than_none"] is None


def test_a_tiny_study_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two arms one rollout each is trained, told in a table, and written."""
    pytest.importorskip("minihack")
    file = tmp_path / "rows.json"
    words = ["oni_keyroom", "--steps", "1024", "--seeds", "1", "--json", str(file)]
    late = "labels late by a third"
    monkeypatch.setattr("sys.argv", [*words, "--only", late, "rnd"])
    oni_keyroom.main()
    assert "| rnd |" in capsys.readouterr().out
    data = json.loads(file.read_text())
    assert [(r["arm"], r["steps"]) for r in data["rows"]] == [
        (late, 1024),
        ("rnd", 1024),
    ]
    assert set(ARMS) >= {r["arm"] for r in data["summary"]}
    monkeypatch.setattr("sys.argv", [*words, "--only", "rnd", PLAIN])
    oni_keyroom.main()
    assert "rnd, seed" not in capsys.readouterr().out  # it is not trained again
    again = json.loads(file.read_text())["rows"]
    assert [r["arm"] for r in again] == [PLAIN, late, "rnd"]
    assert [again[1], again[2]] == data["rows"]


def test_a_file_of_another_study_is_refused(tmp_path: Path) -> None:
    """Rows of other steps are neither mixed in nor overwritten."""
    file = tmp_path / "rows.json"
    file.write_text(json.dumps({"env": "Other-v0", "steps": 5, "rows": []}))
    with pytest.raises(UsageError, match="Other-v0 with 5 steps"):
        earlier(file, Study())
