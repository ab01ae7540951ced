"""Rules that a language model writes: what is read, tried, trusted and kept."""

from __future__ import annotations

import atexit
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.errors import (
    EndpointError,
    NothingUsableError,
    RunConflictError,
    TryAgainError,
    UsageError,
)
from reward_synth.intrinsic.annotation import (
    AnnotationService,
    Asking,
    Decoding,
    DistilledAnnotator,
    DistilledRule,
    Distilling,
    Grammar,
    LabelPrompt,
    ModelAnnotator,
    Rule,
    RuleAnnotator,
    distil,
    load_rule,
    with_rule,
)
from reward_synth.intrinsic.annotation.distil import share
from reward_synth.intrinsic.annotation.distil_grammar import (
    pattern_trouble,
    read_rules,
)
from reward_synth.intrinsic.annotation.distilled import Origin, Tally
from reward_synth.llm import Completion, RetryPolicy
from tests.cli.tools import Cli
from tests.intrinsic.conftest import KEY, caption_of, truthful, until
from tests.llm.server import Behaviour, FaultServer, Good, Received, Status

KEYS = [f"You see here a key of kind {n}." for n in range(60)]
RATS = [f"You hit the rat for {n}." for n in range(140)]
GOOD = '{"rules": [{"pattern": "\\\\bkey\\\\b", "label": "helpful"}], "otherwise": "unhelpful"}'
POOR = (
    '{"rules": [{"pattern": "kind [012]", "label": "helpful"}], "otherwise": "unsure"}'
)


def is_rule(received: Received) -> bool:
    return "write rules" in received.body["messages"][0]["content"]


def playing(*rules: str) -> Callable[[Received], Behaviour]:
    """Play a model that labels truthfully, and gives one of these answers a question for
    rules, the last one for all that follow."""
    left = list(rules)

    def behave(received: Received) -> Behaviour:
        if not is_rule(received):
            return truthful(received)
        return Good(left.pop(0) if len(left) > 1 else left[0], 500, 60)

    return behave


def made(
    server: FaultServer | str, folder: Path, domain: str = "an environment"
) -> ModelAnnotator:
    policy = RetryPolicy(rng=np.random.default_rng(0), base=0.01, cap=0.05)
    url = server if isinstance(server, str) else server.url
    prompt = LabelPrompt("Open the door.", domain)
    asking = Asking(policy=policy, timeout=20.0)
    return ModelAnnotator(prompt, Decoding("tiny"), folder, url, KEY, asking=asking)


@cache
def journal(captions: tuple[str, ...], domain: str) -> Path:
    """Return a folder that holds a truthful model's answers about captions."""
    folder = Path(tempfile.mkdtemp(prefix="reward_synth-distil-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    annotator = made("http://127.0.0.1:9/v1", folder, domain)
    for text in captions:
        messages = annotator.prompt.messages(text)
        request = annotator.decoding.request(messages, Grammar(), "label")
        word = "helpful" if "key" in text else "unhelpful"
        annotator.ledger.intend(request)
        annotator.ledger.settle(request, Completion(word, "ok", "stop", 100, 6))
    annotator.close()
    return folder


def labelled(folder: Path, captions: list[str], domain: str = "an environment") -> None:
    """Fill a folder with a truthful model's answers about captions."""
    shutil.copytree(journal(tuple(captions), domain), folder, dirs_exist_ok=True)


def distilled(
    server: FaultServer, folder: Path, captions: list[str], **how: Any
) -> DistilledRule:
    labelled(folder, captions)
    annotator = made(server, folder)
    try:
        return distil(annotator, Distilling(**how))
    finally:
        annotator.close()


def test_a_good_rule_is_trusted_and_spares_questions(tmp_path: Path) -> None:
    """A rule that is right about all captions is trusted on those it was not chosen by;
    then a service labels captions that it never saw without asking, keys as helpful and
    rats as unhelpful."""
    with FaultServer(playing(GOOD)) as server:
        rule = distilled(server, tmp_path, KEYS + RATS)
        held = [text for text in KEYS + RATS if share(text) < 0.4]
        tried = [tally.tried for tally in rule.tallies]
        assert tried == [
            sum("key" in t for t in held),
            sum("key" not in t for t in held),
        ]
        assert rule.tallies == tuple(Tally(n, n) for n in tried)
        assert rule.trusted == (True, True)
        sent = len(server.received)
        with AnnotationService(
            DistilledAnnotator(rule, made(server, tmp_path), checks=0.0)
        ) as service:
            new = ["A key lies here.", "The rat bites!"]
            service.submit(new)
            until(lambda: service.metrics().known == len(KEYS + RATS) + 2)
            key, rat = service.get(new)
        assert len(server.received) == sent
    assert (key.value, key.origin) == (1.0, r"distilled: \bkey\b")
    assert (rat.value, rat.origin) == (0.0, "distilled: otherwise")
    z = 2.2414  # of 1 - 0.05 / 2 / 2: two clauses share the chance of 5 %
    assert key.confidence == pytest.approx(tried[0] / (tried[0] + z * z), abs=1e-4)


def test_where_a_rule_is_not_trusted_the_model_is_asked(tmp_path: Path) -> None:
    """A clause that is wrong about a half is not trusted, nor one that was hardly tried;
    their captions go to the model, and get the model's labels."""
    half = '{"rules": [{"pattern": "[02468][.]", "label": "helpful"}, '
    half += '{"pattern": "kind 1[.]", "label": "helpful"}], "otherwise": "unsure"}'
    with FaultServer(playing(half)) as server:
        rule = distilled(server, tmp_path, KEYS + RATS, rounds=1)
        assert rule.trusted == (False, False, False)
        before = len(server.received)
        with AnnotationService(
            DistilledAnnotator(rule, made(server, tmp_path))
        ) as service:
            service.submit(["Rat 302 bites."])
            until(lambda: bool(service.get(["Rat 302 bites."])[0].name))
            assert service.get(["Rat 302 bites."])[0].value == 0.0
        assert len(server.received) == before + 1


def test_calling_everything_the_frequent_label_is_not_trusted(tmp_path: Path) -> None:
    """Where nine of ten captions are unhelpful, a rule that calls all unhelpful agrees
    with nine of ten, more than is demanded, and is still not trusted."""
    lazy = '{"rules": [], "otherwise": "unhelpful"}'
    captions = KEYS[:15] + RATS
    with FaultServer(playing(lazy)) as server:
        rule = distilled(server, tmp_path, captions, rounds=1, least=0.5)
    (row,) = rule.table()
    assert row["low"] > 0.5
    assert rule.trusted == (False,)


def test_a_bad_answer_is_said_why_and_the_best_of_the_rest_counts(
    tmp_path: Path,
) -> None:
    """After an answer that is no rule the model is told why, after one that is wrong
    about captions which ones; the best of its answers is taken."""
    with FaultServer(playing("Here is my rule: key", GOOD[:-1], POOR, GOOD)) as server:
        rule = distilled(server, tmp_path, KEYS + RATS, rounds=4)
        asked = [one for one in server.received if is_rule(one)]
    assert [one.pattern for one in rule.rules.rules] == [r"\bkey\b"]
    said = [one.body["messages"][-1]["content"] for one in asked]
    assert "no JSON object" in said[1]
    assert "no JSON object" in said[2]
    assert "another label" in said[3]
    assert '"label": "unhelpful"' in said[3]
    assert len(asked) == 4


def test_shown_captions_are_of_both_labels_and_none_that_is_kept_apart(
    tmp_path: Path,
) -> None:
    """The model sees as many helpful as unhelpful captions, though these are more, and
    none of those on which its rule is tried."""
    with FaultServer(playing(GOOD)) as server:
        distilled(server, tmp_path, KEYS + RATS, shown=20)
        asked = next(one for one in server.received if is_rule(one))
    rows = json.loads(asked.body["messages"][1]["content"])["texts"]
    assert [row["label"] for row in rows].count("helpful") == 10
    assert len(rows) == 20
    assert min(share(row["text"]) for row in rows) >= 0.4


def test_a_request_for_a_rule_is_paid_once_and_is_no_label(tmp_path: Path) -> None:
    """Distilling again asks nobody; the journal's labels stay those of captions; the
    calls for rules count in the budget."""
    with FaultServer(playing("no", "never", "not so", GOOD)) as server:
        with pytest.raises(NothingUsableError, match="no rule in 3 answers"):
            distilled(server, tmp_path, KEYS + RATS)
        sent = len(server.received)
        annotator = made(server, tmp_path)
        with pytest.raises(NothingUsableError):
            distil(annotator)
        assert len(server.received) == sent == 3
        assert set(annotator.recall()) == set(KEYS + RATS)
        assert annotator.costs()["calls"] == 203
        annotator.close()


def test_a_server_that_is_down_is_for_another_time(tmp_path: Path) -> None:
    """Nothing is made of a server's fault; the same call later succeeds."""
    with FaultServer(playing(GOOD)) as server:
        labelled(tmp_path, KEYS + RATS)
        annotator = made("http://127.0.0.1:9/v1", tmp_path)
        with pytest.raises(TryAgainError, match="does not answer"):
            distil(annotator)
        annotator.close()
        annotator = made(server, tmp_path)
        assert distil(annotator).trusted == (True, True)
        annotator.close()


def test_few_labels_or_labels_of_one_kind_make_no_rule(tmp_path: Path) -> None:
    """With 19 labels, and with labels of one kind alone, it is said what is missing."""
    with FaultServer(playing(GOOD)) as server:
        with pytest.raises(UsageError, match="19 labels of 2 kinds"):
            distilled(server, tmp_path / "few", KEYS[:9] + RATS[:10])
        with pytest.raises(UsageError, match="30 labels of 1 kinds"):
            distilled(server, tmp_path / "same", RATS[:30])


def test_checks_take_the_trust_from_a_rule_that_no_longer_fits(tmp_path: Path) -> None:
    """Where the agent goes on to see keys that the model calls unhelpful, checks find it,
    and from then on the model is asked about every key; the other clause goes on."""

    def changed(received: Received) -> Behaviour:
        fake = "fake" in caption_of(received) if not is_rule(received) else False
        return Good('{"label": "unhelpful"}') if fake else playing(GOOD)(received)

    with FaultServer(changed) as server:
        rule = distilled(server, tmp_path, KEYS + RATS)
        annotator = DistilledAnnotator(rule, made(server, tmp_path), checks=0.2)
        fakes = [f"A fake key, number {n}." for n in range(60)]
        checked = [n for n, t in enumerate(fakes) if share(f"check {t}") < 0.2]
        with AnnotationService(annotator, workers=1, order="fifo") as service:
            service.submit(fakes)
            until(lambda: service.metrics().known == 260)
            values = service.values(fakes)
        assert annotator.lost == [True, False]
    fifth = checked[4]  # five checks are needed, and five in a row were wrong
    assert annotator.checked[0] == Tally(5, 0)
    assert values[fifth + 1 :].tolist() == [0.0] * (59 - fifth)
    assert annotator.spared == fifth + 1 - 5 == values.sum()


def test_a_label_of_the_journal_counts_before_the_rule(tmp_path: Path) -> None:
    """What the model once said about a caption stands, though the rule says otherwise."""
    with FaultServer(playing(GOOD)) as server:
        labelled(tmp_path, KEYS + RATS)
        wrong = RuleAnnotator([Rule("key", "unhelpful")], "helpful")
        annotator = made(server, tmp_path)
        origin = Origin(annotator.question(), "tiny", "", "", 0)
        even = {"helpful": 0.5, "unhelpful": 0.5}
        rule = DistilledRule(wrong, (Tally(99, 99),) * 2, even, origin)
        both = DistilledAnnotator(rule, annotator, checks=0.0)
        with AnnotationService(both) as service:
            service.submit([KEYS[0], "A key lies here."])
            until(lambda: service.get(["A key lies here."])[0].usable)
            assert service.values([KEYS[0], "A key lies here."]).tolist() == [1.0, 0.0]


def small_rule() -> DistilledRule:
    rules = RuleAnnotator([Rule("key", "helpful")], "unhelpful")
    origin = Origin({"goal": "win"}, "tiny", "r", "k", 90)
    even = {"helpful": 0.5, "unhelpful": 0.5}
    return DistilledRule(rules, (Tally(40, 40), Tally(40, 30)), even, origin)


def test_a_rule_is_kept_with_where_it_came_from(tmp_path: Path) -> None:
    """A file brings back rules, agreement and origin; alone it labels where it is
    trusted, and abstains elsewhere."""
    rule, path = small_rule(), tmp_path / "rule.json"
    rule.save(path)
    again = load_rule(path, {"goal": "win"})
    assert (again.table(), again.origin) == (rule.table(), rule.origin)
    alone = with_rule(None, str(path))
    with AnnotationService(alone) as service:
        service.submit(["a key", "a rat"])
        assert [one.status for one in service.get(["a key", "a rat"])] == [
            "known",
            "abstained",
        ]


def test_rules_of_another_question_or_changed_are_refused(tmp_path: Path) -> None:
    """A rule does not label for another goal; one that was changed by hand tells no
    agreement; neither does another file."""
    path = tmp_path / "rule.json"
    small_rule().save(path)
    with pytest.raises(RunConflictError, match="goal is 'win' there and 'live' here"):
        load_rule(path, {"goal": "live"})
    path.write_text(path.read_text().replace('"key"', '"rat"'))
    with pytest.raises(UsageError, match="was changed"):
        load_rule(path, None)
    for text in ("{}", "[1]", "", '{"format": "reward_synth.distilled/1"}'):
        path.write_text(text)
        with pytest.raises(UsageError, match="no distilled rule"):
            load_rule(path, None)
    with pytest.raises(UsageError, match="There is no file"):
        load_rule(tmp_path / "none", None)


BAD = {
    "": "no JSON object",
    "[]": "no JSON object",
    "[" * 100_000: "no JSON object",
    '{"rules": []}': "otherwise",
    '{"rules": [], "otherwise": ""}': "must be a label",
    '{"rules": [], "otherwise": "good"}': "the label 'good'",
    '{"rules": {}, "otherwise": "unsure"}': "a list of at most 8",
    '{"rules": [], "otherwise": "unsure", "code": "import os"}': "nothing else",
    '{"rules": [{"pattern": "a"}], "otherwise": "unsure"}': '"pattern" and "label"',
    '{"rules": [{"pattern": 1, "label": "helpful"}], "otherwise": "unsure"}': "texts",
    '{"rules": [{"pattern": "a", "label": "win"}], "otherwise": "unsure"}': "'win'",
}


@pytest.mark.parametrize("answer", BAD, ids=lambda text: text[:60])
def test_an_answer_outside_the_grammar_is_told_why(answer: str) -> None:
    """What is no list of patterns with labels is no rule, and the reason is said."""
    found = read_rules(answer, Grammar())
    assert isinstance(found, str)
    assert BAD[answer] in found


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "a{2,}",
        "(?=a)",
        r"\1",
        "a*b*",
        "a?b?c?",
        "a++",
        "[^a]",
        "",
        "a*",
        "x" * 121,
    ],
)
def test_patterns_of_unbounded_cost_or_no_meaning_are_refused(pattern: str) -> None:
    """Groups, counts, looks ahead, references, two repeats, and patterns that fit every
    text are outside the grammar."""
    assert pattern_trouble(pattern)


@given(st.text("ab.|[]()*+?\\dw^$ {}", max_size=14))
def test_every_pattern_inside_the_grammar_is_quick(pattern: str) -> None:
    """Whatever is accepted is a regular expression, and searches the longest caption of
    one letter within a second; most take a millisecond."""
    if pattern_trouble(pattern):
        return
    began = time.perf_counter()
    re.compile(pattern).search("a" * 2000)
    assert time.perf_counter() - began < 1.0


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """Run commands in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return Cli(capsys)


LAKE = ("--env", "FrozenLake-v1", "--captions", "c.txt")
MODEL = ("--annotator", "tiny", "--goal", "Open the door.", "--labels", "answers")


def test_a_rule_is_distilled_and_used_on_the_command_line(cli: Cli) -> None:
    """`annotate --distil` tells each clause's agreement and writes the rule; with
    --distilled new captions are labelled by it, with the model's journal beside it or
    with no model at all; a ranking, which asks about pairs, is refused."""
    labelled(Path("answers"), KEYS + RATS, "the environment FrozenLake-v1")
    Path("c.txt").write_text("A key on a chain.\nA rat in a trap.")
    with FaultServer(playing(GOOD)) as server:
        asks = (*LAKE, *MODEL, "--base-url", server.url)
        clauses = cli.json("annotate", *asks, "--distil", "rule.json")
        assert [row["trusted"] for row in clauses] == [True, True]
        sent = len(server.received)
        assert sent == 3  # two captions and a rule
        shown = cli("annotate", *asks, "--distil", "rule.json").out
        assert "otherwise" in shown
        Path("c.txt").write_text("A key lies here.")
        (row,) = cli.json("annotate", *asks, "--distilled", "rule.json")
        assert len(server.received) == sent
    assert row["origin"] == r"distilled: \bkey\b"
    (row,) = cli.json("annotate", *LAKE, "--distilled", "rule.json")
    assert row["value"] == 1.0
    found = cli("annotate", *LAKE, "--distilled", "rule.json", "--learn", "m")
    assert (found.code, "oni-retrieval" in found.err) == (2, True)
    found = cli("annotate", *LAKE, "--distil", "rule.json")
    assert (found.code, "--annotator" in found.err) == (2, True)


def test_nobody_is_asked_for_a_rule_twice_after_a_refusal(tmp_path: Path) -> None:
    """A model that may not be asked at all ends it at once."""
    labelled(tmp_path, KEYS + RATS)
    with FaultServer(lambda received: Status(401)) as server:
        annotator = made(server, tmp_path)
        with pytest.raises(EndpointError, match="key"):
            distil(annotator)
        annotator.close()
        assert len(server.received) == 1
