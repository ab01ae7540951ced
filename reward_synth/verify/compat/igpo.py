"""IGPO's outcome reward and advantages, after its published code and its paper.

Source: Wang et al., 2025, "Information Gain-based Policy Optimization", arXiv:2510.14967.
Kept as it is in the code: words of the answer count once each, so that repeating costs
nothing; only the first ``<answer>`` is read; tags that do not pair earn -2. The repaired
twin is :func:`reward_synth.verify.rewards.word_f1`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError

_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_TAGS = ("think", "answer", "tool_call")
_SPLIT = "<|answer_split|>"
IGPOForm = Literal["paper", "code"]


def igpo_outcome(response: str, gold: str) -> float:
    """Return the F1 of the first answer's words, or -2 where tags do not pair.

    Args:
        response: The whole response.
        gold: The answer; alternatives stand between ``<|answer_split|>``.

    Example:
        >>> igpo_outcome("<answer>Paris Paris</answer>", "paris")
        1.0
        >>> igpo_outcome("<answer>Paris", "paris")
        -2.0
    """
    paired = all(
        response.count(f"<{tag}>") == response.count(f"</{tag}>") for tag in _TAGS
    )
    found = _ANSWER.search(response)
    if not paired or found is None:
        return -2.0
    return max(_f1(found.group(1), option) for option in gold.split(_SPLIT))


def _f1(left: str, right: str) -> float:
    one, other = set(_words(left)), set(_words(right))
    common = len(one & other)
    if not common:
        return 0.0
    precision, recall = common / len(one), common / len(other)
    return 2 * precision * recall / (precision + recall)


def _words(text: str) -> list[str]:
    spaces = str.maketrans(dict.fromkeys(string.punctuation, " "))
    return text.lower().translate(spaces).split()


def igpo_advantages(
    rewards: Sequence[Sequence[float]], gamma: float = 1.0, form: IGPOForm = "paper"
) -> list[npt.NDArray[np.float64]]:
    """Return an advantage for each turn of each rollout of a group.

    Args:
        rewards: Turn rewards of each rollout; the last is the outcome's.
        gamma: Discount between turns.
        form: ``paper``: rewards are centred and scaled over all turns of the group, then
            summed to the end (the sum after the paper's text, as remembered); ``code``:
            rewards are summed first, and the mean of the group at the same turn is taken
            off, without scaling. The code does the latter token by token.

    Returns:
        Arrays of the shapes of ``rewards``.

    Raises:
        UsageError: A rollout has no turn, or the form is unknown.

    Example:
        >>> igpo_advantages([[0.0, 1.0], [0.0, 0.0]], form="code")
        [array([0.5, 0.5]), array([-0.5, -0.5])]
    """
    rows = [np.asarray(row, dtype=np.float64) for row in rewards]
    if not rows or any(len(row) == 0 for row in rows):
        raise UsageError("Every rollout needs the reward of one turn at least.")
    if form == "paper":
        whole = np.concatenate(rows)
        scale = float(whole.std()) or 1.0
        return [_returns((row - whole.mean()) / scale, gamma) for row in rows]
    if form != "code":
        raise UsageError(f"form must be paper or code, received {form!r}.")
    returns = [_returns(row, gamma) for row in rows]
    most = max(map(len, returns))
    means = [np.mean([r[t] for r in returns if len(r) > t]) for t in range(most)]
    return [row - np.asarray(means[: len(row)]) for row in returns]


def _returns(row: npt.NDArray[np.float64], gamma: float) -> npt.NDArray[np.float64]:
    found = np.zeros_like(row)
    total = 0.0
    for t in range(len(row) - 1, -1, -1):
        total = float(row[t]) + gamma * total
        found[t] = total
    return found
