"""Settings: what is refused in Python as on the command line, and what a run is compared by."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest

from reward_synth.api.config import EnvConfig, GenerateConfig, ModelConfig, TrainConfig
from reward_synth.errors import UsageError

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
    faster = dataclasses.replace(config, training=TrainConfig(jobs=7))
    assert faster.to_dict() == config.to_dict()
    data = config.to_dict()
    assert set(data) == {item.name for item in dataclasses.fields(config)}
    assert set(data["training"]) == {
        item.name for item in dataclasses.fields(TrainConfig)
    } - {"jobs"}
    assert json.loads(json.dumps(data)).keys() == data.keys()
