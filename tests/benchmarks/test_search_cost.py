"""Replays of searches on pools whose costs are known by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from math import comb
from pathlib import Path

import numpy as np
import pytest

from reward_synth.benchmarks import search_cost
from reward_synth.benchmarks.search_cost import eureka_shaped, replay
from reward_synth.benchmarks.search_replay import (
    Candidate,
    Pool,
    Replay,
    median_interval,
)
from reward_synth.search import Method, Rung, load_method

FULL = 800
GOOD = tuple((step, float(step >= 200)) for step in range(100, FULL + 1, 100))
BAD = tuple((step, 0.0) for step in range(100, FULL + 1, 100))
DEFAULT = load_method("default")


def pool(good: int, size: int = 48) -> Pool:
    """``good`` candidates that succeed in a quarter of the steps; the screen knows them."""
    return Pool(
        "T",
        tuple(
            Candidate(
                f"{number:02d}",
                float(number < good),
                dict.fromkeys(range(3), GOOD if number < good else BAD),
            )
            for number in range(size)
        ),
    )


def steps(given: Pool, method: Method, seeds: int = 1, target: float = 0.8) -> float:
    found = [Replay(given, method, target, 1e9).steps(n) for n in range(seeds)]
    return float(np.mean(found))


def test_where_all_are_good_each_method_pays_its_first_choice() -> None:
    """Default: two full trainings. Eureka's shape: the sixteen of its first round.
    Halving: eight for an eighth, in which nothing succeeds, then three for a third: read
    at the next evaluation, three eighths."""
    whole = pool(48)
    assert steps(whole, DEFAULT) == 2 * FULL
    assert steps(whole, eureka_shaped()) == 16 * FULL
    assert steps(whole, load_method("halving")) == 8 * 100 + 3 * 300
    found = replay(whole, 0.8, 20, 0)["share of the Eureka-shaped loop"]["default"]
    assert found == {"median": 0.125, "low": 0.125, "high": 0.125}


def test_a_screen_that_knows_pays_for_the_draw_alone() -> None:
    """Six good ones of 48, the screen ranks them first: a search of eight that draws one
    succeeds, with the chance 1 - C(42, 8) / C(48, 8); mean cost two trainings over it."""
    chance = 1 - comb(42, 8) / comb(48, 8)
    assert steps(pool(6), DEFAULT, 1000) == pytest.approx(2 * FULL / chance, rel=0.05)


def test_a_search_of_two_trains_both() -> None:
    """No screen helps: the chance is that of two draws, 1 - C(42, 2) / C(48, 2)."""
    chance = 1 - comb(42, 2) / comb(48, 2)
    one = replace(DEFAULT, samples=2, rounds=1, final=(Rung(2),))
    assert steps(pool(6), one, 1000) == pytest.approx(2 * FULL / chance, rel=0.08)


def test_luck_is_not_chosen_by_the_seed_that_shows_it() -> None:
    """A candidate that succeeds with one seed of three may be chosen by it, and is worth
    what the others show: nothing. The target is never reached."""
    lucky = Candidate("l", 1.0, {0: GOOD, 1: BAD, 2: BAD})
    alone = Pool("T", (lucky,))
    assert Replay(alone, DEFAULT, 0.8, 50 * FULL).steps(0) == math.inf
    assert lucky.fresh([0]) == 0.0
    assert lucky.fresh([0, 1, 2]) == pytest.approx(1 / 3)


def test_what_is_alike_is_not_trained_twice() -> None:
    """Of three that are ranked first two order the rollouts alike: the third is trained
    in the place of the second."""
    first, second, third = (
        Candidate(name, screen, dict.fromkeys(range(3), curve), frozenset(same))
        for name, screen, curve, same in (
            ("a", 0.9, BAD, "b"),
            ("b", 0.8, GOOD, "a"),
            ("c", 0.7, GOOD, ""),
        )
    )
    given = Pool("T", (first, second, third))
    assert steps(given, DEFAULT) == 2 * FULL
    bad = replace(third, curves=dict.fromkeys(range(3), BAD))
    never = Replay(Pool("T", (first, second, bad)), DEFAULT, 0.8, 50 * FULL)
    assert never.steps(0) == math.inf


def test_a_pool_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Infinite ranks too: candidates without a screen."""
    whole = pool(3, 5)
    first = replace(whole.candidates[0], alike=frozenset("xy"))
    given = Pool("T", (first, *whole.candidates[1:]))
    given.save(tmp_path / "pool.json")
    assert Pool.load(tmp_path / "pool.json") == given


def test_an_interval_of_a_median_covers_as_often_as_it_says() -> None:
    """Of medians of 41 even draws, at least 95 of 100 intervals hold the true one."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(1000):
        _, low, high = median_interval(rng.random(41).tolist())
        held += low <= 0.5 <= high
    assert 945 <= held <= 1000
    assert median_interval([1.0, math.inf, math.inf])[0] == math.inf


@pytest.mark.slow
def test_a_pool_goes_on_where_it_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs, two seeds; a second start trains nothing and gives the same pool,
    whose curves end at the last step."""
    made = search_cost.train(search_cost.QUICK, tmp_path, jobs=1)
    assert [len(item.curves) for item in made.candidates] == [2, 2]
    assert {curve[-1][0] for x in made.candidates for curve in x.curves.values()} == {
        search_cost.QUICK.steps
    }

    def nothing(_: object, calls: list[object], *__: object) -> list[object]:
        assert calls == []
        return []

    monkeypatch.setattr("reward_synth.engine.local.LocalEngine.run", nothing)
    assert search_cost.train(search_cost.QUICK, tmp_path, jobs=1) == made
    assert Pool.load(tmp_path / "pool.json") == made
