"""The campaigns run, on a few programs; the figures come from the whole ones."""

from __future__ import annotations

import json
import random

import pytest

from reward_synth.benchmarks import fuzz, hostile, refusals, tables
from reward_synth.benchmarks.fuzz_texts import TASK, Texts, by_grammar
from reward_synth.benchmarks.hostile_corpus import corpus, counts
from reward_synth.benchmarks.hostile_place import arena
from reward_synth.language import parse
from reward_synth.sandbox import live_layers, missing_layers

complete = pytest.mark.skipif(
    bool(missing_layers(live_layers())), reason="a layer is missing here"
)


def test_the_corpus_is_large_and_of_many_hands() -> None:
    """300 programs in 8 families, 100 of them not by the validator's author."""
    cases = corpus()
    by_origin = counts(cases, "origin")
    assert len(cases) >= 300
    assert len(counts(cases, "family")) >= 8
    assert sum(by_origin.values()) - by_origin["own"] >= 100
    assert len({case.source for case in cases}) >= 0.95 * len(cases)


@complete
def test_the_whole_system_holds_a_sample() -> None:
    """One program of sixteen, through the language, the worker and the gate."""
    rows = hostile.whole_rows(corpus(quick=True))
    assert [row for row in rows if row["counts_as"] != "held"] == []


@complete
def test_without_layers_the_same_programs_come_to_their_ends() -> None:
    """The rows above prove something: bare, most of a sample does what it is about."""
    cases = [case for case in corpus() if case.family in ("files", "imports")][::12]
    rows = arena(cases, (), 2.0)
    done = [row["status"] == "done" or bool(row["effects"]) for row in rows]
    assert sum(done) >= 0.7 * len(cases)


def test_the_grammar_makes_programs_and_the_seed_decides() -> None:
    """Most are accepted; the same number gives the same text."""
    rng = random.Random(1)
    accepted = [parse(by_grammar(rng), TASK).ir is not None for _ in range(40)]
    assert sum(accepted) >= 20
    first, second = Texts(3), Texts(3)
    assert [first.make(i) for i in range(50)] == [second.make(i) for i in range(50)]


def test_a_small_fuzz_finds_nothing() -> None:
    """300 texts: no crash, no changed input, nothing that is not finite gets out."""
    found = fuzz.measure(fuzz.TINY, seed=5)
    assert found["counts"]["texts"] == 300
    assert found["counts"]["accepted"] >= 10
    assert set(found["bad"].values()) == {0}, found


def test_a_chunk_that_dies_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash costs its chunk and is told with the text's number."""
    monkeypatch.setattr(fuzz, "fuzz", lambda *_: 1 / 0)
    (found,) = fuzz.chunks(Texts(0), fuzz.TINY)
    assert found.counts["crashes"] == 1


def test_plausible_rewards_are_accepted() -> None:
    """At least 85 % as they stand, 97 % after the printed hints were followed."""
    found = refusals.measure()
    for part in ("all_four_styles", "all"):
        assert found[part]["at_once_share"] >= 0.85
        assert found[part]["after_repair_share"] >= 0.97
    committed = json.loads((tables.RESULTS / "refusals.json").read_text())
    assert found == committed


def test_the_page_on_security_holds_the_committed_figures() -> None:
    """No figure of that page is typed."""
    text = tables.SECURITY.read_text()
    assert tables.updated_security(text) == text
