"""A summary counts, averages and judges what trials gave, and invents nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from reward_synth.report.data import (
    DesignData,
    Measured,
    RunData,
    TaskData,
    TrialData,
)
from reward_synth.report.standings import standings, told_standings
from reward_synth.report.summary import Summary, summarise, summary_table, verdict
from reward_synth.report.words import MISSING
from reward_synth.statistics import Interval, Reached, mean_interval

SPARSE = DesignData("sparse", "sparse")
EXPERT = DesignData("expert", "expert")
OURS = DesignData("ours", "program")


def point(
    step: int,
    success: float,
    last: float | None = None,
    components: dict[str, float] | None = None,
) -> Measured:
    end = success if last is None else last
    return Measured(step, success, end, 10 * success, 5.0, components or {})


def trial(task: str, design: str, seed: int, *points: Measured) -> TrialData:
    return TrialData(task, design, "ppo", seed, 100, "ok", curve=points, seconds=2.0)


def trials(task: str, design: str, results: Sequence[float]) -> list[TrialData]:
    return [
        trial(task, design, seed, point(100, result))
        for seed, result in enumerate(results)
    ]


def run_of(
    found: Sequence[TrialData],
    designs: Sequence[DesignData] = (SPARSE, EXPERT, OURS),
    tasks: Sequence[str] = ("reach", "push"),
) -> RunData:
    named = tuple(TaskData(task) for task in tasks)
    return RunData("t", "", "c", 0.0, "finished", named, tuple(designs), tuple(found))


def summary_of(run: RunData) -> Summary:
    return summarise(run, np.random.default_rng(0))


def words(summary: Summary) -> str:
    return " ".join(verdict(summary))


def test_a_run_without_trials_has_an_empty_summary() -> None:
    """With nothing to say, and a table without rows."""
    found = summary_of(run_of([]))
    assert found == Summary()
    assert summary_table(found)[1] == []
    assert summary_of(run_of([], (), ())).to_dict()["winner"] == ""


def test_a_cell_holds_the_last_evaluation_of_each_run() -> None:
    """The best one, 0.9, is nowhere; selection is not looked at."""
    runs = [
        trial("reach", "ours", 0, point(50, 0.9), point(100, 0.6, 0.5)),
        trial("reach", "ours", 1, point(50, 0.2), point(100, 0.8, 0.7)),
    ]
    runs[0] = replace(runs[0], selection=point(100, 1.0))
    (cell,) = summary_of(run_of(runs)).cells
    assert cell.scores == (0.6, 0.8)
    assert cell.success_any == mean_interval([0.6, 0.8], bounds=(0, 1))
    assert cell.success_last.value == pytest.approx(0.6)
    assert cell.env_return == mean_interval([6.0, 8.0])
    # 0.9 until 50, then falling to 0.6: 0.825; and 0.2, rising to 0.8: 0.35
    assert cell.auc.value == pytest.approx((0.825 + 0.35) / 2)
    assert cell.to_half == Reached(75.0, 2, 2)
    assert (cell.to_most.reached, cell.to_most.runs) == (1, 2)
    assert math.isnan(cell.to_most.median)
    assert (cell.seconds, cell.steps, cell.few) == (4.0, 200, True)


def test_the_gap_sums_components() -> None:
    """Sums 3 and 5 with success 0.8 and 0.2: more return, less success. 1 and 0: none."""
    hacked = trial(
        "reach",
        "ours",
        0,
        point(50, 0.8, components={"a": 1.0, "b": 2.0}),
        point(100, 0.2, components={"a": 6.0, "b": -1.0}),
    )
    fine = trial(
        "reach",
        "ours",
        1,
        point(50, 0.8, components={"a": 1.0}),
        point(100, 0.2, components={"a": 0.0}),
    )
    blank = trial("reach", "sparse", 0, point(50, 0.1), point(100, 0.2))
    sparse, ours = summary_of(run_of([hacked, fine, blank])).cells
    assert ours.gap.value == pytest.approx(0.5)
    assert math.isnan(sparse.gap.value)


def test_trials_without_a_result_are_counted_and_left_out() -> None:
    """Failed, waiting, running, or ended well but never measured or nonsensical."""
    good = trial("reach", "ours", 0, point(100, 0.5))
    odd = [
        replace(good, status="failed", error="diverged"),
        replace(good, status="running"),
        replace(good, status="waiting", curve=()),
        replace(good, curve=()),
        trial("reach", "ours", 5, point(100, math.nan)),
    ]
    found = summary_of(run_of([good, *odd]))
    (cell,) = found.cells
    assert (cell.runs, cell.failed, cell.unfinished) == (1, 3, 2)
    assert cell.success_any.value == 0.5
    assert not cell.success_any.known
    assert any("3 of ours on reach" in text for text in found.warnings)
    assert any("2 runs not finished" in text for text in found.warnings)
    alone = summary_of(run_of(odd))
    assert alone.cells[0].runs == 0
    assert verdict(alone) == ["Nothing has been measured yet."]
    assert summary_table(alone)[1][0][3] == MISSING


def test_evaluations_out_of_order_or_twice_do_not_matter() -> None:
    """A point that a resumed training wrote again replaces the first."""
    curve = (point(80, 0.1), point(40, 0.0), point(80, 0.4), point(120, 0.4))
    (cell,) = summary_of(run_of([trial("reach", "ours", 0, *curve)])).cells
    # to 40: 0; 40 to 80: mean 0.2; 80 to 120, past the planned 100: 0.4
    assert cell.auc.value == pytest.approx((8 + 16) / 120)


def test_an_unlisted_design_is_named() -> None:
    """Its trainings are in no number, which a warning says."""
    found = summary_of(run_of(trials("reach", "other", [0.5] * 5)))
    assert found.cells == ()
    assert found.warnings == (
        "Trainings of 'other' on 'reach' are left out: the run does not list that task "
        "and design.",
    )


def test_designs_are_compared_on_tasks_that_both_have() -> None:
    """Ours lacks push: its lead is on reach alone, by means, 0.8 - 0.3."""
    runs = [
        *trials("reach", "sparse", [0.2, 0.3, 0.4, 0.3, 0.3]),
        *trials("push", "sparse", [1.0] * 5),
        *trials("reach", "ours", [0.7, 0.9, 0.8, 0.8, 0.8]),
    ]
    found = summary_of(run_of(runs))
    pair = found.pair("ours", "sparse")
    assert pair is not None
    assert (pair.tasks, pair.statistic) == (("reach",), "mean")
    assert pair.difference.value == pytest.approx(0.5)
    assert (pair.ahead, pair.behind) == (1, 0)
    assert pair.improvement.value == 1.0
    assert found.pair("ours", "nobody") is None
    assert found.leader == found.winner == "ours"
    assert any("ours has no result on push" in text for text in found.warnings)


def test_a_comparison_can_be_seen_from_both_sides() -> None:
    """Signs, ends and counts are exchanged; twice gives the first."""
    runs = [
        *trials("reach", "sparse", [0.1, 0.2, 0.4]),
        *trials("push", "sparse", [0.1, 0.6, 0.4]),
        *trials("reach", "ours", [0.5, 0.3, 0.9]),
        *trials("push", "ours", [0.3, 0.4, 0.1]),
    ]
    (pair,) = summary_of(run_of(runs)).pairs
    back = pair.reversed()
    assert (pair.a, pair.ahead, pair.behind) == ("sparse", 1, 1)
    assert back.difference.low == -pair.difference.high
    assert back.improvement.value == pytest.approx(1 - pair.improvement.value)
    assert back.of_a - back.of_b == pytest.approx(back.difference.value)
    assert back.reversed().difference == pair.difference


def test_scores_are_put_on_the_experts_scale() -> None:
    """reach (0.9 - 0.1) / 0.4 = 2, push (0.5 - 0.1) / 0.1 = 4, cut to 3: mean 2.5."""
    runs = [
        *trials("reach", "sparse", [0.1] * 5),
        *trials("reach", "expert", [0.5] * 5),
        *trials("reach", "ours", [0.8, 1.0, 0.9, 0.9, 0.9]),
        *trials("push", "sparse", [0.1] * 5),
        *trials("push", "expert", [0.2] * 5),
        *trials("push", "ours", [0.5] * 5),
    ]
    ours = summary_of(run_of(runs)).designs[-1]
    assert ours.normalised["reach"].score == pytest.approx(2.0)
    assert ours.normalised["push"].score == pytest.approx(4.0)
    assert ours.normalised_mean == pytest.approx(2.5)
    without = [item for item in runs if item.design != "expert"]
    assert math.isnan(summary_of(run_of(without)).designs[-1].normalised_mean)


def test_the_scale_is_that_of_the_first_sparse_design() -> None:
    """(0.9 - 0.1) / (0.5 - 0.1), although another one reached 0.3."""
    runs = [
        *trials("reach", "sparse", [0.1] * 5),
        *trials("reach", "slow", [0.3] * 5),
        *trials("reach", "expert", [0.5] * 5),
        *trials("reach", "ours", [0.9] * 5),
    ]
    designs = (SPARSE, DesignData("slow", "sparse"), EXPERT, OURS)
    ours = summary_of(run_of(runs, designs)).designs[-1]
    assert ours.normalised["reach"].score == pytest.approx(2.0)


def test_a_design_over_tasks_has_iqm_mean_and_profile() -> None:
    """Of 0, .5, .5, 1, 1, 1, 1, 1: the middle four 3.5 / 4, the mean 6 / 8."""
    runs = [
        *trials("reach", "ours", [0.0, 0.5, 0.5, 1.0]),
        *trials("push", "ours", [1.0] * 4),
    ]
    (design,) = summary_of(run_of(runs)).designs
    assert design.iqm.value == pytest.approx(3.5 / 4)
    assert design.mean.value == pytest.approx(6 / 8)
    assert design.iqm.low <= design.iqm.value <= design.iqm.high
    assert design.profile is not None
    assert design.profile.value[0] == pytest.approx(7 / 8)
    assert design.profile.value[-1] == 0.0


def clear(seeds: int) -> list[TrialData]:
    good = [0.9, 0.95, 1.0, 0.9, 0.95][:seeds]
    bad = [0.0, 0.05, 0.1, 0.1, 0.0][:seeds]
    return [
        *trials("reach", "ours", good),
        *trials("push", "ours", good),
        *trials("reach", "sparse", bad),
        *trials("push", "sparse", bad),
    ]


def test_a_clear_winner_is_named_with_its_lead() -> None:
    """By the middle six of ten runs: (2 * 0.9 + 4 * 0.95) / 6 - 0.05, 88 points."""
    found = summary_of(run_of(clear(5)))
    text = verdict(found)
    assert text[0] == "ours won against every other design."
    assert "ours is better than sparse: 93 % success against 5 % (IQM over 2" in text[1]
    assert "88 points more; other seeds might give" in text[1]
    assert "higher mean on 2 of 2 tasks" in text[1]
    assert len(text) == 2
    assert found.warnings == ()


def test_few_seeds_are_said_beside_every_number() -> None:
    """In the verdict, the warnings, and by a star in the table; not with five."""
    found = summary_of(run_of(clear(3)))
    assert "Fewer than 5 seeds (3)" in " ".join(found.warnings)
    assert "Fewer than 5 seeds (3)" in found.warnings[0]
    assert all("*" in row[3] for row in summary_table(found)[1])
    enough = summary_table(summary_of(run_of(clear(5))))[1]
    assert not any("*" in cell for row in enough for cell in row)


def test_designs_that_are_alike_have_no_winner() -> None:
    """The sentence says that there may be no difference."""
    runs = [
        *trials("reach", "ours", [0.2, 0.9, 0.5, 0.6, 0.4]),
        *trials("reach", "sparse", [0.3, 0.8, 0.6, 0.5, 0.3]),
    ]
    found = summary_of(run_of(runs))
    assert (found.leader, found.winner) == ("ours", "")
    assert "ours is ahead, but not surely" in words(found)
    assert "ours and sparse are not told apart by these runs" in words(found)
    assert "points (95 % interval), so perhaps none" in words(found)
    assert "A single task says nothing" in " ".join(found.warnings)
    assert any("single task" in text for text in found.warnings)


def test_a_winner_beats_every_other_design() -> None:
    """One rival far behind, one alike: no winner."""
    runs = [
        *trials("reach", "ours", [0.8, 0.9, 0.7, 0.8, 0.85]),
        *trials("reach", "expert", [0.7, 0.95, 0.8, 0.75, 0.8]),
        *trials("reach", "sparse", [0.0, 0.1, 0.0, 0.05, 0.1]),
    ]
    found = summary_of(run_of(runs))
    pair = found.pair("ours", "sparse")
    assert pair is not None
    assert pair.sure
    assert (found.leader, found.winner) == ("ours", "")
    text = verdict(found)
    assert "ours and expert are not told apart" in text[1]
    assert "ours is better than sparse" in text[2]


def test_one_run_wins_nothing() -> None:
    """However large the distance."""
    runs = [*trials("reach", "ours", [1.0]), *trials("reach", "sparse", [0.0])]
    found = summary_of(run_of(runs))
    assert found.winner == ""
    assert "chance cannot be told from a difference" in words(found)


def test_failed_and_unequal_runs_are_said() -> None:
    """In the verdict and in the warnings, with the numbers."""
    runs = clear(5)
    runs[0] = replace(runs[0], status="failed")
    found = summary_of(run_of(runs))
    assert "Runs without a result are left out" in " ".join(found.warnings)
    assert any("differ (4 to 5)" in text for text in found.warnings)
    assert summary_table(found)[1][1][2] == "4 (1 failed)"


def test_designs_without_a_common_task_have_no_leader() -> None:
    """Nothing is compared across tasks."""
    runs = [*trials("reach", "ours", [0.9] * 5), *trials("push", "sparse", [0.1] * 5)]
    found = summary_of(run_of(runs))
    assert (found.leader, found.pairs) == ("", ())
    assert "No task was trained under all designs" in words(found)


def test_a_single_design_is_not_called_a_winner() -> None:
    """There is nothing that it won against."""
    found = summary_of(run_of(trials("reach", "ours", [0.9, 1.0, 0.8, 0.9, 0.9])))
    assert found.winner == ""
    assert "Only ours was measured" in words(found)


def test_a_summary_is_strict_json() -> None:
    """What is not known is null, and the same generator gives the same numbers."""
    run = run_of([*clear(3), *trials("reach", "expert", [0.5])])
    found = summary_of(run).to_dict()
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    (lone,) = [cell for cell in found["cells"] if cell["design"] == "expert"]
    assert lone["success_any"] == {"value": 0.5, "low": None, "high": None}
    assert summary_of(run).to_dict() == found
    assert summarise(run, np.random.default_rng(1)).to_dict() != found


def test_the_table_has_a_cell_for_each_head() -> None:
    """Numbers with their interval, and how many reached a level."""
    runs = [
        trial("reach", "ours", seed, point(50, 0.5), point(100, success))
        for seed, success in enumerate([0.7, 0.8, 0.9, 0.8, 0.8])
    ]
    head, (row,) = summary_table(summary_of(run_of(runs)))
    cells = dict(zip(head, row, strict=True))
    assert cells["runs"] == "5"
    assert cells["success"] == "80 % (71 to 89)"
    assert cells["steps to 50 %"] == "50 (5 of 5)"
    assert cells["steps to 90 %"] == f"{MISSING} (1 of 5)"
    assert cells["env return"] == "8 (7.12 to 8.88)"
    assert cells["gap"] == MISSING
    assert cells["time"] == "10 s"


def test_unknown_ends_exclude_nothing() -> None:
    """A lead whose interval is unknown is no lead."""
    assert not Interval(0.9, math.nan, math.nan).excludes(0.0)
    assert Interval(0.9, 0.1, 1.0).excludes(0.0)
    assert not Interval(0.9, 0.0, 1.0).excludes(0.0)


def test_the_leader_stands_on_each_task_beside_the_best_other() -> None:
    """Reach: 0.8 against the expert's 0.3, ahead of both. Push: 0.4 against 0.9."""
    runs = [
        *trials("reach", "sparse", [0.0, 0.1, 0.2, 0.1, 0.1]),
        *trials("reach", "expert", [0.2, 0.3, 0.4, 0.3, 0.3]),
        *trials("reach", "ours", [0.7, 0.8, 0.9, 0.8, 0.8]),
        *trials("push", "sparse", [0.0, 0.0, 0.1, 0.0, 0.0]),
        *trials("push", "expert", [0.8, 0.9, 1.0, 0.9, 0.9]),
        *trials("push", "ours", [0.3, 0.4, 0.5, 0.4, 0.4]),
    ]
    found = summary_of(run_of(runs))
    reach, push = standings(found.cells, found.pairs, "ours", np.random.default_rng(0))
    assert (reach.place, reach.rival, reach.fails) == ("wins", "expert", False)
    assert reach.difference.value == pytest.approx(0.5)
    assert (push.place, push.rival, push.fails) == ("loses", "expert", True)
    assert push.difference.value == pytest.approx(-0.5)


def test_a_task_is_won_only_against_every_other_design() -> None:
    """Ours is surely above expert and, by its one lucky run, only perhaps above sparse;
    the verdict, of one task, rests on the same interval."""
    runs = [
        *trials("reach", "sparse", [0.0, 1.0, 0.0, 0.0, 0.0]),
        *trials("reach", "expert", [0.1, 0.2, 0.15, 0.2, 0.1]),
        *trials("reach", "ours", [0.5, 0.6, 0.55, 0.6, 0.5]),
    ]
    found = summary_of(run_of(runs, tasks=("reach",)))
    (standing,) = found.standings
    assert (standing.place, standing.rival) == ("ahead", "sparse")
    pair = found.pair("ours", "sparse")
    assert pair is not None
    assert standing.difference == pair.difference


def test_standings_of_equal_lone_and_missing_designs() -> None:
    """Equal means are level; without a rival it stands alone; without a run it is missing."""
    runs = [
        *trials("reach", "ours", [0.4, 0.6]),
        *trials("reach", "expert", [0.5, 0.5]),
        *trials("push", "ours", [0.5, 0.5]),
        *trials("lift", "expert", [0.5, 0.5]),
    ]
    cells = summary_of(run_of(runs, tasks=("reach", "push", "lift"))).cells
    found = standings(cells, (), "ours", np.random.default_rng(0))
    assert [item.place for item in found] == ["level", "alone", "missing"]
    assert told_standings(found, "ours") == [
        "Of 3 tasks, ours has the highest success on 0; it is level with another design "
        "on reach; it is the only design with a result on push; it has no result on lift."
    ]


def test_hacking_is_said_in_words() -> None:
    """Success falls from 0.9 to 0, 0.1 and 0.2: by 80 points on average, whether or not
    the reward rises; where that falls too, nothing is said."""

    def told(paid: Sequence[float]) -> str:
        runs = [
            trial(
                "reach",
                "ours",
                seed,
                *(
                    point(step, success, components={"a": pay + seed})
                    for step, success, pay in zip(
                        (10, 50, 100), (0.0, 0.9, seed / 10), paid, strict=True
                    )
                ),
            )
            for seed in range(3)
        ]
        return " ".join(summary_of(run_of(runs)).warnings)

    assert (
        "hacking: on reach the agents of ours did worse at the end than at step 50"
        in (told((1.0, 2.0, 3.0)))
    )
    assert "success fell by 80 points from 90 %" in told((1.0, 2.0, 2.0))
    assert "hacking" not in told((1.0, 2.0, 1.0))


def test_equal_means_are_equal_whatever_the_rounding() -> None:
    """(0.1 + 0.2 + 0.3) / 3 and (0.3 + 0.2 + 0.1) / 3 differ in the last bit: neither
    design is ahead on the task."""
    up, down = (0.1, 0.2, 0.3), (0.3, 0.2, 0.1)
    assert sum(up) != sum(down)
    found = summary_of(
        run_of(trials("reach", "ours", up) + trials("reach", "sparse", down))
    )
    (pair,) = found.pairs
    assert (pair.ahead, pair.behind) == (0, 0)


def test_the_human_normalised_score_is_said() -> None:
    """(0.4 - 0.2) / (0.6 - 0.2) on one task and (0.9 - 0) / (0.1 - 0), cut to 3, on the
    other: 1.75 on average. Without an expert there is none."""
    found = [
        *trials("reach", "sparse", [0.2, 0.2]),
        *trials("reach", "expert", [0.6, 0.6]),
        *trials("reach", "ours", [0.4, 0.4]),
        *trials("push", "sparse", [0.0, 0.0]),
        *trials("push", "expert", [0.1, 0.1]),
        *trials("push", "ours", [0.9, 0.9]),
    ]
    said = words(summary_of(run_of(found)))
    assert "(0: sparse, 1: expert; each task cut to 0 to 3): ours 1.75." in said
    bare = [trial for trial in found if trial.design != "expert"]
    assert "normalised" not in words(summary_of(run_of(bare)))
