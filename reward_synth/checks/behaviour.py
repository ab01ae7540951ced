"""Checks that look at what a program does on real steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from reward_synth.checks.report import Examined, describe_row
from reward_synth.language import Finding
from reward_synth.reward import Array
from reward_synth.sandbox import Execution, Job
from reward_synth.task import Field

_ROWS = 256
"""Steps that are run as plain Python in the worker."""
_AGREE = 1e-6
_SLOW = 2e-3
"""Seconds a call of the plain program; compiled ones are far below."""
_APART = 100.0
"""Ratio of component sizes from which one drowns the others."""
_LARGE = 1e4
_CODES = {
    "raised": ("raises", "Guard the operation, or compute it another way."),
    "timeout": ("too-slow", "Use fewer operations."),
    "memory": ("too-much-memory", "Use smaller vectors."),
    "crashed": ("crashed", "Use plain arithmetic."),
    "invalid_output": ("wrong-return", "Return a dict of named scalars."),
    "nondeterministic": ("non-deterministic", "Use only the parameters."),
    "mutated": ("mutates-inputs", "Assign to new names instead."),
}


def runs_alone(examined: Examined) -> Iterator[Finding]:
    """Run the program's own text in the locked worker; compare it with the kernel.

    The text that a user reads and the kernel that the wrapper runs must mean the same.
    """
    if not examined.inputs:
        return  # one value for every state: ``varies`` says so
    rows = _spread(len(examined.values), _ROWS)
    inputs = {name: value[rows] for name, value in examined.inputs.items()}
    function = examined.function
    job = Job(
        examined.program.source,
        function.name,
        tuple(name for name, _ in function.parameters),
        inputs,
    )
    execution = examined.sandbox.run(job)
    if execution.status != "ok":
        code, fix = _CODES[execution.status]
        yield Finding("error", code, _reason(execution), fix, execution.line)
        return
    yield from _same(examined, execution, rows)
    yield from _same_again(execution, examined.sandbox.run(job))
    if execution.seconds_per_call > _SLOW:
        yield Finding(
            "warning",
            "too-slow",
            f"One call takes {1e3 * execution.seconds_per_call:.1f} ms as plain Python.",
            "Use fewer operations.",
        )


def _reason(execution: Execution) -> str:
    return f"Run as plain Python it ends with {execution.status}: {execution.error}"


def _same(examined: Examined, execution: Execution, rows: Array) -> Iterator[Finding]:
    expected = examined.values[rows]
    order = [execution.names.index(name) for name in examined.function.outputs]
    found = execution.values[:, order]
    close = np.isclose(found, expected, rtol=_AGREE, atol=_AGREE, equal_nan=True)
    if close.all():
        return
    row, column = (int(item) for item in np.argwhere(~close)[0])
    name = examined.function.outputs[column]
    yield Finding(
        "error",
        "ambiguous",
        f"{name!r} is {found[row, column]:.6g} as plain Python, but "
        f"{expected[row, column]:.6g} compiled, at "
        f"{describe_row(examined.inputs, int(rows[row]))}.",
        "Write the formula with floats and explicit comparisons.",
        examined.line(column),
    )


def _same_again(first: Execution, second: Execution) -> Iterator[Finding]:
    """Compare with another process, at another time, to the last bit."""
    if second.ok and second.names == first.names:
        if first.values.tobytes() == second.values.tobytes():
            return
        said = "gives other values"
    else:
        said = f"ends with {second.status}: {second.error}"
    yield Finding(
        "error",
        "non-deterministic",
        f"Run again in another process it {said}.",
        "Use only the parameters.",
    )


def _spread(count: int, most: int) -> Array:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


def finite(examined: Examined) -> Iterator[Finding]:
    """Find NaN and infinity on real steps (error) and at extreme inputs (warning)."""
    for column, name in enumerate(examined.function.outputs):
        bad = np.flatnonzero(~np.isfinite(examined.values[:, column]))
        if len(bad):
            yield Finding(
                "error",
                "non-finite",
                f"{name!r} is {examined.values[bad[0], column]} on {len(bad)} of "
                f"{len(examined.values)} steps, for example at "
                f"{describe_row(examined.inputs, int(bad[0]))}.",
                "Add a small number to divisors; clip arguments of log, sqrt and exp.",
                examined.line(column),
            )
    yield from _finite_at_extremes(examined)


def _finite_at_extremes(examined: Examined) -> Iterator[Finding]:
    rows = _extremes(examined)
    out = np.empty((len(examined.function.outputs) + 1, 3))
    values = examined.kernel.batch(rows, out)[:-1].T
    for column, name in enumerate(examined.function.outputs):
        bad = np.flatnonzero(~np.isfinite(values[:, column]))
        if len(bad) and np.isfinite(examined.values[:, column]).all():
            where = ("where all inputs are 0", "at lowest inputs", "at highest inputs")
            yield Finding(
                "warning",
                "non-finite-extreme",
                f"{name!r} is {values[bad[0], column]} {where[int(bad[0])]}.",
                "Add a small number to divisors; clip arguments of log, sqrt and exp.",
                examined.line(column),
            )


def _extremes(examined: Examined) -> dict[str, Array]:
    """Return three rows: all zero, lowest and highest values of each field."""
    return {
        name: np.stack([np.zeros(field.shape), *_ends(field, examined.inputs[name])])
        for name, field in examined.function.parameters
    }


def _ends(field: Field, seen: Array) -> tuple[Array, Array]:
    low, high = field.range
    if low:
        return np.reshape(low, field.shape), np.reshape(high, field.shape)
    numbers = seen.astype(float)
    return numbers.min(axis=0), numbers.max(axis=0)


def varies(examined: Examined) -> Iterator[Finding]:
    """Find components that never change, and rewards that never do."""
    values = examined.values
    still = [
        bool(np.ptp(values[:, column]) == 0.0) for column in range(values.shape[1])
    ]
    if all(still):
        yield Finding(
            "error",
            "constant-reward",
            f"The result is the same on all {len(values)} steps that were tried.",
            "Let it depend on fields that change.",
            examined.line(0),
        )
        return
    reached = examined.success is not None and bool(examined.success.any())
    for column, name in enumerate(examined.function.outputs):
        if still[column] and not _cost_of_time(values[0, column], examined):
            yield Finding(
                "warning" if reached or values[0, column] != 0.0 else "note",
                "constant-component",
                f"{name!r} is {values[0, column]:.4g} on all {len(values)} steps that "
                "were tried.",
                "Drop it, or make it depend on fields that change."
                if reached
                else "This is right only if what it rewards was never reached.",
                examined.line(column),
            )


def _cost_of_time(value: float, examined: Examined) -> bool:
    """Where success ends the episode, a constant cost is a reason to end it soon."""
    return value < 0.0 and examined.task.ends_on_success


def in_scale(examined: Examined) -> Iterator[Finding]:
    """Find components that drown the others."""
    sizes = np.abs(examined.values).mean(axis=0)
    moving = sizes[sizes > 0.0]
    for column, name in enumerate(examined.function.outputs):
        others = float(np.median(moving)) if len(moving) else 0.0
        if len(moving) > 1 and sizes[column] > _APART * others:
            yield Finding(
                "warning",
                "out-of-scale",
                f"{name!r} has a mean size of {sizes[column]:.3g}, the median of all "
                f"components is {others:.3g}.",
                "Scale each component to about [-1, 1] and weight it.",
                examined.line(column),
            )
        elif sizes[column] > _LARGE:
            yield Finding(
                "warning",
                "out-of-scale",
                f"{name!r} has a mean size of {sizes[column]:.3g}.",
                "Scale each component to about [-1, 1].",
                examined.line(column),
            )


def success_is_best(examined: Examined) -> Iterable[Finding]:
    """Find rewards that pay other steps better than successful ones."""
    success = examined.success
    if success is None or success.all() or not success.any():
        return []
    sparse = np.concatenate([rollout.steps.sparse for rollout in examined.rollouts])
    paid = examined.values.sum(axis=1) + (sparse if examined.task.sparse else success)
    reached, best = (
        float(paid[success].mean()),
        float(np.quantile(paid[~success], 0.99)),
    )
    if reached >= best:
        return []
    return [
        Finding(
            "warning",
            "success-not-best",
            f"Successful steps earn {reached:.3g} on average, the best hundredth of the "
            f"others {best:.3g} or more.",
            "Reward what success needs more than what leads to it.",
        )
    ]
