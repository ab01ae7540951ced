"""What every combiner keeps to: finite numbers, lanes apart, one as many, resets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.combine import COMBINERS, Split, make_combiner, merged, restarted
from reward_synth.errors import UsageError
from tests.combine.every import (
    EVERY,
    GIVEN,
    NAMED,
    ONE_BY_ONE,
    components,
    marks,
    start,
)

wild = st.floats(allow_nan=True, allow_infinity=True)
tame = st.floats(-20, 20)
LEARNS_TOGETHER = (
    "anneal",
    "dynamic_potential",
    "lagrange",
    "z_score",
    "clip",
    "min_max",
    "dynamic_scale",
)
"""What one lane shows them changes what others are paid."""
BARE = {"replace": 0.0, "sign_bounded": 1.0, "relevance": 1.5}
"""Paid for a sparse reward of 3 with no usable component, where it is not 3."""


@pytest.mark.parametrize("name", EVERY)
@given(st.lists(st.tuples(wild, wild, wild), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_what_is_paid_is_finite(
    name: str, lanes: list[tuple[float, float, float]]
) -> None:
    """Whatever components and sparse rewards are, so are rewards and states, also on
    the ordinary steps after them."""
    combiner = EVERY[name]
    sparse, first, second = np.array(lanes).T
    count = len(lanes)
    state = combiner.init(start(name, np.ones(count)))
    for ended in (False, True, False):
        with np.errstate(all="ignore"):
            paid, state = combiner.combine(
                state, sparse, components(name, first, second), marks(count, ended)
            )
        assert np.isfinite(paid).all()
    ones = components(name, np.ones(count), np.ones(count))
    with np.errstate(over="ignore"):
        paid, state = combiner.combine(state, np.ones(count), ones, marks(count))
    assert np.isfinite(paid).all()
    for value in state.lanes.values() if isinstance(state, Split) else ():
        assert np.isfinite(value).all()


@pytest.mark.parametrize("name", sorted(set(EVERY) & set(ONE_BY_ONE)))
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_lane_without_a_usable_component_earns_as_if_it_had_none(
    name: str, bad: float
) -> None:
    """It is paid the sparse reward (nothing by replace, its sign, its share, and the
    task's share while multipliers are new), and the lane beside it is paid as ever."""
    combiner = EVERY[name]
    sparse = np.array([3.0, 3.0])
    state = combiner.init(start(name, np.zeros(2)))
    given_ = components(name, [bad, 2.0], [1.0, 0.5])
    with np.errstate(all="ignore"):
        paid, _ = combiner.combine(state, sparse, given_, marks(2))
    expected = 3.0 if name.startswith("lagrange") is False else paid[0]
    assert paid[0] == pytest.approx(BARE.get(name, expected))
    if name not in LEARNS_TOGETHER:
        alone, _ = combiner.combine(
            combiner.init(start(name, np.zeros(1))),
            sparse[1:],
            {key: value[1:] for key, value in given_.items()},
            marks(1),
        )
        assert paid[1] == pytest.approx(alone[0])


def test_a_task_keeps_its_share_where_constraints_cannot_be_read() -> None:
    """Two multipliers of sigmoid(0) leave half of 2 x task: (2 - 1) x 3."""
    combiner = EVERY["lagrange"]
    nothing = components("lagrange", [np.nan], [0.0])
    paid, _ = combiner.combine(combiner.init({}), np.array([3.0]), nothing, marks(1))
    assert paid[0] == 3.0


@pytest.mark.parametrize("name", sorted(set(ONE_BY_ONE) - set(LEARNS_TOGETHER)))
@given(st.lists(st.tuples(tame, tame, tame), min_size=2, max_size=4))
@settings(max_examples=10, deadline=None)
def test_lanes_do_not_mix(name: str, lanes: list[tuple[float, float, float]]) -> None:
    """Each lane of a batch earns what it earns alone, over three steps with an end."""
    combiner = EVERY[name]
    table = np.array(lanes).T

    def played(part: Any) -> list[Any]:
        sparse, first, second = table[:, part]
        state = combiner.init(start(name, first))
        paid = []
        for number, ended in enumerate((False, False, True)):
            given_ = components(name, first * number, second - number)
            reward, state = combiner.combine(
                state, sparse, given_, marks(len(sparse), ended)
            )
            paid.append(reward)
        return paid

    together = played(slice(None))
    for lane in range(len(lanes)):
        for whole, part in zip(together, played(slice(lane, lane + 1)), strict=True):
            assert whole[lane] == pytest.approx(part[0], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ONE_BY_ONE)
@given(st.lists(st.tuples(tame, tame, tame), min_size=1, max_size=4))
@settings(max_examples=10, deadline=None)
def test_one_is_a_batch_of_one(
    name: str, steps: list[tuple[float, float, float]]
) -> None:
    """The scalar form pays the same over an episode."""
    combiner = EVERY[name]
    first = steps[0][1]
    scalar = combiner.init(start(name, first))
    batch = combiner.init(start(name, np.array([first])))
    for number, (sparse, a, b) in enumerate(steps):
        last = number == len(steps) - 1
        parts = {k: float(v) for k, v in components(name, a, b).items()}
        one, scalar = combiner.one(
            scalar, sparse, sum(parts.values()), terminated=last, parts=parts
        )
        many, batch = combiner.combine(
            batch,
            np.array([sparse]),
            {k: np.array([v]) for k, v in parts.items()},
            marks(1, last),
        )
        assert one == pytest.approx(many[0], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_a_reset_step_earns_nothing(name: str) -> None:
    """A step that only resets has a sparse reward of 0 and is paid 0."""
    combiner = EVERY[name]
    state = combiner.init(start(name, np.ones(1)))
    given_ = components(name, [5.0], [7.0])
    _, state = combiner.combine(state, np.zeros(1), given_, marks(1, True))
    paid, _ = combiner.combine(state, np.zeros(1), given_, marks(1, valid=False))
    assert paid.tolist() == [0.0]


@pytest.mark.parametrize("name", LEARNS_TOGETHER)
def test_in_evaluation_nothing_is_learned(name: str) -> None:
    """With learning=False what outlives an episode stays as it was."""
    combiner = EVERY[name]
    state = combiner.init(start(name, np.ones(2)))
    given_ = components(name, [5.0, 1.0], [7.0, 2.0])
    _, state = combiner.combine(state, np.ones(2), given_, marks(2, True))
    _, after = combiner.combine(
        state, np.ones(2), given_, marks(2, True, learning=False)
    )
    assert _same(after.shared, state.shared)
    _, learned = combiner.combine(state, np.ones(2), given_, marks(2, True))
    assert not _same(learned.shared, state.shared)


def _same(first: Any, second: Any) -> bool:
    return repr(first) == repr(second)


def test_states_are_put_together_lane_by_lane() -> None:
    """Lanes come from one or the other, what is shared from the newer; at a restart
    from the older."""
    old = Split({"x": np.array([1.0, 2.0])}, {"steps": 5})
    new = Split({"x": np.array([7.0, 8.0])}, {"steps": 6})
    mixed = merged(np.array([True, False]), new, old)
    assert (mixed.lanes["x"].tolist(), mixed.shared) == ([7.0, 2.0], {"steps": 6})
    fresh = Split({"x": 0.0}, {"steps": 0})
    begun = restarted(fresh, mixed, np.array([False, True]))
    assert (begun.lanes["x"].tolist(), begun.shared) == ([7.0, 0.0], {"steps": 6})
    assert restarted(fresh, mixed).shared == {"steps": 6}
    assert restarted(fresh, None) is fresh
    assert merged(np.array([True]), None, None) is None


def test_every_name_makes_a_combiner_or_says_how() -> None:
    """Names without arguments give what acts as told, the others an example that runs."""
    import reward_synth.combine as module

    for name, item in COMBINERS.items():
        if item.make is None:
            with pytest.raises(UsageError, match="needs arguments"):
                make_combiner(name, gamma=0.9)
            made = eval(item.example, {"gamma": 0.9, **vars(module)})
        else:
            made = NAMED[name]
        assert made.acts_on == item.acts_on
    assert {name.split()[0] for name in GIVEN} >= {
        name for name, item in COMBINERS.items() if item.make is None
    }


@pytest.mark.parametrize(
    ("given_", "weight", "said"),
    [("wurst", 1.0, "Did you mean 'worst'"), (7, 1.0, "has no acts_on")],
)
def test_what_is_no_combiner_is_refused(given_: Any, weight: float, said: str) -> None:
    """Unknown names and other objects."""
    with pytest.raises(UsageError, match=said):
        make_combiner(given_, gamma=0.9, weight=weight)


def test_a_weight_beside_an_object_is_refused() -> None:
    """An object has its own settings."""
    with pytest.raises(UsageError, match="its own settings"):
        make_combiner(EVERY["mean"], gamma=0.9, weight=2.0)


@pytest.mark.parametrize("name", ["group_normalised", "stratified"])
def test_one_sample_is_no_group(name: str) -> None:
    """Combiners of groups refuse single steps by name."""
    with pytest.raises(UsageError, match="acts on groups"):
        EVERY[name].one(None, 0.0, 0.0, terminated=False)


def test_components_must_fit() -> None:
    """Other lengths, and other names than weights are given for."""
    with pytest.raises(UsageError, match=r"'a' has shape \(3,\)"):
        EVERY["mean"].combine(None, np.zeros(2), {"a": np.zeros(3)}, marks(2))
    with pytest.raises(UsageError, match="given for a, b"):
        EVERY["weighted"].combine(None, np.zeros(2), {"a": np.zeros(2)}, marks(2))
    state = EVERY["lagrange"].init({})
    with pytest.raises(UsageError, match="thresholds are given for a, b"):
        EVERY["lagrange"].combine(state, np.zeros(2), {"a": np.zeros(2)}, marks(2))
    with pytest.raises(UsageError, match="needs the component 'b'"):
        EVERY["hybrid"].combine(None, np.zeros(2), {"a": np.zeros(2)}, marks(2))
