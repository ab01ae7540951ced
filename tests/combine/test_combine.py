"""Combiners: what each step earns, and what shaping must not change."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.combine import Add, Context, Potential, Replace, make_combiner, total
from reward_synth.errors import UsageError

Values = npt.NDArray[np.float64]
NAMES = ("add", "replace", "potential")
finite = st.floats(-100, 100)


def values(*numbers: float) -> Values:
    return np.array(numbers, np.float64)


def context(terminated: list[bool], valid: list[bool] | None = None) -> Context:
    marks = [True] * len(terminated) if valid is None else valid
    return Context(np.array(terminated), np.array(marks))


def test_replace_pays_the_components_and_nothing_else() -> None:
    """Three lanes: sums of components, the environment's reward is dropped."""
    reward, _ = Replace().combine(
        None,
        values(5, 5, 5),
        {"a": values(1, 2, 3), "b": values(10, 20, 30)},
        context([False, True, False]),
    )
    assert reward.tolist() == [11.0, 22.0, 33.0]


def test_add_weighs_the_components_and_keeps_the_environments_reward() -> None:
    """sparse + weight * sum: 5 + 0.5 * 11 = 10.5."""
    reward, _ = Add(0.5).combine(
        None,
        values(5, 0),
        {"a": values(1, 2), "b": values(10, 20)},
        context([False] * 2),
    )
    assert reward.tolist() == [10.5, 11.0]


@given(st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=5), finite)
def test_lanes_do_not_mix(
    lanes: list[tuple[float, float, float]], weight: float
) -> None:
    """A batch of lanes earns what each lane earns alone, under every combiner."""
    sparse, first, second = np.array(lanes).T
    marks = context([x > 0 for x in sparse], [x > -50 for x in first])
    for name in NAMES:
        combiner = make_combiner(name, gamma=0.9, weight=weight)
        state = combiner.init({"potential": first})
        given_ = {"potential": second}
        together, after = combiner.combine(state, sparse, given_, marks)
        for lane in range(len(lanes)):
            cut = slice(lane, lane + 1)
            alone, _ = combiner.combine(
                combiner.init({"potential": first[cut]}),
                sparse[cut],
                {"potential": second[cut]},
                Context(marks.terminated[cut], marks.valid[cut]),
            )
            assert alone[0] == together[lane]
        assert after is None or after.tolist() == second.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_the_dense_part_of_a_reset_step_is_nothing(name: str) -> None:
    """A reset step of NEXT_STEP autoreset, whose sparse reward is 0, earns 0."""
    combiner = make_combiner(name, gamma=0.9, weight=3.0)
    state = combiner.init({"potential": values(4.0)})
    reward, _ = combiner.combine(
        state, values(0.0), {"potential": values(7.0)}, context([False], [False])
    )
    assert reward.tolist() == [0.0]


def test_a_reset_step_restarts_the_potential() -> None:
    """After the reset the first difference starts at the new episode's first state.

    phi: 4 | reset to 7 | 2. The reset step earns nothing, the step after it
    0.5 * 2 - 7 = -6, and not 0.5 * 2 - 4.
    """
    shaping = Potential(gamma=0.5)
    state = shaping.init({"potential": values(4.0)})
    _, state = shaping.combine(
        state, values(0.0), {"potential": values(7.0)}, context([False], [False])
    )
    reward, _ = shaping.combine(
        state, values(0.0), {"potential": values(2.0)}, context([False])
    )
    assert reward.tolist() == [-6.0]


def test_a_terminal_state_is_worth_nothing_a_truncated_one_keeps_its_potential() -> (
    None
):
    """From phi 3 to phi 8 at gamma 0.5: terminated -3, else (also cut by time) 4 - 3."""
    shaping = Potential(gamma=0.5, weight=2.0)
    state = shaping.init({"potential": values(3.0, 3.0)})
    reward, _ = shaping.combine(
        state,
        values(1.0, 1.0),
        {"potential": values(8.0, 8.0)},
        context([True, False]),
    )
    assert reward.tolist() == [1.0 + 2.0 * -3.0, 1.0 + 2.0 * 1.0]


@given(st.lists(finite, min_size=2, max_size=20), st.floats(0.1, 1.0), st.booleans())
def test_discounted_shaping_telescopes(
    phi: list[float], gamma: float, terminated: bool
) -> None:
    """sum gamma^t F_t = gamma^T phi(s_T) - phi(s_0), with phi(s_T) = 0 if it is terminal.

    Whatever lies between, only the ends count: that is why optimal policies stay.
    """
    shaping = Potential(gamma)
    state = shaping.init({"potential": values(phi[0])})
    earned = 0.0
    for step, value in enumerate(phi[1:]):
        last = step == len(phi) - 2
        reward, state = shaping.combine(
            state,
            values(0.0),
            {"potential": values(value)},
            context([terminated and last]),
        )
        earned += gamma**step * float(reward[0])
    end = 0.0 if terminated else gamma ** (len(phi) - 1) * phi[-1]
    assert earned == pytest.approx(end - phi[0], abs=1e-9)


def test_the_state_is_no_view_of_what_came_in() -> None:
    """Components that are overwritten afterwards do not change the kept potential."""
    shaping = Potential(gamma=1.0)
    first, second = values(1.0), values(2.0)
    state = shaping.init({"potential": first})
    first[:] = 99.0
    reward, state = shaping.combine(
        state, values(0.0), {"potential": second}, context([False])
    )
    second[:] = 99.0
    assert reward.tolist() == [1.0]
    assert state.tolist() == [2.0]


def test_no_components_are_zero() -> None:
    """A source without components pays nothing, in the shape of the lanes."""
    assert total({}, values(3.0, 4.0)).tolist() == [0.0, 0.0]


def test_names_make_combiners_and_a_wrong_one_is_answered() -> None:
    """Each name gives its combiner with gamma and weight; others are refused."""
    made = [make_combiner(name, gamma=0.9, weight=2.0) for name in NAMES]
    assert made == [Add(2.0), Replace(), Potential(0.9, 2.0)]
    assert {item.acts_on for item in made} == {"step"}
    with pytest.raises(
        UsageError, match=r"add, replace, potential.*Did you mean 'potential'"
    ):
        make_combiner("potental", gamma=0.9)
