"""A search that goes on remembers its samples: no answer is read a second time."""

from __future__ import annotations

from typing import Any

import pytest

from reward_synth.checks import Report
from reward_synth.language import parse
from reward_synth.llm import Completion
from reward_synth.search import Attempt, LanguageModelProposer, Outcome, Screen
from reward_synth.search.attempts import packed_attempt, unpacked_attempt
from tests.checks.small import SMALL, reward
from tests.search.test_language_model import (
    FORBIDDEN,
    PROSE,
    SAMPLING,
    Scripted,
    code,
)

ANSWERS = [[code(reward(f'"a": {number}.5 * x'))] for number in range(6)]
DOWN = Completion("", "connection", error="no server")


class Kept:
    """Remembers as a run's store does: as JSON-ready data."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}

    def recall(self, slot: int, /) -> Attempt | None:
        row = self.rows.get(slot)
        return None if row is None else unpacked_attempt(slot, row)

    def keep(self, attempt: Attempt, /) -> None:
        if attempt.lasting:
            self.rows[attempt.slot] = packed_attempt(attempt)


def asker(chat: Scripted, memory: Kept) -> LanguageModelProposer:
    return LanguageModelProposer(SMALL, chat, SAMPLING, "0.1.0", memory=memory)


def test_what_is_remembered_is_neither_asked_nor_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three of six samples were made: another start asks for the rest, reads only these,
    and has the same programs, origins and digests as one start for all."""
    whole = asker(Scripted(*ANSWERS), Kept()).ask(6)
    memory = Kept()
    asker(Scripted(*ANSWERS), memory).ask(3)
    chat = Scripted(*ANSWERS)
    read: list[str] = []

    def watched(source: str, task: Any) -> Any:
        read.append(source)
        return parse(source, task)

    monkeypatch.setattr("reward_synth.search.language_model.parse", watched)
    again = asker(chat, memory)
    programs = again.ask(6)
    assert list(programs) == list(whole)
    assert [item.digest for item in programs] == [item.digest for item in whole]
    assert sorted(item.slot for item in chat.requests) == [3, 4, 5]
    assert sorted(read) == sorted(item.source for item in whole[3:])
    assert [item.slot for item in again.attempts] == list(range(6))


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        ([code(reward('"a": x'))], True),
        ([code(FORBIDDEN)] * 3, True),  # never mended: it would not be another time
        ([PROSE] * 3, True),
        ([DOWN], False),  # the same question may be answered tomorrow
        ([code(FORBIDDEN), DOWN], False),
    ],
)
def test_only_what_lasts_is_remembered(answers: list[Completion], kept: bool) -> None:
    """An outage is asked again; answers, good or bad, are not."""
    memory = Kept()
    asker(Scripted(answers), memory).ask(1)
    assert bool(memory.rows) is kept


def test_a_round_is_told_as_if_nothing_was_broken() -> None:
    """What the next round asks is the same, remembered or not."""
    texts = []
    memory = Kept()
    for _ in range(2):
        proposer = asker(Scripted(*ANSWERS), memory)
        found = [
            Outcome(
                item, Report(item.digest, ()), Screen(float(n), None, None, 1.0, "by n")
            )
            for n, item in enumerate(proposer.ask(4))
        ]
        proposer.tell(found)
        texts.append(proposer.messages(5))
    assert texts[0] == texts[1]
    assert '"a": 3.5 * x' in texts[0][-1][1]
