"""``generate --method lare``: factors from a model, and agents paid by a decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reward_synth.agents.lare_decoder import Decoder
from reward_synth.api.config import EnvConfig, GenerateConfig, TrainConfig
from reward_synth.api.dry import trainings
from reward_synth.search import load_method
from reward_synth.store import RunStore
from tests.cli.test_methods import answering, asked_of, small
from tests.cli.test_model import slot_of
from tests.cli.tools import CAR, Cli
from tests.llm.server import FaultServer

pytest.importorskip("torch")
SHORT = (
    *("--train-steps", 60, "--episodes", 1),
    *("--env-kwargs", '{"max_episode_steps": 10}'),
)


def test_drafts_are_joined_and_the_joined_program_is_trained(
    cli: Cli, place: Path
) -> None:
    """Two drafts at temperature 1, one at 0.3 that is shown both; it alone is trained,
    paid by a decoder that is kept, and it is the run's program."""
    file = small("lare", place)
    with FaultServer(answering()) as server:
        given = ("--model", "tiny", "--base-url", server.url)
        command = ("generate", "--env", CAR, "--method-file", file, *given, *SHORT)
        made = cli.json(*command, "--run", "mine")
        again = cli.json(*command, "--run", "mine")
        asked = sorted(server.received, key=slot_of)
    assert [item.body["temperature"] for item in asked] == [1.0, 1.0, 0.3]
    assert all("latent factors" in x.body["messages"][0]["content"] for x in asked)
    *drafts, joined = map(asked_of, asked)
    assert not any("def compute_reward" in text for text in drafts)
    assert '"speed": 1.0' in joined
    assert '"speed": 2.0' in joined
    assert '"speed": 3.0' in Path(made["reward"]).read_text()
    dense = [item for item in made["trials"] if item["arm"] == "dense"]
    assert len(dense) == 1
    with RunStore.read("mine") as store:
        (trial,) = [item for item in store.trials() if item.arm == "dense"]
        assert trial.config["combine"] == "decoded"
    decoder = Decoder.load(f"mine/trials/{trial.key}/decoder.safetensors")
    assert decoder.names == ("place", "speed")
    assert again == made
    done = cli(*command, "--run", "mine")
    lines = done.out.split("Use it:\n")[1].split("\n\n")[0]
    names: dict[str, Any] = {}
    exec(lines, names)  # our own lines pay the decoder
    names["env"].reset(seed=0)
    info = names["env"].step(names["env"].action_space.sample())[4]
    assert set(info["reward_components"]) == {"place", "speed"}
    assert names["env"].fit.updates == 0
    refused = cli("export", "mine")  # factors are no reward to hand on
    assert refused.code == 2
    assert "pays a decoder of its trainings" in refused.err


def test_without_training_the_lines_say_how_to_learn(cli: Cli, place: Path) -> None:
    """A run that trains nothing has no decoder, so its lines fit one."""
    with FaultServer(answering()) as server:
        given = ("--model", "tiny", "--base-url", server.url)
        done = cli(
            "generate", "--env", CAR, "--method-file", small("lare", place), *given
        )
    assert "lare.attach(SAC('MlpPolicy', env), env)" in done.out


def test_factors_themselves_can_be_the_reward(cli: Cli, place: Path) -> None:
    """--combine add is the ablation: the questions ask for rewards, still joined."""
    with FaultServer(answering()) as server:
        given = ("--model", "tiny", "--base-url", server.url, "--combine", "add")
        made = cli.json(
            *("generate", "--env", CAR, "--method-file", small("lare", place), *given)
        )
        asked = sorted(server.received, key=slot_of)
    assert len(made["candidates"]) == 3
    systems = {item.body["messages"][0]["content"][:32] for item in asked}
    assert systems == {"You write dense reward functions"}
    assert asked_of(asked[2]).count("def compute_reward") == 2


def test_what_it_would_cost_counts_the_joining(cli: Cli) -> None:
    """Five drafts and one that joins them; one program and sparse, five seeds each."""
    training = TrainConfig(10)
    config = GenerateConfig(
        EnvConfig(CAR), training=training, method=load_method("lare")
    )
    assert trainings(config.plan, training) == (10, 100)
    given = ("--method", "lare", "--model", "tiny", "--dry-run")
    plan = cli.json("generate", "--env", CAR, *given)
    assert plan["candidates"] == 6
    assert "latent factors" in plan["messages"][0][1]
