"""A reward of trajectories, learned from lessons."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.preference import Fit, Pairs, RewardModel, Segments, fit
from reward_synth.verify.armap.lessons import Lesson
from reward_synth.verify.armap.play import Trajectory
from reward_synth.verify.rewards.tokens import tokens

Row: TypeAlias = npt.NDArray[np.float64]
_SHARES = 4


def features(intent: str, trajectory: Trajectory, width: int) -> Row:
    """Return what the model sees of an intent and a trajectory, shape ``(4 + 2 width,)``.

    Shares of the intent's words in actions, observations and the last observation, and of
    the actions' words in the intent; then the words that actions and intent share, and the
    actions' other words, each counted in one of ``width`` buckets by a fixed hash.

    Example:
        >>> from reward_synth.verify.armap.play import Turn
        >>> played = Trajectory("A shop.", (Turn("take tea", "You have tea."),), 0)
        >>> features("Take the tea.", played, 4)[:4].round(2).tolist()
        [0.67, 0.33, 0.33, 1.0]
    """
    asked = Counter(tokens(intent))
    done = Counter(tokens(" ".join(trajectory.actions)))
    seen = tokens(" ".join(turn.observation for turn in trajectory.turns))
    last = tokens(trajectory.turns[-1].observation) if trajectory.turns else []
    shares = [_share(asked, part) for part in (done, seen, last)]
    row = np.zeros(_SHARES + 2 * width)
    row[:_SHARES] = [*shares, _share(done, asked)]
    for word, count in done.items():
        place = _SHARES + _bucket(word, width) + width * (word not in asked)
        row[place] += np.log1p(count)
    return row


def _share(words: Iterable[str], among: Iterable[str]) -> float:
    wanted, there = set(words), set(among)
    return len(wanted & there) / max(1, len(wanted))


@lru_cache(maxsize=100_000)
def _bucket(word: str, width: int) -> int:
    digest = hashlib.blake2b(word.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % width


@dataclass(frozen=True, slots=True)
class TrajectoryReward:
    """How well a trajectory fulfils an intent; only differences between them matter."""

    model: RewardModel
    width: int
    accuracy: float
    """Share of the lessons that were kept from learning that it gets right; NaN if none."""

    def __call__(self, intent: str, trajectory: Trajectory) -> float:
        """Return the reward of one trajectory."""
        return float(self.scores(intent, [trajectory])[0])

    def scores(self, intent: str, trajectories: Sequence[Trajectory]) -> Row:
        """Return the reward of each trajectory, shape ``(n,)``."""
        rows = np.stack([features(intent, item, self.width) for item in trajectories])
        members = [outputs[:, 0] for outputs in self.model.embed(rows)]
        mean: Row = np.mean(members, 0)
        return mean

    def best(self, intent: str, trajectories: Sequence[Trajectory]) -> int:
        """Return which trajectory fulfils an intent best: the first of the best.

        Raises:
            UsageError: There is none.
        """
        if not trajectories:
            raise UsageError("The best of no trajectories was asked for.")
        return int(np.argmax(self.scores(intent, trajectories)))


def fit_reward(
    lessons: Sequence[Lesson], width: int = 64, settings: Fit | None = None
) -> TrajectoryReward:
    r"""Learn a reward by :math:`-\log\sigma(R(i, h^+) - R(i, h^-))`.

    Args:
        lessons: Intents with a better and a worse trajectory.
        width: Buckets of words.
        settings: How to learn, see :func:`reward_synth.preference.fit`.

    Raises:
        UsageError: There is no lesson.
        MissingExtraError: PyTorch is not installed.
    """
    if not lessons:
        raise UsageError("A reward is learned from one lesson at least; received none.")
    sides = [(item.intent, item.better) for item in lessons]
    sides += [(item.intent, item.worse) for item in lessons]
    segments = Segments.of([features(*side, width)[None] for side in sides])
    count = len(lessons)
    pairs = Pairs(np.arange(count), np.arange(count, 2 * count), np.ones(count))
    fitted = fit(segments, pairs, settings or Fit(hidden=(32,), steps=300, decay=1e-2))
    return TrajectoryReward(fitted.model, width, fitted.held_out_accuracy)
