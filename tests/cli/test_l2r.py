"""``generate --method l2r``: a motion in words, its terms in JSON, and a planner."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reward_synth.program import RewardProgram
from reward_synth.store import RunStore
from tests.cli.test_methods import asked_of
from tests.cli.tools import CAR, Cli
from tests.llm.server import Behaviour, FaultServer, Good, Received, Status

pytest.importorskip("torch")
pytest.importorskip("mujoco")
MOTION = "* fingertip_to_target should stay at 0 m.\n* Effort matters a little."
TERMS = {
    "motion": "The fingertip goes to the target and stays there.",
    "terms": [
        {"kind": "reach", "of": "fingertip_to_target", "to": [0, 0], "weight": 1.0},
        {"kind": "effort", "weight": 0.001},
    ],
}


def said(value: Any) -> Good:
    return Good(f"```json\n{json.dumps(value)}\n```")


def answering(*terms: Behaviour) -> Any:
    """Describe the motion; then give one answer after the other for its terms."""
    left = list(terms)

    def script(received: Received) -> Behaviour:
        system = received.body["messages"][0]["content"]
        if system.startswith("You describe the motion"):
            return Good(MOTION)
        return left.pop(0) if len(left) > 1 else left[0]

    return script


def command(server: FaultServer, *more: object) -> tuple[object, ...]:
    given = ("--model", "tiny", "--base-url", server.url, "--method", "l2r")
    return ("generate", "--env", "Reacher-v5", *given, *more)


def test_terms_of_a_model_reach_what_random_actions_do_not(cli: Cli) -> None:
    """Asked for the motion, then for its terms with nothing but the motion, at 0.3; bad
    terms are mended; the planner stays at the target, where random actions never are."""
    wrong = {"motion": "Go.", "terms": [{"kind": "more", "of": "tip", "weight": 1}]}
    with FaultServer(answering(said(wrong), said(TERMS))) as server:
        args = command(server, "--episodes", 3, "--run", "mine")
        made = cli.json(*args)
        again = cli.json(*args)
        asked = server.received
    assert len(asked) == 3
    assert {item.body["temperature"] for item in asked} == {0.3}
    assert "fingertip_to_target should stay at 0 m." in asked_of(asked[1])
    assert "'tip' is no field" in asked_of(asked[2])
    program = RewardProgram.load(made["reward"])
    assert "-1.0 * np.linalg.norm(fingertip_to_target - np.array([0.0, 0.0]))" in (
        program.source
    )
    (trial,) = made["trials"]
    assert (trial["arm"], trial["steps"]) == ("dense", 2 * 3 * 50)
    with RunStore.read("mine") as store:
        (row,) = store.trials()
    assert row.config["planner"]["choice"] == "best"
    assert row.result["success_last"] == 1.0
    assert row.result["random"]["success_last"] == 0.0
    assert again == made
    assert cli("report", "mine").code == 0
    refused = cli("refine", "mine", "--feedback", "slower")
    assert refused.code == 2
    assert "generate with --task" in refused.err


def test_what_has_no_terms_is_a_sample_without_a_program(cli: Cli) -> None:
    """After the corrections exit 1, with the reason; nothing was planned."""
    with FaultServer(answering(Good("I would rather write Python."))) as server:
        done = cli(*command(server, "--repairs", 1, "--run", "mine"))
        assert len(server.received) == 3
    assert done.code == 1
    with RunStore.read("mine") as store:
        assert list(store.trials()) == []


def test_no_motion_no_terms(cli: Cli) -> None:
    """Where the first question gets no answer, the second is not asked."""
    gone = Status(503, retry_after="100000")
    with FaultServer([gone]) as server:
        done = cli(*command(server, "--run", "mine"))
        assert len(server.received) == 1
    assert done.code == 75
    assert "got no answer" in done.err


@pytest.mark.parametrize(
    ("env", "says"),
    [
        (CAR, "Gymnasium's MuJoCo environments"),
        ("CartPole-v1", "needs a success rule"),
        ("InvertedPendulum-v5", "needs a success rule"),
    ],
)
def test_what_cannot_be_planned_is_refused_before_it_is_paid(
    env: str, says: str, cli: Cli
) -> None:
    """Exit 2 and one line; nobody was asked."""
    with FaultServer(answering(said(TERMS))) as server:
        given = ("--model", "tiny", "--base-url", server.url, "--method", "l2r")
        done = cli("generate", "--env", env, *given)
        assert server.received == []
    assert done.code == 2
    assert says in done.err


def test_the_dry_run_shows_the_first_question(cli: Cli) -> None:
    """No training; the motion is what is asked for."""
    given = ("--method", "l2r", "--model", "tiny", "--dry-run")
    plan = cli.json("generate", "--env", "Reacher-v5", *given)
    assert (plan["trainings"], plan["candidates"]) == (0, 1)
    assert plan["messages"][1][1].endswith("Describe the motion.")
