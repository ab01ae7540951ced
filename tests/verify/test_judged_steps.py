"""Critiques, principles, groups, nuggets and tools of judges, over real HTTP."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.sandbox import Limits, ProcessSandbox
from reward_synth.verify.judges import (
    Aid,
    AidedJudge,
    Calculator,
    Code,
    Corpus,
    Judge,
    Juror,
    Search,
    Submission,
    calculate,
    criticised_rewards,
    critique,
    graded_steps,
    group_scores,
    nugget_judge,
)
from reward_synth.verify.rewards import ReasoningSQL, SQLite, names_of, nugget_score
from tests.llm.server import Behaviour, Good, Received, Status
from tests.verify.judging import parts, serving, strict, verdict

STEPS = ["2 + 2 = 4", "4 + 1 = 6", "so it is 6"]


def says(value: Any) -> Good:
    return Good(json.dumps(value))


@pytest.mark.parametrize(
    ("agree", "wrong"), [("all", (1,)), ("vote", (1, 2)), ("any", (0, 1, 2))]
)
def test_critiques_are_joined_as_asked(agree: Any, wrong: Any) -> None:
    """Three critiques: step 2 by all, step 3 by two, step 1 by one."""
    lists = [[2], [2, 3], [1, 3, 2]]

    def answer(received: Received) -> Behaviour:
        return says({"wrong": lists[int(received.body["seed"])]})

    with serving(answer) as (server, juror):
        jurors = [Juror(juror.chat, "tiny", seed=place) for place in range(3)]
        found = critique(jurors, STEPS, "2 + 2 + 1?", "5", agree=agree)
    assert (found.wrong, found.status) == (wrong, "ok")
    assert parts(server.received[0])["step_2"] == STEPS[1]


@pytest.mark.parametrize(
    "said",
    [
        {"wrong": [0]},
        {"wrong": [4]},
        {"wrong": [2, 2]},
        {"wrong": ["2"]},
        {"wrong": [True]},
        {"wrong": 2},
        {"right": []},
        [2],
    ],
)
def test_what_is_no_critique_is_abstained_from(said: Any) -> None:
    """Numbers of steps, each once, and nothing else."""
    with serving([says(said)]) as (server, juror):
        assert critique(juror, STEPS).status == "not_applicable"
    assert server.count == 2


def test_an_outage_is_no_critique() -> None:
    """Nor is a text of too many characters asked about: all its steps are wrong."""
    with serving([Status(500)]) as (server, juror):
        assert critique(juror, STEPS).status == "infra_error"
        assert graded_steps(juror, ["Be right."], STEPS).status == "infra_error"
        assert group_scores(juror, "Be right.", "q", ["a"]).status == "infra_error"
        before = server.count
        found = critique(juror, ["x" * 99_999, "yy"])
        assert (found.status, found.wrong) == ("invalid_output", (0, 1))
        assert server.count == before


@given(
    st.integers(1, 6),
    st.sets(st.integers(0, 5)),
    st.sets(st.integers(0, 5)),
    st.floats(0.1, 5.0),
    st.floats(0.0, 0.99),
)
def test_no_step_of_a_wrong_answer_earns_as_much_as_one_of_a_right_answer(
    count: int, one: set[int], other: set[int], whole: float, share: float
) -> None:
    """Whatever the critiques say, as long as the outcome weighs more."""
    wrong = [place for place in one if place < count]
    spurned = [place for place in other if place < count]
    right = criticised_rewards(count, wrong, 1.0, whole, whole * share)
    failed = criticised_rewards(count, spurned, 0.0, whole, whole * share)
    assert min(right) > max(failed)


def test_criticised_rewards_refuse_what_breaks_the_law() -> None:
    """A penalty as large as the outcome, and steps that are not there."""
    with pytest.raises(UsageError, match="whole above"):
        criticised_rewards(2, [], 1.0, whole=1.0, step=1.0)
    with pytest.raises(UsageError, match="2 steps"):
        criticised_rewards(2, [2], 1.0)


def test_steps_are_graded_by_principles_given_as_text() -> None:
    """Principles stand in the rules, steps in the material; grades become shares."""
    with serving([says({"grades": [10, 0, 5]})]) as (server, juror):
        found = graded_steps(juror, ["Check {sums}."], STEPS, "2 + 2 + 1?")
    assert found.grades == (1.0, 0.0, 0.5)
    # ReNorm: grade + outcome - 1 a step, and outcome - 1/2 more on the last.
    assert found.rewards(0.0) == [0.0, -1.0, -1.0]
    system = server.received[0].body["messages"][0]["content"]
    assert "Check {sums}." in system
    assert STEPS[1] not in system


@pytest.mark.parametrize("grades", [[1, 2], [1, 2, 11], [1, 2, 0.5], [1, 2, -1], "123"])
def test_grades_that_do_not_fit_the_steps_are_none(grades: Any) -> None:
    """One whole number from 0 to 10 a step."""
    with serving([says({"grades": grades})]) as (_, juror):
        assert graded_steps(juror, ["x"], STEPS).status == "not_applicable"


def by_length(received: Received) -> Behaviour:
    """Follow the principle "short is good"."""
    shown = {
        name.removeprefix("response_"): text
        for name, text in parts(received).items()
        if name.startswith("response_")
    }
    scores = {name: max(1, 6 - len(text)) for name, text in shown.items()}
    ranking = sorted(scores, key=lambda name: -scores[name])
    return says({"scores": scores, "ranking": ranking})


def test_a_group_is_scored_whatever_order_it_is_shown_in() -> None:
    """Lengths 1 to 4 give 5 to 2 of 5, so shares 1, ¾, ½, ¼; equal texts score equal."""
    texts = ["aaaa", "a", "aaa", "aa", "a", "...", " "]
    with serving(by_length) as (server, juror):
        found = group_scores(juror, "Short is good.", "Say a.", texts, orders=3)
    assert found.scores == (0.25, 1.0, 0.5, 0.75, 1.0, 0.0, 0.0)
    assert found.ranking[:2] == (1, 4)
    orders = [list(parts(item).values()) for item in server.received]
    assert len(orders) == 3
    assert all(sorted(order[1:]) == ["a", "aa", "aaa", "aaaa"] for order in orders)
    assert len({tuple(order) for order in orders}) > 1


def first_is_best(received: Received) -> Behaviour:
    return says({"scores": {"A": 5, "B": 1}, "ranking": ["A", "B"]})


def test_a_judge_that_prefers_a_place_is_evened_out() -> None:
    """Over many orders both responses come near one half."""
    with serving(first_is_best) as (_, juror):
        found = group_scores(juror, "p", "q", ["x", "y"], orders=40, seed=3)
    assert sum(found.scores) == pytest.approx(1.0)
    assert abs(found.scores[0] - 0.5) < 0.25  # three standard deviations


@pytest.mark.parametrize(
    "said",
    [
        {"scores": {"A": 5, "B": 1}, "ranking": ["B", "A"]},
        {"scores": {"A": 5}, "ranking": ["A", "B"]},
        {"scores": {"A": 6, "B": 1}, "ranking": ["A", "B"]},
        {"scores": {"A": 5, "B": 1, "C": 1}, "ranking": ["A", "B"]},
        {"scores": {"A": 5, "B": 1}, "ranking": ["A"]},
        {"scores": {"A": 5, "B": 1}, "ranking": ["A", ["B"]]},
        {"scores": {"A": 5, "B": 1}},
    ],
)
def test_scores_that_contradict_the_ranking_are_none(said: Any) -> None:
    """Every response once in both, scores in range, the ranking falling."""
    with serving([says(said)]) as (_, juror):
        assert group_scores(juror, "p", "q", ["x", "y"]).status == "not_applicable"


def reads(received: Received) -> Behaviour:
    found = parts(received)
    word = found["fact"].split()[-1]
    label = "support" if word in found["answer"] else "not"
    return says({"label": label, "quote": word})


def test_nuggets_are_judged_by_a_model() -> None:
    """Two of three facts stand in the answer; an outage is no zero."""
    facts = ["it names Paris", "it names Lyon", "it names Nice"]
    with serving(reads) as (_, juror):
        found = nugget_score("Paris, then Nice.", facts, nugget_judge(juror))
    assert (found.score, found.labels) == (2 / 3, ("support", "not", "support"))
    with serving([Status(503)]) as (_, juror):
        down = nugget_score("Paris.", facts, nugget_judge(juror))
    assert down.status == "infra_error"


def test_a_judge_is_the_judge_of_reasoning_sql(tmp_path: Path) -> None:
    """Its verdict is the part ``judge``; where it is down the score is ``infra_error``."""
    path = str(tmp_path / "shop.db")
    with sqlite3.connect(path) as made:
        made.execute("create table goods as select 'tea' as name, 2 as price")
    made.close()
    answer = "<reasoning>r</reasoning><answer>select name from goods</answer>"
    gold = "select price from goods"
    with SQLite() as sqlite:
        names = names_of(sqlite, path)
        for script, status, part in (
            ([verdict("correct")], "ok", 1.0),
            ([Status(500)], "infra_error", 0.0),
        ):
            with serving(script) as (_, juror):
                reward = ReasoningSQL(sqlite, Judge(juror).grade)
                found = reward(answer, gold, path, names, "Price?")
            assert (found.status, found.parts["judge"]) == (status, part)


def careful(received: Received) -> Behaviour:
    """Use each tool that there is once, then judge by what the calculator said."""
    found = parts(received)
    rules = received.body["messages"][0]["content"]
    wishes = {
        "calculator": "24 * 24",
        "code": "def answer():\n    return {'n': 24 ** 2}",
        "search": "square of 24",
    }
    for name, text in wishes.items():
        used = any(part.startswith(name) for part in found)
        if f"- {name}:" in rules and not used:
            return says({"use": name, "input": text})
    output = next(v for k, v in found.items() if re.match(r"calculator_\d_output", k))
    right = output in found["candidate"]
    return verdict("correct" if right else "incorrect")


def test_a_judge_uses_tools_before_its_verdict_and_the_trace_is_kept() -> None:
    """24² = 576, by calculator, code and search; the answer that says 566 is wrong."""
    corpus = Corpus({"squares": "The square of 24 is 576.", "rome": "Rome is old."})
    aids: list[Aid] = [
        Calculator(),
        Code(ProcessSandbox(Limits(seconds=5.0))),
        Search(corpus),
    ]
    with serving(careful) as (server, juror):
        judge = AidedJudge(juror, aids)
        opinion = judge(Submission("It is 566."))
        assert judge(Submission("It is 576.")).score == 1.0
    assert (opinion.score, opinion.status) == (0.0, "ok")
    trace = opinion.verdicts[0].trace
    assert [(use.aid, use.output) for use in trace] == [
        ("calculator", "576"),
        ("code", "n = 576.0"),
        ("search", "[squares] The square of 24 is 576."),
    ]
    assert server.count == 8


def test_a_judge_that_never_stops_using_tools_must_give_its_verdict() -> None:
    """After ``most`` uses only a verdict is read; a tool that is not there is none."""
    wish = {"use": "calculator", "input": "1"}
    with serving([says(wish)]) as (server, juror):
        assert AidedJudge(juror, [Calculator()], 2)(Submission("x")).known is False
        assert server.count == 4
    with serving([says({"use": "rm", "input": "1"})]) as (server, juror):
        found = AidedJudge(juror, [Calculator()])(Submission("x"))
        assert (found.status, server.count) == ("not_applicable", 2)


@pytest.mark.parametrize(
    "code",
    ["while True: pass", "import os", "def answer(): return open('/etc/passwd')", "?"],
)
def test_code_of_a_judge_runs_locked_up(code: str) -> None:
    """What it does wrong is told, and harms nothing."""
    aid = Code(ProcessSandbox(Limits(seconds=1.0)))
    assert aid(code).startswith("error: ")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-2 ** 2", -4),
        ("(1 + 2) * 3 / 2", 4.5),
        ("7 // 2 + 7 % 2", 4),
        ("sqrt(2) ** 2", pytest.approx(2.0)),
        ("max(1, 2, 3) + round(2.567, 2)", pytest.approx(5.57)),
        ("2 * pi", 2 * math.pi),
    ],
)
def test_arithmetic(text: str, value: Any) -> None:
    """Python's rules of arithmetic."""
    assert calculate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9",
        "2 ** 100000",
        "round(5, -10 ** 9)",
        "round(1, True)",
        "1 / 0",
        "0 ** -1",
        "1e999",
        "(-8) ** 0.5",
        "__import__('os')",
        "(1).__class__",
        "'a' * 9",
        "True + True",
        "[1][0]",
        "x",
        "1 if 1 else 2",
        "lambda: 1",
        "(" * 400,
        "-" * 400 + "1",
        "1" * 501,
        "sqrt(-1)",
        "max()",
        "sqrt(x=1)",
        "1\x00",
        "",
    ],
)
def test_what_is_no_arithmetic_is_told_at_once(text: str) -> None:
    """Nothing is executed, and nothing is computed without bounds."""
    assert Calculator()(text).startswith("error: ")


def test_search_ranks_by_rare_words_and_length() -> None:
    """A rare word counts more than a common one; of equal counts the shorter text wins."""
    corpus = Corpus(
        {
            "long": "tea " + "leaf " * 30,
            "short": "tea leaf",
            "rare": "leaf and zebra",
            "none": "stone",
        }
    )
    assert corpus.search("leaf zebra")[0].name == "rare"
    assert [item.name for item in corpus.search("tea")] == ["short", "long"]
    assert corpus.search("nothing here") == []
    # by hand: N=2, n=1: ln 2; f=1, length 1 and mean 1: 2.5/2.5
    (found,) = Corpus({"a": "x", "b": "y"}).search("x")
    assert found.score == pytest.approx(math.log(2))


def test_an_aided_judge_is_as_strict_as_any() -> None:
    """Blank answers are refused without a request; names of tools must differ."""
    with serving(strict) as (server, juror):
        judge = AidedJudge(juror, [Calculator()])
        assert judge(Submission(" ")).status == "invalid_output"
        assert server.count == 0
        with pytest.raises(UsageError, match="differ"):
            AidedJudge(juror, [Calculator(), Calculator()])
