"""What a bonus is, and what it reads of an observation."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.captions import Captioner

Values: TypeAlias = npt.NDArray[np.float64]
"""One number for each environment, shape ``(num_envs,)``."""
Mask: TypeAlias = npt.NDArray[np.bool_]
"""One flag for each environment, shape ``(num_envs,)``."""
State: TypeAlias = dict[str, npt.NDArray[Any]]
"""What was learned, as arrays; saved without pickle."""


class Feature(Protocol):
    """What a bonus looks at."""

    def __call__(self, obs: Any, /) -> npt.NDArray[Any]:
        """Return it for a batch of observations, shape ``(num_envs, ...)``."""


class Bonus(Protocol):
    """Pays for what is new. Batched: one lane an environment."""

    def begin(self, obs: Any, lanes: Mask) -> None:
        """Let episodes of the marked lanes begin at ``obs``."""

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the bonus of each step, 0 where it is not ``valid``.

        Args:
            obs: Batched, as they were before the step.
            action: Batched.
            next_obs: Batched; the last one of an episode, never the first of the next.
            valid: False for a step that only resets.
            learning: False in evaluation: what lasts beyond an episode stays as it is.
        """

    def state(self) -> State:
        """Return what lasts beyond an episode."""

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over what :meth:`state` gave."""


def whole(obs: Any) -> npt.NDArray[Any]:
    """Return the whole observation, flat, each environment a row.

    Example:
        >>> whole({"b": np.array([[3], [4]]), "a": np.array([[1], [2]])})
        array([[1, 3],
               [2, 4]])
    """
    if isinstance(obs, Mapping):
        parts = [_flat(obs[name]) for name in sorted(obs)]
        return np.concatenate(parts, axis=1)
    return _flat(obs)


class Key:
    """One entry of a Dict observation, or some columns of it.

    Example:
        >>> Key("blstats", (0, 1))({"blstats": np.array([[4, 5, 6]])})
        array([[4, 5]])
    """

    def __init__(self, name: str, columns: tuple[int, ...] = ()) -> None:
        self.name = name
        self.columns = list(columns)

    def __call__(self, obs: Any, /) -> npt.NDArray[Any]:
        """Return it, flat, each environment a row.

        Raises:
            UsageError: The observation has no such key.
        """
        if not isinstance(obs, Mapping) or self.name not in obs:
            known = ", ".join(obs) if isinstance(obs, Mapping) else "no keys"
            raise UsageError(f"The observation has no {self.name!r}; it has {known}.")
        values = _flat(obs[self.name])
        return values[:, self.columns] if self.columns else values


class Captions:
    """Digests of the captions of observations, so that states are told apart by text.

    Example:
        >>> captions = Captions(Captioner(lambda obs: "left" if obs[0] < 0 else "right"))
        >>> rows = captions(np.array([[-1.0], [-2.0], [3.0]]))
        >>> rows.shape, bool((rows[0] == rows[1]).all()), bool((rows[0] == rows[2]).any())
        ((3, 2), True, False)
    """

    def __init__(self, captioner: Captioner) -> None:
        self.captioner = captioner

    def __call__(self, obs: Any, /) -> npt.NDArray[Any]:
        """Return 16 bytes for each environment's caption, shape ``(num_envs, 2)``."""
        first = next(iter(obs.values())) if isinstance(obs, Mapping) else obs
        texts = self.captioner.batch(obs, len(first))
        digests = (blake2b(text.encode(), digest_size=16).digest() for text in texts)
        return np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)


MESSAGE = Key("message")
GLYPHS = Key("glyphs")
POSITION = Key("blstats", (0, 1))
"""The hero's place, of NetHack's observation."""


def _flat(values: Any) -> npt.NDArray[Any]:
    array = np.asarray(values)
    return array.reshape(len(array), -1)
