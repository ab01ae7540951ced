"""A judge as TRL, verl and verifiers call rewards.

An outage or an abstention is each trainer's own sign for "no score", and never a zero. What
only the user can mend (a wrong key, a budget, an accepted canary) raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.verify.adapters.verifiers_v1 import NoScoreError
from reward_synth.verify.judges import Judge, Opinion, Submission
from reward_synth.verify.plain_calls import look_up


def final_text(output: Any) -> str:
    """Return what a model said last: a text, or the last assistant's message.

    Example:
        >>> final_text([{"role": "assistant", "content": "4"}, {"role": "user"}]), final_text("5")
        ('4', '5')
    """
    if isinstance(output, str):
        return output
    messages = output if isinstance(output, list | tuple) else [output]
    own = [item for item in messages if look_up(item, "role") == "assistant"]
    return _content(own[-1]) if own else ""


def _asked(prompt: Any) -> str:
    """Return a prompt's last user message, or the prompt where it is a text."""
    if isinstance(prompt, str) or prompt is None:
        return prompt or ""
    own = [item for item in prompt if look_up(item, "role") == "user"]
    return _content(own[-1]) if own else ""


def _content(message: Any) -> str:
    content = look_up(message, "content")
    if isinstance(content, list | tuple):
        texts = [look_up(block, "text") for block in content]
        return "\n".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


class JudgeReward:
    """A reward function of TRL, also for its asynchronous trainer.

    Args:
        judge: Scores answers.
        reference: The column with the right answer; ``""``: there is none.
        name: What TRL calls the reward in its logs.

    Example:
        >>> from reward_synth.llm import Completion
        >>> from reward_synth.verify.judges import Juror
        >>> class Down:
        ...     def complete(self, request):
        ...         return Completion("", "timeout")
        >>> reward = JudgeReward(Judge(Juror(Down(), "tiny")))
        >>> reward(prompts=["2 + 2?"], completions=["4"], answer=["4"])
        [None]
    """

    def __init__(
        self, judge: Judge, reference: str = "answer", name: str = "judge"
    ) -> None:
        self.judge = judge
        self.reference = reference
        self.__name__ = name

    def __call__(
        self, completions: Sequence[Any], prompts: Any = None, **columns: Any
    ) -> list[float | None]:
        """Return a reward for each completion; None where there is no verdict.

        Raises:
            UsageError: The column with the right answers is missing, or too short.
        """
        opinions = self.judge.batch(self._submissions(completions, prompts, columns))
        return [item.score if item.known else None for item in opinions]

    async def later(
        self, completions: Sequence[Any], prompts: Any = None, **columns: Any
    ) -> list[float | None]:
        """Return the same, for trainers that await rewards."""
        submissions = self._submissions(completions, prompts, columns)
        opinions = await self.judge.later(submissions)
        return [item.score if item.known else None for item in opinions]

    def _submissions(
        self, completions: Sequence[Any], prompts: Any, columns: Mapping[str, Any]
    ) -> list[Submission]:
        count = len(completions)
        asked = [None] * count if prompts is None else prompts
        right = columns.get(self.reference) if self.reference else [""] * count
        if right is None or len(right) != count or len(asked) != count:
            raise UsageError(
                f"The column {self.reference!r} must have {count} rows, as the completions "
                f"have; there are {sorted(columns)}. Name another one with reference=, or "
                "give reference='' to judge without one."
            )
        return [
            Submission(final_text(output), _asked(prompt), str(answer))
            for output, prompt, answer in zip(completions, asked, right, strict=True)
        ]


class JudgeScore:
    """``compute_score`` and ``compute_score_batch`` of verl, with one judge.

    A module of yours makes it and names its methods; the batch manager judges several
    answers at once.

    Args:
        judge: Scores answers.
        fallback: The score where there is no verdict; the column ``status`` says so.
    """

    def __init__(self, judge: Judge, fallback: float = 0.0) -> None:
        self.judge = judge
        self.fallback = fallback

    def compute_score(
        self,
        data_source: str,
        solution_str: str,
        ground_truth: Any,
        extra_info: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> dict[str, float | str]:
        """Return the score of one response."""
        found = self.compute_score_batch(
            [data_source], [solution_str], [ground_truth], [extra_info], **settings
        )
        return found[0]

    def compute_score_batch(
        self,
        data_sources: Sequence[str],  # noqa: ARG002 - verl gives it by name
        solution_strs: Sequence[str],
        ground_truths: Sequence[Any],
        extra_infos: Sequence[Mapping[str, Any] | None] | None = None,
        **settings: Any,  # noqa: ARG002 - verl's managers may give more
    ) -> list[dict[str, float | str]]:
        """Return the score of each response; questions are ``extra_info["question"]``."""
        infos = extra_infos if extra_infos is not None else [None] * len(solution_strs)
        rows = zip(solution_strs, ground_truths, infos, strict=True)
        submissions = [
            Submission(text, str((info or {}).get("question", "")), str(right))
            for text, right, info in rows
        ]
        return [self._columns(item) for item in self.judge.batch(submissions)]

    def _columns(self, opinion: Opinion) -> dict[str, float | str]:
        score = opinion.score if opinion.known else self.fallback
        return {"score": score, "known": float(opinion.known), "status": opinion.status}


class JudgeRewardV0:
    """A reward function of verifiers, first stack.

    Args:
        judge: Scores answers.
        fallback: The reward where there is no verdict.
        name: What the rubric calls it.
    """

    def __init__(
        self, judge: Judge, fallback: float = 0.0, name: str = "judge"
    ) -> None:
        self.judge = judge
        self.fallback = fallback
        self.__name__ = name

    def __call__(self, prompt: Any, completion: Any, answer: Any = "") -> float:
        """Return the reward of one completion."""
        submission = Submission(
            final_text(completion), _asked(prompt), str(answer or "")
        )
        opinion = self.judge(submission)
        return opinion.score if opinion.known else self.fallback


class JudgeRewardV1:
    """An awaited reward of verifiers, second stack.

    Args:
        judge: Scores answers.
        reference: The field of the task, or the key of its ``info``, with the right answer.
        question: The field with what was asked.
        name: What the stack calls it.
    """

    def __init__(
        self,
        judge: Judge,
        reference: str = "answer",
        question: str = "question",
        name: str = "judge",
    ) -> None:
        self.judge = judge
        self.reference = reference
        self.question = question
        self.__name__ = name

    async def __call__(self, task: Any, trace: Any) -> float:
        """Return the reward of a trace.

        Raises:
            NoScoreError: There is no verdict.
        """
        messages = look_up(trace, "assistant_messages") or ()
        said = _content(list(messages)[-1]) if messages else ""
        submission = Submission(
            said, _field(task, self.question), _field(task, self.reference)
        )
        (opinion,) = await self.judge.later([submission])
        if not opinion.known:
            raise NoScoreError(f"The judge gave no verdict: {opinion.message}")
        return opinion.score


def _field(task: Any, name: str) -> str:
    for place in (task, look_up(task, "data"), look_up(task, "info")):
        found = None if place is None else look_up(place, name)
        if found is not None:
            return str(found)
    return ""
