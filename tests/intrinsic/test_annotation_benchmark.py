"""The benchmark of annotation: what it counts is there, and a tiny form of it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reward_synth.benchmarks import annotation
from reward_synth.benchmarks.annotation_child import expected
from reward_synth.benchmarks.loopback import label


def test_the_expected_label_is_the_servers() -> None:
    """The server is asked with the caption as a JSON string."""
    for caption in ("state 1", "state 2", 'a "key"'):
        word = json.loads(label(json.dumps(caption)))["label"]
        assert expected(caption) == float(word == "helpful")


@pytest.mark.parametrize("part", ["kills", "submits"])
def test_a_tiny_form_runs(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kills leave no label missing or wrong, and no more answers given twice than
    questions can have been in flight."""
    file = tmp_path / "found.json"
    words = ["annotation", "--quick", "--only", part, "--json", str(file)]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    annotation.main()
    found = json.loads(file.read_text())[part]
    if part == "kills":
        assert (found["labels missing"], found["labels wrong"]) == (0, 0)
        assert (
            found["answers given twice"] <= found["most that may have been in flight"]
        )
    else:
        assert found["a second"] > 0
        assert len(found["a second in each fifth"]) == 5
