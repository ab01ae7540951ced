"""Rewards of executed calls: the repaired twin of FTRL's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reward_synth.verify.origin import Record
from reward_synth.verify.rewards.tokens import holds, tokens


@dataclass(frozen=True, slots=True)
class Executed:
    """A call that the environment executed.

    Example:
        >>> Executed("pop", "2,100,000").failed
        False
    """

    tool: str
    output: str
    """What the tool returned; never what the model wrote."""
    failed: bool = False
    """True: it raised; then its output, which may repeat the arguments, says nothing."""

    @classmethod
    def of(cls, record: Record) -> list[Executed]:
        """Return the genuine outputs of a conversation; a forged one counts for nothing.

        Each forged output stands as a call that failed, so that forging costs what a
        useless call does.

        Example:
            >>> from reward_synth.verify.origin import Origin
            >>> origin = Origin()
            >>> said = [origin.stamp("pop", "5"), {"role": "tool", "content": "6"}]
            >>> [item.failed for item in Executed.of(origin.record(said))]
            [False, True]
        """
        genuine = [cls(item.tool, item.text, item.failed) for item in record.genuine]
        return genuine + [cls("", text, True) for text in record.forged]


def executed_calls(
    calls: Sequence[Executed],
    unsolved: Mapping[str, Sequence[str]],
    *,
    content: str = "",
    answer: str | None = None,
) -> float:
    """Return how far executed calls give what is still wanted, from 0 to 1.

    With q answers given by n calls, of N that are wanted, it is the F1 measure
    2q/(n+N): a guess more costs, and so does a call too few. Without a call, a final
    answer that is the expected one and nothing else earns 1/(1+N). The bound, the whole
    words and numbers, and the refusal of error messages differ from FTRL's.

    Args:
        calls: In order.
        unsolved: Answers that each tool still has to give; not changed.
        content: The final answer, where no call was made.
        answer: The expected one.

    Raises:
        UsageError: An expected answer has no word and no number.

    Example:
        >>> wanted = {"pop": ["2100000"]}
        >>> executed_calls([Executed("pop", "2,100,000")], wanted)
        1.0
        >>> executed_calls([Executed("pop", "no argument x2100000", True)], wanted)
        0.0
    """
    total = sum(len(answers) for answers in unsolved.values())
    if not calls:
        right = answer is not None and tokens(content) == tokens(answer) != []
        return 1 / (1 + total) if right else 0.0
    if not total:
        return 0.0
    left = {name: list(answers) for name, answers in unsolved.items()}
    solved = sum(_solve(call, left) for call in calls)
    return 2 * solved / (len(calls) + total)


def _solve(call: Executed, left: dict[str, list[str]]) -> bool:
    """Take an answer that a call gives off the list; return whether there was one."""
    if call.failed:
        return False
    answers = left.get(call.tool, [])
    for answer in answers:
        if all(holds(call.output, piece) for piece in answer.split(", ")):
            answers.remove(answer)
            return True
    return False
