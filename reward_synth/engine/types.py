"""What an engine is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

CallStatus = Literal["ok", "failed", "timeout", "crashed"]


@dataclass(frozen=True, slots=True)
class Call:
    """One piece of work for another process."""

    key: str
    """Names the work; unique within one :meth:`Engine.run`."""
    function: Callable[..., Any]
    """A module-level function, so that it can be sent to another process."""
    arguments: tuple[Any, ...] = ()
    """Picklable."""
    timeout: float | None = None
    """Seconds after which it is killed; None: never."""
    folder: str = ""
    """The one folder that it writes, as it stands among the arguments; an engine that
    runs it on another machine brings the folder back."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """What became of a call; never an exception."""

    key: str
    status: CallStatus
    value: Any = None
    """What the function returned, if the status is ``ok``."""
    error: str = ""
    """One line: why not."""


class Engine(Protocol):
    """Runs calls somewhere, several at a time."""

    def run(
        self, calls: Sequence[Call], tick: Callable[[], None] = lambda: None
    ) -> Iterator[CallResult]:
        """Yield one result a call, in the order in which they end.

        Args:
            calls: The work.
            tick: Called about twice a second while calls run, for progress.
        """
