"""Formulas written once, turned into LLVM instructions that vectorise.

A :class:`Lane` stands for a number while machine code is generated: adding two of them
emits the addition. Nothing here calls a library, so loops around it become SIMD loops.
No fast-math but contraction: NaN and infinity keep their meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from llvmlite import ir

_CONTRACT = ("contract",)
_BITS = {32: 23, 64: 52}
"""Bits of the fraction."""
Number: TypeAlias = "Lane | float"


class Lane:
    """A float of 32 or 64 bits, or a truth value, in generated code; or several."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value

    @property
    def bits(self) -> int:
        """Width in bits; 1 for truth values."""
        kind = getattr(self.value.type, "element", self.value.type)
        if isinstance(kind, ir.IntType):
            return int(kind.width)
        return 64 if isinstance(kind, ir.DoubleType) else 32

    @property
    def integer(self) -> Any:
        """LLVM's type of integers of this width."""
        return self._as_many(ir.IntType(self.bits))

    def _as_many(self, kind: Any) -> Any:
        own = self.value.type
        vector = isinstance(own, ir.VectorType)
        return ir.VectorType(kind, own.count) if vector else kind

    def make(self, value: Any) -> Lane:
        """Wrap an instruction."""
        return Lane(self.builder, value)

    def const(self, number: float) -> Lane:
        """Return a constant of this lane's type."""
        return self.make(ir.Constant(self.value.type, number))

    def _lift(self, other: Number) -> Any:
        return other.value if isinstance(other, Lane) else self.const(other).value

    def __add__(self, other: Number) -> Lane:
        return self._float("fadd", self.value, self._lift(other))

    def __radd__(self, other: Number) -> Lane:
        return self._float("fadd", self._lift(other), self.value)

    def __sub__(self, other: Number) -> Lane:
        return self._float("fsub", self.value, self._lift(other))

    def __rsub__(self, other: Number) -> Lane:
        return self._float("fsub", self._lift(other), self.value)

    def __mul__(self, other: Number) -> Lane:
        return self._float("fmul", self.value, self._lift(other))

    def __rmul__(self, other: Number) -> Lane:
        return self._float("fmul", self._lift(other), self.value)

    def __truediv__(self, other: Number) -> Lane:
        return self._float("fdiv", self.value, self._lift(other))

    def __rtruediv__(self, other: Number) -> Lane:
        return self._float("fdiv", self._lift(other), self.value)

    def __neg__(self) -> Lane:
        return self.make(self.builder.fneg(self.value))

    def _float(self, name: str, left: Any, right: Any) -> Lane:
        return self.make(getattr(self.builder, name)(left, right, flags=_CONTRACT))

    def __lt__(self, other: Number) -> Lane:
        return self.compare("<", other)

    def __le__(self, other: Number) -> Lane:
        return self.compare("<=", other)

    def __gt__(self, other: Number) -> Lane:
        return self.compare(">", other)

    def __ge__(self, other: Number) -> Lane:
        return self.compare(">=", other)

    def compare(self, sign: str, other: Number) -> Lane:
        """Compare; False if either is NaN, but for ``!=``."""
        ordered = self.builder.fcmp_unordered if sign == "!=" else None
        emit = ordered or self.builder.fcmp_ordered
        return self.make(emit(sign, self.value, self._lift(other)))

    def isnan(self) -> Lane:
        """Tell whether this is NaN."""
        return self.compare("!=", self)

    def both(self, other: Lane) -> Lane:
        """Return ``self and other``."""
        return self.make(self.builder.and_(self.value, other.value))

    def either(self, other: Lane) -> Lane:
        """Return ``self or other``."""
        return self.make(self.builder.or_(self.value, other.value))

    def opposite(self) -> Lane:
        """Return ``not self``."""
        return self.make(self.builder.not_(self.value))

    def call(self, name: str, *others: Number) -> Lane:
        """Call an LLVM intrinsic of this type, such as ``llvm.sqrt``."""
        args = [self.value, *map(self._lift, others)]
        kind = ir.FunctionType(self.value.type, [self.value.type] * len(args))
        full = f"{name}.{_suffix(self.value.type)}"
        function = self.builder.module.declare_intrinsic(full, (), kind)
        return self.make(self.builder.call(function, args))

    def __abs__(self) -> Lane:
        return self.call("llvm.fabs")

    def to(self, bits: int) -> Lane:
        """Convert to a float of ``bits`` bits."""
        if bits == self.bits:
            return self
        kind = self._as_many(ir.DoubleType() if bits > self.bits else ir.FloatType())
        emit = self.builder.fpext if bits > self.bits else self.builder.fptrunc
        return self.make(emit(self.value, kind))

    def pattern(self) -> Any:
        """Return the bits as an LLVM integer."""
        return self.builder.bitcast(self.value, self.integer)

    def from_pattern(self, pattern: Any) -> Lane:
        """Return the float of this type with these bits."""
        return self.make(self.builder.bitcast(pattern, self.value.type))

    def sign_bit(self) -> Lane:
        """Tell whether the sign bit is set, as of -0.0."""
        pattern = self.pattern()
        return self.make(
            self.builder.icmp_signed("<", pattern, ir.Constant(pattern.type, 0))
        )


def _suffix(kind: Any) -> str:
    """Return how LLVM's intrinsics name a type."""
    if isinstance(kind, ir.VectorType):
        return f"v{kind.count}{kind.element.intrinsic_name}"
    return str(kind.intrinsic_name)


def pick(test: Lane, yes: Lane, no: Number) -> Lane:
    """Return ``yes`` where ``test`` holds, else ``no``."""
    return yes.make(yes.builder.select(test.value, yes.value, yes._lift(no)))


def polynomial(x: Lane, coefficients: Sequence[float]) -> Lane:
    """Return ``c[0] + c[1] x + c[2] x² + …`` by Horner's scheme."""
    result = x.const(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = result * x + coefficient
    return result


def clamp(x: Lane, low: float, high: float) -> Lane:
    """Return ``x`` between two bounds; NaN stays NaN."""
    raised = pick(x < low, x.const(low), x)
    return pick(raised > high, raised.const(high), raised)


def power_of_two(exponent: Lane) -> Lane:
    """Return ``2 ** exponent`` for a whole, normal exponent; NaN gives anything."""
    fraction, bits = _BITS[exponent.bits], exponent.bits
    bias = (1 << (bits - fraction - 2)) - 1
    builder = exponent.builder
    safe = pick(exponent.isnan(), exponent.const(0.0), exponent)
    whole = builder.fptosi((safe + float(bias)).value, exponent.integer)
    shifted = builder.shl(whole, ir.Constant(whole.type, fraction))
    return exponent.from_pattern(shifted)


def split_power(x: Lane) -> tuple[Lane, Lane]:
    """Return ``(exponent, fraction)`` of a normal positive ``x``, fraction in [1, 2)."""
    fraction, bits = _BITS[x.bits], x.bits
    bias = (1 << (bits - fraction - 2)) - 1
    builder, pattern = x.builder, x.pattern()
    field = builder.lshr(pattern, ir.Constant(pattern.type, fraction))
    exponent = x.make(builder.sitofp(field, x.value.type)) - float(bias)
    mask = ir.Constant(pattern.type, (1 << fraction) - 1)
    one = ir.Constant(pattern.type, bias << fraction)
    low = builder.or_(builder.and_(pattern, mask), one)
    return exponent, x.from_pattern(low)
