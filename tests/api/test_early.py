"""``--early-stop``: later candidates are held against the best one so far."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reward_synth.agents import TrialSpec
from reward_synth.agents.early import EarlyStop
from reward_synth.agents.training import Trained
from reward_synth.api import EnvConfig, GenerateConfig, measure
from reward_synth.api.config import TrainConfig
from reward_synth.api.limits import Limits, Meter
from reward_synth.api.measure import Measurement
from reward_synth.api.prepare import prepare
from reward_synth.api.result import Watcher
from reward_synth.errors import BudgetReachedError
from reward_synth.program import RewardProgram
from reward_synth.search import Rung
from reward_synth.search.reflection import reflect
from reward_synth.store import RunStore, TrialRow

ENV = EnvConfig("MountainCarContinuous-v0")
RUNG = Rung(1, last=True)


def result(success: float, **more: Any) -> dict[str, Any]:
    points: list[dict[str, Any]] = [
        {"step": step, "success_any": success / 2, "components": {}} for step in (1, 2)
    ]
    return {"curve": points, "selection": {"success_any": success}, **more}


@pytest.mark.parametrize("early", [True, False])
def test_the_best_so_far_is_the_bar(
    early: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second training is given the first one's evaluations, the third the best one's;
    what pays no program, and a run without the option, are never ended."""
    asked: list[TrialSpec] = []
    found = [
        result(0.8),
        result(0.2, stopped={"step": 1, "why": "dominated"}),
        result(1.0),
    ]

    def train_all(specs: Sequence[TrialSpec], *_: Any, **__: Any) -> list[Trained]:
        asked.extend(specs)
        dense = found.pop(0)
        return [Trained(x, "ok", dense if x.program else result(0.0)) for x in specs]

    monkeypatch.setattr(measure, "train_all", train_all)
    config = GenerateConfig(ENV, training=TrainConfig(10, early_stop=early))
    prepared = prepare(ENV)
    with RunStore.open(tmp_path, config.to_dict()) as store:
        trainer = Measurement(
            config, prepared, store, Watcher(), Meter(Limits(), store)
        )
        told = [
            trainer([RewardProgram.of(text, prepared.task)], RUNG)[0]
            for text in (
                f"def compute_reward(position):\n    return {{'a': {n} * position}}"
                for n in range(3)
            )
        ]
    dense = [item for item in asked if item.program]
    assert all(item.early is None for item in asked if not item.program)
    bar = EarlyStop(((1, 0.4), (2, 0.4)))
    expected = [EarlyStop(), bar, bar] if early else [None] * 3
    assert [item.early for item in dense] == expected
    assert told[1] is not None
    assert told[1].stopped == ("dominated at step 1",)
    assert "Ended early: dominated at step 1." in reflect(told[1])


def test_a_training_that_was_ended_costs_what_it_took(tmp_path: Path) -> None:
    """A budget counts 40 steps of a training of 100 that was ended there."""
    with RunStore.open(tmp_path, {}) as store:
        for key, more in (("a", {"stopped": {"step": 40, "why": "hacked"}}), ("b", {})):
            row = TrialRow(key, "dense", 0, {"steps": 100}, "ok", more)
            store.record_trial(row)
        prepared = prepare(ENV)
        spec = TrialSpec(prepared.ref, prepared.task, "sparse", 60, 0)
        Meter(Limits(steps=200), store).require_steps([spec])
        with pytest.raises(BudgetReachedError, match="140 are spent"):
            Meter(Limits(steps=199), store).require_steps([spec])
