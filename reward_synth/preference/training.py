"""The gradient descent behind :func:`reward_synth.preference.fit`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reward_synth.preference.likelihood import likelihood
from reward_synth.preference.model import Network, RewardModel
from reward_synth.preference.segments import Pairs, Segments


@dataclass(frozen=True, slots=True)
class Member:
    """What one training gave."""

    network: Network
    loss: float
    tie_width: float


def trained(
    base: RewardModel, segments: Segments, pairs: Pairs, settings: Any, number: int
) -> Member:
    """Train one member.

    Args:
        base: Says how rows are scaled and segments judged.
        segments: What was compared.
        pairs: What it learns from.
        settings: :class:`~reward_synth.preference.Fit`.
        number: Of the member; changes what is random.

    Example:
        >>> from reward_synth.preference import Fit
        >>> base = RewardModel((), np.zeros(1), np.ones(1))
        >>> one = Pairs(np.array([1]), np.array([0]), np.ones(1))
        >>> made = trained(base, Segments.of([[0.0], [1.0]]), one,
        ...                Fit(hidden=(), steps=30), 0)
        >>> bool(made.network.weights[0][0, 0] > 0)
        True
    """
    seed = settings.seed + 7919 * number
    rng = np.random.default_rng(seed)
    layers = _made(len(base.mean), settings, seed)
    answers = likelihood(settings.ties, torch.as_tensor(pairs.label))
    descent = torch.optim.AdamW(
        [*layers.parameters(), *answers.parameters()],
        settings.rate,
        weight_decay=settings.decay,
    )
    scaled = Segments((segments.rows - base.mean) / base.scale, segments.lengths)
    losses = []
    with one_thread():
        for _ in range(settings.steps):
            batch = _batch(pairs, settings.batch, rng)
            gap = _gap(layers, scaled, batch, base)
            loss = -answers(gap, torch.as_tensor(batch.label)).mean()
            descent.zero_grad()
            loss.backward()
            descent.step()
            losses.append(float(loss.detach()))
    tail = max(1, len(losses) // 10)
    return Member(_plain(layers), float(np.mean(losses[-tail:])), answers.width)


@contextmanager
def one_thread() -> Iterator[None]:
    """Calculate on one thread: what is small waits longer for others than it works.

    Example:
        >>> with one_thread():
        ...     torch.get_num_threads()
        1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _batch(pairs: Pairs, size: int, rng: np.random.Generator) -> Pairs:
    if pairs.count <= size:
        return pairs
    return pairs.taken(rng.choice(pairs.count, size, replace=False))


def _gap(
    layers: nn.Sequential, segments: Segments, pairs: Pairs, base: RewardModel
) -> Tensor:
    """Return by how much the first of each pair is better."""
    which, place = np.unique(
        np.concatenate([pairs.first, pairs.second]), return_inverse=True
    )
    judged = _judged(layers, segments.taken(which), base.averaged)
    first = judged[torch.as_tensor(place[: pairs.count])]
    second = judged[torch.as_tensor(place[pairs.count :])]
    if base.kind == "scalar":
        return (first - second)[:, 0]
    forth, back = first[:, 0::2] * second[:, 1::2], first[:, 1::2] * second[:, 0::2]
    return (forth - back).sum(1)


def _judged(layers: nn.Sequential, segments: Segments, averaged: bool) -> Tensor:
    outputs: Tensor = layers(torch.as_tensor(segments.rows))
    empty = outputs.new_zeros(segments.count, outputs.shape[1])
    total = empty.index_add(0, torch.as_tensor(segments.owner), outputs)
    return total / torch.as_tensor(segments.lengths)[:, None] if averaged else total


def _made(inputs: int, settings: Any, seed: int) -> nn.Sequential:
    """Return layers whose first weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts: list[nn.Module] = []
        for width, after in pairwise((inputs, *settings.hidden, settings.outputs)):
            parts += [nn.Linear(width, after, dtype=torch.float64), nn.Tanh()]
        return nn.Sequential(*parts[:-1])


def _plain(layers: nn.Sequential) -> Network:
    linear: list[Any] = [layer for layer in layers if isinstance(layer, nn.Linear)]
    return Network(
        tuple(layer.weight.detach().numpy().T.copy() for layer in linear),
        tuple(layer.bias.detach().numpy().copy() for layer in linear),
    )
