"""The longest programs that the language admits, of several kinds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from reward_synth.benchmarks.kernel_programs import TASK, Program
from reward_synth.language import parse

_MOST = 4096


def _crossed(count: int) -> str:
    """Plain arithmetic, each step on the one before."""
    return f"""
total = tcp_pos
for i in range({count}):
    total = np.cross(total, goal_pos)
near = np.sum(total)
"""


def _clipped(count: int) -> str:
    """Many short functions nested in each other."""
    inner = "total"
    for number in range(20):
        inner = f"np.clip({inner}, -{number}.1, {20 - number}.5)"
    return f"""
total = tcp_pos
for i in range({count}):
    total = goal_pos * {inner}
near = np.sum(total)
"""


def _wavy(count: int) -> str:
    """Many long functions nested in each other."""
    inner = "total"
    for _ in range(20):
        inner = f"np.tan({inner})"
    return f"""
total = tcp_pos[0] * goal_pos[0]
for i in range({count}):
    total = {inner}
near = total
"""


def _shaped(count: int) -> str:
    """Choices between long functions, summed up."""
    return f"""
near = 0.0
for i in range({count}):
    apart = tcp_pos[0] - 0.1 * i
    if apart > goal_pos[0]:
        near += np.tanh(apart * goal_pos[1])
    else:
        near -= np.exp(apart - goal_pos[2])
"""


_KINDS: dict[str, Callable[[int], str]] = {
    "crossed": _crossed,
    "clipped": _clipped,
    "wavy": _wavy,
    "shaped": _shaped,
}
LONGEST = tuple(f"longest_{kind}" for kind in _KINDS)
"""Names of what :func:`longest` makes."""


@cache
def longest(name: str) -> Program:
    """Return a program that would be refused if its loop went round once more.

    Example:
        >>> longest("longest_shaped").names
        ('near',)
    """
    make = _KINDS[name.removeprefix("longest_")]
    low, high = 1, _MOST
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if admitted(make(middle)) else (low, middle - 1)
    return _program(name, make(low))


def admitted(body: str) -> bool:
    """Tell whether the language takes a body."""
    return parse(_program("tried", body).source, TASK).ir is not None


def _program(name: str, body: str) -> Program:
    return Program(name, ("tcp_pos", "goal_pos"), ("near",), body, "", "")
