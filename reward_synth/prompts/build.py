"""Builds the messages of a conversation about one task.

What follows from the study of published methods is built in: a table of named fields
with units and measured ranges (read by machine, never copied from documentation), an
explicit contract, one success rule in words, scale and horizon, and a summary of earlier
attempts rather than raw series.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TypeAlias

from reward_synth.prompts.data import fence, neutralise, tame_code
from reward_synth.task import Field, TaskSpec

Message: TypeAlias = tuple[str, str]
"""``(role, content)``."""
_ATTEMPT_LIMIT = 8_000
"""Characters of an earlier attempt, and of an answer that is to be corrected."""
_FINDING_LIMIT = 1_000
_MOST_FINDINGS = 30
_MOST_FIELDS = 400
_ENTRIES = 6
"""Entries of a vector whose ranges are shown one by one."""
_CHARACTERS_A_TOKEN = 4


@lru_cache(maxsize=1)
def system_prompt() -> str:
    """Return the contract, the same for every task."""
    return files("reward_synth.prompts").joinpath("system.md").read_text()


_BETTER = (
    "Earlier attempts, best first. Write a better program: say what each of them lacks "
    "before you write, and do not repeat one."
)


def first_messages(
    task: TaskSpec, history: Sequence[str] = (), request: str = _BETTER
) -> tuple[Message, ...]:
    """Return the messages that ask for a new program.

    Args:
        task: The task.
        history: What became of earlier attempts, best first; see ``Outcome.feedback``.
        request: What is to be made of them.

    Example:
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go right", (Field("x", unit="m"),), Field("action"))
        >>> [role for role, _ in first_messages(task)]
        ['system', 'user']
    """
    parts = [fence("data", describe_task(task))]
    if history:
        parts.append(request)
        parts += [fence("attempt", tame_code(x, _ATTEMPT_LIMIT)) for x in history]
    parts.append("Write the reward program for this task.")
    return (("system", system_prompt()), ("user", "\n\n".join(parts)))


def example(task: TaskSpec, source: str) -> tuple[str, ...]:
    """Return the parts of a question that show a program of another task.

    Args:
        task: The other task.
        source: A program that trains well there.
    """
    return (
        "A task that is not yours, and a program that trained an agent well there. Its "
        "fields are not yours; take from it how such a program is built.",
        fence("data", describe_task(task)),
        fence("attempt", tame_code(source, _ATTEMPT_LIMIT)),
    )


def repair_messages(
    messages: Sequence[Message], answer: str, findings: Sequence[str]
) -> tuple[Message, ...]:
    """Return the conversation that asks to correct an answer.

    Args:
        messages: The conversation so far.
        answer: What the model wrote; a very long one is shortened.
        findings: What is wrong with it; they may quote the program.

    Example:
        >>> asked = repair_messages((("user", "Write."),), "no", ["It holds no code."])
        >>> [role for role, _ in asked]
        ['user', 'assistant', 'user']
    """
    shown = [neutralise(x, _FINDING_LIMIT, signs=True) for x in findings]
    left_out = len(shown) - _MOST_FINDINGS
    more = [f"and {left_out} more"] * (left_out > 0)
    listed = "\n".join(f"- {item}" for item in [*shown[:_MOST_FINDINGS], *more])
    request = (
        "This program cannot be used:\n"
        f"{listed}\n"
        "Write the whole corrected program in one fenced block."
    )
    said = tame_code(answer, _ATTEMPT_LIMIT)
    return (*messages, ("assistant", said), ("user", request))


def describe_task(task: TaskSpec) -> str:
    """Return the task as text: instruction, success, timing and a table of fields."""
    head, *rows = field_rows(task)
    lines = [
        *head_lines(task),
        "",
        _row(head),
        "|" + "---|" * len(head),
        *(_row(cells) for cells in rows),
    ]
    return "\n".join(lines)


def head_lines(task: TaskSpec) -> list[str]:
    """Return instruction, success, timing and action, a line each."""
    return [
        f"Task: {clean(task.id)}",
        f"Instruction: {clean(task.instruction)}",
        f"Success: {_success(task)}",
        f"Timing: {_timing(task)}",
        f"Action: {_field(task.action)}",
    ]


def field_rows(task: TaskSpec) -> list[tuple[str, ...]]:
    """Return the table of fields, its head first."""
    head = ("field", "type", "unit", "seen range", "at reset", "meaning")
    rows = [_cells(item) for item in task.fields[:_MOST_FIELDS]]
    left_out = len(task.fields) - _MOST_FIELDS
    if left_out > 0:
        rows.append((f"({left_out} more are not shown)", "", "", "", "", ""))
    return [head, *rows]


def clean(text: str) -> str:
    r"""Make a text from an environment short, one line, and unable to end the fence.

    Example:
        >>> clean("go\n</data> now")
        'go (/data) now'
    """
    return neutralise(text)


def _success(task: TaskSpec) -> str:
    if task.success is None:
        return "no rule is known; follow the instruction"
    words = neutralise(task.success.words or task.success.rule, signs=True)
    end = " Success ends the episode." if task.ends_on_success else ""
    return f"{words.rstrip('.')}.{end}"


def _timing(task: TaskSpec) -> str:
    parts = [f"discount {task.gamma}"]
    if task.horizon:
        parts.append(f"at most {task.horizon} steps an episode")
    if task.dt:
        parts.append(f"{task.dt:.4g} s a step")
    return ", ".join(parts)


def _type(item: Field) -> str:
    return item.signature.split(": ")[1]


def _field(item: Field) -> str:
    text = f"{_type(item)}, {_range(item)}"
    return f"{text}, {clean(item.meaning)}" if item.meaning else text


def _cells(item: Field) -> tuple[str, ...]:
    return (
        item.name,
        _type(item),
        clean(item.unit).replace("|", "/"),
        _range(item),
        "yes" if item.at_reset else "no",
        clean(item.meaning).replace("|", "/"),
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _range(item: Field) -> str:
    low, high = item.range
    if not low:
        return "unknown"
    if item.size > _ENTRIES:
        return f"{min(low):.3g} to {max(high):.3g}"
    pairs = [f"{a:.3g} to {b:.3g}" for a, b in zip(low, high, strict=True)]
    return "; ".join(pairs)


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Return about how many tokens the messages have, four characters each.

    Example:
        >>> estimate_tokens((("user", "12345678"),))
        2
    """
    return sum(len(text) for _, text in messages) // _CHARACTERS_A_TOKEN
