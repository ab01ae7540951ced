"""A person who compares two agents: at the terminal, or in files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from reward_synth.llm import ManualChat
    from reward_synth.search import Duel, Referee

ASK = "ask"
_SAID = {"a": 1.0, "b": 0.0, "=": 0.5}
_QUESTION = "Which did it better? a, b, = for neither, q to stop and go on later: "


class Pausing(Protocol):
    """Something that is drawn, and can be taken away."""

    def start(self) -> None:
        """Draw it."""

    def stop(self) -> None:
        """Take it away."""


def checked_prefer(text: str | None) -> str | None:
    """Return what ``--prefer`` says, if it can be meant.

    Raises:
        UsageError: It is something else.

    Example:
        >>> checked_prefer("manual:desk")
        'manual:desk'
    """
    if text in (None, ASK) or text.partition(":")[0] == "manual":
        return text
    raise UsageError(f"--prefer must be {ASK} or manual:DIR, received {text!r}.")


def referee(
    text: str | None,
    view: Pausing,
    notify: Callable[[str], None],
    checkpoint: Callable[[], None],
) -> Referee | None:
    """Return who compares agents; None: nobody was asked for.

    Args:
        text: What ``--prefer`` says.
        view: Is not drawn while a person is asked.
        notify: Told which file is waited for.
        checkpoint: Called while it is; may raise to stop.
    """
    if text is None:
        return None
    if text == ASK:
        return _AtTheTerminal(view)
    from reward_synth.cli.options import manual_folder
    from reward_synth.llm import ManualChat

    return _InFiles(ManualChat(manual_folder(text) or "", notify, checkpoint))


def as_text(duel: Duel) -> str:
    """Return both agents side by side, as text.

    Example:
        >>> from reward_synth.search import Duel
        >>> print(as_text(Duel("Go up.", "It fell.", "It flew.", 2)).splitlines()[0])
        Question 2. The task: Go up.
    """
    return (
        f"Question {duel.number}. The task: {duel.task}\n\n"
        f"## A\n\n{duel.first}\n\n## B\n\n{duel.second}\n"
    )


class _AtTheTerminal:
    """Asks on standard error and reads standard input, so that results stay apart."""

    def __init__(self, view: Pausing) -> None:
        self._view = view

    def __call__(self, duel: Duel, /) -> float:
        """Return what the person says."""
        self._view.stop()
        try:
            sys.stderr.write(f"\n{as_text(duel)}\n")
            return self._said()
        finally:
            self._view.start()

    def _said(self) -> float:
        while True:
            sys.stderr.write(_QUESTION)
            sys.stderr.flush()
            line = sys.stdin.readline()
            if not line or line.strip().lower() == "q":
                raise KeyboardInterrupt
            if line.strip().lower() in _SAID:
                return _SAID[line.strip().lower()]


class _InFiles:
    """Writes each question as a file, and waits for the answer beside it."""

    def __init__(self, desk: ManualChat) -> None:
        self._desk = desk

    def __call__(self, duel: Duel, /) -> float:
        """Return what the file says.

        Raises:
            UsageError: It says something else than a, b or =.
        """
        from reward_synth.llm import ChatRequest

        desk = self._desk
        ask = (
            f"{as_text(duel)}\nWhich did it better? Answer with a, b, or = for neither."
        )
        request = ChatRequest(
            "manual", (("user", ask),), slot=duel.number, purpose="pair"
        )
        said = desk.complete(request).text.strip()
        if said.lower() not in _SAID:
            raise UsageError(
                f"The answer to question {duel.number} in {desk.folder} is {said[:40]!r}; "
                "it must be a, b or =. Correct the file and give the same command."
            )
        return _SAID[said.lower()]
