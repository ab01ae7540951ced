"""``reward_synth doctor`` and ``--sandbox``: what is live is told, and held to."""

from __future__ import annotations

import json

import pytest

from reward_synth.cli.main import run
from reward_synth.sandbox import live_layers, missing_layers, tier

LACKING = {"process": "live", "seccomp": "the kernel refused", "namespaces": "refused"}


def test_the_doctor_names_every_layer_and_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The JSON has a row a layer; the code is 0 exactly where strict holds."""
    code = run(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {item["layer"] for item in found["layers"]} == set(live_layers())
    assert found["versions"]["Python"].startswith("3.")
    assert found["missing"] == missing_layers(live_layers())
    assert code == (3 if found["missing"] else 0)


def test_the_doctor_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """People read the same as a table with a verdict below."""
    run(["doctor"])
    text = capsys.readouterr().out
    assert "landlock_files" in text
    assert "numba" in text
    assert text.strip().splitlines()[-1].startswith("The sandbox is ")


def test_a_missing_layer_is_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script can ask whether strict would hold."""
    monkeypatch.setattr(tier, "live_layers", lambda: LACKING)
    assert run(["doctor"]) == 3
    assert "1 of its layers is missing" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "train", "generate", "bench"])
def test_strict_is_refused_in_one_line_where_it_cannot_hold(
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: object,
) -> None:
    """The layer, the reason, and what to do; before any work is done."""
    from pathlib import Path

    monkeypatch.setattr(tier, "live_layers", lambda: LACKING)
    file = Path(str(tmp_path)) / "reward.py"
    file.write_text("def compute_reward(position):\n    return {'a': position}\n")
    env = ["--env", "MountainCarContinuous-v0", "--sandbox", "strict"]
    arguments = {
        "check": ["check", str(file), *env],
        "train": ["train", "--reward", str(file), *env],
        "generate": ["generate", *env],
        "bench": ["bench", "quick", "--sandbox", "strict"],
    }
    assert run(arguments[command]) == 3
    said = capsys.readouterr().err.strip()
    assert "seccomp (the kernel refused)" in said
    assert "--sandbox reduced" in said
    assert len(said.splitlines()) == 1
