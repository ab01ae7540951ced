"""ReSeek's rewards of judgements on what was found, after its published code.

Source: TencentBAC/ReSeek, ``reseek_rerank.py`` and ``search_r1_like_qa_em_s4.py``, as read.
Kept as it is there: the sum has no bound, and nothing checks that what stands between
``<information>`` tags came from the environment, so that a hundred made-up pairs earn 30
times a right answer. The repaired twin is :func:`reward_synth.verify.rewards.judgements`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

from reward_synth.errors import UsageError

ReSeekVersion = Literal["rerank", "s4"]
_PAIR = re.compile(
    r"<information>(.*?)</information>.*?<judge>\s*(Yes|No)\s*</judge>",
    re.DOTALL | re.IGNORECASE,
)
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_MANY = 10
"""Answers beyond which a right one counts a quarter."""


def reseek(
    response: str,
    gold: str,
    version: ReSeekVersion = "s4",
    similar: Callable[[str, str], bool] | None = None,
) -> float:
    """Return ReSeek's reward of a response.

    Args:
        response: The whole response, with what was found in it.
        gold: The answer.
        version: ``s4``: what was found is relevant if it holds the answer; ``rerank``: if
            ``similar`` says so.
        similar: Whether an answer and a text are alike; needed for ``rerank``.

    Raises:
        UsageError: The version is unknown, or lacks ``similar``.

    Example:
        >>> made_up = "<information>x</information><judge>No</judge>" * 100
        >>> round(reseek(made_up + "<answer>wrong</answer>", "right"), 6)
        30.0
    """
    if version not in ("s4", "rerank"):
        raise UsageError(f"version must be s4 or rerank, received {version!r}.")
    if version == "rerank" and similar is None:
        raise UsageError("version='rerank' needs similar=, which compares two texts.")
    answers = _ANSWER.findall(response)
    right = bool(answers) and _plain(answers[-1]) == _plain(gold)
    base = float(right) / (4 if len(answers) > _MANY else 1)
    return base + sum(_pairs(response, gold, right, similar, version))


def _pairs(
    response: str,
    gold: str,
    right: bool,
    similar: Callable[[str, str], bool] | None,
    version: ReSeekVersion,
) -> Iterator[float]:
    for found, verdict in _PAIR.findall(response):
        said = verdict.lower() == "yes"
        if version == "rerank" and similar is not None:
            yield _reranked(said, right, similar(gold, found))
        else:
            yield _substring(said, right, _plain(gold) in _plain(found))


def _substring(said: bool, right: bool, relevant: bool) -> float:
    if said and right:
        return 0.4
    if said == relevant:
        return 0.4 if right else 0.3
    return -0.6 if said else -0.3


def _reranked(said: bool, right: bool, relevant: bool) -> float:
    if said:
        if right:
            return 0.1
        return -0.025 if relevant else -0.05
    return -0.05 if relevant else 0.02


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
