"""Answers by hand: files that wait for files."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from reward_synth.errors import UsageError
from reward_synth.llm import ChatRequest, ManualChat

ASKED = ChatRequest(
    "manual",
    (("system", "Be short."), ("user", "Hello"), ("assistant", "Hi"), ("user", "More")),
)


def files(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def aged(path: Path, text: str, seconds: float) -> None:
    path.write_text(text)
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_a_prompt_is_what_one_pastes(tmp_path: Path) -> None:
    """All that was said so far, in order, with what was answered marked as such."""
    stem = f"000-program-{ASKED.digest[:8]}"
    aged(tmp_path / f"{stem}.answer.md", "Less.", 60)
    completion = ManualChat(tmp_path).complete(ASKED)
    assert (completion.text, completion.status) == ("Less.", "ok")
    text = (tmp_path / f"{stem}.prompt.md").read_text()
    assert text == "Be short.\n\nHello\n\nYou answered:\n\nHi\n\nMore\n"


def test_it_waits_until_an_answer_is_whole(tmp_path: Path) -> None:
    """An empty file, or one that was just written, is still being saved."""
    clock = [0.0]
    told: list[str] = []
    steps: list[str] = ["empty", "fresh", "still"]
    stem = f"000-program-{ASKED.digest[:8]}"
    answer = tmp_path / f"{stem}.answer.md"

    def checkpoint() -> None:
        if steps and steps[0] == "empty":
            answer.write_text("")
        elif steps and steps[0] == "fresh":
            answer.write_text("whole")
            clock[0] = answer.stat().st_mtime + 0.1
        else:
            clock[0] = answer.stat().st_mtime + 1.0
        steps.pop(0)

    chat = ManualChat(tmp_path, told.append, checkpoint, lambda: clock[0])
    assert chat.complete(ASKED).text == "whole"
    assert steps == []
    assert told == [f"Answer {tmp_path / stem}.prompt.md in {answer}."]


def test_what_stops_the_run_stops_the_waiting(tmp_path: Path) -> None:
    """A checkpoint that raises ends it, and so does closing; the prompt stays."""

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ManualChat(tmp_path, checkpoint=stop).complete(ASKED)
    chat = ManualChat(tmp_path)
    threading.Timer(0.3, chat.close).start()
    with pytest.raises(KeyboardInterrupt):
        chat.complete(ASKED)
    assert [name.endswith(".prompt.md") for name in files(tmp_path)] == [True]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """The message names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file/desk for prompts cannot be made"):
        ManualChat(tmp_path / "file" / "desk")
