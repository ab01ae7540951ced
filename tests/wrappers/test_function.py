"""Reward functions that users write: what they may return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reward_synth.errors import UsageError
from reward_synth.reward import FunctionReward, Step

NONE = np.zeros(1, np.bool_)
STEP = Step({}, np.zeros((1, 1)), {}, np.zeros(1), NONE, NONE, ~NONE)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ({"near": 1.0, "a": None}, "returned None as component 'a'"),
        ({"a": "high"}, "returned 'high' as component 'a'"),
        ({"a": np.ones(2)}, r"returned array\(\[1., 1.\]\) as component 'a'"),
        (None, "returned None.$"),
        ("high", "returned 'high'.$"),
    ],
)
def test_what_is_no_number_is_named(returned: Any, said: str) -> None:
    """A component that is not a number is a UsageError with its name and value."""
    with pytest.raises(UsageError, match=said):
        FunctionReward(lambda _: returned)(STEP)
