"""Bonuses from counts of states, as "A Study of Global and Episodic Bonuses" codes them.

M. Henaff, M. Jiang and R. Raileanu, arXiv 2306.03236.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import Feature, Mask, State, Values, whole

_Counts = dict[bytes, int]


class EpisodicCount:
    """Pays by how often a state was met in the episode, its first state included.

    With ``power=None`` it pays 1 for the first time and 0 after it: 1[N_e(s') = 1].
    Else ``N_e(s') ** -power``; ONI uses 3 for messages.

    Args:
        lanes: How many environments.
        feature: What counts as a state.
        power: See above.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> count, yes = EpisodicCount(1), np.array([True])
        >>> count.begin(np.array([[0]]), yes)
        >>> [count.score(None, None, np.array([[x]]), yes, learning=True).item()
        ...  for x in (0, 1, 1)]
        [0.0, 1.0, 0.0]
    """

    def __init__(
        self, lanes: int, feature: Feature = whole, power: float | None = None
    ) -> None:
        if lanes < 1 or (power is not None and not power >= 0):
            raise UsageError(
                "Counts need at least one lane and a power of at least 0; received "
                f"{lanes} and {power}."
            )
        self.feature = feature
        self.power = power
        self._met: list[_Counts] = [{} for _ in range(lanes)]

    def begin(self, obs: Any, lanes: Mask) -> None:
        """Forget the marked lanes' episodes and count their first states."""
        rows = _rows(self.feature(obs))
        for lane in np.flatnonzero(lanes):
            self._met[lane] = {rows[lane].tobytes(): 1}

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the bonus of each step."""
        del obs, action, learning  # an episode is counted in evaluation too
        rows = _rows(self.feature(next_obs))
        paid = np.zeros(len(self._met))
        for lane in np.flatnonzero(valid):
            met, key = self._met[lane], rows[lane].tobytes()
            count = met.get(key, 0) + 1
            met[key] = count
            paid[lane] = self._worth(count)
        return paid

    def state(self) -> State:
        """Return nothing: no episode lasts."""
        return {}

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take nothing over."""

    def _worth(self, count: int) -> float:
        if self.power is None:
            return 1.0 if count == 1 else 0.0
        return float(count**-self.power)


class GlobalCount:
    """Pays 1 / sqrt(N(s')), with N over all environments and episodes.

    Args:
        lanes: How many environments.
        feature: What counts as a state.

    Example:
        >>> count, two = GlobalCount(2), np.array([True, True])
        >>> count.score(None, None, np.array([[7], [7]]), two, learning=True).round(3)
        array([1.   , 0.707])
    """

    def __init__(self, lanes: int, feature: Feature = whole) -> None:
        if lanes < 1:
            raise UsageError(f"Counts need at least one lane; received {lanes}.")
        self.feature = feature
        self.lanes = lanes
        self._met: _Counts = {}

    def __len__(self) -> int:
        """Return how many different states were met."""
        return len(self._met)

    def begin(self, obs: Any, lanes: Mask) -> None:
        """Do nothing: only states that a step leads to are counted."""

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the bonus of each step; lanes are counted in their order."""
        del obs, action
        rows = _rows(self.feature(next_obs))
        paid = np.zeros(self.lanes)
        for lane in np.flatnonzero(valid):
            key = rows[lane].tobytes()
            count = self._met.get(key, 0) + 1
            if learning:
                self._met[key] = count
            paid[lane] = count**-0.5
        return paid

    def state(self) -> State:
        """Return states and their counts."""
        sizes = [len(key) for key in self._met]
        joined = np.frombuffer(b"".join(self._met), np.uint8)
        counts = np.array(list(self._met.values()), np.int64)
        return {"sizes": np.array(sizes, np.int64), "keys": joined, "counts": counts}

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over states and their counts."""
        data = state["keys"].tobytes()
        ends = np.cumsum(state["sizes"]).tolist()
        starts = [0, *ends[:-1]]
        keys = [data[a:b] for a, b in zip(starts, ends, strict=True)]
        self._met = dict(zip(keys, state["counts"].tolist(), strict=True))


def _rows(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return rows whose bytes are equal where their numbers are: -0.0 becomes 0.0.

    Raises:
        UsageError: They hold no numbers; bytes of texts depend on the longest.
    """
    if values.dtype.kind not in "biuf":
        raise UsageError(
            f"Counts need a feature of numbers; it gave {values.dtype}. For texts take "
            "Captions(Captioner(function))."
        )
    return values + 0.0 if values.dtype.kind == "f" else values
