"""Rewards from labels and from a model that learns them while the agent trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation import Label
from reward_synth.intrinsic.annotation.label import PENDING
from reward_synth.intrinsic.models.files import require_same
from reward_synth.intrinsic.models.pool import Pool, Wanted
from reward_synth.intrinsic.models.protocol import Fit, RewardModel, Seen, question_of
from reward_synth.intrinsic.models.ranking import RankingModel

Values = npt.NDArray[np.float64]


class Labels(Protocol):
    """Gives captions labels: an ``AnnotationService`` or ``ReplayedLabels``."""

    def submit(self, captions: Sequence[str], /) -> None:
        """Take captions."""

    def get(self, captions: Sequence[str], /) -> list[Label]:
        """Return what is known of each."""

    def publish(self) -> int:
        """Show the labels that came since the last time."""

    def check(self) -> None:
        """See whether the annotator lives."""


class NoLabels:
    """Labels nothing, for a model that has learned before and is frozen.

    Example:
        >>> NoLabels().get(["a key"])[0].status
        'pending'
    """

    def submit(self, captions: Sequence[str], /) -> None:
        """Do nothing: nobody is asked."""

    def get(self, captions: Sequence[str], /) -> list[Label]:
        """Return that nothing is known."""
        return [PENDING] * len(captions)

    def publish(self) -> int:
        """Do nothing."""
        return 0

    def check(self) -> None:
        """Do nothing."""


class LabelledRewards:
    """Pays steps for what their captions are worth.

    :meth:`watch` is called with what each step led to, :meth:`update` where the learner
    updates, :meth:`pay` for collected steps, right before the learner uses them: what was
    labelled meanwhile counts.

    A label that was given wins over a guess, and where the annotator abstained nothing is
    paid. Models that learn from pairs judge everything themselves; for them the service
    must answer about pairs (:func:`pair_prompt`, :class:`ComparedLabels`).

    Args:
        service: Labels captions or, for a ranking, pairs.
        model: Guesses for captions without a label; None: they are paid nothing.
        power: A caption's reward is divided by the count of the caption in the episode
            to this power; 0: it is not. 3 after ONI.
        pairs: Of captions, that a ranking asks about at once.
        seed: Decides which pairs are asked about.

    Raises:
        UsageError: ``power`` is below 0, or ``pairs`` below 1.
        RunConflictError: The model learned from answers to another question.

    Example:
        >>> from reward_synth.intrinsic.annotation import (
        ...     AnnotationService, Rule, RuleAnnotator)
        >>> rules = RuleAnnotator([Rule("key", "helpful")], otherwise="unhelpful")
        >>> rewards = LabelledRewards(AnnotationService(rules))
        >>> rewards.watch(Seen(["a key", "a rat"]))
        >>> _ = rewards.update()
        >>> rewards.pay(Seen(["a key", "a key", "a rat"]), [1, 2, 1])
        array([1.   , 0.125, 0.   ])
    """

    def __init__(
        self,
        service: Labels,
        model: RewardModel | None = None,
        *,
        power: float = 3.0,
        pairs: int = 64,
        seed: int = 0,
    ) -> None:
        if not power >= 0 or pairs < 1:
            raise UsageError(
                "power must be at least 0 and pairs at least 1; received "
                f"{power} and {pairs}."
            )
        self.service = service
        self.model: Any = model
        self.power = power
        self.frozen = False
        """True in evaluation: nothing is asked, learned or scaled anew."""
        asked = question_of(getattr(service, "annotator", None))
        if model is not None:
            require_same(model.question, asked, "The model")
            model.question = model.question or asked
        self._ranks = isinstance(model, RankingModel)
        rng = np.random.default_rng(seed)
        self._pool = Pool(rng, pairs=pairs, obs=self.reads_obs)
        self._waiting: list[Wanted] = []

    @property
    def reads_obs(self) -> bool:
        """Whether observations are needed beside captions."""
        return self.model is not None and bool(self.model.reads_obs)

    def watch(self, seen: Seen) -> None:
        """Take in what steps led to, and ask about it; never waits for a model."""
        if self.frozen:
            return
        if not self._ranks:
            self.service.submit(list(seen.captions))
        if self.model is not None:
            self._pool.add(seen)

    def update(self) -> Fit | None:
        """Take the labels that came, and let the model learn from them.

        Raises:
            AnnotatorDeadError: The annotator has died, and it was told to raise.
        """
        self.service.check()
        learns = self.model is not None and not self.frozen
        if learns:
            self._waiting += self._asked()
        self.service.publish()
        return self._learn() if learns else None

    def judge(self, seen: Seen) -> list[Label]:
        """Return what each step is worth, and how that is known."""
        guesses = None
        if self.model is not None:
            guesses = self.model.judge(seen, learning=not self.frozen)
        if self._ranks and guesses is not None:
            return list(guesses)
        given = self.service.get(list(seen.captions))
        if guesses is None:
            return given
        sure = ("known", "abstained")
        both = zip(given, guesses, strict=True)
        return [label if label.status in sure else guess for label, guess in both]

    def pay(self, seen: Seen, counts: Sequence[int] | npt.NDArray[Any]) -> Values:
        """Return what each step is paid.

        Args:
            seen: What the steps led to.
            counts: How often each step's caption was met in its episode, itself included.
        """
        return self.worth(self.judge(seen), counts)

    def worth(
        self, labels: Sequence[Label], counts: Sequence[int] | npt.NDArray[Any]
    ) -> Values:
        """Return what labels pay at these counts; what is not known pays nothing."""
        values = np.array([label.value or 0.0 for label in labels])
        return values * np.asarray(counts, np.float64) ** -self.power

    def _asked(self) -> list[Wanted]:
        """Return what the model may learn from since the last time; ask about pairs."""
        if not self._ranks:
            return self._pool.singles()
        fresh = self._pool.pairs()
        self.service.submit([item.text for item in fresh])
        return fresh

    def _learn(self) -> Fit:
        labels = self.service.get([item.text for item in self._waiting])
        done = [n for n, label in enumerate(labels) if label.status != "pending"]
        items = [self._waiting[n] for n in done]
        answers = [labels[n] for n in done]
        kept = set(done)
        self._waiting = [w for n, w in enumerate(self._waiting) if n not in kept]
        sides = self._pool.seen(items)
        if self._ranks:
            fit: Fit = self.model.fit_pairs(*sides, answers)
        else:
            fit = self.model.fit(sides[0], answers)
        return fit


class EpisodeCounts:
    """Counts how often each environment met each caption in its episode.

    Example:
        >>> counts = EpisodeCounts(2)
        >>> counts(["a", "a"], [False, True]).tolist()
        [1, 1]
        >>> counts(["a", "a"], [False, False]).tolist()
        [2, 1]
    """

    def __init__(self, lanes: int) -> None:
        self._met: list[dict[str, int]] = [{} for _ in range(lanes)]

    def __call__(
        self, captions: Sequence[str], ended: Sequence[Any] | npt.NDArray[Any]
    ) -> npt.NDArray[np.int64]:
        """Count one step of every environment; an ended episode is forgotten after it."""
        found = np.empty(len(self._met), np.int64)
        for lane, (text, met) in enumerate(zip(captions, self._met, strict=True)):
            count = met.get(text, 0) + 1
            met[text] = found[lane] = count
            if ended[lane]:
                met.clear()
        return found
