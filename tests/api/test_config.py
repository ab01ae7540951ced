"""Settings: what is refused in Python as on the command line, and what a run is compared by."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest

from reward_synth.api.config import (
    PREFERENCE,
    EnvConfig,
    GenerateConfig,
    ModelConfig,
    TrainConfig,
)
from reward_synth.api.dry import trainings
from reward_synth.engine import EngineConfig
from reward_synth.errors import UsageError
from reward_synth.search import load_method

CAR = EnvConfig("MountainCarContinuous-v0")


@pytest.mark.parametrize(
    ("kind", "settings", "option"),
    [
        (EnvConfig, {"env": "X", "success": " "}, "--success"),
        (EnvConfig, {"env": "X", "instruction": ""}, "--task"),
        (ModelConfig, {"model": ""}, "--model"),
        (ModelConfig, {"base_url": "http://127.0.0.1/v1"}, "--model"),
        (ModelConfig, {"model": "m", "temperature": 2.1}, "--temperature"),
        (ModelConfig, {"model": "m", "temperature": math.nan}, "--temperature"),
        (ModelConfig, {"timeout": math.inf}, "--timeout"),
        (ModelConfig, {"repairs": -1}, "--repairs"),
        (ModelConfig, {"max_tokens": 0}, "--max-tokens"),
        (TrainConfig, {"steps": -1}, "--train-steps"),
        (TrainConfig, {"top": 0}, "--train-top"),
        (TrainConfig, {"algorithm": "td3"}, "td3"),
        (GenerateConfig, {"env": CAR, "candidates": 0}, "--n"),
        (GenerateConfig, {"env": CAR, "rounds": 0}, "--rounds"),
        (GenerateConfig, {"env": CAR, "weight": math.inf}, "--weight"),
    ],
)
def test_settings_without_meaning_are_refused(
    kind: type[Any], settings: dict[str, Any], option: str
) -> None:
    """A configuration that exists can be used; errors name the option."""
    with pytest.raises(UsageError, match=option):
        kind(**settings)


def test_a_run_is_compared_by_all_but_the_jobs() -> None:
    """Every setting is in the run's identity, save how many trainings run at once."""
    config = GenerateConfig(CAR)
    faster = dataclasses.replace(
        config,
        training=TrainConfig(engine=EngineConfig(jobs=7)),
        model=ModelConfig(parallel=64),
    )
    assert faster.to_dict() == config.to_dict()
    data = config.to_dict()
    counts = {"candidates", "rounds", "limits"}  # in the plan, and no part of it
    used = dataclasses.replace(  # these two are told only where they are used
        config, fitness=PREFERENCE, training=TrainConfig(10, early_stop=True)
    ).to_dict()
    names = {item.name for item in dataclasses.fields(config)}
    assert set(used) == set(data) | {"fitness"} == names - counts | {"plan"}
    assert set(used["training"]) == {
        item.name for item in dataclasses.fields(TrainConfig)
    } - {"engine", "top", "seeds"}
    assert set(used["training"]) - set(data["training"]) == {"early_stop"}
    again = GenerateConfig.from_dict(json.loads(json.dumps(used)))
    assert (again.fitness, again.training.early_stop) == (PREFERENCE, True)
    assert json.loads(json.dumps(data)).keys() == data.keys()


def test_what_came_later_is_told_only_where_it_is_used() -> None:
    """An older run has no word for joined programs, elites and planners: without them a
    run is the same as it was, with them another, and both are read back."""
    later = {"merge", "elites", "planner"}
    for name in ("default", "lare", "lares", "l2r"):
        config = GenerateConfig(CAR, method=load_method(name))
        data = json.loads(json.dumps(config.to_dict()))
        assert bool(later & {*data["method"], *data["plan"]}) == (name != "default")
        assert GenerateConfig.from_dict(data).method == config.method


def test_what_is_given_stands_above_the_method() -> None:
    """Counts of the command change the method's; what is not given is the method's own."""
    training = TrainConfig(1000, top=3, seeds=2)
    method = load_method("halving")
    plan = GenerateConfig(CAR, training=training, method=method, candidates=5).plan
    assert (plan.candidates, plan.rounds) == (5, method.rounds)
    assert [(rung.keep, rung.seeds) for rung in plan.final] == [(8, 1), (3, 1), (3, 2)]
    assert GenerateConfig(CAR, method=method).plan.final == ()  # nothing is trained
    assert (
        GenerateConfig(CAR, method=load_method("auto-mc")).combination == "sign_bounded"
    )
    both = GenerateConfig(CAR, method=load_method("auto-mc"), combine="add")
    assert both.combination == "add"


def test_equal_plans_are_equal_runs() -> None:
    """Saying what a method says anyway makes no other run of it."""
    method = load_method("default")
    told = GenerateConfig(CAR, candidates=method.samples * method.rounds, rounds=2)
    assert told.to_dict() == GenerateConfig(CAR).to_dict()
    assert GenerateConfig(CAR, candidates=9).to_dict() != GenerateConfig(CAR).to_dict()


def test_a_dry_run_counts_every_training() -> None:
    """Eureka on 100 steps by hand: 5 x 5 x 16 in the rounds, then 5 seeds of two arms.

    So 400 + 10 trainings, all of 100 steps.
    """
    config = GenerateConfig(
        CAR, training=TrainConfig(100), method=load_method("eureka")
    )
    assert trainings(config.plan, config.training) == (410, 41_000)
