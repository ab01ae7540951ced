"""Formulas as functions of their own, where a program has very many of them.

Written in place, a formula is 10 to 100 instructions a use; thousands of uses would take
LLVM half a minute. As functions they cost a call a use. Each has a twin that takes
several numbers at once, so that loops around them still become SIMD loops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from llvmlite import binding, ir

from reward_synth.kernels.intrinsics import FORMULAS, OPERATIONS, TESTS
from reward_synth.kernels.lanes import Lane

MOST_IN_PLACE = 6_000
"""LLVM instructions of formulas: beyond, the longest formula becomes a function."""
_USED = "llvm.compiler.used"
_TRUTHS = (*TESTS, "select")


@lru_cache
def instructions(name: str, kind: Any) -> int:
    """Return how many instructions a formula is for numbers of a type."""
    function = _function(ir.Module(), "counted", kind, name)
    return len(function.entry_basic_block.instructions)


def weight(op: str, kind: Any) -> int:
    """Return about how many instructions an operation of the graph is."""
    return instructions(op, kind) if _outlines(op) else 1


class Outlined:
    """The formulas that one module calls instead of repeating them.

    Args:
        module: Where they are written.
        kind: LLVM's type of the numbers.
        uses: Names of all formulas that the program uses, each as often as it does.
    """

    def __init__(self, module: Any, kind: Any, uses: Iterable[str]) -> None:
        self._module = module
        self._kind = kind
        self._chosen = _chosen(Counter(filter(_outlines, uses)), kind)
        self._made: dict[str, Any] = {}

    def apply(self, name: str, args: list[Lane]) -> Lane:
        """Write an operation, in place or as a call."""
        if name not in self._chosen:
            return OPERATIONS[name](*args)
        if name not in self._made:
            self._made[name] = self._make(name)
        lane = args[0]
        return lane.make(lane.builder.call(self._made[name], [a.value for a in args]))

    def _make(self, name: str) -> Any:
        one = self._module.get_unique_name(f"formula_{name}")
        function = _function(self._module, one, self._kind, name)
        count = _width() // Lane(None, function.args[0]).bits
        several = f"{one}_{count}"
        vector = ir.VectorType(self._kind, count)
        twin = _function(self._module, several, vector, name)
        mapped = f"_ZGV_LLVM_N{count}{'v' * len(function.args)}_{one}({several})"
        # llvmlite knows no attributes with values: one is added as it is written
        set.add(function.attributes, f'"vector-function-abi-variant"="{mapped}"')
        self._keep(function)
        self._keep(twin)
        return function

    def _keep(self, function: Any) -> None:
        """Have LLVM leave a function as it is.

        It would drop the twin, which nothing calls until the loop is made a SIMD loop,
        and parameters that are always constant, so that twins would no longer fit.
        """
        pointer = ir.IntType(8).as_pointer()
        used = self._module.globals.get(_USED)
        kept = [*(used.initializer.constant if used else ()), function.bitcast(pointer)]
        kind = ir.ArrayType(pointer, len(kept))
        used = used or ir.GlobalVariable(self._module, kind, _USED)
        used.linkage, used.section = "appending", "llvm.metadata"
        used.value_type, used.type = kind, kind.as_pointer()
        used.initializer = ir.Constant(kind, kept)


def _chosen(uses: Mapping[str, int], kind: Any) -> set[str]:
    """Return formulas to call, the longest first, until the others are few enough."""
    sizes = {name: instructions(name, kind) for name in uses}
    left = sum(size * uses[name] for name, size in sizes.items())
    chosen: set[str] = set()
    for name in sorted(uses, key=lambda name: -sizes[name]):
        if left > MOST_IN_PLACE:
            chosen.add(name)
            left -= sizes[name] * uses[name]
    return chosen


def _outlines(name: str) -> bool:
    return name in FORMULAS and name not in _TRUTHS


def _function(module: Any, name: str, kind: Any, formula: str) -> Any:
    """Write a formula as a function without side effects."""
    count, write = FORMULAS[formula]
    function = ir.Function(module, ir.FunctionType(kind, [kind] * count), name)
    function.linkage = "internal"
    for attribute in ("noinline", "nounwind", "readnone"):
        function.attributes.add(attribute)
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(write(*(Lane(builder, item) for item in function.args)).value)
    return function


@lru_cache(maxsize=1)
def _width() -> int:
    """Bits that SIMD instructions take at once."""
    return 256 if binding.get_host_cpu_features().get("avx2") else 128
