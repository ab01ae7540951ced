"""Learns a reward model from preferences, by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from reward_synth.errors import MissingExtraError, UsageError
from reward_synth.preference.features import Inputs, Values
from reward_synth.preference.model import Kind, RewardModel, contest
from reward_synth.preference.segments import Pairs, Segments

if TYPE_CHECKING:
    from reward_synth.preference.likelihood import Ties


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model is learned.

    Raises:
        UsageError: A setting is out of range.

    Example:
        >>> Fit(kind="general", ties="half").outputs
        4
    """

    kind: Kind = "scalar"
    ties: Ties = "half"
    """``half``: a tie is half an answer for each; ``davidson``, ``rao_kupper``: ties have
    a chance of their own."""
    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers; none: linear."""
    steps: int = 500
    """Of gradient descent."""
    batch: int = 256
    """Pairs a step."""
    rate: float = 3e-3
    decay: float = 1e-4
    """Of weights, as AdamW does; keeps what the pairs leave open near 0."""
    planes: int = 2
    """Of a general model: half of the numbers that describe a step."""
    averaged: bool = False
    """Judge segments by the mean over their steps instead of the sum."""
    members: int = 1
    """Models, each trained on pairs drawn anew with replacement if more than one."""
    held_out: float = 0.1
    """Share of the pairs that is kept from learning, to measure."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be used."""
        counts = (self.steps, self.batch, self.planes, self.members, *self.hidden)
        if min(counts) < 1 or not self.rate > 0 or self.decay < 0:
            raise UsageError(
                f"Fit needs steps, batch, planes, members and layers of at least 1, "
                f"rate above 0 and decay of at least 0; received {self}."
            )
        if not 0.0 <= self.held_out < 1.0 or self.kind not in get_args(Kind):
            raise UsageError(
                f"Fit needs held_out in [0, 1) and kind scalar or general; received "
                f"held_out={self.held_out!r}, kind={self.kind!r}."
            )

    @property
    def outputs(self) -> int:
        """How many numbers describe a step."""
        return 1 if self.kind == "scalar" else 2 * self.planes


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model, and how well it tells what is preferred."""

    model: RewardModel
    loss: float
    """Mean negative log-likelihood of the pairs that were learned from."""
    accuracy: float
    """Share of them, ties left out, that the model's gap gets right; NaN if none."""
    held_out_accuracy: float
    """The same of pairs that were not learned from; NaN if there are none."""
    tie_width: tuple[float, ...]
    """Of each member: the gap below which ties are likely; 0 for ``half``."""


def fit(
    segments: Segments,
    pairs: Pairs,
    settings: Fit | None = None,
    inputs: Inputs | None = None,
) -> Fitted:
    """Learn a reward model.

    ``scalar``: a segment is worth the sum of its steps' rewards (Christiano et al.,
    "Deep Reinforcement Learning from Human Preferences", NeurIPS 2017); of two the better
    one is preferred with chance sigmoid(difference). Only differences matter, so rewards of
    segments of one length have no known zero.

    ``general``: a segment is a vector, the sum of its steps' vectors, and the chance is the
    sigmoid of a form that changes its sign when the two are swapped, so that preferences may run
    in circles (after Zhang et al., arXiv 2410.02197). A step's reward is its score
    against the mean of all segments, which :func:`compared_with` changes.

    Args:
        segments: What was compared.
        pairs: Which was preferred.
        settings: How to learn.
        inputs: What the model sees of a step, kept with it.

    Raises:
        UsageError: Pairs name other segments, or settings and data do not fit.
        MissingExtraError: PyTorch is not installed.

    Example:
        >>> better = Pairs(np.array([1, 1]), np.array([0, 0]), np.ones(2))
        >>> fitted = fit(Segments.of([[0.0], [1.0]]), better,
        ...              Fit(steps=900, hidden=(), held_out=0.0))
        >>> fitted.accuracy, fitted.model.preferred([[1.0]], [[0.0]]) > 0.9
        (1.0, True)
    """
    try:
        from reward_synth.preference.training import trained  # noqa: PLC0415 - torch
    except ModuleNotFoundError as cause:
        raise MissingExtraError(cause.name or "torch", "train") from cause
    chosen = Fit() if settings is None else settings
    pairs.require_within(segments.count)
    rng = np.random.default_rng(chosen.seed)
    order = rng.permutation(pairs.count)
    left = int(chosen.held_out * pairs.count)
    known, unseen = pairs.taken(order[left:]), order[:left]
    mean, spread = segments.rows.mean(0), segments.rows.std(0)
    base = RewardModel(
        (),
        mean,
        np.where(spread > 0, spread, 1.0),
        chosen.kind,
        chosen.averaged,
        (),
        inputs,
    )
    made = [
        trained(base, segments, _drawn(known, chosen.members, rng), chosen, number)
        for number in range(chosen.members)
    ]
    model = replace(base, members=tuple(item.network for item in made))
    if chosen.kind == "general":
        model = compared_with(model, segments, np.ones(segments.count))
    return Fitted(
        model,
        float(np.mean([item.loss for item in made])),
        accuracy(model, segments, known),
        accuracy(model, segments, pairs.taken(unseen)) if left else float("nan"),
        tuple(item.tie_width for item in made),
    )


def compared_with(
    model: RewardModel, segments: Segments, shares: Values
) -> RewardModel:
    """Return a general model whose steps are scored against another mixture.

    Args:
        model: The model.
        segments: What the mixture consists of.
        shares: Of each, at least 0, not all 0; shape ``(segments,)``. Against
            :func:`~reward_synth.preference.von_neumann_winner` of the
            :func:`score_table` no segment scores above 0.

    Raises:
        UsageError: The model compares with nothing, or the shares do not fit.

    Example:
        >>> both = Segments.of([[0.0], [1.0]])
        >>> one = Pairs(np.array([1]), np.array([0]), np.ones(1))
        >>> settings = Fit(kind="general", steps=1, held_out=0.0)
        >>> model = compared_with(fit(both, one, settings).model, both, np.array([0, 1.0]))
        >>> bool(abs(model.scores(np.array([[1.0]]))[0, 0]) < 1e-12)
        True
    """
    share: Any = np.asarray(shares, np.float64)
    fits = share.shape == (segments.count,) and (share >= 0).all() and share.sum() > 0
    if model.kind != "general" or not fits:
        raise UsageError(
            f"compared_with needs a general model and a share of at least 0 for each of "
            f"{segments.count} segments, not all 0; received a {model.kind} model and "
            f"shares of shape {share.shape}."
        )
    weights = share / share.sum()
    return replace(
        model, references=tuple(weights @ x for x in _judged(model, segments))
    )


def score_table(model: RewardModel, segments: Segments) -> Values:
    """Return by how much each segment is better than each other, the mean over members.

    Returns:
        Shape ``(segments, segments)``; it changes its sign when it is transposed.

    Example:
        >>> both = Segments.of([[0.0], [1.0]])
        >>> one = Pairs(np.array([1]), np.array([0]), np.ones(1))
        >>> bool(score_table(fit(both, one, Fit(held_out=0.0)).model, both)[1, 0] > 0)
        True
    """
    first, second = np.indices((segments.count, segments.count)).reshape(2, -1)
    pairs = Pairs(first, second, np.ones(len(first)))
    made: Values = gaps(model, segments, pairs).reshape(segments.count, -1)
    return made


def gaps(model: RewardModel, segments: Segments, pairs: Pairs) -> Values:
    """Return by how much the first of each pair is better, the mean over members.

    Example:
        >>> fitted = fit(Segments.of([[0.0], [1.0]]), Pairs(np.array([1]), np.array([0]),
        ...              np.ones(1)), Fit(steps=20, hidden=(), held_out=0.0))
        >>> bool(gaps(fitted.model, Segments.of([[0.0], [1.0]]),
        ...           Pairs(np.array([1]), np.array([0]), np.ones(1)))[0] > 0)
        True
    """
    found = []
    for judged in _judged(model, segments):
        first, second = judged[pairs.first], judged[pairs.second]
        scalar = model.kind == "scalar"
        found.append((first - second)[:, 0] if scalar else contest(first, second))
    made: Values = np.mean(found, 0)
    return made


def accuracy(model: RewardModel, segments: Segments, pairs: Pairs) -> float:
    """Return the share of pairs, ties left out, that a model gets right.

    Example:
        >>> one = Segments.of([[0.0], [1.0]])
        >>> tie = Pairs(np.array([1]), np.array([0]), np.array([0.5]))
        >>> fitted = fit(one, tie, Fit(steps=1, hidden=(), held_out=0.0))
        >>> accuracy(fitted.model, one, tie)
        nan
    """
    told = ~pairs.ties
    if not told.any():
        return float("nan")
    right = (gaps(model, segments, pairs) > 0) == (pairs.label > 0.5)  # noqa: PLR2004 - better
    return float(right[told].mean())


def _judged(model: RewardModel, segments: Segments) -> list[Values]:
    """Return each member's description of each segment, shape ``(segments, outputs)``."""
    tables = []
    for outputs in model.embed(segments.rows):
        columns = [segments.totals(column) for column in outputs.T]
        total = np.stack(columns, 1)
        tables.append(total / segments.lengths[:, None] if model.averaged else total)
    return tables


def _drawn(pairs: Pairs, members: int, rng: np.random.Generator) -> Pairs:
    if members == 1:
        return pairs
    return pairs.taken(rng.integers(pairs.count, size=pairs.count))
