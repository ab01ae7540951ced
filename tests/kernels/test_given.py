"""What kernels are given is checked before machine code reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reward_synth.errors import UsageError
from reward_synth.kernels import Population, RewardKernel, native
from reward_synth.language import FunctionIR, parse
from tests.programs import TASK


def function() -> FunctionIR:
    text = "def compute_reward(cube_pos):\n    return {'a': cube_pos[0]}"
    parsed = parse(text, TASK)
    assert parsed.ir is not None
    assert parsed.ir.reward is not None
    return parsed.ir.reward


@pytest.mark.parametrize("dtype", ["float16", int, "no type", None.__class__])
def test_only_two_types_are_computed_in(dtype: Any) -> None:
    """Another type is named, with the two that there are."""
    for make in (RewardKernel, lambda f, t: Population([f], t)):
        with pytest.raises(UsageError, match="'float32' or 'float64', received"):
            make(function(), dtype)


def test_numpy_types_are_taken_by_their_name() -> None:
    """np.float32 means the same as its name."""
    assert RewardKernel(function(), np.float32).dtype == "float32"  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [0, -1, 2.5, True])
def test_threads_are_counted(threads: Any) -> None:
    """Less than one thread, or a part of one, is refused."""
    with pytest.raises(UsageError, match="whole number of at least 1, received"):
        RewardKernel(function(), threads=threads)


def test_states_lie_along_the_first_axis() -> None:
    """An array whose first axis is not the states is refused, though its size fits."""
    kernel = RewardKernel(function())
    with pytest.raises(ValueError, match=r"4 states along its first axis.*\(3, 4\)"):
        kernel.batch({"cube_pos": np.zeros((3, 4))}, np.empty((2, 4)))
    with pytest.raises(ValueError, match="out must be of float64, received int32"):
        kernel.batch({"cube_pos": np.zeros((4, 3))}, np.empty((2, 4), np.int32))


@pytest.mark.parametrize("kind", [np.float16, np.longdouble, ">f4", ">i2"])
def test_other_numbers_are_converted(kind: Any) -> None:
    """Types that machine code does not know keep their values as float64."""
    array = np.array([1.5, -2.0]).astype(kind)
    found = native(array)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, array.astype(np.float64))


def test_what_is_no_number_is_refused() -> None:
    """Objects and texts are named by their type."""
    with pytest.raises(UsageError, match="an array of object"):
        native(np.array([None]))
