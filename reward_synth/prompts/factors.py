"""Questions for latent factors: what matters in a task, without weights.

After the self-prompting of LaRe (Qu et al., 2025): several drafts, then one that joins
them. The words are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from reward_synth.prompts.build import Message, describe_task, system_prompt
from reward_synth.prompts.data import fence, tame_code
from reward_synth.task import TaskSpec

_ATTEMPT_LIMIT = 8_000
_ROLE = """You name the latent factors of a task for reinforcement learning. The reward of a single
step is not known, only the return of a whole episode. A network will learn from returns how
much each factor of a step is worth; you write what it looks at.
"""
_GOOD = """## What makes them good
* Each component of the dict is one factor: a number of the step that the task's outcome depends
  on, such as a distance, a speed along the goal's direction, an effort, a condition. No weights
  and no signs of worth: the network finds these.
* Two to eight factors. Use as little of the fields as is needed, and leave out what does not
  matter.
* Each lies in about [-1, 1] over the ranges in the table, and none is constant. Never divide by
  what may be 0.

## How you answer
First, in a few sentences: what the task asks for, and which quantities decide whether it is
done well. Then the one fenced block.
"""
_JOIN = (
    "Drafts of such programs. Join them into one better program: keep each factor that matters "
    "once, in its best form, and leave out repeats and what does not matter."
)


@lru_cache(maxsize=1)
def factors_prompt() -> str:
    """Return the contract: the reward language as for rewards, and what factors are.

    Example:
        >>> "latent factors" in factors_prompt(), "np.tanh" in factors_prompt()
        (True, True)
    """
    whole = system_prompt()
    begin, end = whole.index("## What you write"), whole.index("## What makes it good")
    data = whole[whole.index("The task stands between") :]
    return f"{_ROLE}\n{whole[begin:end]}{_GOOD}\n{data}"


def factor_messages(
    task: TaskSpec, drafts: Sequence[str] = (), request: str = _JOIN
) -> tuple[Message, ...]:
    """Return the messages that ask for a program of factors.

    Args:
        task: The task.
        drafts: Programs that are known, with what was found of them.
        request: What is to be made of them; by default they are joined.

    Example:
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go right", (Field("x", unit="m"),), Field("action"))
        >>> factor_messages(task)[-1][1].splitlines()[-1]
        'Write the factors of this task.'
    """
    parts = [fence("data", describe_task(task))]
    if drafts:
        parts.append(request)
        parts += [fence("attempt", tame_code(x, _ATTEMPT_LIMIT)) for x in drafts]
    parts.append("Write the factors of this task.")
    return (("system", factors_prompt()), ("user", "\n\n".join(parts)))
