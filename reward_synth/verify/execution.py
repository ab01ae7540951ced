"""Runs the calls of answers in killable processes, with a deadline for each answer.

No alarm of the system and no thread: a process that hangs is killed, wherever it hangs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

from reward_synth.engine.types import CallResult
from reward_synth.errors import UsageError
from reward_synth.verify.calls import ToolCall
from reward_synth.verify.killable import Killable, Start
from reward_synth.verify.origin import Origin, ToolOutput
from reward_synth.verify.result import Status

Toolbox: TypeAlias = Callable[[Any], Mapping[str, Callable[..., Any]]]
"""Gives the tools of one sample, by name, from the sample's state."""
Plain: TypeAlias = tuple[str, str, bool]
"""Tool, text, whether it failed: what comes back from another process."""
_LONGEST = 100_000
"""Characters of one output; the rest is cut."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The calls of one answer, and what they act on.

    Example:
        >>> Sample((ToolCall("add", {"a": 1}),)).state is None
        True
    """

    calls: Sequence[ToolCall]
    state: Any = None
    """Picklable; given to the toolbox, so that no sample sees another one's."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a sample.

    Example:
        >>> Ran("timeout", message="It did not end within 0.2 s.").outputs
        ()
    """

    status: Status
    """``ok``, also where tools raised; ``timeout``; ``infra_error``: its process died."""
    outputs: tuple[ToolOutput, ...] = ()
    """One a call, in order, marked by the sample's :class:`Origin`."""
    message: str = ""


class ToolPool:
    """A pool of processes that run tools.

    The toolbox and the tools are the environment's own code: they are trusted to do no
    harm, but not to end. What a tool has started ends with its process.

    Args:
        toolbox: A module-level function; called for each sample.
        workers: Processes.
        seconds: Time of one sample; then its process is killed, and replaced.

    Raises:
        UsageError: A setting is out of range.

    Example:
        >>> tools = {"make": dict}  # here the state is the toolbox
        >>> with ToolPool(dict, workers=1) as pool:
        ...     (ran,) = pool([Sample([ToolCall("make", {"a": 1})], tools)])
        >>> ran.outputs[0].text
        '{"a": 1}'
    """

    def __init__(
        self, toolbox: Toolbox, *, workers: int = 2, seconds: float = 5.0
    ) -> None:
        if workers < 1 or not seconds > 0:
            raise UsageError(
                "A pool needs one worker at least and seconds above 0; received "
                f"{workers} and {seconds}."
            )
        self.toolbox = toolbox
        self.seconds = seconds
        quick: Start = "spawn" if sys.platform == "win32" else "forkserver"
        self._processes = Killable(workers, quick, [__name__, _module_of(toolbox)])

    def __enter__(self) -> ToolPool:
        """Begin; processes are started by the first sample."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes."""
        self.close()

    def close(self) -> None:
        """End all processes; the next sample starts others."""
        self._processes.close()

    def __call__(
        self, samples: Iterable[Sample], origins: Iterable[Origin] | None = None
    ) -> Iterator[Ran]:
        """Yield what became of each sample, in order.

        Args:
            samples: Taken a few ahead, so that they may come from a generator.
            origins: Of each sample's episode; by default a new one each.
        """
        given = ((self.toolbox, tuple(item.calls), item.state) for item in samples)
        marking = iter(origins) if origins is not None else _new_origins()
        for found in self._processes.each(play, given, self.seconds):
            yield _ran(found, next(marking))


def _module_of(function: Callable[..., Any]) -> str:
    """Return the name under which another process finds a function's module."""
    name = getattr(function, "__module__", None) or __name__
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return spec.name if spec is not None else name


def _new_origins() -> Iterator[Origin]:
    while True:
        yield Origin()


def _ran(found: CallResult, origin: Origin) -> Ran:
    if found.status == "ok":
        plain: list[Plain] = found.value
        outputs = (origin.stamp(tool, text, failed=bad) for tool, text, bad in plain)
        return Ran("ok", tuple(outputs))
    status: Status = "timeout" if found.status == "timeout" else "infra_error"
    return Ran(status, message=found.error)


def play(toolbox: Toolbox, calls: Sequence[ToolCall], state: Any) -> list[Plain]:
    """Run the calls of one sample in this process; what a tool raises is its output.

    Example:
        >>> play(lambda state: {"double": lambda x: 2 * x}, [ToolCall("double", {"x": 2})], 0)
        [('double', '4', False)]
    """
    tools = toolbox(state)
    return [_one(tools.get(call.name), call) for call in calls]


def _one(tool: Callable[..., Any] | None, call: ToolCall) -> Plain:
    if tool is None:
        return call.name, f"There is no tool {call.name[:60]!r}.", True
    try:
        return call.name, _text(tool(**call.arguments)), False
    except Exception as error:  # data for whoever called
        said = f"{type(error).__name__}: {error}"
        return call.name, said[:_LONGEST], True


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:_LONGEST]
