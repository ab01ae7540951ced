"""Learns a reward from recorded captions before any training, as Motif does.

M. Klissarov and others, "Motif: Intrinsic Motivation from Artificial Intelligence
Feedback", arXiv 2310.00166: annotate, train, then freeze.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_synth.errors import NothingUsableError, UsageError
from reward_synth.intrinsic.annotation import Label
from reward_synth.intrinsic.models.files import require_same
from reward_synth.intrinsic.models.online import Labels
from reward_synth.intrinsic.models.pool import Pool, Wanted
from reward_synth.intrinsic.models.protocol import Fit, RewardModel, Seen, question_of
from reward_synth.intrinsic.models.ranking import RankingModel
from reward_synth.intrinsic.models.retrieval import digest

_PAUSE = 0.02
_TIE = 0.5


@dataclass(frozen=True, slots=True)
class Offline:
    """What was learned from a record."""

    asked: int
    """Different captions, or pairs."""
    learned: int
    """Labels that the model learned from."""
    held_out: int
    """Labels that it was tried on; of pairs without ties."""
    accuracy: float
    """Share of these that it told right; nan of none."""


def learn_offline(
    model: RewardModel,
    captions: Sequence[str],
    service: Labels,
    *,
    pairs: int = 2000,
    chunk: int = 256,
    held_out: float = 0.2,
    rounds: int = 100,
    seed: int = 0,
    wait: float = math.inf,
    tell: Callable[[int, int], None] | None = None,
) -> Offline:
    """Ask about a record in chunks, train on most of it, and try on the rest.

    With a journal a killed call goes on where it stopped: the same record and seed ask
    the same questions, and those that were answered are not asked again. A ranking's
    scale is that of the whole record, frequencies included.

    Args:
        model: Retrieval, classification or ranking; keeps what it learned.
        captions: One a step, as recorded.
        service: Labels captions or, for a ranking, pairs.
        pairs: Most that are asked about.
        chunk: Questions that wait at once.
        held_out: Share of the questions, chosen by their hash, that it is tried on.
        rounds: Most rounds of learning; it ends before where the loss is small.
        seed: Decides the pairs.
        wait: Most seconds for the answers of a chunk.
        tell: Is told how many questions of how many are done.

    Raises:
        UsageError: A number is out of range, or the model reads observations.
        RunConflictError: The model learned from answers to another question.
        NothingUsableError: Nothing was labelled.

    Example:
        >>> from reward_synth.intrinsic.annotation import (
        ...     AnnotationService, Rule, RuleAnnotator)
        >>> from reward_synth.intrinsic.models import RetrievalModel
        >>> rules = RuleAnnotator([Rule("key", "helpful")], otherwise="unhelpful")
        >>> record = ["a key", "a rat", "a rat"]
        >>> learn_offline(RetrievalModel(), record, AnnotationService(rules), held_out=0)
        Offline(asked=2, learned=2, held_out=0, accuracy=nan)
    """
    _require(model, pairs, chunk, held_out, rounds)
    asked = question_of(getattr(service, "annotator", None))
    require_same(model.question, asked, "The model")
    ranks = isinstance(model, RankingModel)
    pool = Pool(np.random.default_rng(seed), pairs=pairs)
    pool.add(Seen(captions))
    items = pool.pairs() if ranks else pool.singles()
    labels = _answers(service, items, chunk, wait, tell)
    known = [n for n, label in enumerate(labels) if label.status == "known"]
    if not known:
        raise NothingUsableError(
            f"None of {len(items)} questions about the record got a label; there is "
            "nothing to learn from."
        )
    model.question = model.question or asked
    tried = [n for n in known if _share(items[n].text) < held_out]
    taught = sorted(set(known) - set(tried))
    _learn(model, [items[n] for n in taught], [labels[n] for n in taught], rounds)
    model.judge(Seen(captions), learning=True)
    told = [n for n in tried if not (ranks and labels[n].value == _TIE)]
    right = [_right(model, items[n], labels[n]) for n in told]
    accuracy = sum(right) / len(right) if right else math.nan
    return Offline(len(items), len(taught), len(told), accuracy)


def _learn(
    model: RewardModel, items: Sequence[Wanted], labels: Sequence[Label], rounds: int
) -> None:
    """Learn from labels, then in rounds until the loss is small."""
    _fit(model, items, labels)
    for _ in range(rounds - 1):
        if not _fit(model, [], []).steps:
            return


def _answers(
    service: Labels,
    items: Sequence[Wanted],
    chunk: int,
    wait: float,
    tell: Callable[[int, int], None] | None,
) -> list[Label]:
    """Ask in chunks; what has no answer in time stays pending."""
    found: list[Label] = []
    for start in range(0, len(items), chunk):
        texts = [item.text for item in items[start : start + chunk]]
        service.submit(texts)
        ends = time.monotonic() + wait
        while True:
            service.check()
            service.publish()
            labels = service.get(texts)
            waiting = any(label.status == "pending" for label in labels)
            stopped = bool(getattr(service, "stopped", ""))
            if not waiting or stopped or time.monotonic() >= ends:
                break
            time.sleep(_PAUSE)
        found += labels
        if tell is not None:
            tell(len(found), len(items))
    return found


def _fit(model: Any, items: Sequence[Wanted], labels: Sequence[Label]) -> Fit:
    first = Seen([item.captions[0] for item in items])
    if isinstance(model, RankingModel):
        second = Seen([item.captions[-1] for item in items])
        return model.fit_pairs(first, second, labels)
    fit: Fit = model.fit(first, labels)
    return fit


def _right(model: Any, item: Wanted, label: Label) -> bool:
    if isinstance(model, RankingModel):
        one, other = model.raw(Seen(list(item.captions))).tolist()
        return bool((one > other) == (label.value == 1.0))
    return bool(model.judge(Seen(list(item.captions)))[0].value == label.value)


def _share(text: str) -> float:
    return int.from_bytes(digest(text)[:8], "little") / 2**64


def _require(
    model: RewardModel, pairs: int, chunk: int, held_out: float, rounds: int
) -> None:
    if min(pairs, chunk, rounds) < 1 or not 0 <= held_out < 1:
        raise UsageError(
            "pairs, chunk and rounds must be at least 1 and held_out in [0, 1); received "
            f"{pairs}, {chunk}, {rounds} and {held_out}."
        )
    if model.reads_obs:
        raise UsageError(
            "A record of captions holds no observations, which this model reads; take one "
            "that reads texts."
        )
