"""GPU kernels: every operation means there what it means in the reference.

The simulator of numba runs the kernels in a child process; a real GPU is used as well
where there is one.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from reward_synth.errors import NotAvailableError, UsageError
from reward_synth.kernels.cuda import CudaKernel, cuda_text
from reward_synth.language import FUNCTIONS, FunctionIR, evaluate, parse
from reward_synth.language.functions import BINARY, COMPARE, UNARY
from reward_synth.reward import Array
from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "T",
    "go",
    (
        Field("x"),
        Field("y"),
        Field("v", (3,)),
        Field("w", (3,)),
        Field("on", (), "bool"),
    ),
    Field("action", (2,)),
)
EDGES = (-2.5, -1.0, -0.3, -0.0, 0.0, 0.3, 1.0, 2.0, 1e3, np.inf, -np.inf, np.nan)
REDUCE = ("sum", "mean", "min", "max", "prod", "std", "var")
EXPRESSIONS = {
    **{name: f"np.{name}(x)" for name in UNARY},
    **{name: f"np.{name}(x, y)" for name in BINARY},
    **{name: f"float(np.{name}(x, y))" for name in COMPARE},
    **{name: f"np.{name}(v)" for name in REDUCE},
    "positive": "+x",
    "isnan": "float(np.isnan(x))",
    "isfinite": "float(np.isfinite(x))",
    "logical_and": "1.0 if on and x < y else 0.0",
    "logical_or": "1.0 if on or x < y else 0.0",
    "logical_not": "1.0 if not on else 0.0",
    "where": "np.where(x < y, x, y)",
    "clip": "np.clip(x, -0.5, 0.5)",
    "norm": "np.linalg.norm(v)",
    "all": "float(np.all(v > 0.0))",
    "any": "float(np.any(v > 0.0))",
    "dot": "np.dot(v, w)",
    "inner": "np.inner(v, w)",
    "cross": "np.cross(v, w)[1]",
    "zeros_like": "np.zeros_like(v)[0] + x",
    "ones_like": "np.ones_like(v)[0] + x",
    "float": "float(on)",
    "bool": "1.0 if bool(x) else 0.0",
}


def everything() -> FunctionIR:
    """One program whose components are all operations of the language."""
    parts = ", ".join(f"'{name}': {text}" for name, text in EXPRESSIONS.items())
    source = (
        "import numpy as np\n\n"
        f"def compute_reward(x, y, v, w, on):\n    return {{{parts}}}"
    )
    parsed = parse(source, TASK)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    assert parsed.ir.reward is not None
    return parsed.ir.reward


def states() -> dict[str, Array]:
    """All pairs of the edge cases, and two random vectors with each."""
    x, y = (grid.ravel() for grid in np.meshgrid(EDGES, EDGES))
    rng = np.random.default_rng(0)
    v, w = rng.normal(size=(2, len(x), 3))
    return {"x": x, "y": y, "v": v, "w": w, "on": rng.random(len(x)) < 0.5}


def agree(batch: Array, dtype: str) -> None:
    """Compare a batch with the reference.

    The reference starts from the same numbers, rounded to the kernel's type. A few
    roundings of 2**-24 (float32) or 2**-53 stay far below the tolerances; the state
    (x, y) at 1e3 gives the largest sums, whose cancellation is absolute.
    """
    function, values = everything(), states()
    tolerance = 2e-5 if dtype == "float32" else 1e-11
    for place in range(len(values["x"])):
        state = {
            name: value[place].astype(dtype).astype(np.float64)
            for name, value in values.items()
        }
        expected = [*evaluate(function, state).values()]
        with np.errstate(all="ignore"):
            limited = np.array(expected).astype(dtype)
        for name, found, wanted in zip(
            function.outputs, batch[:-1, place], limited, strict=True
        ):
            message = f"{name} at x={state['x']}, y={state['y']}"
            np.testing.assert_allclose(
                found, wanted, tolerance, tolerance, True, message
            )


def test_the_list_of_operations_is_whole() -> None:
    """Every operation of the language is tried."""
    assert EXPRESSIONS.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_operation_agrees_in_the_simulator(dtype: str) -> None:
    """Compiled statements with device functions give what the reference gives."""
    code = (
        "import warnings, sys, numpy as np; warnings.simplefilter('ignore')\n"
        "from tests.kernels import test_cuda as t\n"
        f"kernel = t.CudaKernel(t.everything(), '{dtype}')\n"
        "batch = kernel.batch(t.states())\n"
        f"assert batch.dtype == '{dtype}'\n"
        f"t.agree(batch, '{dtype}')\n"
        "out = np.empty_like(batch); assert kernel.batch(t.states(), out) is out\n"
        "np.testing.assert_array_equal(out, batch)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_without_a_gpu_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no GPU can be used, the message says why and what to do."""

    def fail() -> None:
        raise RuntimeError("no driver here")

    monkeypatch.setattr("numba.cuda.current_context", fail)
    with pytest.raises(NotAvailableError, match=r"no driver here.*RewardKernel"):
        CudaKernel(everything())


def test_the_text_holds_one_thread_a_state() -> None:
    """The body stands under the test that the thread has a state."""
    text = cuda_text(everything(), "float32").split("@launched\n")[1]
    lines = text.split("\n")
    assert lines[1:3] == ["    i = cuda.grid(1)", "    if i < out.shape[1]:"]
    assert all(line.startswith(" " * 8) for line in lines[3:])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_operation_agrees_on_the_gpu(dtype: str) -> None:
    """The same on a real GPU, on torch's tensors, read where they are."""
    torch = pytest.importorskip("torch")
    try:
        kernel = CudaKernel(everything(), dtype)  # type: ignore[arg-type]
    except NotAvailableError as error:
        pytest.skip(str(error))
    if not torch.cuda.is_available():
        pytest.skip("torch has no CUDA")
    values = {
        name: torch.as_tensor(value, device="cuda") for name, value in states().items()
    }
    batch = kernel.batch(values)
    assert batch.is_cuda
    agree(batch.cpu().numpy(), dtype)
    with pytest.raises(UsageError, match="'x' is not on the GPU"):
        kernel.batch(values | {"x": values["x"].cpu()})
    with pytest.raises(UsageError, match="contiguous"):
        kernel.batch(values | {"v": values["v"].T.contiguous().T})
    with pytest.raises(UsageError, match="received"):
        kernel.batch(values | {"y": values["y"][:3]})
