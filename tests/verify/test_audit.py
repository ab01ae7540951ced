"""Audits find what is wrong with reward functions, and nothing where nothing is."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.errors import NothingUsableError, UsageError
from reward_synth.verify.audit import (
    Address,
    Audit,
    Baseline,
    Outcome,
    Sample,
    Settings,
    Writer,
    audit,
    built_in,
    load_samples,
    page,
    parse_address,
)
from reward_synth.verify.audit.loading import form_of
from reward_synth.verify.audit.outcome import read_score
from reward_synth.verify.audit.report import judged

HOSTILE = '''
import os, time

def score(solution_str, ground_truth, data_source, extra_info):
    """A reward function that does everything wrong, each on one answer."""
    if "\\u2605" in solution_str:
        time.sleep(60)
    if "10/10" in solution_str:
        os._exit(3)
    if "[[A]]" in solution_str:
        return {"score": float("nan")}
    if "boxed" in solution_str:
        return {"score": 1e40}
    if "eyes" in solution_str:
        raise KeyError("eyes")
    if solution_str == "yes":
        return {"score": None}
    if "1e9" in solution_str:
        return {"points": 1, "steps": 2}
    if "stopped" in solution_str:
        extra_info["seen"] = True
    if solution_str.startswith(("__import__", "[dict(")) and "_exit" not in solution_str:
        eval(solution_str)
    if solution_str == "Solution":
        return {"score": 5.0}
    right = solution_str.strip() == ground_truth.strip()
    return {"score": float(right), "extra": 1} if "Oslo" in solution_str else {
        "score": float(right)}
'''
SLOPPY = """
import signal

def score(completions, gold, **columns):
    signal.signal(signal.SIGALRM, lambda *a: None)  # fails outside the main thread
    texts = ["".join(m["content"] for m in c if m["role"] == "assistant")
             for c in completions]  # messages alone are read, no texts
    scores = [float(c.strip() == g.strip()) for c, g in zip(texts, gold)]
    gold.append("spoilt")
    return [s - sum(scores) / len(scores) / 2 for s in scores]

def _inner():
    return lambda completions, **columns: [0.0 for _ in completions]

unpicklable = _inner()
"""


def audited(folder: Path, text: str, name: str, **settings: Any) -> Audit:
    path = folder / "rewards.py"
    path.write_text(text, encoding="utf-8")
    rows = built_in(Writer(), "text")
    return audit(Address(str(path), name), rows, settings=Settings(**settings))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder = tmp_path_factory.mktemp("hostile")
    return audited(folder, HOSTILE, "score", deadline=1.0)


@pytest.fixture(scope="module")
def sloppy(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return audited(tmp_path_factory.mktemp("sloppy"), SLOPPY, "score", deadline=2.0)


def said(found: Audit, name: str) -> tuple[str, str]:
    (row,) = (row for row in found.rows if row.name == name)
    return row.verdict, row.text


@pytest.mark.parametrize(
    ("case", "verdict", "words"),
    [
        ("stars", "failure", "hung"),
        ("a score out of ten", "failure", "exit code 3"),
        ("a verdict in brackets", "failure", "not finite"),
        ("a boxed answer", "failure", "not finite"),
        ("yes within a word", "failure", "raised: KeyError"),
        ("yes", "warning", "no score"),
        ("a score beyond every bound", "failure", "without the key 'score'"),
        ("code as a Python call", "failure", "executed"),
        ("code in a lambda", "failure", "executed"),
        ("code in a formatted text", "failure", "executed"),
        ("key 7 alone", "failure", "more than an abstaining answer: 5, not 0"),
        ("another tool", "ok", ""),
    ],
)
def test_each_fault_is_found_and_named(
    hostile: Audit, case: str, verdict: str, words: str
) -> None:
    """A fault on one answer is told at that answer; what follows it is tried as well."""
    found = said(hostile, case)
    assert found[0] == verdict
    assert words in found[1]


def test_a_fixed_text_that_is_accepted_everywhere_is_found(hostile: Audit) -> None:
    """'Solution' scores 5 on every row; the empty text on none."""
    assert hostile.acceptance["'Solution'"] == 1.0
    assert hostile.acceptance["''"] == 0.0
    assert said(hostile, "'Solution' everywhere")[0] == "failure"


def test_messages_are_given_where_texts_do_not_score(sloppy: Audit) -> None:
    """A function that reads conversations alone gets them: right answers score."""
    assert [item.honest.status for item in sloppy.replay] == ["ok"] * 10


@pytest.mark.parametrize(
    ("law", "verdict"),
    [
        ("the same score again", "ok"),
        ("the same score from threads", "failure"),
        ("the same score in a batch", "failure"),
        ("the same keys every time", "ok"),
        ("it can be pickled", "ok"),
    ],
)
def test_laws_of_the_whole_function(sloppy: Audit, law: str, verdict: str) -> None:
    """A function that needs the main thread, mixes the answers of a batch, and changes
    its columns breaks three laws, and no other."""
    assert said(sloppy, law)[0] == verdict
    spoilt = [row.text for row in sloppy.rows if row.group == "replay"]
    assert set(spoilt) == {"what the function was given is changed afterwards"}


def test_an_audit_is_told_as_data_and_as_a_page(hostile: Audit) -> None:
    """JSON holds no NaN; the page escapes what it shows and runs no script."""
    data = json.loads(json.dumps(hostile.to_dict(), allow_nan=False))
    assert data["ok"] is False
    assert data["counts"]["failure"] == len(hostile.of("failure"))
    text = page(hostile)
    assert "<script" not in text.lower()
    assert "hung" in text


def test_loading_trouble_is_told(tmp_path: Path) -> None:
    """A file, a name or a module that fails says so before anything is tried."""
    with pytest.raises(UsageError, match="no file"):
        audit(Address(str(tmp_path / "missing.py"), "f"))
    path = tmp_path / "broken.py"
    path.write_text("raise ValueError('no luck')\ndef score(answer, gold): pass\n")
    with pytest.raises(NothingUsableError, match="no luck"):
        audit(Address(str(path), "score"))
    path.write_text("def score(answer, gold): pass\n")
    with pytest.raises(UsageError, match=r"Did you mean 'score'"):
        audit(Address(str(path), "scor"))


@pytest.mark.parametrize("text", ["score", "file.py:", ":score"])
def test_an_address_is_a_pair(text: str) -> None:
    """Without a file or a function there is nothing to audit."""
    with pytest.raises(UsageError, match="a file"):
        parse_address(text)


@pytest.mark.parametrize(
    ("function", "form"),
    [
        (lambda prompts, completions, **kw: 0, "trl"),
        (lambda data_source, solution_str, ground_truth, extra_info=None: 0, "verl"),
        (lambda solution_strs, ground_truths: 0, "verl_batch"),
        (lambda prompt, completion, answer: 0, "verifiers"),
        (lambda completions, answers: 0, "verifiers_group"),
        (lambda task, trace: 0, "verifiers_v1"),
        (lambda answer, gold: 0, "plain"),
        (lambda answer, gold, *, strict=True, **more: 0, "plain"),
    ],
)
def test_the_form_is_read_from_parameters(function: Any, form: str) -> None:
    """Each trainer's names tell how a function is called."""
    assert form_of(function) == form


def test_an_unknown_form_is_asked_for() -> None:
    """Three strange parameters tell nothing: the message names the option."""
    with pytest.raises(UsageError, match="--form"):
        form_of(lambda a, b, c: 0)


@given(st.one_of(st.none(), st.floats(), st.integers(), st.text(), st.booleans()))
def test_only_numbers_that_a_trainer_can_use_are_scores(value: Any) -> None:
    """A score is finite in float32, or there is a reason why not."""
    status, score, error, _ = read_score(value)
    assert (status == "ok") == (math.isfinite(score))
    assert (status == "ok") != bool(error)
    if status == "ok":
        assert abs(score) <= 3.4028235e38


@pytest.mark.parametrize(
    ("rule", "score", "verdict"),
    [
        ("useless", 0.0, "ok"),
        ("useless", 0.1, "failure"),
        ("wrong", 0.9, "ok"),
        ("wrong", 1.0, "failure"),
        ("most", 1.0, "ok"),
        ("most", 1.1, "failure"),
        ("same", 1.0, "ok"),
        ("same", 0.9, "warning"),
    ],
)
def test_rules_compare_with_the_row_s_own_baseline(
    rule: Any, score: float, verdict: str
) -> None:
    """Honest is 1 and abstaining 0: each rule's edge."""
    base = Baseline(Outcome("ok", 1.0), Outcome("ok", 0.0))
    row = judged("x", "laws", rule, Outcome("ok", score), base, sample=0, limit=1.0)
    assert row.verdict == verdict


def test_slow_answers_are_told() -> None:
    """Beyond the limit an answer that scores as it should is a warning."""
    base = Baseline(Outcome("ok", 1.0), Outcome("ok", 0.0))
    slow = Outcome("ok", 0.0, seconds=0.2)
    row = judged("x", "laws", "most", slow, base, sample=0, limit=0.05)
    assert (row.verdict, row.text) == ("warning", "slow: 200 ms")


def test_rows_of_a_file_bring_their_columns(tmp_path: Path) -> None:
    """Calls are read from the column with what is expected; other columns are kept."""
    path = tmp_path / "rows.jsonl"
    calls = [{"name": "f", "arguments": {"a": 1}}]
    lines = [
        {"prompt": "?", "gold": calls, "level": 3},
        {"prompt": "?", "gold": [], "level": 1},
        {"prompt": "2+2", "gold": "4", "honest": "It is 4."},
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    first, idle, words = load_samples(str(path))
    assert first.calls == tuple(calls)
    assert first.columns["level"] == 3
    assert idle.idle
    assert (words.honest, words.calls, words.idle) == ("It is 4.", (), False)
    assert "honest" not in words.columns


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "no JSON"),
        ("3", "an object"),
        ('{"prompt": "?"}', "no right answer"),
        ('{"gold": "4"}', "no right answer"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, line: str, words: str) -> None:
    """The file and the line stand in the message."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"gold": []}\n' + line)
    with pytest.raises(UsageError, match=f"line 2.*{words}"):
        load_samples(str(path))


def test_an_audit_needs_a_row() -> None:
    """No row, no audit."""
    rows: list[Sample] = []
    with pytest.raises(UsageError, match="at least one row"):
        audit(Address("x.py", "f"), rows)
