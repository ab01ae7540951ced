"""A person in the place of an endpoint: prompts are files, and so are answers.

For people with a chat window and no key: paste a prompt there, save the answer beside it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from reward_synth.errors import UsageError
from reward_synth.llm.chat import ChatRequest, Completion

PROMPT, ANSWER = ".prompt.md", ".answer.md"
_POLL = 0.2
"""Seconds between two looks for answers."""
_STILL = 0.5
"""Seconds for which an answer must not have changed: it is being saved until then."""
_MOST = 4 << 20
"""Bytes of an answer."""


class ManualChat:
    """Writes each request as a file and waits until its answer is there.

    Args:
        folder: Takes ``NAME.prompt.md``; ``NAME.answer.md`` is waited for.
        tell: Is told which file waits for which.
        checkpoint: Called while it waits; may raise to stop.
        clock: Tells seconds.

    Raises:
        UsageError: The folder cannot be written.
    """

    def __init__(
        self,
        folder: str | Path,
        tell: Callable[[str], None] = lambda _: None,
        checkpoint: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = Path(folder)
        self._tell = tell
        self._checkpoint = checkpoint
        self._clock = clock
        self._stopped = threading.Event()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"The folder {folder} for prompts cannot be made: {error.strerror}."
            ) from None

    def complete(self, request: ChatRequest, /) -> Completion:
        """Return the answer that a person gave; waits for it.

        Raises:
            UsageError: The prompt cannot be written, or the answer not be read.
        """
        name = f"{request.slot:03d}-{request.purpose}-{request.digest[:8]}"
        prompt, answer = (
            self.folder / f"{name}{PROMPT}",
            self.folder / f"{name}{ANSWER}",
        )
        try:
            if not prompt.exists():
                prompt.write_text(as_text(request.messages), "utf-8")
            if not self._ready(answer):
                self._tell(f"Answer {prompt} in {answer}.")
            while not self._ready(answer):
                self._wait()
            text = answer.read_bytes()[:_MOST].decode("utf-8", "replace")
        except OSError as error:
            raise UsageError(f"{error.filename}: {error.strerror}.") from None
        return Completion(text, "ok", usage_estimated=True)

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._stopped.set()

    def _ready(self, answer: Path) -> bool:
        with suppress(FileNotFoundError):
            found = os.stat(answer)
            return found.st_size > 0 and self._clock() - found.st_mtime >= _STILL
        return False

    def _wait(self) -> None:
        self._checkpoint()
        if self._stopped.wait(_POLL):
            raise KeyboardInterrupt


def as_text(messages: Sequence[tuple[str, str]]) -> str:
    r"""Return messages as one text to paste.

    Example:
        >>> as_text([("system", "Be short."), ("user", "Hello")])
        'Be short.\n\nHello\n'
    """
    return "\n\n".join(_spoken(role, text) for role, text in messages) + "\n"


def _spoken(role: str, text: str) -> str:
    return f"You answered:\n\n{text}" if role == "assistant" else text
