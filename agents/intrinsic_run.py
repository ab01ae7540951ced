"""Trains an agent on what labels and bonuses pay, and writes down what it did."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from reward_synth.agents import intrinsic_setup as setup
from reward_synth.agents.intrinsic_progress import (
    Progress,
    curve,
    mean,
    plain,
    success_of,
)
from reward_synth.agents.intrinsic_record import (
    CONFIG,
    JOURNAL,
    RESULT,
    STEPS,
    Recorder,
    write_whole,
)
from reward_synth.agents.ppo import PPO, Update, covered
from reward_synth.agents.ppo_config import PPOConfig
from reward_synth.agents.ppo_rollout import make_envs
from reward_synth.agents.ppo_sight import NetHackSight
from reward_synth.envs import resolve
from reward_synth.errors import RunConflictError, UsageError
from reward_synth.intrinsic.annotation import (
    AnnotationService,
    FarmingWatch,
    Metrics,
    WarmStart,
)
from reward_synth.intrinsic.bonuses import save_bonus
from reward_synth.intrinsic.models import (
    LabelledRewards,
    Labels,
    NoLabels,
    load_model,
    save_model,
)
from reward_synth.intrinsic.pauses import short_collections
from reward_synth.wrappers.bonus import VectorBonusReward

_LAST = 5
"""The result tells the last fifth."""


def keyroom_learning() -> PPOConfig:
    """Return settings that learn small rooms of MiniHack from labels.

    The weight was chosen on KeyRoom-S5 with seeds of their own: with 0.1 one of three
    trainings never began to succeed.

    Example:
        >>> keyroom_learning().rollout
        128
    """
    return PPOConfig(epochs=10, batches=16, hidden=(128, 128), intrinsic_weight=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrinsicConfig:
    """What is trained, on what rewards."""

    env: str
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    model: setup.Model = "oni-retrieval"
    frozen: str | None = None
    """File of a reward model that learned before; then nobody is asked."""
    bonuses: tuple[str, ...] = ()
    bonus_weight: float = 0.1
    """Factor of the sum of bonuses, beside that of all that is intrinsic."""
    caption: str = "auto"
    asked: setup.Asked = field(default_factory=setup.Asked)
    power: float = 3.0
    """Of a caption's count in the episode, by which its reward is divided."""
    warm: float = 0.0
    """Share of recent steps that must have a label before learning begins."""
    steps: int = 150_000
    lanes: int = 8
    seed: int = 0
    learning: PPOConfig = field(default_factory=keyroom_learning)

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.steps < 1 or self.lanes < 1:
            raise UsageError(
                f"steps and lanes must be at least 1; received {self.steps} and "
                f"{self.lanes}."
            )
        if not math.isfinite(self.bonus_weight):
            raise UsageError(f"bonus_weight must be finite; got {self.bonus_weight}.")


class Training:
    """One training, made from its configuration.

    Args:
        config: What is trained.
        folder: Takes everything that it writes; new or empty.

        through: What labels come through, for studies of labels that are late or wrong.

    Raises:
        RunConflictError: The folder holds a training already.
        UsageError: Names that there are not, or settings that do not fit.
    """

    def __init__(
        self,
        config: IntrinsicConfig,
        folder: Path,
        through: Callable[[AnnotationService], Labels] | None = None,
    ) -> None:
        if (folder / STEPS).exists():
            raise RunConflictError(
                f"{folder} holds a training already. Give another folder; answers of a "
                "language model are kept in its labels/."
            )
        setup.model_of(
            config.model, config.seed
        )  # names are refused before work begins
        self.config = config
        self.folder = folder
        ref = resolve(config.env, config.env_kwargs)
        self.bonus = setup.bonus_of(
            config.bonuses, ref, config.lanes, config.bonus_weight, config.seed
        )
        self.service: AnnotationService | None = None
        self.rewards, captioner = self._rewards(ref, through)
        maker = setup.env_maker(ref, config.caption)
        envs: Any = make_envs([maker] * config.lanes)
        if self.bonus is not None:
            envs = VectorBonusReward(envs, self.bonus, "tell")
        self.agent = PPO(
            envs,
            config.learning,
            seed=config.seed,
            sight=NetHackSight() if setup.game(ref) else None,
            rewards=self.rewards,
            captioner=captioner,
            gate=WarmStart(config.warm) if config.warm else None,
        )
        self.farming = FarmingWatch(config.lanes)
        self._covered = math.nan

    def run(self, tell: Callable[[Progress], None] | None = None) -> dict[str, Any]:
        """Train; return the result, which is also in the folder.

        Raises:
            AnnotatorDeadError: The annotator died.
        """
        torch.set_num_threads(
            1
        )  # small networks wait for threads more than they compute
        config, began = self.config, time.perf_counter()
        self.folder.mkdir(parents=True, exist_ok=True)
        told = json.dumps(asdict(config), indent=1, default=str)
        write_whole(self.folder / CONFIG, told + "\n")
        recorder = Recorder(self.folder)

        def update(done: Update) -> None:
            recorder.add(done)
            self._covered = covered(done.targets.labels)
            self._farm(done)
            if tell is not None:
                tell(self.progress(time.perf_counter() - began))

        try:
            with short_collections():
                self.agent.learn(config.steps, update)
        finally:
            recorder.close()
            self._save()
            if self.service is not None:
                self.service.close()
        return self._result(time.perf_counter() - began, recorder.statuses)

    def progress(self, seconds: float) -> Progress:
        """Return how far it is after so many seconds."""
        recent = self.agent.episodes[-100:]
        return Progress(
            self.agent.steps,
            self.config.steps,
            self.agent.steps / max(seconds, 1e-9),
            success_of(recent),
            mean([one.paid for one in recent]),
            self._covered,
            self._metrics(),
        )

    def _rewards(
        self, ref: Any, through: Callable[[AnnotationService], Labels] | None
    ) -> tuple[LabelledRewards | None, Any]:
        config = self.config
        if config.model == "none" and config.frozen is None:
            return None, None
        captioner = setup.captioner_of(ref, config.caption)
        if config.frozen is not None:
            learned = load_model(config.frozen, None)
            rewards = LabelledRewards(NoLabels(), learned, power=config.power)
            rewards.frozen = True
            return rewards, captioner
        journal = Path(config.asked.journal or self.folder / JOURNAL)
        annotator = setup.annotator_of(ref, config.asked, config.model, journal)
        self.service = AnnotationService(annotator, visible="at_publish")
        model = setup.model_of(config.model, config.seed)
        labels: Labels = self.service if through is None else through(self.service)
        rewards = LabelledRewards(labels, model, power=config.power, seed=config.seed)
        return rewards, captioner

    def _errors(self) -> dict[str, int]:
        """Return attempts at a language model that failed, by what went wrong."""
        asker = getattr(self.service and self.service.annotator, "asker", None)
        return {} if asker is None else dict(asker.errors)

    def _metrics(self) -> Metrics | None:
        return None if self.service is None else self.service.metrics()

    def _farm(self, done: Update) -> None:
        rollout = done.rollout
        if not rollout.captions:
            return
        lanes = self.config.lanes
        ended = rollout.terminated | rollout.truncated
        paid = done.targets.intrinsic - rollout.bonus
        for step, row in enumerate(paid):
            texts = rollout.captions[step * lanes : (step + 1) * lanes]
            self.farming.add(texts, row.tolist(), ended[step].tolist())

    def _save(self) -> None:
        self.agent.save(self.folder / "policy.safetensors")
        if self.rewards is not None:
            save_model(self.rewards.model, self.folder / "model.safetensors")
        if self.bonus is not None:
            save_bonus(self.bonus, self.folder / "bonus.npz")

    def _result(self, seconds: float, statuses: Mapping[str, int]) -> dict[str, Any]:
        config, episodes = self.config, self.agent.episodes
        last = [x for x in episodes if x.step > config.steps * (_LAST - 1) / _LAST]
        metrics = self._metrics()
        found = {
            "env": config.env,
            "model": config.frozen or config.model,
            "bonuses": list(config.bonuses),
            "seed": config.seed,
            "steps": self.agent.steps,
            "seconds": round(seconds, 3),
            "episodes": len(episodes),
            "success_last_fifth": plain(success_of(last)),
            "return_last_fifth": plain(mean([one.paid for one in last])),
            "curve": curve(episodes, config.steps),
            "steps_by_label": dict(statuses),
            "labels": None if metrics is None else _numbers(asdict(metrics)),
            "failed_requests": self._errors(),
            "farming": asdict(self.farming.farming()),
        }
        text = json.dumps(found, indent=1)
        write_whole(self.folder / RESULT, text + "\n")
        return found


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(x, float) and math.isnan(x) else x
        for name, x in values.items()
    }
