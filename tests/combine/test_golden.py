"""Equality with what the original code printed; it computes in float32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_synth.combine import (
    Mean,
    Relative,
    Running,
    Uncertain,
    Worst,
    sigmoid_polynomial,
)
from tests.combine.every import marks

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "data" / "blend_golden.json").read_text()
)
SHAPER = GOLDEN["PAR_shaper"]
REFERENCES = tuple(SHAPER["refs"])
REWARDS = np.array(SHAPER["r"])


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("PAR", Relative(REFERENCES)),
        ("sigmoid", Relative((0.0,))),
        ("centered", Relative(REFERENCES, "centred")),
        ("tanh_rel", Relative(REFERENCES, "tanh")),
        ("fittedpoly_rel", Relative(REFERENCES, "fitted")),
        ("sgfc", Relative(REFERENCES, "slow")),
    ],
)
def test_shapes_equal_the_originals(key: str, shape: Any) -> None:
    """Each shape of the original's class, to 1e-6."""
    np.testing.assert_allclose(shape(REWARDS), SHAPER[key], atol=1e-6)


@pytest.mark.parametrize(
    ("key", "how"), [("meanstd", "z_score"), ("clip", "clip"), ("minmax", "min_max")]
)
def test_running_scales_equal_the_originals(key: str, how: Any) -> None:
    """Each running scale, after one batch, to 1e-6."""
    scale = Running(how)
    paid, _ = scale.combine(
        scale.init({}), 0 * REWARDS, {"r": REWARDS}, marks(len(REWARDS))
    )
    np.testing.assert_allclose(paid, SHAPER[key], atol=1e-6)


@pytest.mark.parametrize(
    ("key", "mix"),
    [
        ("mean", Mean()),
        ("WCO", Worst()),
        ("UWO_bon_ddof0_coeff1", Uncertain(1.0, ddof=0)),
        ("UWO_ppo_ddof1_coeff1", Uncertain(1.0, ddof=1)),
    ],
)
def test_ensembles_equal_the_originals(key: str, mix: Any) -> None:
    """Mean, worst case, and both variances of uncertainty weighting, to 1e-6."""
    table = np.array(GOLDEN["ensembles"]["scores"])[:, None]
    found = mix(table, ("a", "b", "c", "d"))
    assert found[0] == pytest.approx(GOLDEN["ensembles"][key], abs=1e-6)


def test_the_fitted_polynomial_is_the_least_squares_one() -> None:
    """Its errors on linspace(-5, 5, 100) are orthogonal to each power up to 5: the
    normal equations, which no other polynomial of degree 5 satisfies."""
    x = np.linspace(-5, 5, 100)
    error = np.polyval(sigmoid_polynomial(), x) - 1 / (1 + np.exp(-x))
    powers = (x[:, None] / 5) ** np.arange(6)
    np.testing.assert_allclose(powers.T @ error, 0.0, atol=1e-10)


def test_many_rewards_are_shaped_as_few() -> None:
    """The machine code for batches equals the formula, also far from the references."""
    rewards = np.concatenate([np.linspace(-30, 30, 400), [1e4, -1e4, 0.0]])
    for refs in (np.array([-3.0, 0.5, 2.0]), np.array([-3.0, 0.5, 900.0])):
        with np.errstate(over="ignore"):
            plain = (1 / (1 + np.exp(-2 * (rewards[:, None] - refs)))).mean(1)
        found = Relative(tuple(refs), k=2.0)(rewards)
        np.testing.assert_allclose(found, plain, rtol=1e-12, atol=1e-12)
