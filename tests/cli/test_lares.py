"""``generate --method lares``: periods, elites, and what a model is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_synth.api.config import EnvConfig, GenerateConfig, TrainConfig
from reward_synth.api.dry import trainings
from reward_synth.search import load_method
from reward_synth.store import RunStore
from tests.cli.test_lare import SHORT
from tests.cli.test_methods import answering, asked_of, small
from tests.cli.test_model import slot_of
from tests.cli.tools import CAR, Cli
from tests.llm.server import FaultServer

pytest.importorskip("torch")


def test_elites_train_on_beside_new_programs(cli: Cli, place: Path) -> None:
    """Two programs, then the best of them and a new one on the same buffer; the model is
    shown the best of the last round; the best is trained alone at the end."""
    with FaultServer(answering()) as server:
        given = ("--model", "tiny", "--base-url", server.url)
        file = small("lares", place)
        command = ("generate", "--env", CAR, "--method-file", file, *given, *SHORT)
        made = cli.json(*command, "--run", "mine")
        again = cli.json(*command, "--run", "mine")
        asked = sorted(server.received, key=slot_of)
    with RunStore.read("mine") as store:
        trials = list(store.trials())
    periods = sorted(
        (item for item in trials if "population" in item.config),
        key=lambda item: bool(item.config["before"]),
    )
    first, second = periods
    assert len(first.config["population"]) == 2
    assert (first.config["elites"], first.config["before"]) == ([], "")
    assert second.config["before"] == first.key
    (row,) = second.config["elites"]
    assert second.config["population"][0] == first.config["population"][row]
    assert second.config["population"][1] not in first.config["population"]
    assert [item.result["steps"] for item in periods] == [12, 24]  # a fifth of 60 each
    assert "An agent trained with it succeeded in" in asked_of(asked[2])
    arms = sorted((item["arm"], item["steps"]) for item in made["trials"])
    assert arms == [("dense", 60), ("sparse", 60)]
    assert again == made
    for verb in ("report", "feedback"):
        done = cli(verb, "mine")  # readers of runs know trials of several programs
        assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--env", "CartPole-v1", "--success", "cart_position < 1"), "continuous"),
        (("--env", CAR, "--combine", "potential"), "cannot be shared"),
        (("--env", CAR, "--algorithm", "ppo"), "continuous actions"),
    ],
)
def test_what_cannot_be_shared_is_refused_before_it_is_paid(
    options: tuple[str, ...], says: str, cli: Cli
) -> None:
    """Exit 2 and one line; nobody was asked."""
    with FaultServer(answering()) as server:
        given = ("--model", "tiny", "--base-url", server.url, "--train-steps", 10)
        done = cli("generate", *options, "--method", "lares", *given)
        assert server.received == []
    assert done.code == 2
    assert says in done.err


def test_what_it_would_cost_counts_periods() -> None:
    """Five periods of a fifth each, and the best alone beside sparse, three seeds each."""
    training = TrainConfig(100)
    config = GenerateConfig(
        EnvConfig(CAR), training=training, method=load_method("lares")
    )
    assert config.plan.samples == 25
    assert trainings(config.plan, training) == (5 + 6, 5 * 20 + 6 * 100)
