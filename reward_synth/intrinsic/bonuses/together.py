"""Bonuses of bonuses: sums and products, such as the global times the episodic one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import Bonus, Mask, State, Values
from reward_synth.intrinsic.bonuses.scale import part


class _Several:
    def __init__(self, *bonuses: Bonus) -> None:
        if not bonuses:
            raise UsageError(f"{type(self).__name__} needs at least one bonus.")
        self.bonuses = bonuses

    def begin(self, obs: Any, lanes: Mask) -> None:
        """Begin episodes of the marked lanes."""
        for bonus in self.bonuses:
            bonus.begin(obs, lanes)

    def state(self) -> State:
        """Return what each learned."""
        return {
            f"{number}.{name}": value
            for number, bonus in enumerate(self.bonuses)
            for name, value in bonus.state().items()
        }

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over what :meth:`state` gave."""
        for number, bonus in enumerate(self.bonuses):
            bonus.load(part(state, f"{number}."))

    def _scores(self, *step: Any, learning: bool) -> list[Values]:
        return [bonus.score(*step, learning=learning) for bonus in self.bonuses]


class Product(_Several):
    """Pays the product, such as 1[N_e = 1] / sqrt(N); most robust in arXiv 2306.03236.

    Raises:
        UsageError: No bonus is given.

    Example:
        >>> from reward_synth.intrinsic.bonuses import EpisodicCount, GlobalCount
        >>> bonus, yes = Product(EpisodicCount(1), GlobalCount(1)), np.array([True])
        >>> bonus.begin(np.array([[0]]), yes)
        >>> bonus.score(None, None, np.array([[1]]), yes, learning=True)
        array([1.])
    """

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the product for each step."""
        scores = self._scores(obs, action, next_obs, valid, learning=learning)
        product: Values = np.prod(scores, axis=0)
        return product


class Sum(_Several):
    """Pays the sum; weights come from :class:`ShapedBonus`.

    Raises:
        UsageError: No bonus is given.
    """

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the sum for each step."""
        scores = self._scores(obs, action, next_obs, valid, learning=learning)
        total: Values = np.sum(scores, axis=0)
        return total


def save_bonus(bonus: Bonus, path: str | Path) -> None:
    """Write what a bonus learned as ``.npz``, without pickle.

    Example:
        >>> import tempfile
        >>> from reward_synth.intrinsic.bonuses import GlobalCount
        >>> file = Path(tempfile.mkdtemp()) / "bonus.npz"
        >>> one, two = GlobalCount(1), GlobalCount(1)
        >>> _ = one.score(None, None, np.array([[1]]), np.array([True]), learning=True)
        >>> save_bonus(one, file); load_bonus(two, file); len(two)
        1
    """
    with open(path, "wb") as file:
        np.savez(file, allow_pickle=False, **bonus.state())


def load_bonus(bonus: Bonus, path: str | Path) -> None:
    """Read what :func:`save_bonus` wrote into a bonus that is made alike.

    Raises:
        UsageError: The file was written by another bonus.
    """
    with np.load(path, allow_pickle=False) as data:
        state = {name: data[name] for name in data.files}
    wanted = set(bonus.state())
    if set(state) != wanted:
        strange = sorted(wanted ^ set(state))
        raise UsageError(
            f"{path} was written by another bonus: {', '.join(strange)} differ. Make "
            "the bonus as it was made when it was saved."
        )
    bonus.load(state)
