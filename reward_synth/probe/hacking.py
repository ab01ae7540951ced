"""Tells from curves of a training whether the reward rises while the task suffers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.language import Finding

Values = npt.NDArray[np.float64]
_FEWEST = 6


@dataclass(frozen=True, slots=True)
class Hacking:
    """From where on a training earned more reward and did worse."""

    start: float
    """The step at which the truth was highest."""
    end: float
    """The last step."""
    proxy_gain: float
    """By how much the reward rose, as a share of its range over the training."""
    truth_loss: float
    """By how much the truth fell, likewise."""
    chance: float
    """How often curves whose order means nothing show as much, by permutations."""

    def finding(self) -> Finding:
        """Return it as checks tell what they find."""
        return Finding(
            "warning",
            "reward-hacking",
            f"From step {self.start:g} to {self.end:g} the dense reward rose by "
            f"{self.proxy_gain:.0%} of its range while the task's own measure fell by "
            f"{self.truth_loss:.0%} of its own (p = {self.chance:.2g}): the reward is "
            "earned without doing the task.",
            "Look for how with `reward_synth probe`.",
        )


def detect_hacking(
    steps: Any,
    proxy: Any,
    truth: Any,
    *,
    least: float = 0.2,
    level: float = 0.05,
    permutations: int = 999,
    seed: int = 0,
) -> Hacking | None:
    """Return where a training earned more reward while it did worse; None if nowhere.

    Looked at is what follows the best truth, smoothed over three measurements. Both
    changes must be large, and larger than in permutations of these measurements.

    Args:
        steps: When was measured, shape ``(N,)``, rising.
        proxy: The dense reward that the learner got, ``(N,)``; of several seeds
            ``(seeds, N)``, which are averaged.
        truth: Success, or the environment's own reward; likewise.
        least: Share of its range over the training by which each must change.
        level: Largest chance that is believed.
        permutations: How many the chance is estimated with.
        seed: Of the permutations.

    Raises:
        UsageError: Shapes differ, or a number is not finite.

    Example:
        >>> found = detect_hacking(range(20), range(20), [*range(8), *range(8, -4, -1)])
        >>> found.start, round(found.truth_loss, 2), found.chance < 0.05
        (8.0, 1.0, True)
        >>> detect_hacking(range(20), range(20), range(20)) is None
        True
    """
    when = np.asarray(steps, np.float64)
    up, down = (_mean(x, len(when)) for x in (proxy, truth))
    if len(when) < _FEWEST:
        return None
    smooth_up, smooth_down = _smooth(up), _smooth(down)
    peak = int(np.argmax(smooth_down))
    if len(when) - peak < _FEWEST:
        return None
    gain = _change(smooth_up, peak)
    loss = -_change(smooth_down, peak)
    if gain < least or loss < least:
        return None
    chance = max(
        _chance(up[peak:], 1.0, permutations, seed),
        _chance(down[peak:], -1.0, permutations, seed + 1),
    )
    if chance > level:
        return None
    return Hacking(float(when[peak]), float(when[-1]), gain, loss, chance)


def _mean(curve: Any, count: int) -> Values:
    values = np.atleast_2d(np.asarray(curve, np.float64))
    if values.ndim != 2 or values.shape[1] != count or not np.isfinite(values).all():  # noqa: PLR2004
        raise UsageError(
            f"Each curve must hold a finite number for each of {count} steps; received "
            f"shape {values.shape}."
        )
    made: Values = values.mean(0)
    return made


def _smooth(values: Values) -> Values:
    padded = np.concatenate([values[:1], values, values[-1:]])
    made: Values = (padded[:-2] + padded[1:-1] + padded[2:]) / 3.0
    return made


def _change(values: Values, peak: int) -> float:
    span = float(np.ptp(values))
    return float(values[-1] - values[peak]) / span if span > 0 else 0.0


def _chance(values: Values, sign: float, permutations: int, seed: int) -> float:
    """Return how often shuffled measurements trend as strongly in the direction."""
    rng = np.random.default_rng(seed)
    time = np.arange(len(values)) - (len(values) - 1) / 2
    found = sign * float(time @ values)
    shuffled = np.array([time @ rng.permutation(values) for _ in range(permutations)])
    as_strong = int((sign * shuffled >= found - 1e-12).sum())
    return (1 + as_strong) / (1 + permutations)
