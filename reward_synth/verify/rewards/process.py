"""Rewards of single turns and tokens, from any callable that gives log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError

Floats = npt.NDArray[np.float64]
LogProb = Callable[[str, str], Sequence[float]]
"""Log-probability of each token of a continuation (second) after a context (first)."""
ENDS = "\nNow there's enough information to answer\n</think>\n<answer>\n"
"""What IGPO's code puts before the answer."""


def information_gain(
    prompt: str,
    turns: Sequence[str],
    answer: str,
    log_prob: LogProb,
    outcome: float,
    *,
    before: str = ENDS,
) -> list[float]:
    r"""Return IGPO's reward of each turn: by how much the answer became more probable.

    With p_t the geometric mean of the probabilities of the answer's tokens after turn t,
    a turn but the last earns :math:`p_t - p_{t-1}`, the last one the outcome's reward.
    The gains sum to p_{T-1} - p_0: they are never more than 1 together.

    Source: Wang et al., 2025, arXiv:2510.14967. Its code finds a turn by splitting the
    text at it, so that two equal turns are taken for one; here turns are given apart.

    Args:
        prompt: What stands before the first turn.
        turns: Texts of the turns, with what the environment answered.
        answer: The right answer.
        log_prob: Of the model that is trained.
        outcome: The reward of the whole rollout.
        before: What leads to the answer.

    Raises:
        UsageError: There is no turn or no answer, or a probability is above 1.

    Example:
        >>> sure = lambda context, answer: [0.0 if "Paris" in context else -50.0]
        >>> gains = information_gain("?", ["search", "Paris", "done"], "Paris", sure, 1.0)
        >>> [round(gain, 6) for gain in gains]
        [0.0, 1.0, 1.0]
    """
    if not turns or not answer.strip():
        raise UsageError("Information gain needs one turn at least, and an answer.")
    context = prompt
    last = _probability(log_prob(context + before, answer))
    gains = []
    for turn in turns[:-1]:
        context += turn
        now = _probability(log_prob(context + before, answer))
        gains.append(now - last)
        last = now
    return [*gains, outcome]


def _probability(logs: Sequence[float]) -> float:
    values = [float(value) for value in logs]
    if not values or any(math.isnan(v) or v > 1e-6 for v in values):  # noqa: PLR2004
        raise UsageError(
            f"log_prob must give a number of at most 0 for each token, received {values[:5]}."
        )
    return math.exp(sum(values) / len(values))


def implicit_rewards(
    policy: Sequence[float], reference: Sequence[float], beta: float = 0.05
) -> Floats:
    r"""Return the implicit process reward of each token.

    :math:`r_t = \beta(\log \pi_\phi - \log \pi_{ref})`; Yuan et al., 2024,
    arXiv:2412.01981; beta as in PRIME's code.

    Args:
        policy: Log-probability of each token under the reward model, shape (tokens,).
        reference: The same under the reference model.
        beta: Scale.

    Raises:
        UsageError: The two differ in length, or a value is not finite.

    Example:
        >>> implicit_rewards([-1.0, -2.0], [-1.0, -4.0], beta=0.5)
        array([0., 1.])
    """
    left, right = np.asarray(policy, float), np.asarray(reference, float)
    if left.shape != right.shape or not np.all(np.isfinite([left, right])):
        raise UsageError(
            "Both models must give one finite number for each token, received shapes "
            f"{left.shape} and {right.shape}."
        )
    return np.asarray(beta * (left - right))


def implicit_loss(rewards: Sequence[Floats], outcomes: Sequence[float]) -> float:
    r"""Return the cross entropy of :math:`\sigma(\sum_t r_t)` and the outcomes.

    It is what PRIME trains its reward model with; computed so that it cannot overflow.

    Args:
        rewards: Of each response's tokens.
        outcomes: 0 to 1 for each response.

    Example:
        >>> round(implicit_loss([np.array([0.0])], [1.0]), 6) == round(math.log(2), 6)
        True
    """
    sums = np.array([float(row.sum()) for row in rewards])
    wanted = np.asarray(outcomes, float)
    softplus = np.logaddexp(0.0, sums)
    return float(np.mean(softplus - wanted * sums))


def prime_advantages(
    rewards: Sequence[Floats],
    outcomes: Sequence[float],
    process: float = 1.0,
    outcome: float = 1.0,
) -> list[Floats]:
    r"""Return PRIME's advantage of each token of one group, before whitening.

    Token rewards are centred by leaving one out, :math:`r n/(n-1) - \sum_j \bar r_j/(n-1)`
    with the mean of each response, and summed to the end; outcomes are centred likewise.
    Source: Cui et al., 2025, arXiv:2502.01456, and its recipe in verl.

    Args:
        rewards: Token rewards of each of the n responses.
        outcomes: Reward of each response.
        process: Factor of the token rewards.
        outcome: Factor of the outcomes.

    Raises:
        UsageError: There are fewer than two responses, or a response has no token.

    Example:
        >>> prime_advantages([np.zeros(2), np.zeros(1)], [1.0, 0.0])
        [array([1., 1.]), array([-1.])]
    """
    count = len(rewards)
    if count < 2 or any(len(row) == 0 for row in rewards):  # noqa: PLR2004 - leave one out
        raise UsageError("A group needs two responses at least, of one token at least.")
    means = np.array([float(row.mean()) for row in rewards])
    finals = np.asarray(outcomes, float)
    found = []
    for row, final in zip(rewards, finals, strict=True):
        centred = (row * count - means.sum()) / (count - 1)
        returns = np.cumsum(centred[::-1])[::-1]
        alone = (final * count - finals.sum()) / (count - 1)
        found.append(process * returns + outcome * alone)
    return found


def renorm(process: Sequence[float], outcome: float) -> list[float]:
    """Return step rewards that are positive only where the outcome is.

    Each step earns ``process + outcome - 1``, and the last one ``outcome - 1/2`` more:
    after PPR's ReNorm (arXiv:2509.25598), whose formula is given as remembered.

    Args:
        process: Grade of each step, from 0 to 1.
        outcome: Of the whole, from 0 to 1.

    Raises:
        UsageError: A grade is not from 0 to 1, or there is no step.

    Example:
        >>> renorm([1.0, 0.5], 1.0), renorm([1.0, 0.5], 0.0)
        ([1.0, 1.0], [0.0, -1.0])
    """
    grades = [*process, outcome]
    if len(grades) == 1 or not all(0.0 <= grade <= 1.0 for grade in grades):
        raise UsageError(
            f"ReNorm needs one step at least, and grades from 0 to 1: {grades[:6]}."
        )
    steps = [grade + outcome - 1.0 for grade in process]
    steps[-1] += outcome - 0.5
    return steps
