"""What a training taught, in words, from curves whose course is known."""

from __future__ import annotations

from typing import Any

import pytest

from reward_synth.search.reflection import Measured, reflect


def curve(success: list[float], **components: list[float]) -> Measured:
    points: list[dict[str, Any]] = [
        {
            "step": 100 * (number + 1),
            "success_any": rate,
            "components": {name: values[number] for name, values in components.items()},
        }
        for number, rate in enumerate(success)
    ]
    return Measured(success[-1], tuple(points))


def line(measured: Measured, name: str) -> str:
    (found,) = [x for x in reflect(measured).splitlines() if x.startswith(f"- {name}:")]
    return found


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([0.0, 1.0, 2.0, 3.0], "; rising,"),
        ([3.0, 2.0, 1.0, 0.0], "; falling,"),
        ([0.0, 9.9, 10.0, 10.0], "; rising, then saturated,"),
        ([5.0, 5.0, 5.0, 5.0], "; flat: it teaches nothing as it is,"),
        ([1.0, 9.0, 1.0, 1.0], "; going up and down,"),
    ],
)
def test_the_course_of_a_component_is_named(values: list[float], says: str) -> None:
    """Rising, falling, saturated, flat, or up and down."""
    assert says in line(curve([0.0, 0.1, 0.2, 0.3], a=values), "a")


def test_shares_are_of_sizes() -> None:
    """Means of sizes 3 and 1: 75 % and 25 %, whatever the sign."""
    measured = curve([0.0, 0.5, 1.0], big=[-3.0, -3.0, -3.0], small=[1.0, 1.0, 1.0])
    assert "75% of the size" in line(measured, "big")
    assert "25% of the size" in line(measured, "small")


def test_the_use_of_a_component_is_its_rank_correlation_with_success() -> None:
    """Spearman by hand: 1 with the same order, -1 with the reverse, -0.4 with 3 1 4 2 …

    Success 0 1 2 3 against 2 0 3 1: differences -2 1 -1 2, so 1 - 6*10/(4*15) = 0.
    """
    success = [0.0, 0.1, 0.2, 0.3]
    measured = curve(
        success,
        same=[1.0, 2.0, 3.0, 9.0],
        other=[9.0, 3.0, 2.0, 1.0],
        none=[2.0, 0.0, 3.0, 1.0],
    )
    assert "goes with success (+1.00)" in line(measured, "same")
    assert "goes against success (-1.00)" in line(measured, "other")
    assert "unrelated to success (+0.00)" in line(measured, "none")


def test_a_reward_that_grows_alone_is_called_so() -> None:
    """Reward up and success not: hacking is named; with success it is not."""
    grows = {"a": [0.0, 5.0, 10.0, 20.0]}
    assert "earns it in another way" in reflect(curve([0.1, 0.0, 0.1, 0.0], **grows))
    assert "another way" not in reflect(curve([0.1, 0.2, 0.5, 0.6], **grows))
    assert "another way" not in reflect(curve([1.0, 1.0, 1.0, 1.0], **grows))


def test_components_that_are_missing_at_times_are_left_out() -> None:
    """The training process tells sums, and may tell none for a while."""
    points = (
        {"success_any": 0.0, "components": {}},
        {"success_any": 1.0, "components": {"a": 1.0}},
    )
    assert reflect(Measured(1.0, points)) == "Success while it was trained: 0% 100%."
    assert reflect(Measured(0.5)) == ""
