"""The adversarial corpus, on our own verifier."""

from __future__ import annotations

import math
import time
from collections import Counter
from itertools import chain

import pytest

from reward_synth.verify import Policy, ToolCallVerifier
from reward_synth.verify.audit import SYNTAXES, Sample, Writer, built_in, corpus
from reward_synth.verify.audit.code import code_cases
from reward_synth.verify.audit.judges import judge_cases
from reward_synth.verify.audit.laws import law_cases
from reward_synth.verify.audit.resources import resource_cases
from reward_synth.verify.audit.rules import Case
from reward_synth.verify.audit.sample import Syntax
from reward_synth.verify.audit.structure import structure_cases
from reward_synth.verify.audit.tags import tag_cases
from reward_synth.verify.audit.values import value_cases

SECONDS = 0.5
"""Of a busy machine; 50 ms on a quiet one, as `reward_synth audit` measures."""
BASE = {"useless": "abstain", "wrong": "honest", "most": "honest", "same": "honest"}


def verifier(syntax: Syntax) -> ToolCallVerifier:
    read = {"tags": "tags", "toolrl": "tags", "json": "json", "python": "python"}
    return ToolCallVerifier(policy=Policy(syntax=read[syntax]))  # type: ignore[arg-type]


def holds(rule: str, score: float, base: float) -> bool:
    if rule == "wrong":
        return score < base
    return score == base if rule == "same" else score <= base


def test_the_corpus_is_large_and_has_every_kind() -> None:
    """At least 120 cases of seven groups, no two of one name."""
    parts = (structure_cases, tag_cases, value_cases, resource_cases, code_cases)
    cases = list(chain(*[part() for part in (*parts, judge_cases, law_cases)]))
    assert len(cases) == len(corpus()) >= 120
    counts = Counter(case.group for case in cases)
    assert min(counts.values()) >= 10
    assert len(counts) == 7


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_no_case_pays_whatever_the_syntax(syntax: Syntax) -> None:
    """On every case and row: no crash, a finite score, not above its bound, in time."""
    ours, writer = verifier(syntax), Writer(syntax)
    for number, sample in enumerate(built_in(writer)):
        scores = {
            "honest": ours(sample.honest, list(sample.calls)).score,
            "abstain": ours(sample.abstain, list(sample.calls)).score,
        }
        assert scores["honest"] == 1.0
        for case in corpus().values():
            if number and case.group == "resources":
                continue  # they hardly depend on the row
            answer = case.build(sample, writer)
            if answer is None:
                continue
            began = time.process_time()
            score = ours(answer, list(sample.calls)).score
            assert time.process_time() - began < SECONDS, case.name
            assert math.isfinite(score)
            assert holds(case.rule, score, scores[BASE[case.rule]]), case.name


def test_every_case_fits_a_built_in_row() -> None:
    """With tags no case is left out for want of a row."""
    rows = built_in(Writer())

    def fits(case: Case, row: Sample) -> bool:
        return case.build(row, Writer()) is not None

    unused = [
        case.name
        for case in corpus().values()
        if not any(fits(case, row) for row in rows)
    ]
    assert unused == []
