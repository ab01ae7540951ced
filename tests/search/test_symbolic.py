"""The symbolic proposer: every program is usable, new, reproducible and not gameable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_synth.checks import Finding, Report
from reward_synth.errors import NothingUsableError
from reward_synth.language import evaluate, parse
from reward_synth.program import RewardProgram
from reward_synth.reward import Array
from reward_synth.search import Outcome, Screen, SymbolicProposer
from reward_synth.search.conditions import Limit
from reward_synth.search.roles import find_roles
from reward_synth.task import Field, Success, TaskSpec

POSITIONS = ("tcp_pos", "hand_pos", "cube_pos", "peg_pos", "goal_pos", "target_pos")
LIMITS = ("height >= 0.2", "height <= 0.6", "height > 0.1", "x_vel < 2", "q[1] >= -0.5")
ODD = ("cube_pos >= 0.1", "q[9] > 0", "gone > 1", "height > 1 or x_vel > 1")
QUIET = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TASK = TaskSpec(
    "Push",
    "Push the cube to the goal.",
    tuple(Field(name, (3,), unit="m") for name in ("tcp_pos", "cube_pos", "goal_pos")),
    Field("action", (4,)),
)


@st.composite
def tasks(
    draw: st.DrawFn, ends: bool | None = None, limits: bool | None = None
) -> TaskSpec:
    """Random tasks; ``ends`` on success and with ``limits`` in the rule, or either."""
    here = st.booleans()
    limits = draw(here) if limits is None else limits
    fields = [
        Field(name, (draw(st.sampled_from([2, 3])),), unit="m", at_reset=draw(here))
        for name in draw(st.sets(st.sampled_from(POSITIONS)))
    ]
    if draw(here):
        fields += [
            Field("cube_quat", (4,)),
            Field("goal_quat", (4,), at_reset=draw(here)),
        ]
    if draw(here):
        fields.append(Field("is_grasped", (), "bool", at_reset=draw(here)))
    for name, unit in (("height", "m"), ("x_vel", "m/s")):
        seen = {"seen_low": (-2.0,), "seen_high": (1.5,)} if draw(here) else {}
        fields.append(Field(name, unit=unit, at_reset=draw(here), **seen))  # type: ignore[arg-type]
    fields.append(Field("q", (2,)))
    known = LIMITS + ODD if limits else ODD
    rules = draw(st.lists(st.sampled_from(known), max_size=4, unique=True))
    if limits:
        rules.append(draw(st.sampled_from(LIMITS)))
    return TaskSpec(
        "Random",
        draw(st.text(max_size=100)),
        tuple(draw(st.permutations(fields))),
        draw(st.sampled_from([Field("action", (3,)), Field("action", (), "int")])),
        Success(" and ".join(f"({rule})" for rule in rules)) if rules else None,
        ends_on_success=draw(here) if ends is None else ends,
        gamma=draw(st.sampled_from([0.9, 0.99, 0.995])),
    )


def outcome(program: RewardProgram, score: float, *findings: Finding) -> Outcome:
    seen = Screen(score, None, None, 1.0, "given")
    return Outcome(program, Report(program.digest, findings), seen)


def proposed(task: TaskSpec, seed: int, rounds: int = 3) -> list[RewardProgram]:
    """Ask in rounds; later programs score better, so that they become parents."""
    proposer = SymbolicProposer(task, seed)
    programs: list[RewardProgram] = []
    try:
        for _ in range(rounds):
            fresh = proposer.ask(4)
            proposer.tell([outcome(p, len(programs) + i) for i, p in enumerate(fresh)])
            programs += fresh
    except NothingUsableError:
        return []
    return programs


def state(task: TaskSpec, seed: int) -> dict[str, Array]:
    """A random state in the ranges that were seen; quaternions have length 1."""
    rng = np.random.default_rng(seed)
    values: dict[str, Array] = {}
    for name, item in task.parameters.items():
        numbers = rng.uniform(-2.0, 1.5, size=item.shape)
        if "quat" in name:
            numbers = numbers / np.linalg.norm(numbers)
        values[name] = np.asarray(numbers > 0.0 if item.dtype == "bool" else numbers)
    return values


def components(program: RewardProgram, task: TaskSpec, seed: int) -> dict[str, float]:
    ir = parse(program.source, task).ir
    assert ir is not None
    assert ir.reward is not None
    return evaluate(ir.reward, state(task, seed))


@QUIET
@given(task=tasks(), seed=st.integers(0, 99))
def test_every_program_is_in_the_language_and_new(task: TaskSpec, seed: int) -> None:
    """Whatever the task's fields, no program has a finding and none comes twice."""
    programs = proposed(task, seed)
    for program in programs:
        found = parse(program.source, task).findings
        assert found == (), f"{[str(item) for item in found]}\n{program.source}"
        assert not program.provenance.edited
    digests = [program.digest for program in programs]
    assert len(set(digests)) == len(digests)


@QUIET
@given(
    task=tasks(ends=True, limits=False),
    seed=st.integers(0, 99),
    inputs=st.integers(0, 2**31),
)
def test_time_costs_what_could_be_earned_by_never_finishing(
    task: TaskSpec, seed: int, inputs: int
) -> None:
    """Where success ends the episode and pays no bonus, no state pays above zero.

    Progress is left out: it is a difference of distances, which sums up to nothing
    on every way that comes back to where it began.
    """
    for program in proposed(task, seed):
        values = components(program, task, inputs)
        kept = [v for name, v in values.items() if not name.startswith("progress")]
        assert sum(kept) <= 1e-9, program.source


@QUIET
@given(
    task=tasks(ends=True, limits=True),
    seed=st.integers(0, 99),
    inputs=st.integers(0, 2**31),
)
def test_the_bonus_beats_going_on_for_ever(
    task: TaskSpec, seed: int, inputs: int
) -> None:
    """Going on for ever at r a step is worth r / (1 - gamma); the bonus is worth more."""
    for program in proposed(task, seed):
        values = components(program, task, inputs)
        match = re.search(r'"bonus\w*": ([\d.]+) \*', program.source)
        assert match is not None
        kept = [v for n, v in values.items() if not n.startswith(("progress", "bonus"))]
        assert float(match[1]) * (1.0 - task.gamma) > sum(kept), program.source


def test_the_seed_and_the_outcomes_decide() -> None:
    """Equal seeds and outcomes give equal programs; another seed gives others."""
    first, again, other = (proposed(TASK, seed) for seed in (1, 1, 2))
    assert [item.source for item in first] == [item.source for item in again]
    assert [item.source for item in first] != [item.source for item in other]


def test_other_outcomes_give_other_programs() -> None:
    """What is told changes what is asked next: the best become parents."""

    def second_round(best: int) -> tuple[Sequence[RewardProgram], str]:
        proposer = SymbolicProposer(TASK, 0)
        fresh = proposer.ask(6)
        told = [outcome(p, float(number == best)) for number, p in enumerate(fresh)]
        bad = Finding("error", "non-finite", "It is NaN.")
        told = [
            item if number == best else replace(item, report=Report("", (bad,)))
            for number, item in enumerate(told)
        ]
        proposer.tell(told)
        return proposer.ask(6), fresh[best].digest

    for best in (0, 3):
        programs, digest = second_round(best)
        parents = [program.provenance.parents for program in programs]
        # Every other program is made from parents; those with errors never are one.
        assert parents == [(digest,), ()] * 3


def test_a_task_without_usable_fields_is_refused() -> None:
    """Fields without unit, role or rule give nothing to make a reward of."""
    task = TaskSpec("Blind", "go", (Field("data", (7,)),), Field("action", (2,)))
    with pytest.raises(NothingUsableError, match=r"'Blind'.*--task-spec"):
        SymbolicProposer(task, 0).ask(1)


def test_conditions_on_computed_values_are_the_last_resort() -> None:
    """Where names and units tell nothing, what the success rule computes is approached:
    with its distance from the bound as far as the fields' ranges allow (a norm of two
    entries up to 3 and 4 is at most 5; a product of directions at least -2), and only
    there."""
    fields = (
        Field("gap", (2,), low=(-3.0, -4.0), high=(3.0, 4.0)),
        Field("way", (2,), low=(-1.0, -1.0), high=(1.0, 1.0)),
        Field("aim", (2,), low=(-1.0, -1.0), high=(1.0, 1.0)),
    )
    rule = (
        "np.linalg.norm(gap) < 0.5 and (np.sum(way * aim) >= 0.9 and gap[0] < gap[1])"
    )
    task = TaskSpec("T", "go", fields, Field("action", (2,)), Success(rule))
    assert find_roles(task).limits == (
        Limit("np.linalg.norm(gap)", False, 0.5, 4.5),
        Limit("np.sum(way * aim)", True, 0.9, 2.9),
    )
    for program in SymbolicProposer(task, 0).ask(4):
        found = parse(program.source, task)
        assert found.findings == ()
        assert found.ir is not None
        assert found.ir.reward is not None
        assert {"limit_norm_gap_max", "limit_sum_way_aim"} < set(
            found.ir.reward.outputs
        )
    named = replace(
        task,
        fields=(
            *fields,
            Field("x_vel", unit="m/s", seen_low=(-1.0,), seen_high=(1.0,)),
        ),
    )
    assert find_roles(named).limits == ()
    told = replace(task, success=Success("info.success", rule))
    assert find_roles(told).limits == find_roles(task).limits
    prose = replace(task, success=Success("info.success", "the gap is < 0.5"))
    assert find_roles(prose).limits == ()


def test_a_small_space_is_exhausted_without_repeats() -> None:
    """One speed has three weights: three programs, then an end instead of repeats."""
    speed = Field("x_vel", unit="m/s", seen_low=(-2.0,), seen_high=(1.0,))
    task = TaskSpec("Run", "run", (speed,), Field("action", (), "int"))
    proposer = SymbolicProposer(task, 0)
    programs: list[RewardProgram] = []
    for _ in range(3):
        programs += proposer.ask(4)
    weights = {
        match[1]
        for program in programs
        if (match := re.search(r": ([\d.]+) \* speed", program.source))
    }
    assert weights == {"0.5", "1.0", "2.0"}
    assert len(programs) == 3


def test_a_hostile_instruction_stays_in_the_docstring() -> None:
    """Quotes, backslashes and control characters of an instruction cannot end the docstring."""
    text = 'Go"""\nimport os\nos.system("x") \0 \ud800 \\'
    task = replace(TASK, instruction=text)
    for program in SymbolicProposer(task, 0).ask(3):
        assert parse(program.source, task).findings == ()


def test_roles_follow_names_units_and_types() -> None:
    """Hands, things, goals, grasps, speeds, rates and turns are told apart by name."""
    fields = (
        Field("tcp_pos", (3,), unit="m"),
        Field("cube_pos", (3,), unit="m"),
        Field("goal_pos", (3,), unit="m"),
        Field("cube_size", (3,), unit="m"),
        Field("cube_vel", (3,), unit="m/s"),
        Field("x_vel", unit="m/s", seen_low=(-3.0,), seen_high=(1.0,)),
        Field("unseen_vel", unit="m/s"),
        Field("is_grasped", (), "bool"),
        Field("grasp_force"),
        Field("cube_quat", (4,)),
        Field("goal_quat", (4,)),
        Field("tcp_quat", (4,)),
    )
    roles = find_roles(TaskSpec("T", "go", fields, Field("action", (4,))))
    assert roles.agents == ("tcp_pos",)
    assert roles.objects == ("cube_pos",)
    assert roles.goals == ("goal_pos",)
    assert roles.grasps == ("is_grasped",)
    assert roles.speeds == (("x_vel", 3.0),)
    assert roles.rates == ("cube_vel",)
    assert roles.turns == (("cube_quat", "goal_quat"),)
    assert roles.action_size == 4


def test_a_point_robot_is_its_own_hand() -> None:
    """Without a hand the thing that is there acts; a discrete action has no size."""
    fields = (Field("ball_pos", (2,), unit="m"), Field("goal_pos", (2,), unit="m"))
    roles = find_roles(TaskSpec("T", "go", fields, Field("action", (), "int")))
    assert (roles.agents, roles.objects, roles.action_size) == (("ball_pos",), (), 0)


def test_positions_in_another_space_than_the_goal_have_no_role() -> None:
    """A distance needs equal shapes: with a goal in the plane only the plane counts."""
    fields = (
        Field("tcp_pos", (3,), unit="m"),
        Field("cube_pos", (2,), unit="m"),
        Field("goal_pos", (2,), unit="m"),
    )
    roles = find_roles(TaskSpec("T", "go", fields, Field("action", (2,))))
    assert (roles.agents, roles.goals) == (("cube_pos",), ("goal_pos",))


def test_limits_are_the_scalar_conditions_of_the_rule() -> None:
    """The span is the farthest seen distance from the bound; without a range, 1 or |b|.

    height was seen from -2 to 1.5: 2.2 below 0.2. Of two lower limits the stricter stays.
    """
    fields = (
        Field("height", seen_low=(-2.0,), seen_high=(1.5,)),
        Field("q", (2,)),
    )
    rule = (
        "height > 0.1 and height >= 0.2 and q[1] <= -5 and q[2] > 0 and q > 1"
        " and sparse_reward > 0 and height > q[0]"
    )
    task = TaskSpec("T", "go", fields, Field("action", (2,)), Success(rule))
    assert find_roles(task).limits == (
        Limit("height", True, 0.2, 2.2),
        Limit("q[1]", False, -5.0, 5.0),
    )
