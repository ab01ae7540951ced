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

from reward_synth.kernels.code import Code, float_type
from reward_synth.kernels.emit import DType
from reward_synth.kernels.lanes import Lane
from reward_synth.kernels.stages import Stage

MOST_SIMD = 8_000
"""Instructions of one state: LLVM takes more than 3 s to make SIMD loops of more."""
_INDEX = ir.IntType(64)


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


def loop(draw: Callable[[], Code]) -> Any:
    """Return what writes the loop over states ``low`` to ``high``.

    Generated text calls it as ``loop((y0, …), out, low, high)``, with the room behind
    the arrays if there are several stages. ``draw`` is called if code is to be made.
    """
    from numba.core import types  # noqa: PLC0415 - takes seconds to import
    from numba.extending import intrinsic  # noqa: PLC0415 - the same

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _Loop(draw(), context, builder, signature.args).call(args)
        return context.get_dummy_value()

    def declare(_typing: Any, arrays: Any, out: Any, _low: Any, _high: Any) -> Any:
        return types.void(arrays, out, types.intp, types.intp), generate

    return intrinsic(declare)


class _Loop:
    """One function ``(array, …, row, …, step, low, high)`` a stage, and the calls.

    Arrays and rows are parameters of their own, so that the compiler knows that no two
    overlap; with many outputs it gives up on SIMD where it has to compare them. The room
    is a parameter twice, since no stage reads what it writes.
    """

    def __init__(self, code: Code, context: Any, builder: Any, kinds: Any) -> None:
        self.code = code
        self.reader = _Reader(context, code.dtype)
        self.builder = builder
        self.arrays, self.out = tuple(kinds[0]), kinds[1]

    def call(self, args: Sequence[Any]) -> None:
        """Write the functions and a call of them."""
        from numba.core import cgutils  # noqa: PLC0415 - takes seconds to import

        builder, stages = self.builder, self.code.stages
        arrays = [
            self._data(kind, builder.extract_value(args[0], number))
            for number, kind in enumerate(self.arrays)
        ]
        rows, step = self._rows(args[1])
        low, high = args[2:]
        if not stages.room:
            self._run(stages.items[0], arrays, rows, [step, low, high])
            return
        *arrays, room = arrays
        tile = ir.Constant(_INDEX, stages.tile)
        with cgutils.for_range_slice(builder, low, high, tile, _INDEX) as (first, _):
            end = builder.add(first, tile, flags=("nsw",))
            near = builder.icmp_signed("<", end, high)
            end = builder.select(near, end, high)
            for stage in stages.items:
                self._run(stage, arrays, rows, [step, first, end, room, room])

    def _data(self, kind: Any, array: Any) -> Any:
        return self.reader.parts(self.builder, kind, array).data

    def _rows(self, array: Any) -> tuple[list[Any], Any]:
        """Return where each row of ``out`` begins, and the bytes between states."""
        builder = self.builder
        out = self.reader.parts(builder, self.out, array)
        far, step = (builder.extract_value(out.strides, axis) for axis in (0, 1))
        base = builder.bitcast(out.data, ir.IntType(8).as_pointer())
        rows = []
        for row in range(len(self.code.outputs)):
            place = builder.gep(base, [builder.mul(far, ir.Constant(_INDEX, row))])
            rows.append(builder.bitcast(place, out.data.type))
        return rows, step

    def _run(self, stage: Stage, arrays: Any, rows: Any, rest: Sequence[Any]) -> None:
        """Write a stage's function and call it for the states ``rest[1]`` to ``[2]``."""
        given = [*arrays, *(rows[row] for row in stage.stored), *rest]
        function = self._function(stage, [item.type for item in given])
        self.builder.call(function, given)

    def _function(self, stage: Stage, kinds: Sequence[Any]) -> Any:
        module = self.builder.module
        kind = ir.FunctionType(ir.VoidType(), kinds)
        function = ir.Function(module, kind, module.get_unique_name("inner"))
        function.linkage = "internal"
        function.attributes.add("noinline")
        for item in function.args:
            if isinstance(item.type, ir.PointerType):
                item.add_attribute("noalias")
        self._body(stage, function)
        return function

    def _body(self, stage: Stage, function: Any) -> None:
        entry, body, end = map(function.append_basic_block, ("entry", "body", "end"))
        given = _Given.of(
            function.args, len(self.code.layout.widths), len(stage.stored)
        )
        start = ir.IRBuilder(entry)
        start.cbranch(start.icmp_signed("<", given.low, given.high), body, end)
        builder = ir.IRBuilder(body)
        state = builder.phi(_INDEX)
        self._state(builder, stage, state, given)
        following = builder.add(state, ir.Constant(_INDEX, 1), flags=("nsw",))
        state.add_incoming(given.low, entry)
        state.add_incoming(following, builder.block)
        more = builder.icmp_signed("<", following, given.high)
        again = builder.cbranch(more, body, end)
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

    def _state(self, builder: Any, stage: Stage, state: Any, given: _Given) -> None:
        """Write the instructions of one state."""
        firsts = [
            builder.mul(state, ir.Constant(_INDEX, width), flags=("nsw",))
            for width in self.code.layout.widths
        ]

        def load(array: int, column: int) -> Any:
            place = ir.Constant(_INDEX, column)
            place = builder.add(firsts[array], place, flags=("nsw",))
            pointer = builder.gep(given.arrays[array], [place], inbounds=True)
            return self.reader.read(builder, self.arrays[array], pointer)

        room = _Room(self.code, builder, given, state)
        known = {number: room.read(number, slot) for number, slot in stage.read}
        values = self.code.emit(builder, load, stage, known)
        for row, value in zip(given.rows, values, strict=True):
            pointer = self._place(builder, row, state, given.step)
            self.reader.write(builder, self.out, pointer, value)
        for number, slot in stage.kept:
            room.keep(known[number], slot)

    def _place(self, builder: Any, row: Any, state: Any, step: Any) -> Any:
        if self.out.layout == "C":
            return builder.gep(row, [state], inbounds=True)
        base = builder.bitcast(row, ir.IntType(8).as_pointer())
        place = builder.gep(base, [builder.mul(state, step)])
        return builder.bitcast(place, row.type)


@dataclass(frozen=True, slots=True)
class _Given:
    """Parameters of the function of a stage."""

    arrays: Sequence[Any]
    rows: Sequence[Any]
    step: Any
    """Bytes from state to state in a row."""
    low: Any
    high: Any
    room: Sequence[Any]
    """Where it lies, to read and to write; empty if there is one stage."""

    @classmethod
    def of(cls, args: Sequence[Any], arrays: int, rows: int) -> _Given:
        """Take the parameters in their order."""
        step, low, high, *room = args[arrays + rows :]
        return cls(args[:arrays], args[arrays : arrays + rows], step, low, high, room)


@dataclass(frozen=True, slots=True)
class _Room:
    """Where stages leave values of a state for each other."""

    code: Code
    builder: Any
    given: _Given
    state: Any

    def read(self, number: int, slot: int) -> Lane:
        """Return the value of a node."""
        value = Lane(self.builder, self.builder.load(self._pointer(0, slot)))
        truth = self.code.graph.nodes[number].kind == "bool"
        return value.compare("!=", 0.0) if truth else value

    def keep(self, value: Lane, slot: int) -> None:
        """Write a value; a truth value as 1.0 or 0.0."""
        number = value.value
        if value.bits == 1:
            number = self.builder.uitofp(number, float_type(self.code.dtype))
        self.builder.store(number, self._pointer(1, slot))

    def _pointer(self, way: int, slot: int) -> Any:
        builder = self.builder
        place = builder.sub(self.state, self.given.low, flags=("nsw",))
        first = ir.Constant(_INDEX, slot * self.code.stages.tile)
        place = builder.add(first, place, flags=("nsw",))
        return builder.gep(self.given.room[way], [place], inbounds=True)


def single(draw: Callable[[], Code], count: int, dtype: DType) -> Any:
    """Return what writes one state: ``single((y0, …)) -> count numbers``."""
    from numba.core import types  # noqa: PLC0415 - takes seconds to import
    from numba.extending import intrinsic  # noqa: PLC0415 - the same

    kinds: Any = types
    result = kinds.UniTuple(getattr(types, dtype), count)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = draw()
        reader, given = _Reader(context, code.dtype), tuple(signature.args[0])

        def load(array: int, column: int) -> Any:
            value = builder.extract_value(args[0], array)
            data = reader.parts(builder, given[array], value).data
            pointer = builder.gep(data, [ir.Constant(_INDEX, column)], inbounds=True)
            return reader.read(builder, given[array], pointer)

        values = code.emit(builder, load, code.stages.items[0], {})
        return context.make_tuple(builder, result, values)

    return intrinsic(lambda _typing, arrays: (result(arrays), generate))
