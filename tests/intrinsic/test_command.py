"""``reward_synth intrinsic`` and ``annotate``: what they do, write down and refuse."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from reward_synth.agents.intrinsic_record import explain
from reward_synth.intrinsic.models import about_model, load_model
from tests.cli.tools import Cli, Result
from tests.intrinsic.conftest import KEY, caption_of
from tests.llm.server import Behaviour, FaultServer, Good, Received

STEPS = 512
TEXTS = """
def lake(obs):
    return "right column" if int(obs) % 4 == 3 else "elsewhere"

def number(obs):
    return int(obs)

def broken(obs):
    raise KeyError("nothing")

word = 3
"""
LAKE = ("--env", "FrozenLake-v1", "--env-kwargs", '{"is_slippery": false}')
SMALL = (*LAKE, "--steps", STEPS, "--lanes", 4, "--caption", "mine:lake")
RULE = ("--rule", "right=helpful")


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cli]:
    """Run commands in a folder that holds a module with captions."""
    (tmp_path / "mine.py").write_text(TEXTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    threads = torch.get_num_threads()
    yield Cli(capsys)
    torch.set_num_threads(threads)
    sys.modules.pop("mine", None)


def judge(received: Received) -> Behaviour:
    """Play a model that calls the right column helpful."""
    word = "helpful" if "right" in caption_of(received) else "unhelpful"
    return Good(json.dumps({"label": word}), prompt_tokens=100, completion_tokens=6)


def explained(folder: Path) -> list[Any]:
    return [explain(folder, step) for step in range(STEPS)]


def test_every_step_tells_where_its_pay_came_from(cli: Cli) -> None:
    """Of a run with rules and a bonus, each step's pay for its label is the label's value
    over the third power of its count, and the rule that gave it is named; counts begin
    at 1 and reach more in long episodes; the table of captions sums the same."""
    told = cli.json("intrinsic", *SMALL, *RULE, "--bonus", "count", "--run", "r")
    assert (told["steps"], told["seed"]) == (STEPS, 0)
    assert told["steps_by_label"] == {"known": STEPS}
    steps = explained(Path("r"))
    for one in steps:
        right = one.caption == "right column"
        assert one.value == float(right)
        assert one.origin == ("rule: right" if right else "rule: otherwise")
        assert one.labelled == pytest.approx(float(right) * one.count**-3.0)
        assert one.bonus in (0.0, pytest.approx(0.1))
    assert min(one.count for one in steps) == 1 < max(one.count for one in steps)
    table = [json.loads(x) for x in Path("r/labels.jsonl").read_text().splitlines()]
    for row in table:
        mine = [one for one in steps if one.caption == row["caption"]]
        assert (row["times"], row["first_step"]) == (len(mine), mine[0].step)
        assert row["paid"] == pytest.approx(sum(one.labelled for one in mine))
    assert sum(row["times"] for row in table) == STEPS


def test_a_step_is_explained_on_the_command_line(cli: Cli) -> None:
    """--explain prints caption and origin, and as JSON the same as the library."""
    cli.json("intrinsic", *SMALL, *RULE, "--run", "r")
    shown = cli("intrinsic", "--run", "r", "--explain", 3)
    assert shown.code == 0
    assert "rule: " in shown.out
    told = cli.json("intrinsic", "--run", "r", "--explain", 3)
    assert told["caption"] == explain("r", 3).caption
    assert told["question"] == []


def test_a_models_label_is_traced_to_its_answer(cli: Cli) -> None:
    """With a language model, the origin is the request, whose messages and answer are in
    the run; its labels are shared by a second run, which asks nothing."""
    asks = ("--annotator", "tiny", "--goal", "Go right.", "--labels", "answers")
    with FaultServer(judge) as server:
        where = ("--base-url", server.url)
        told = cli.json("intrinsic", *SMALL, *asks, *where, "--run", "one")
        sent = len(server.received)
        cli.json("intrinsic", *SMALL, *asks, *where, "--run", "two", "--seed", 1)
        assert len(server.received) == sent == 2
    assert told["labels"]["calls"] == 2
    assert told["labels"]["tokens"] == 2 * 106
    one = next(x for x in explained(Path("two")) if x.caption == "right column")
    assert (one.label, one.status) == ("helpful", "known")
    assert json.loads(one.question[1][1]) == "right column"
    assert "Go right." in one.question[0][1]
    assert json.loads(one.answer) == {"label": "helpful"}
    assert KEY not in Path("one/result.json").read_text()


def test_a_run_keeps_its_model_with_what_it_was_asked(cli: Cli) -> None:
    """The reward model's file tells the rules that it learned from, and judges as the
    run did; the same seed trains the same policy."""
    given = ("intrinsic", *SMALL, *RULE, "--model", "oni-classification")
    cli.json(*given, "--run", "one")
    cli.json(*given, "--run", "two")
    about = about_model("one/model.safetensors")
    assert about.kind == "classification"
    assert about.question is not None
    assert about.question["rules"] == [["right", "helpful"]]
    load_model("one/model.safetensors", about.question)
    for name in ("policy.safetensors", "model.safetensors", "steps.bin"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()


def test_a_ranking_is_trained_by_rules_too(cli: Cli) -> None:
    """Pairs of captions are compared by what the rules call each; then guesses pay, more
    for the better caption."""
    told = cli.json(
        "intrinsic", *SMALL, *RULE, "--model", "oni-ranking", "--run", "r", "--power", 0
    )
    assert told["steps_by_label"] == {"predicted": STEPS}
    steps = explained(Path("r"))
    paid = {
        text: {round(x.labelled, 4) for x in steps if x.caption == text}
        for text in ("right column", "elsewhere")
    }
    assert min(paid["right column"]) > 0 >= max(paid["elsewhere"])


def test_captions_are_annotated_without_training(cli: Cli) -> None:
    """Of a file and of random play, each different caption comes once, with its count,
    label and origin; the most frequent first."""
    Path("c.txt").write_text("right\nleft\n\nleft\n")
    rows = cli.json("annotate", *LAKE, *RULE, "--captions", "c.txt")
    told = [(row["caption"], row["times"], row["value"]) for row in rows]
    assert told == [("left", 2, 0.0), ("right", 1, 1.0)]
    assert [row["origin"] for row in rows] == ["rule: otherwise", "rule: right"]
    played = cli.json("annotate", *LAKE, *RULE, "--caption", "mine:lake", "--steps", 90)
    assert sum(row["times"] for row in played) == 90
    assert "have a label" in cli("annotate", *LAKE, *RULE, "--captions", "c.txt").out


def test_a_forecast_asks_nobody(cli: Cli) -> None:
    """What a long run would ask is told from random play: here two captions."""
    asks = ("--annotator", "tiny", "--goal", "Go right.", "--caption", "mine:lake")
    with FaultServer(judge) as server:
        where = ("--base-url", server.url)
        told = cli.json("annotate", *LAKE, *asks, *where, "--forecast", 10**6)
        assert not server.received
    assert (told["captions"], told["steps"]) == (2, 10**6)


def test_a_model_that_learned_from_a_record_trains_an_agent(cli: Cli) -> None:
    """A ranking is trained on a file of captions, tried on pairs that it did not see, and
    then pays an agent, frozen: nobody is asked, and its file stays as it was."""
    lines = [f"{side} {n}" for n in range(12) for side in ("right column", "elsewhere")]
    Path("c.txt").write_text("\n".join([*lines, *["elsewhere 3"] * 40]))
    given = (*LAKE, *RULE, "--captions", "c.txt", "--learn", "m.safetensors")
    told = cli.json("annotate", *given, "--pairs", 120)
    assert told["asked"] == 120
    assert told["learned"] + told["held_out"] <= 120
    assert told["accuracy"] > 0.9
    before = Path("m.safetensors").read_bytes()
    found = cli.json(
        "intrinsic", *SMALL, "--reward-model", "m.safetensors", "--run", "r"
    )
    assert found["steps_by_label"] == {"predicted": STEPS}
    assert found["labels"] is None
    paid = {x.caption: x.value for x in explained(Path("r"))}
    assert paid["right column"] > 0 >= paid["elsewhere"]
    assert Path("r/model.safetensors").read_bytes() == before
    assert Path("m.safetensors").read_bytes() == before


WRONG: dict[str, tuple[tuple[object, ...], int, str]] = {
    "no environment": (("intrinsic",), 2, "Give an environment"),
    "model": (("intrinsic", *SMALL, "--model", "oni-rank"), 2, "no model 'oni-rank'"),
    "bonus": (("intrinsic", *SMALL, *RULE, "--bonus", "rdn"), 2, "mean 'rnd'"),
    "rule": (("intrinsic", *SMALL, "--rule", "right"), 2, "PATTERN=LABEL"),
    "pattern": (("intrinsic", *SMALL, "--rule", "(=helpful"), 2, "no regular"),
    "label": (("intrinsic", *SMALL, "--rule", "a=good"), 2, "the label 'good'"),
    "no rules": (("intrinsic", *SMALL), 2, "--rule"),
    "caption": (("annotate", *LAKE, *RULE, "--caption", "tsak"), 2, "mean 'task'"),
    "no text": (
        ("annotate", *LAKE, *RULE, "--caption", "mine:number"),
        2,
        "must return a text; it returned",
    ),
    "raises": (
        ("intrinsic", *SMALL[:-1], "mine:broken", *RULE),
        2,
        "raised KeyError: 'nothing'",
    ),
    "no function": (
        ("annotate", *LAKE, *RULE, "--caption", "mine:word"),
        2,
        "no function 'word'",
    ),
    "no module": (("annotate", *LAKE, *RULE, "--caption", "yours:f"), 3, "no module"),
    "goal": (
        ("intrinsic", *SMALL, "--annotator", "tiny", "--goal", " "),
        2,
        "The goal is empty",
    ),
    "game": (("annotate", *LAKE, *RULE, "--caption", "message"), 2, "NetHack's"),
    "file": (("annotate", *LAKE, *RULE, "--captions", "none"), 2, "Cannot read"),
    "no run": (("intrinsic", "--run", "none", "--explain", 0), 2, "no finished run"),
    "run": (("intrinsic", "--explain", 0), 2, "give --run DIR"),
    "nothing to learn": (
        ("annotate", *LAKE, *RULE, "--model", "none", "--learn", "m"),
        2,
        "--learn needs a model",
    ),
    "no reward model": (("intrinsic", *SMALL, "--reward-model", "m"), 2, "no file m"),
    "memory": (("intrinsic", *SMALL, *RULE, "--memory", -1), 2, "memory"),
    "prices": (("annotate", *LAKE, *RULE, "--prices", "dear"), 2, "--prices"),
}


def refused(found: Result, code: int, text: str) -> None:
    assert (found.code, text in found.err) == (code, True), found.err
    assert found.err.count("error:") == 1
    assert "Traceback" not in found.err


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_one_line(cli: Cli, case: str) -> None:
    """What cannot be is said in one line with the fix, and leaves no run behind."""
    arguments, code, text = WRONG[case]
    refused(cli(*arguments), code, text)
    assert not list(Path().glob("runs/*"))


def test_a_folder_in_use_and_a_step_beyond_are_refused(cli: Cli) -> None:
    """A training is never written over, and steps that were not taken are not told."""
    cli.json("intrinsic", *SMALL, *RULE, "--run", "r")
    before = Path("r/steps.bin").read_bytes()
    refused(
        cli("intrinsic", *SMALL, *RULE, "--run", "r"), 2, "holds a training already"
    )
    assert Path("r/steps.bin").read_bytes() == before
    refused(cli("intrinsic", "--run", "r", "--explain", STEPS), 2, f"no step {STEPS}")


def test_a_journal_of_another_prompt_is_refused(cli: Cli) -> None:
    """Answers to one goal never label for another; the difference is named."""
    asks = ("--annotator", "tiny", "--labels", "answers", "--caption", "mine:lake")
    with FaultServer(judge) as server:
        where = ("--base-url", server.url, "--steps", 30)
        cli.json("annotate", *LAKE, *asks, *where, "--goal", "Go right.")
        found = cli("annotate", *LAKE, *asks, *where, "--goal", "Go left.")
    refused(found, 2, "goal is 'Go right.' there and 'Go left.' here")


def test_a_server_that_is_down_is_told(cli: Cli) -> None:
    """Annotating gives up and says to try again; a training goes on without labels and
    says what failed."""
    down = (
        "--annotator",
        "tiny",
        "--goal",
        "Win.",
        "--base-url",
        "http://127.0.0.1:9/v1",
    )
    Path("c.txt").write_text("\n".join(f"caption {n}" for n in range(40)))
    found = cli("annotate", *LAKE, *down, "--captions", "c.txt")
    refused(found, 75, "has answered none of")
    told = cli.json("intrinsic", *SMALL, *down, "--run", "r")
    assert told["steps_by_label"] == {"pending": STEPS}
    assert told["failed_requests"]["connection"] > 0


def test_a_model_that_never_gives_a_label_is_given_up(cli: Cli) -> None:
    """A model that answers in no label of the grammar is not asked for ever; what it said
    and which labels there are is told."""
    Path("many.txt").write_text("\n".join(f"caption {n}" for n in range(40)))
    asks = ("--annotator", "tiny", "--goal", "Win.", "--captions", "many.txt")
    with FaultServer(lambda received: Good("It is hard to say.")) as server:
        found = cli("annotate", *LAKE, *asks, "--base-url", server.url)
        assert len(server.received) < 80
    refused(found, 1, "'It is hard to say.'")
    assert "helpful, unhelpful, unsure" in found.err
