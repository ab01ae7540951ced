"""Reward cards: what they tell, that it is true, and that it runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reward_synth.cli.main import run
from reward_synth.export import Exported, read_exports, write_card
from reward_synth.export.yamltext import yaml_text
from reward_synth.program import RewardProgram
from reward_synth.report import FindingData
from reward_synth.task import TaskSpec
from tests.export.conftest import CAR, PROGRAM, STEPS

yaml = pytest.importorskip("yaml")
FILES = {"README.md", "reward.py", "task.json", "metrics.json"}


def card(folder: Path) -> tuple[dict[str, Any], str]:
    """Return a card's front matter and its text."""
    text = (folder / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def one(folder: Path) -> Exported:
    (found,) = read_exports(folder)
    return found


def test_a_trained_run(trained: Path) -> None:
    """A card of a trained run tells each arm's success with seeds and episodes."""
    assert run(["export", str(trained), "--license", "mit"]) == 0
    folder = trained / "export"
    assert {item.name for item in folder.iterdir()} == FILES
    front, body = card(folder)
    assert front["library_name"] == "reward_synth"
    assert front["license"] == "mit"
    assert {"reward_synth", CAR} <= set(front["tags"])
    told = json.loads((folder / "metrics.json").read_text())
    own = told["arms"][0]
    assert (own["arm"], own["seeds"], own["episodes"]) == ("this reward", 2, 3)
    assert [row["steps"] for row in own["trainings"]] == [STEPS] * 2
    (result,) = front["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == own["success"]
    assert "seeds: 2, episodes of each: 3" in result["metrics"][0]["name"]
    assert "| sparse |" in body
    assert "reward_synth train" in body or "python" in body


def test_nothing_is_invented(generated: Path, tmp_path: Path) -> None:
    """A run without trainings claims no success, and the licence is unknown."""
    assert run(["export", str(generated), "--to", str(tmp_path / "card")]) == 0
    front, body = card(tmp_path / "card")
    assert front["license"] == "unknown"
    assert "model-index" not in front
    assert "nothing is claimed" in body
    told = json.loads((tmp_path / "card" / "metrics.json").read_text())
    assert told["trained"] is False
    assert told["arms"] == []
    assert "screen" in told["scores"]


def test_the_program_and_the_task_are_the_run_s_own(
    generated: Path, tmp_path: Path
) -> None:
    """reward.py and task.json of a card are those of the run, provenance included."""
    write_card(one(generated), tmp_path)
    ours = RewardProgram.load(tmp_path / "reward.py")
    assert ours == RewardProgram.load(generated / "reward.py")
    assert TaskSpec.load(tmp_path / "task.json") == TaskSpec.load(
        generated / "task.json"
    )
    _, body = card(tmp_path)
    assert f"| digest | {ours.digest} |" in body
    assert "| proposer | symbolic |" in body


def test_the_snippets_run(trained: Path, tmp_path: Path) -> None:
    """Every Python snippet that makes an environment runs in the card's folder."""
    write_card(one(trained), tmp_path)
    _, body = card(tmp_path)
    code = re.findall(r"```python\n(.*?)```", body, re.DOTALL)
    snippets = [item for item in code if "env.step" in item]
    assert len(snippets) == 2
    for item in snippets:
        done = subprocess.run(
            [sys.executable, "-c", item],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "'place'" in done.stdout


def test_a_suite_gives_a_card_for_each_program(benched: Path, tmp_path: Path) -> None:
    """A run of bench gives a folder for each design, or one that is named."""
    assert run(["export", str(benched), "--to", str(tmp_path / "all")]) == 0
    made = {item.name for item in (tmp_path / "all").iterdir()}
    assert made == {f"{CAR}-mine", f"{CAR}-symbolic"}
    arguments = ["--to", str(tmp_path / "one"), "--design", "mine", "--task", CAR]
    assert run(["export", str(benched), *arguments]) == 0
    front, body = card(tmp_path / "one")
    assert "| design | mine |" in body
    assert front["model-index"]
    assert PROGRAM.strip() in body


def test_names_that_are_not_there(
    benched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A design that the run lacks is answered with those that it has."""
    assert run(["export", str(benched), "--design", "mien"]) == 2
    assert "Did you mean 'mine'?" in capsys.readouterr().err


def test_a_folder_without_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is no run is refused in one line."""
    assert run(["export", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "holds no run" in err
    assert "Traceback" not in err


def test_another_readme_stays(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A README.md that is no card is never overwritten; a card is."""
    (tmp_path / "README.md").write_text("# Mine\n")
    assert run(["export", str(trained), "--to", str(tmp_path)]) == 2
    assert "is not a reward card" in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text() == "# Mine\n"
    write_card(one(trained), tmp_path / "card")
    write_card(one(trained), tmp_path / "card")


def test_findings_and_code_cannot_break_the_card(trained: Path, tmp_path: Path) -> None:
    """Backticks in a program and line breaks in findings stay where they belong."""
    found = one(trained)
    source = PROGRAM.replace("import", '"""```\n\n# Not a title\n"""\nimport', 1)
    finding = FindingData("warning", "two\nlines", 3)
    found = replace(
        found,
        program=RewardProgram(source),
        told=replace(found.told, findings=(finding,)),
    )
    write_card(found, tmp_path)
    _, body = card(tmp_path)
    assert "````python" in body
    assert "- warning: two lines (line 3)" in body


@pytest.mark.parametrize(
    "data",
    [
        {"a": 1e-05, "b": 1e20, "c": -0.5, "d": 3, "e": True, "f": None},
        {"t": ["no", "1e5", "a: b # c", "ü\n'\"", "2026-01-01", "é😀"]},
        {"n": {"x": {"y": [{"k": [1, 2], "m": {}}, [], [[1], [2]]]}}},
        {"no": 1, "a/b-v0": 2, "1": 3, "-x": 4, "": 5, "with space": 6},
        {"tuple": (1, "a"), "inf": float("inf")},
    ],
)
def test_yaml_says_what_it_was_given(data: dict[str, Any]) -> None:
    """Every reader of YAML 1.1 gets back what was written."""
    plain = json.loads(json.dumps(data))
    assert yaml.safe_load(yaml_text(data)) == plain
