"""Tables in the docs are those of the committed files."""

from __future__ import annotations

import json

from reward_synth.benchmarks.oni_keyroom import summary
from reward_synth.benchmarks.tables import (
    BENCHES,
    LABELS,
    RESULTS,
    bench_section,
    updated_benches,
    updated_study,
)
from reward_synth.report import RunData


def test_the_page_on_benchmarks_has_the_committed_figures() -> None:
    """Making the tables again changes nothing."""
    text = BENCHES.read_text()
    assert updated_benches(text) == text


def test_every_committed_suite_is_whole() -> None:
    """Each training has ended well, and its seed, versions and command are there."""
    files = sorted(RESULTS.glob("bench_*.json"))
    assert files
    for path in files:
        run = RunData.from_dict(json.loads(path.read_text())["run"])
        assert run.command.startswith("reward_synth bench")
        assert {"python", "torch", "stable-baselines3"} <= set(run.versions)
        assert {trial.status for trial in run.trials} == {"ok"}
        assert all(trial.final is not None for trial in run.trials)
        name = path.stem.removeprefix("bench_")
        assert f"`benchmarks/results/bench_{name}.json`" in bench_section([path])


def test_the_page_on_labels_has_the_committed_study() -> None:
    """The table is that of the rows, and making it again changes nothing."""
    text = LABELS.read_text()
    assert updated_study(text) == text
    data = json.loads((RESULTS / "oni_keyroom.json").read_text())
    assert summary(data["rows"]) == data["summary"]
