"""Rewards from rendered frames: an encoder that the user gives, and what judges it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation import Label
from reward_synth.intrinsic.bonuses.protocol import Mask, State, Values
from reward_synth.intrinsic.models.files import read_model
from reward_synth.intrinsic.models.online import LabelledRewards, NoLabels
from reward_synth.intrinsic.models.protocol import Question, Seen

Frames = npt.NDArray[np.uint8]
"""Pictures, shape ``(n, height, width, 3)``."""
Rows = npt.NDArray[np.float64]
"""An encoder's numbers, shape ``(n, width)``."""
PIXELS = "pixels"
"""Key that Gymnasium's ``AddRenderObservation`` gives frames by default."""
_AXES = 4


class FrameEncoder(Protocol):
    """Turns frames into rows of numbers: CLIP's image side, or any other."""

    def __call__(self, frames: Frames, /) -> Any:
        """Return an array or tensor of shape ``(n, width)``."""


class Scorer(Protocol):
    """Tells what encoded frames are worth."""

    kind: str
    """Names the class in files."""

    @property
    def width(self) -> int:
        """Numbers of a row."""

    def __call__(self, rows: Rows, /) -> Values:
        """Return what each row is worth, shape ``(n,)``."""

    def settings(self) -> dict[str, Any]:
        """Return what it was made with, as JSON data."""

    def data(self) -> str:
        """Return a digest of what it learned from."""

    def state(self) -> State:
        """Return what was learned."""

    def load(self, state: State, /) -> None:
        """Take over what :meth:`state` gave."""


class FrameModel:
    """A reward model of rendered frames; asks and learns nothing while agents train.

    Frames are encoded where the learner is paid, many at once: after a rollout in
    reward_synth's PPO and in ``FramedRolloutBuffer``.

    Args:
        scorer: ``GoalBaseline`` or ``Stages``.
        encoder: Turns frames into the numbers that the scorer reads.
        key: Of the observation's frames; empty: the observation is the frame.
        batch: Frames that are encoded at once.

    Raises:
        UsageError: ``batch`` is below 1.

    Example:
        >>> from reward_synth.intrinsic.models import GoalBaseline
        >>> model = FrameModel(GoalBaseline([1.0, 0.0]), lambda frames: frames[:, 0, 0, :2])
        >>> frames = np.zeros((2, 1, 1, 3), np.uint8)
        >>> frames[0, 0, 0, 0] = frames[1, 0, 0, 1] = 255
        >>> model.score(frames).tolist()
        [1.0, 0.0]
    """

    reads_obs = True

    def __init__(
        self,
        scorer: Scorer,
        encoder: FrameEncoder,
        key: str = PIXELS,
        batch: int = 64,
    ) -> None:
        if batch < 1:
            raise UsageError(f"batch must be at least 1; received {batch}.")
        self.scorer = scorer
        self.encoder = encoder
        self.key = key
        self.batch = batch
        self.kind = scorer.kind
        self.question: Question | None = None

    def score(self, frames: Any) -> Values:
        """Return what frames are worth.

        Raises:
            UsageError: They are no frames, or the encoder's numbers do not fit.
        """
        if not len(frames):
            return np.zeros(0)
        rows = encoded(self.encoder, frames, self.batch)
        if rows.shape[1] != self.scorer.width:
            raise UsageError(
                f"The encoder gives {rows.shape[1]} numbers a frame, the reward reads "
                f"{self.scorer.width}; take the encoder that it was made with."
            )
        return self.scorer(rows)

    def frames(self, obs: Any) -> Any:
        """Return the frames of batched observations.

        Raises:
            UsageError: There are none.
        """
        if not self.key:
            return obs
        if not isinstance(obs, Mapping) or self.key not in obs:
            raise UsageError(
                f"The observation has no frames under {self.key!r}. Wrap the environment "
                "with gymnasium.wrappers.AddRenderObservation(env, render_only=False)."
            )
        return obs[self.key]

    def judge(self, seen: Seen, /, *, learning: bool = False) -> list[Label]:
        """Return what each step's frame is worth."""
        del learning
        found = self.score(self.frames(seen.obs)) if len(seen) else np.zeros(0)
        return [Label("predicted", "", value, self.kind) for value in found.tolist()]

    def fit(self, seen: Seen, labels: Sequence[Label], /) -> Any:
        """Refuse: it reads frames, and no labels teach it.

        Raises:
            UsageError: Always.
        """
        del seen, labels
        raise UsageError(
            f"A {self.kind} reward learns from no labels; use it with frame_rewards(model)."
        )

    def settings(self) -> dict[str, Any]:
        """Return what the scorer was made with."""
        return self.scorer.settings()

    def data(self) -> str:
        """Return a digest of what the scorer learned from."""
        return self.scorer.data()

    def state(self) -> State:
        """Return what the scorer learned; the encoder is not kept."""
        return self.scorer.state()

    def load(self, state: State, /) -> None:
        """Take over what :meth:`state` gave."""
        self.scorer.load(state)


def frame_rewards(model: FrameModel) -> LabelledRewards:
    """Return what pays learners for frames: each alike, however often it was seen.

    Example:
        >>> from reward_synth.intrinsic.models import GoalBaseline
        >>> model = FrameModel(GoalBaseline([1.0]), lambda frames: frames[:, 0, 0, :1])
        >>> frames = np.full((1, 1, 1, 3), 255, np.uint8)
        >>> frame_rewards(model).pay(Seen(["frame"], {"pixels": frames}), [7])
        array([1.])
    """
    rewards = LabelledRewards(NoLabels(), model, power=0.0)
    rewards.frozen = True
    return rewards


class FrameBonus:
    """Pays frames at each step, for any learner: ``BonusReward(env, FrameBonus(model))``.

    Encodes as many frames at once as there are environments, each step.

    Args:
        model: Scores frames.

    Example:
        >>> from reward_synth.intrinsic.models import GoalBaseline
        >>> model = FrameModel(GoalBaseline([1.0]), lambda frames: frames[:, 0, 0, :1])
        >>> obs = {"pixels": np.full((2, 1, 1, 3), 255, np.uint8)}
        >>> valid = np.array([True, False])
        >>> FrameBonus(model).score(obs, None, obs, valid, learning=True)
        array([1., 0.])
    """

    def __init__(self, model: FrameModel) -> None:
        self.model = model

    def begin(self, obs: Any, lanes: Mask) -> None:
        """Do nothing: a frame's worth does not depend on others."""

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return what each step's frame is worth, 0 where the step is not ``valid``."""
        del obs, action, learning
        found = np.zeros(len(valid))
        if valid.any():
            found[valid] = self.model.score(self.model.frames(next_obs)[valid])
        return found

    def state(self) -> State:
        """Return what the scorer learned."""
        return self.model.state()

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over what :meth:`state` gave."""
        self.model.load(dict(state))


def encoded(encoder: FrameEncoder, frames: Any, batch: int = 64) -> Rows:
    """Encode frames, some at once.

    Raises:
        UsageError: They are no frames, or what the encoder gives are no rows of numbers.

    Example:
        >>> encoded(lambda x: x[:, 0, 0], np.zeros((3, 2, 2, 3), np.uint8), 2).shape
        (3, 3)
    """
    given = np.asarray(frames)
    if given.ndim != _AXES or given.dtype != np.uint8:
        raise UsageError(
            "Frames must be bytes of shape (n, height, width, 3); received "
            f"{given.dtype} of shape {given.shape}."
        )
    starts = range(0, len(given), batch)
    return np.concatenate([_rows(encoder, given[n : n + batch]) for n in starts])


def load_frame_model(
    path: str | Path, scorer: Any, encoder: FrameEncoder, key: str = PIXELS
) -> FrameModel:
    """Read a model of frames that ``save_model`` wrote.

    Args:
        path: The file.
        scorer: The class of its scorer: ``GoalBaseline`` or ``Stages``.
        encoder: The one that it was made with; it is in no file.
        key: Of the observation's frames.

    Raises:
        UsageError: It is no such file.
    """
    about, state = read_model(path)
    if about.kind != scorer.kind:
        raise UsageError(f"{path} holds a {about.kind} model, no {scorer.kind} one.")
    made: Scorer = scorer.saved(dict(about.settings), state)
    return FrameModel(made, encoder, key)


def _rows(encoder: FrameEncoder, frames: Frames) -> Rows:
    given = encoder(frames)
    for name in ("detach", "cpu", "numpy"):  # a tensor's, wherever it lies
        given = getattr(given, name)() if hasattr(given, name) else given
    rows = np.asarray(given, np.float64)
    if rows.ndim != 2 or len(rows) != len(frames) or not np.isfinite(rows).all():  # noqa: PLR2004 - rows
        raise UsageError(
            f"The encoder must give finite rows, shape ({len(frames)}, width); it gave "
            f"shape {rows.shape}, finite: {bool(np.isfinite(rows).all())}."
        )
    return rows
