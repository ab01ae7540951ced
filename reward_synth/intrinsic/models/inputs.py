"""What reward models read: texts by n-grams or characters, and observations."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses import whole
from reward_synth.intrinsic.models.protocol import Seen

_FAR = 10.0
"""Deviations beyond which an observation is cut."""


class Encoder(Protocol):
    """A torch module that turns steps into rows of numbers."""

    kind: str
    width: int
    """Numbers of a row."""
    reads_obs: bool

    def encode(self, seen: Seen, /) -> Tensor:
        """Return the rows, shape ``(n, width)``."""

    def observe(self, seen: Seen, /) -> None:
        """Take scales from the first examples."""

    def settings(self) -> dict[str, Any]:
        """Return what it was made with, as JSON data."""


class NGrams(nn.Module):
    """The mean of embeddings of words and of groups of three and four letters.

    They are hashed, so that there is no vocabulary: a word that was never met has letters
    that were. Fast on a processor.

    Args:
        buckets: How many embeddings.
        width: Of each.

    Example:
        >>> NGrams(64, 8).encode(Seen(["a key", "a door"])).shape
        torch.Size([2, 8])
    """

    kind = "ngrams"
    reads_obs = False

    def __init__(self, buckets: int = 2048, width: int = 32) -> None:
        super().__init__()
        _require(buckets=buckets, width=width)
        self.buckets = buckets
        self.width = width
        self.table = nn.EmbeddingBag(buckets, width, mode="mean")

    def encode(self, seen: Seen, /) -> Tensor:
        """Return the rows."""
        ids = [ngrams(text, self.buckets) for text in seen.captions]
        starts = np.cumsum([0, *(len(one) for one in ids[:-1])])
        rows: Tensor = self.table(
            torch.from_numpy(np.concatenate(ids)), torch.from_numpy(starts)
        )
        return rows

    def observe(self, seen: Seen, /) -> None:
        """Do nothing: texts have no scale."""

    def settings(self) -> dict[str, Any]:
        """Return buckets and width."""
        return {"buckets": self.buckets, "width": self.width}


class Characters(nn.Module):
    """Convolutions over the bytes of a text, then the greatest value of each channel.

    After the character network of ONI (arXiv 2410.23022): an embedding of 32, layers of
    64 channels; here fewer of them.

    Args:
        length: Bytes that are read.
        embedding: Numbers of a byte.
        width: Channels.
        layers: Convolutions over five bytes, each halving the length.

    Example:
        >>> Characters(32, layers=2).encode(Seen(["a key"])).shape
        torch.Size([1, 64])
    """

    kind = "characters"
    reads_obs = False

    def __init__(
        self, length: int = 256, embedding: int = 32, width: int = 64, layers: int = 3
    ) -> None:
        super().__init__()
        _require(length=length, embedding=embedding, width=width, layers=layers)
        self.length = length
        self.embedding = embedding
        self.width = width
        self.layers = layers
        self.table = nn.Embedding(257, embedding, padding_idx=0)
        sizes = (embedding, *(width,) * layers)
        parts = [
            part
            for before, after in pairwise(sizes)
            for part in (nn.Conv1d(before, after, 5, 2, padding=2), nn.ReLU())
        ]
        self.stack = nn.Sequential(*parts)

    def encode(self, seen: Seen, /) -> Tensor:
        """Return the rows."""
        codes = np.stack([_codes(text, self.length) for text in seen.captions])
        values = self.table(torch.from_numpy(codes)).transpose(1, 2)
        rows: Tensor = self.stack(values).amax(2)
        return rows

    def observe(self, seen: Seen, /) -> None:
        """Do nothing: texts have no scale."""

    def settings(self) -> dict[str, Any]:
        """Return the sizes."""
        return {
            "length": self.length,
            "embedding": self.embedding,
            "width": self.width,
            "layers": self.layers,
        }


class Observed(nn.Module):
    """Box and Dict observations, flat, in deviations of the first examples.

    Args:
        width: Numbers of an observation, all keys together.
        keys: The keys of a Dict that are read; empty: all, by name.

    Raises:
        UsageError: ``width`` is below 1.

    Example:
        >>> Observed(3).encode(Seen(["", ""], {"x": np.ones((2, 2)), "y": np.ones(2)}))
        tensor([[1., 1., 1.],
                [1., 1., 1.]])
    """

    kind = "observed"
    reads_obs = True

    def __init__(self, width: int, keys: Sequence[str] = ()) -> None:
        super().__init__()
        _require(width=width)
        self.width = width
        self.keys = tuple(keys)
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    @classmethod
    def of(cls, space: Any, keys: Sequence[str] = ()) -> Observed:
        """Return one for a space.

        Example:
            >>> from gymnasium.spaces import Box
            >>> Observed.of(Box(0, 1, (2, 3))).width
            6
        """
        return cls(_rows(_one(space.sample()), tuple(keys)).shape[1], keys)

    def encode(self, seen: Seen, /) -> Tensor:
        """Return the rows.

        Raises:
            UsageError: There are no observations, or they have another size.
        """
        rows = torch.from_numpy(self._flat(seen)).float()
        scaled: Tensor = (rows - self.mean) / self.scale
        return scaled.clamp(-_FAR, _FAR)

    def observe(self, seen: Seen, /) -> None:
        """Take mean and deviation from examples."""
        rows = torch.from_numpy(self._flat(seen)).double()
        spread = rows.std(0, correction=0)
        self.mean.copy_(rows.mean(0))
        self.scale.copy_(torch.where(spread > 0, spread, 1.0))

    def settings(self) -> dict[str, Any]:
        """Return width and keys."""
        return {"width": self.width, "keys": list(self.keys)}

    def _flat(self, seen: Seen) -> Any:
        if seen.obs is None:
            raise UsageError("This model reads observations; received captions alone.")
        rows = _rows(seen.obs, self.keys)
        if rows.shape[1] != self.width:
            raise UsageError(
                f"The model reads {self.width} numbers of an observation; received "
                f"{rows.shape[1]}. Make it with Observed.of(env.observation_space)."
            )
        return rows


@lru_cache(maxsize=100_000)
def ngrams(text: str, buckets: int) -> Any:
    """Return the buckets of a text's words and letters; never none.

    Example:
        >>> ngrams("key", 10**9).tolist() == ngrams("KEY", 10**9).tolist()
        True
    """
    parts = [zlib.crc32(part.encode()) % buckets for part in _parts(text.lower())]
    return np.array(parts, np.int64)


def _parts(text: str) -> Iterator[str]:
    yield "\0"  # of every text, the empty one too
    for word in text.split():
        yield word
        padded = f"<{word}>"
        for size in (3, 4):
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]


@lru_cache(maxsize=100_000)
def _codes(text: str, length: int) -> Any:
    raw = np.frombuffer(text.encode()[:length], np.uint8).astype(np.int64) + 1
    return np.pad(raw, (0, length - len(raw)))


def _rows(obs: Any, keys: tuple[str, ...]) -> Any:
    if keys:
        missing = [k for k in keys if not isinstance(obs, Mapping) or k not in obs]
        if missing:
            raise UsageError(f"The observation has no {missing[0]!r}.")
        obs = {key: obs[key] for key in keys}
    return np.asarray(whole(obs), np.float64)


def _one(obs: Any) -> Any:
    if isinstance(obs, Mapping):
        return {name: _one(value) for name, value in obs.items()}
    return np.asarray(obs)[None]


def _require(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise UsageError(f"{name} must be at least 1; received {size}.")


ENCODERS: Mapping[str, Any] = {
    item.kind: item for item in (NGrams, Characters, Observed)
}
"""Classes by the name that files give them."""
