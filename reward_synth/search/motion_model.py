"""The proposer that asks a model for a motion, and then for its terms."""

from __future__ import annotations

from collections.abc import Sequence

from reward_synth.llm import Completion
from reward_synth.program import RewardProgram
from reward_synth.prompts import (
    Message,
    coder_messages,
    describer_messages,
    mend_messages,
)
from reward_synth.search.advisers import Ask
from reward_synth.search.language_model import LanguageModelProposer
from reward_synth.search.motion import TermsError, motion_program, read_motion


class MotionProposer(LanguageModelProposer):
    """Asks twice for each sample: for the motion in words, and for terms in JSON.

    The program is composed from the terms; what a model wrote is never code. After
    Language to Rewards (Yu et al., 2023).
    """

    def messages(self, slot: int = 0) -> tuple[Message, ...]:
        """Return the first question of a sample."""
        del slot
        return describer_messages(self.task)

    def question(self, slot: int, ask: Ask) -> tuple[Message, ...] | None:
        """Ask for the motion; return the question for its terms."""
        motion = ask(self.messages(slot))
        return coder_messages(self.task, motion.text) if motion.ok else None

    def mend(
        self, messages: Sequence[Message], answer: str, problems: Sequence[str]
    ) -> tuple[Message, ...]:
        """Return what asks to correct terms."""
        return mend_messages(messages, answer, problems)

    def read(
        self, completion: Completion, request: str
    ) -> tuple[RewardProgram | None, list[str]]:
        """Return the program of an answer's terms and what must be corrected in them."""
        try:
            code = motion_program(read_motion(completion.text, self.task))
        except TermsError as error:
            return None, [str(error)]
        return self.checked(code, completion, request)
