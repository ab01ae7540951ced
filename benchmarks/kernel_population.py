"""Many related programs over many states: one pass beside a pass each."""

from __future__ import annotations

import ast
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from reward_synth.benchmarks.kernel_programs import PROGRAMS, Program, typed
from reward_synth.benchmarks.kernel_targets import Floats, inputs
from reward_synth.errors import UsageError
from reward_synth.kernels import RewardKernel
from reward_synth.kernels.emit import DType
from reward_synth.kernels.population import Population

Row = dict[str, Any]
Scorer = Callable[[dict[str, Floats], Floats], object]
RELATED = 16
"""Programs that are scored together."""
GOAL = 0.6
"""Most of the time of separate passes that one pass should take."""
KIN = ("siblings", "retuned")
_SPREAD = 0.2
_CHANGED = 2


@dataclass(frozen=True, slots=True)
class Many:
    """How much is measured."""

    programs: tuple[str, ...]
    states: int
    rounds: int
    dtypes: tuple[DType, ...] = ("float32", "float64")


FULL = Many(("pick", "branches", "trig", "long"), 1_000_000, 5)
QUICK = Many(("pick",), 100_000, 3, ("float32",))


class _Scaled(ast.NodeTransformer):
    """Changes float constants, as a search's mutations do.

    Args:
        seed: Of the changes.
        most: How many are changed; the others stay.
        count: How many there are.
    """

    def __init__(self, seed: int, most: int, count: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._chosen = set(self._rng.permutation(count)[:most].tolist())
        self._met = -1

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        value = node.value
        if not isinstance(value, float) or value == 0.0:
            return node
        self._met += 1
        if self._met not in self._chosen:
            return node
        factor = 1 + self._rng.uniform(-_SPREAD, _SPREAD)
        return ast.Constant(round(value * factor, 6))


def _scales(node: ast.AST) -> bool:
    """Tell whether a node is a constant that a factor changes."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, float):
        return False
    return node.value != 0.0


def related(program: Program, kin: str, count: int = RELATED) -> list[str]:
    """Return programs of the same terms with other constants.

    Args:
        program: Their parent.
        kin: ``siblings``: two constants of each are changed, as one step of a search
            does. ``retuned``: all constants of each, so that little is shared.
        count: How many.

    Example:
        >>> first, second = related(PROGRAMS["trig"], "siblings", 2)
        >>> first == second, first.count("np.") == second.count("np.")
        (False, True)
    """
    tree = ast.parse(program.source).body[0]
    constants = sum(_scales(node) for node in ast.walk(tree))
    most = _CHANGED if kin == "siblings" else constants
    texts = []
    for seed in range(count):
        scaled = _Scaled(seed, most, constants)
        changed = scaled.visit(ast.parse(ast.unparse(tree)))
        texts.append(ast.unparse(ast.fix_missing_locations(changed)) + "\n")
    return texts


def passes(effort: Many) -> list[Row]:
    """Time one pass and separate ones in turn; both write memory that was used before.

    ``ratio`` is the median over rounds of their times' ratio. ``totals`` are each
    program's sum alone, ``components`` all rows.
    """
    return [
        row
        for name in effort.programs
        for dtype in effort.dtypes
        for kin in KIN
        for row in _rows(PROGRAMS[name], dtype, kin, effort)
    ]


def _rows(program: Program, dtype: DType, kin: str, effort: Many) -> Iterator[Row]:
    functions = [typed(text) for text in related(program, kin)]
    many = Population(functions, dtype)
    values = inputs(program, effort.states)
    values = {name: value.astype(dtype) for name, value in values.items()}
    out = np.zeros((RELATED * (len(program.names) + 1), effort.states), dtype)
    apart = np.zeros_like(out)
    kernels = [RewardKernel(function, dtype).batch for function in functions]
    sums = [Population([function], dtype).totals for function in functions]
    base: Row = {"program": program.name, "dtype": dtype, "kin": kin}
    base |= {"n": effort.states, "programs": RELATED}

    def separate(calls: Sequence[Scorer], out: Floats) -> None:
        for call, share in zip(calls, np.split(out, RELATED), strict=True):
            call(values, share)

    for outputs, one, each, rows in (
        ("components", many.batch, kernels, len(out)),
        ("totals", many.totals, sums, RELATED),
    ):
        pair = [
            partial(one, values, out[:rows]),
            partial(separate, each, apart[:rows]),
        ]
        times = _seconds(pair, effort.rounds)
        if not np.allclose(out[:rows], apart[:rows], 1e-4, 1e-4, equal_nan=True):
            raise UsageError(f"One pass of {program.name} differs from separate ones.")
        yield base | {"outputs": outputs} | _summary(*times)


def _summary(one: Sequence[float], each: Sequence[float]) -> Row:
    ratios = [a / b for a, b in zip(one, each, strict=True)]
    middle = statistics.median
    times = {"population_s": middle(one), "separate_s": middle(each)}
    return times | {"ratio": middle(ratios)}


def _seconds(
    calls: Sequence[Callable[[], object]], rounds: int
) -> tuple[list[float], ...]:
    """Return the times of each call; the first round, which compiles, is dropped."""
    times: tuple[list[float], ...] = tuple([] for _ in calls)
    for _ in range(rounds + 1):
        for call, found in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            found.append(time.perf_counter() - start)
    return tuple(found[1:] for found in times)
