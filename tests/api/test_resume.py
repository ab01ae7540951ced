"""A search that goes on: what was found before is not found out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_synth.api import EnvConfig, GenerateConfig, generate
from reward_synth.api.result import Watcher
from reward_synth.checks import Examiner, Report
from reward_synth.program import RewardProgram
from reward_synth.search import load_method

CONFIG = GenerateConfig(
    EnvConfig("MountainCarContinuous-v0"), method=load_method("symbolic"), candidates=5
)


def stop_after(count: int) -> Watcher:
    """Break off when so many candidates are kept."""

    def progress(what: str, done: int, _: int) -> None:
        if (what, done) == ("checked", count):
            raise KeyboardInterrupt

    return Watcher(progress=progress)


def test_candidates_of_a_broken_run_are_not_examined_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of five were kept: the run that goes on examines two, and its candidates,
    scores and report are those of a run that nobody broke."""
    whole = generate(CONFIG, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        generate(CONFIG, tmp_path / "run", stop_after(3))
    seen: list[str] = []
    examine = Examiner.examine

    def watched(self: Examiner, program: RewardProgram) -> Report:
        seen.append(program.digest)
        return examine(self, program)

    monkeypatch.setattr(Examiner, "examine", watched)
    again = generate(CONFIG, tmp_path / "run")
    assert len(seen) == len(set(seen)) == 2
    assert again.outcomes == whole.outcomes
    texts = [(tmp_path / name / "report.md").read_text() for name in ("run", "whole")]
    assert texts[0] == texts[1]
