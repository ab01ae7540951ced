"""A decoder of latent factors: what each step contributed to an episode's return.

A program's components f_1(s, a, s') .. f_K(s, a, s') are *factors*: numbers that matter,
without weights. A small network g is fitted so that the sum of g(f_t) over an episode is
its return, which is all that is known of the reward. After LaRe (Qu et al., "Latent
Reward: LLM-Empowered Credit Assignment in Episodic Reinforcement Learning", AAAI 2025);
the loss is that of randomized return decomposition (Ren et al., ICLR 2022).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from reward_synth.errors import UsageError

Rows = npt.NDArray[np.float32]
_FORMAT = "reward_synth.decoder/1"
_META = "reward_synth"


@dataclass(frozen=True, slots=True)
class Lare:
    """Settings; the defaults are those of the released code.

    Raises:
        UsageError: One is out of range.

    Example:
        >>> Lare().drawn
        64
    """

    hidden: tuple[int, ...] = (256, 256)
    """Hidden layers of the decoder."""
    rate: float = 3e-4
    """Of the decoder's descent."""
    drawn: int = 64
    """Steps that stand for an episode in one step of the descent; a shorter episode is
    taken whole."""
    episodes: int = 4
    """Episodes of one step of the descent: a batch of 256 in parts of 64."""
    unbiased: bool = True
    """Take away what drawing steps adds to the squared error on average."""
    remembered: int = 200_000
    """Steps of the newest episodes that are kept to learn from."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be used."""
        if min(self.drawn, self.episodes, self.remembered, *self.hidden) < 1:
            raise UsageError(
                "Lare needs drawn, episodes, remembered and hidden of at least 1; "
                f"received {self}."
            )
        if not self.rate > 0.0:
            raise UsageError(f"Lare needs a rate above 0; received {self.rate}.")


@dataclass(frozen=True, slots=True)
class Episode:
    """What is known of an episode: factors of each step, and one number."""

    factors: Rows
    """Shape ``(T, K)``."""
    total: float
    """Its return, not discounted."""


class Decoder(nn.Module):
    """Factors of a step to what it contributed.

    Args:
        names: The factors' names, in order.
        hidden: Widths of the hidden layers.

    Example:
        >>> Decoder(("near", "speed"), (8,)).rewards(np.zeros((3, 2))).shape
        (3,)
    """

    def __init__(self, names: Sequence[str], hidden: Sequence[int]) -> None:
        super().__init__()
        self.names, self.hidden = tuple(names), tuple(hidden)
        parts: list[nn.Module] = []
        for before, after in pairwise((len(self.names), *self.hidden, 1)):
            parts += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*parts[:-1])

    def forward(self, factors: Tensor) -> Tensor:
        """Return contributions, shape ``(N,)``, of factors of shape ``(N, K)``."""
        found: Tensor = self.layers(factors)
        return found[:, 0]

    def rewards(self, factors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the same of and as arrays, without gradients."""
        with torch.no_grad():
            found: Tensor = self(torch.as_tensor(factors, dtype=torch.float32))
        return found.double().numpy()

    def save(self, path: str | Path) -> None:
        """Write a safetensors file: names, shapes and numbers, nothing that runs."""
        about = {"format": _FORMAT, "names": self.names, "hidden": self.hidden}
        save_file(self.state_dict(), str(path), {_META: json.dumps(about)})

    @classmethod
    def load(cls, path: str | Path) -> Decoder:
        """Read what :meth:`save` wrote.

        Raises:
            UsageError: It is no such file, or holds numbers that are not finite.
        """
        try:
            with safe_open(str(path), framework="pt") as file:
                about = json.loads((file.metadata() or {})[_META])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if about["format"] != _FORMAT:
                raise ValueError(f"its format is {about['format']!r}")
            made = cls(about["names"], about["hidden"])
            made.load_state_dict(tensors)
        except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as cause:
            raise UsageError(f"{path} is no decoder: {cause!r}.") from cause
        bad = [name for name, x in tensors.items() if not bool(x.isfinite().all())]
        if bad:
            raise UsageError(f"{path} is no decoder: {bad[0]} is not finite.")
        return made


class Refitting:
    """A decoder, the episodes it learns from, and the descent.

    Args:
        names: The factors' names, in order.
        settings: How.

    Example:
        >>> fit = Refitting(("pace",), Lare(hidden=(8,), rate=0.01))
        >>> fit.add(Episode(np.ones((2, 1), np.float32), total=3.0))
        >>> for _ in range(300):
        ...     _ = fit.step()
        >>> fit.decoder.rewards(np.ones((1, 1))).round(1)
        array([1.5])
    """

    def __init__(self, names: Sequence[str], settings: Lare) -> None:
        self.settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.decoder = Decoder(names, settings.hidden)
        self.episodes: deque[Episode] = deque()
        self.updates = 0
        """Steps of the descent so far."""
        self._steps = 0
        self._rng = np.random.default_rng(settings.seed)
        self._descent = torch.optim.Adam(self.decoder.parameters(), settings.rate)

    def add(self, episode: Episode) -> None:
        """Remember an episode, and forget the oldest ones beyond what is kept."""
        self.episodes.append(episode)
        self._steps += len(episode.factors)
        while self._steps > self.settings.remembered and len(self.episodes) > 1:
            self._steps -= len(self.episodes.popleft().factors)

    def step(self) -> float:
        """Take one step of the descent; return the loss, NaN where nothing is known."""
        if not self.episodes:
            return float("nan")
        picks = self._rng.integers(len(self.episodes), size=self.settings.episodes)
        chosen = [self.episodes[int(number)] for number in picks]
        rows = [_drawn(item.factors, self.settings.drawn, self._rng) for item in chosen]
        loss = decomposition_loss(
            self.decoder(torch.as_tensor(np.concatenate(rows))),
            [len(item) for item in rows],
            [len(item.factors) for item in chosen],
            [item.total for item in chosen],
            unbiased=self.settings.unbiased,
        )
        self._descent.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's has no types
        self._descent.step()
        self.updates += 1
        return float(loss.detach())


def decomposition_loss(
    rewards: Tensor,
    drawn: Sequence[int],
    lengths: Sequence[int],
    totals: Sequence[float],
    *,
    unbiased: bool,
) -> Tensor:
    """Return the mean squared error of mean contributions against mean returns.

    Of an episode of T steps with return R, n steps are drawn without repeats; with their
    contributions' mean m and variance v (of n - 1), its loss is (m - R/T)^2 and, where
    it is to be unbiased, less v (1 - n/T) / n: on average over all draws that is the
    squared error of the whole episode's mean (Ren et al. 2022, section 4).

    Args:
        rewards: Contributions of the steps drawn, episode after episode.
        drawn: How many steps were drawn of each.
        lengths: The steps of each.
        totals: The return of each.
        unbiased: Take the variance away.

    Example:
        >>> decomposition_loss(torch.tensor([1.0, 3.0]), [2], [2], [6.0], unbiased=True)
        tensor(1.)
    """
    errors = []
    parts = torch.split(rewards, list(drawn))
    for part, length, total in zip(parts, lengths, totals, strict=True):
        count = len(part)
        error = (part.mean() - total / length) ** 2
        if unbiased and 1 < count < length:
            error = error - part.var() * (1.0 - count / length) / count
        errors.append(error)
    return torch.stack(errors).mean()


def _drawn(rows: Rows, most: int, rng: np.random.Generator) -> Rows:
    if len(rows) <= most:
        return rows
    return rows[rng.choice(len(rows), most, replace=False)]
