"""Programs too long to be written in place mean the same, and compile in seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reward_synth.benchmarks.kernel_limits import LONGEST, longest
from reward_synth.benchmarks.kernel_programs import typed
from reward_synth.benchmarks.kernel_targets import inputs
from reward_synth.kernels import RewardKernel, loops, outlined
from reward_synth.kernels import compile as compiling
from reward_synth.kernels.emit import DType
from reward_synth.kernels.intrinsics import FORMULAS
from reward_synth.language import evaluate

STATES = 37
"""Some whole groups of SIMD lanes, and a rest."""
LONG = [name for name in FORMULAS if name not in ("isnan", "isfinite", "select")]
PLAIN = ("both", "either")


def program() -> str:
    """Every formula of the language, with variables and with constants."""
    calls = []
    for name in (item for item in LONG if item not in PLAIN):
        given = "q[0], qvel[1]", "q[2], 1.5", "0.5, q[3]"
        if FORMULAS[name][0] == 1:
            given = "q[4]", "qvel[5]", "0.1 * q[6]"
        calls += [f"np.{name}({item})" for item in given]
    shown = ", ".join(f"'c{place}': {call}" for place, call in enumerate(calls))
    return f"import numpy as np\n\ndef compute_reward(q, qvel):\n    return {{{shown}}}"


def scored(dtype: DType) -> tuple[Any, Any]:
    """Return a batch of the program and its first state, compiled anew."""
    compiling._compiled.cache_clear()
    compiling._compiled_one.cache_clear()
    kernel = RewardKernel(typed(program()), dtype)
    rng = np.random.default_rng(0)
    values = {
        name: rng.normal(size=(STATES, 9)).astype(dtype) for name in ("q", "qvel")
    }
    first = {name: value[0] for name, value in values.items()}
    return kernel.batch(values), [*kernel.one(first).values()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("module", "limit"), [(outlined, "MOST_IN_PLACE"), (loops, "MOST_SIMD")]
)
def test_limits_change_the_last_bit_at_most(
    dtype: DType, module: Any, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Formulas that are called, and loops without SIMD, give what others give.

    Where a product and a sum become one instruction may differ, thus one rounding.
    """
    monkeypatch.setenv(compiling.CACHE, "")
    batch, one = scored(dtype)
    monkeypatch.setattr(module, limit, 0)
    again, one_again = scored(dtype)
    rounding = 2 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(again, batch, rounding, 0)
    np.testing.assert_allclose(one_again, one, rounding, 0)
    compiling._compiled.cache_clear()
    compiling._compiled_one.cache_clear()


def test_the_longest_formulas_are_called_first() -> None:
    """Of 100 uses each of tan and sqrt, only tan's need to go."""
    from llvmlite import ir

    kind = ir.DoubleType()
    tan, sqrt = (outlined.instructions(name, kind) for name in ("tan", "sqrt"))
    assert 100 * tan > outlined.MOST_IN_PLACE > 100 * sqrt
    assert outlined._chosen({"sqrt": 100, "tan": 100}, kind) == {"tan"}


@pytest.mark.parametrize("name", LONGEST)
def test_the_longest_programs_mean_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of line or without SIMD, float64 differs from the reference by rounding alone;
    how long compiling takes stands in the benchmarks."""
    monkeypatch.setenv(compiling.CACHE, "")
    made = longest(name)
    function = typed(made.source)
    values = inputs(made, 1)
    found = RewardKernel(function, "float64").batch(values)[:-1, 0]
    expected = evaluate(function, {key: value[0] for key, value in values.items()})
    np.testing.assert_allclose(found, list(expected.values()), rtol=1e-9, atol=1e-9)


def test_rows_of_any_spacing_are_written() -> None:
    """Output memory need not be contiguous; what lies between rows is left alone."""
    kernel = RewardKernel(
        typed("def compute_reward(q):\n    return {'a': q[0], 'b': 2.0 * q[1]}")
    )
    values = {"q": np.arange(36.0).reshape(4, 9)}
    wide = np.full((3, 8), -1.0)
    kernel.batch(values, wide[:, ::2])
    np.testing.assert_array_equal(wide[:, ::2], kernel.batch(values))
    assert (wide[:, 1::2] == -1.0).all()
