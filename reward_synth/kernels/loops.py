"""Writes a graph's instructions into the function that numba is compiling.

numba would type and lower every statement of a text by itself, optimise the loop once
as a function and once in place of its call, and make machine code of both. Here it sees
one call, whatever the size of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from reward_synth.graph import CONST, LOAD, Graph
from reward_synth.kernels.emit import DType, Layout
from reward_synth.kernels.lanes import Lane
from reward_synth.kernels.outlined import Outlined

MOST_SIMD = 8_000
"""Instructions of one state: LLVM takes more than 3 s to make SIMD loops of more."""
_INDEX = ir.IntType(64)
Load = Callable[[int, int], Any]
"""Array and column to the number there, as LLVM's value of the kernel's type."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a kernel computes."""

    graph: Graph
    outputs: Sequence[int]
    layout: Layout
    dtype: DType

    def emit(self, builder: Any, load: Load) -> list[Any]:
        """Write the instructions of one state and return the outputs' values."""
        float_type = ir.FloatType() if self.dtype == "float32" else ir.DoubleType()
        places = dict(self.layout.places)
        lanes: dict[int, Lane] = {}
        needed = self.graph.needed(self.outputs)
        nodes = self.graph.nodes
        uses = (nodes[number].op for number in needed)
        apart = Outlined(builder.module, float_type, uses)
        for number in needed:
            node = nodes[number]
            if node.op == LOAD:
                lanes[number] = Lane(builder, load(*places[node.entry]))
            elif node.op == CONST:
                kind = ir.IntType(1) if node.kind == "bool" else float_type
                lanes[number] = Lane(builder, ir.Constant(kind, node.value))
            else:
                args = [lanes[item] for item in node.args]
                lanes[number] = apart.apply(node.op, args)
        return [lanes[number].value for number in self.outputs]


class _Reader:
    """Reads and writes entries of numba's arrays, of whatever type they are."""

    def __init__(self, context: Any, dtype: DType) -> None:
        from numba.core import types  # noqa: PLC0415 - takes seconds to import

        self._context = context
        self._real = getattr(types, dtype)

    def read(self, builder: Any, kind: Any, pointer: Any) -> Any:
        """Return the number at ``pointer`` in the kernel's type."""
        align = None if kind.aligned else 1
        value = self._context.unpack_value(builder, kind.dtype, pointer, align=align)
        return self._context.cast(builder, value, kind.dtype, self._real)

    def write(self, builder: Any, kind: Any, pointer: Any, value: Any) -> None:
        align = None if kind.aligned else 1
        value = self._context.cast(builder, value, self._real, kind.dtype)
        self._context.pack_value(builder, kind.dtype, value, pointer, align=align)

    def parts(self, builder: Any, kind: Any, value: Any) -> Any:
        """Return numba's view of an array's fields."""
        return self._context.make_array(kind)(self._context, builder, value)


def loop(code: Code) -> Any:
    """Return what writes the loop over states ``low`` to ``high``.

    Generated text calls it as ``loop((y0, …), out, low, high)``.
    """
    from numba.core import types  # noqa: PLC0415 - takes seconds to import
    from numba.extending import intrinsic  # noqa: PLC0415 - the same

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _Loop(code, context, builder, signature.args).call(args)
        return context.get_dummy_value()

    def declare(_typing: Any, arrays: Any, out: Any, _low: Any, _high: Any) -> Any:
        return types.void(arrays, out, types.intp, types.intp), generate

    return intrinsic(declare)


class _Loop:
    """One function ``(array, …, row, …, step, low, high)`` and the call of it.

    Arrays and rows are parameters of their own, so that the compiler knows that no two
    overlap; with many outputs it gives up on SIMD where it has to compare them.
    """

    def __init__(self, code: Code, context: Any, builder: Any, kinds: Any) -> None:
        self.code = code
        self.reader = _Reader(context, code.dtype)
        self.builder = builder
        self.arrays, self.out = tuple(kinds[0]), kinds[1]

    def call(self, args: Sequence[Any]) -> None:
        """Write the function and a call of it."""
        builder, given = self.builder, list[Any]()
        for number, kind in enumerate(self.arrays):
            value = builder.extract_value(args[0], number)
            given.append(self.reader.parts(builder, kind, value).data)
        out = self.reader.parts(builder, self.out, args[1])
        far, step = (builder.extract_value(out.strides, axis) for axis in (0, 1))
        base = builder.bitcast(out.data, ir.IntType(8).as_pointer())
        for row in range(len(self.code.outputs)):
            place = builder.gep(base, [builder.mul(far, ir.Constant(_INDEX, row))])
            given.append(builder.bitcast(place, out.data.type))
        given += [step, *args[2:]]
        builder.call(self._function([item.type for item in given]), given)

    def _function(self, kinds: Sequence[Any]) -> Any:
        module = self.builder.module
        kind = ir.FunctionType(ir.VoidType(), kinds)
        function = ir.Function(module, kind, module.get_unique_name("inner"))
        function.linkage = "internal"
        function.attributes.add("noinline")
        for item in function.args:
            if isinstance(item.type, ir.PointerType):
                item.add_attribute("noalias")
        self._body(function)
        return function

    def _body(self, function: Any) -> None:
        entry, body, end = map(function.append_basic_block, ("entry", "body", "end"))
        *pointers, step, low, high = function.args
        start = ir.IRBuilder(entry)
        start.cbranch(start.icmp_signed("<", low, high), body, end)
        builder = ir.IRBuilder(body)
        state = builder.phi(_INDEX)
        count = len(self.arrays)
        self._state(builder, state, pointers[:count], pointers[count:], step)
        following = builder.add(state, ir.Constant(_INDEX, 1), flags=("nsw",))
        state.add_incoming(low, entry)
        state.add_incoming(following, builder.block)
        again = builder.cbranch(builder.icmp_signed("<", following, high), body, end)
        if len(body.instructions) > MOST_SIMD:
            again.set_metadata("llvm.loop", self._plain())
        ir.IRBuilder(end).ret_void()

    def _plain(self) -> Any:
        """Return the note that a loop is to stay as it is."""
        module = self.builder.module
        off = module.add_metadata(["llvm.loop.vectorize.enable", ir.IntType(1)(0)])
        note = module.add_metadata([off])
        note.operands = (
            note,
            off,
        )  # LLVM knows a loop by a note that begins with itself
        return note

    def _state(
        self, builder: Any, state: Any, arrays: Any, rows: Any, step: Any
    ) -> None:
        """Write the instructions of one state."""
        firsts = [
            builder.mul(state, ir.Constant(_INDEX, width), flags=("nsw",))
            for width in self.code.layout.widths
        ]

        def load(array: int, column: int) -> Any:
            place = ir.Constant(_INDEX, column)
            place = builder.add(firsts[array], place, flags=("nsw",))
            pointer = builder.gep(arrays[array], [place], inbounds=True)
            return self.reader.read(builder, self.arrays[array], pointer)

        values = self.code.emit(builder, load)
        for row, value in zip(rows, values, strict=True):
            pointer = self._place(builder, row, state, step)
            self.reader.write(builder, self.out, pointer, value)

    def _place(self, builder: Any, row: Any, state: Any, step: Any) -> Any:
        if self.out.layout == "C":
            return builder.gep(row, [state], inbounds=True)
        base = builder.bitcast(row, ir.IntType(8).as_pointer())
        place = builder.gep(base, [builder.mul(state, step)])
        return builder.bitcast(place, row.type)


def single(code: Code) -> Any:
    """Return what writes one state: ``single((y0, …)) -> numbers``."""
    from numba.core import types  # noqa: PLC0415 - takes seconds to import
    from numba.extending import intrinsic  # noqa: PLC0415 - the same

    kinds: Any = types
    result = kinds.UniTuple(getattr(types, code.dtype), len(code.outputs))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        reader, given = _Reader(context, code.dtype), tuple(signature.args[0])

        def load(array: int, column: int) -> Any:
            value = builder.extract_value(args[0], array)
            data = reader.parts(builder, given[array], value).data
            pointer = builder.gep(data, [ir.Constant(_INDEX, column)], inbounds=True)
            return reader.read(builder, given[array], pointer)

        values = code.emit(builder, load)
        return context.make_tuple(builder, result, values)

    return intrinsic(lambda _typing, arrays: (result(arrays), generate))
