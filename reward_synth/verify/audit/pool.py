"""The process that a reward function lives in while it is audited."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from reward_synth.errors import NothingUsableError
from reward_synth.verify.audit.outcome import Outcome
from reward_synth.verify.killable import Killable

_LOADING = 120.0
"""Seconds that loading a function may take."""
_FIRST = 4
_SLACK = 0.5
"""Seconds for making an answer and sending it."""


class Courtroom:
    """Runs calls one after another in a process that is killed where one hangs.

    Args:
        deadline: Seconds that one call may take.
        patience: Calls that may hang or die before no more are made.

    Example:
        >>> with Courtroom(deadline=5.0) as room:
        ...     room.meet(abs, -3)
        3
    """

    def __init__(self, deadline: float, patience: int = 10) -> None:
        self.deadline = deadline
        self.patience = patience
        self.lost = 0
        """Calls that hung or died."""
        self.asked = 0
        self._first: tuple[Callable[..., Any], tuple[Any, ...]] | None = None
        self._anew = True
        self._process = Killable()

    def __enter__(self) -> Courtroom:
        """Begin; the process is started by the first call."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._process.close()

    @property
    def worn(self) -> bool:
        """Whether too many calls were lost to go on, or each of the first ones."""
        every = self.lost == self.asked >= _FIRST
        return every or self.lost >= self.patience

    def meet(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the first call gives, which loads what later ones need.

        Raises:
            NothingUsableError: It fails, or does not end.
        """
        self._first = function, arguments
        found = self._process.run(function, arguments, _LOADING)
        if found.status != "ok":
            raise NothingUsableError(f"It cannot be loaded. {found.error}")
        self._anew = False
        return found.value

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a call gives; an :class:`Outcome` where it hangs or dies."""
        if self._anew and self._first is not None:
            self._process.run(*self._first, _LOADING)  # not in the deadline's time
        self._anew = False
        self.asked += 1
        found = self._process.run(function, arguments, self.deadline + _SLACK)
        if found.status == "ok":
            return found.value
        self._anew = True
        self.lost += 1
        if found.status == "timeout":
            return Outcome("hung", error=f"no score within {self.deadline:g} s")
        return Outcome("died", error=found.error)
