"""Operations that can fail within the ranges of a task's fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from reward_synth.checks.quoted import quoted
from reward_synth.checks.ranged import Ranged
from reward_synth.graph import Node
from reward_synth.intervals import Interval, operation
from reward_synth.language import Finding, evaluate
from reward_synth.reward import Array

Test = Callable[..., bool]
_MOST = float(np.finfo(np.float32).max)
"""Above it a value is infinite where training runs in 32 bits."""


@dataclass(frozen=True, slots=True)
class _Hazard:
    """One way to fail."""

    code: str
    arg: int
    """The argument to speak of."""
    bad: Test
    """Whether some values of the arguments fail."""
    sure: Test
    """Whether all do."""
    words: str
    """What is wrong with the argument, after "can be" or "is always"."""
    fix: str


def hazards(ranged: Ranged) -> Iterator[Finding]:
    """Yield operations that can give NaN or infinity, unless a test guards them.

    What the extremes show that :func:`reward_synth.checks.behaviour.finite` tries is
    left to it.
    """
    told = _told_by_extremes(ranged)
    for number, node in ranged.operations():
        for hazard in _HAZARDS.get(node.op, ()):
            if number not in told and ranged.known(number):
                yield from _found(ranged, number, node, hazard)


def _found(
    ranged: Ranged, number: int, node: Node, hazard: _Hazard
) -> Iterator[Finding]:
    args = ranged.args(number)
    if any(item.empty for item in args) or not hazard.bad(*args):
        return

    def harmless(test: int, truth: bool) -> bool:
        result, *inside = (
            ranged.near.where(test, truth, item) for item in (number, *node.args)
        )
        never = any(item.empty for item in inside)
        # as isnan and isfinite prove
        right = hazard.code != _GROWTH.code and not (result.nan or result.infinite)
        return never or right or not hazard.bad(*inside)

    if not ranged.reached(number, harmless):
        return
    sure = hazard.sure(*args)
    yield Finding(
        "warning" if sure else "note",
        hazard.code,
        f"{_subject(ranged, node)} {'is always' if sure else 'can be'} {hazard.words}: "
        f"it lies in {args[hazard.arg]}.{ranged.basis(node.args[hazard.arg])}",
        hazard.fix,
        node.line or None,
    )


def _subject(ranged: Ranged, node: Node) -> str:
    text = quoted(ranged.tree, node.line, node.op)
    if node.op in ("divide", "floor_divide", "mod"):
        return f"The divisor{text}"
    return f"The {'factor' if node.op == 'multiply' else 'argument'}{text} of {node.op}"


def _told_by_extremes(ranged: Ranged) -> set[int]:
    """Return all nodes of outputs that are not finite at zero or at an extreme state."""
    function = ranged.examined.function
    bad: set[int] = set()
    for state in _extremes(ranged):
        values = evaluate(function, state)
        for name, output in zip(function.outputs, ranged.outputs, strict=True):
            if not np.isfinite(values[name]):
                bad.add(output)
    return set(ranged.graph.needed(bad))


def _extremes(ranged: Ranged) -> Iterator[dict[str, Array]]:
    """Yield states of zeros, lowest and highest values; unknown ones are zero."""
    parameters = ranged.examined.function.parameters
    for end in (None, 0, 1):
        yield {
            name: np.zeros(field.shape)
            if end is None or not field.range[end]
            else np.reshape(np.array(field.range[end], np.float64), field.shape)
            for name, field in parameters
        }


def _zero_divisor(_: Interval, b: Interval) -> bool:
    return b.zero


def _grows_too_large(op: str) -> Test:
    """Tell whether the result is too large, though no argument is."""

    def bad(*args: Interval) -> bool:
        if any(item.size > _MOST for item in args):
            return False
        return operation(op, list(args)).size > _MOST

    return bad


def _is_too_large(op: str) -> Test:
    def sure(*args: Interval) -> bool:
        found = operation(op, list(args))
        return found.low > _MOST or found.high < -_MOST

    return sure


def _overflow(op: str, fix: str) -> _Hazard:
    words = "so large that the result exceeds the floats of 32 bits"
    return _Hazard(
        "may-overflow", 0, _grows_too_large(op), _is_too_large(op), words, fix
    )


_ZERO = _Hazard(
    "may-divide-by-zero",
    1,
    _zero_divisor,
    lambda _, b: b.low == b.high == 0.0,
    "zero",
    "Divide by np.maximum(..., 1e-6), add a small number, or test it before.",
)


def _below(limit: float, fix: str, *, closed: bool = False) -> _Hazard:
    """A function that needs more than ``limit``, or, if not closed, at least it."""
    return _Hazard(
        "outside-domain",
        0,
        lambda x: x.low < limit or (closed and x.low == limit),
        lambda x: x.high < limit or (closed and x.high == limit),
        f"{limit:g} or less" if closed else f"below {limit:g}",
        fix,
    )


def _fractional(y: Interval) -> bool:
    return not (y.constant and y.low.is_integer())


_ROOT = "Take the root of np.maximum(..., 0.0), or of a square."
_LOG = "Take the logarithm of np.maximum(..., 1e-6)."
_CLIP = "Use np.clip(..., -1.0, 1.0) as the argument."
_EXP = "Limit the argument with np.minimum or np.clip; np.exp(-x) falls with x."
_ARC = _Hazard(
    "outside-domain",
    0,
    lambda x: x.low < -1.0 or x.high > 1.0,
    lambda x: x.high < -1.0 or x.low > 1.0,
    "outside [-1, 1]",
    _CLIP,
)
_POWER = _Hazard(
    "outside-domain",
    0,
    lambda x, y: x.low < 0.0 and _fractional(y),
    lambda x, y: x.high < 0.0 and y.constant and _fractional(y),
    "below 0",
    "Raise np.maximum(..., 0.0) or np.abs(...) to a power that is not whole.",
)
_POLE = _Hazard(
    "may-divide-by-zero",
    0,
    lambda x, y: x.zero and y.low < 0.0,
    lambda x, y: x.low == x.high == 0.0 and y.high < 0.0,
    "zero, raised to a negative power",
    "Raise np.maximum(..., 1e-6), or test it before.",
)
_SCALE = "Scale the factors to about [-1, 1]."
_GROWTH = _overflow("power", _SCALE)


def _grows_off_pole(x: Interval, y: Interval) -> bool:
    return _GROWTH.bad(x, y) and not _POLE.bad(x, y)


_HAZARDS: dict[str, tuple[_Hazard, ...]] = {
    "divide": (_ZERO,),
    "floor_divide": (_ZERO,),
    "mod": (_ZERO,),
    "sqrt": (_below(0.0, _ROOT),),
    "log": (_below(0.0, _LOG, closed=True),),
    "log2": (_below(0.0, _LOG, closed=True),),
    "log10": (_below(0.0, _LOG, closed=True),),
    "log1p": (_below(-1.0, "Use np.maximum(..., 0.0) within it.", closed=True),),
    "arcsin": (_ARC,),
    "arccos": (_ARC,),
    "power": (_POWER, _POLE, replace(_GROWTH, bad=_grows_off_pole)),
    "multiply": (_overflow("multiply", _SCALE),),
    **{op: (_overflow(op, _EXP),) for op in ("exp", "expm1", "sinh", "cosh")},
}
