"""One trial of our PPO, which learns the environment's pay and all other pay apart."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from reward_synth.agents import intrinsic_setup as setup
from reward_synth.agents import schedule
from reward_synth.agents.intrinsic_run import keyroom_learning
from reward_synth.agents.ppo import PPO, Update
from reward_synth.agents.ppo_collect import played
from reward_synth.agents.ppo_config import PPOConfig
from reward_synth.agents.ppo_network import ActorCritic
from reward_synth.agents.ppo_rollout import make_envs
from reward_synth.agents.ppo_sight import FlatSight, NetHackSight, Sight
from reward_synth.agents.progress import CURVES, WEIGHTS
from reward_synth.agents.weights import write_weights
from reward_synth.intrinsic import Captioner, MessageCaption, TaskCaption
from reward_synth.intrinsic.annotation import AnnotationService, task_rules
from reward_synth.intrinsic.models import LabelledRewards
from reward_synth.wrappers.bonus import VectorBonusReward

if TYPE_CHECKING:
    from reward_synth.agents.trainer import Tell
    from reward_synth.agents.trial_spec import TrialSpec

LANES = 8
_TELL = 1.0
"""Seconds between two words of progress."""


class Policy:
    """The policy of our PPO, as evaluations ask and load policies.

    Args:
        spec: The trial.
        env: Of the same spaces as those that are trained in.
    """

    def __init__(self, spec: TrialSpec, env: gym.Env[Any, Any]) -> None:
        self.space = env.action_space
        self.sight = sight_of(spec, env.observation_space)
        layers = settings_of(spec).hidden
        self.network = ActorCritic(self.sight.width, self.space, layers)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the network's weights."""
        return dict(self.network.state_dict())

    def load_state_dict(self, weights: Mapping[str, Tensor]) -> None:
        """Take weights over."""
        self.network.load_state_dict(weights)

    @torch.no_grad()
    def predict(self, obs: Any, *, deterministic: bool = True) -> tuple[Any, None]:
        """Return the action for one observation; no state goes with it."""
        rows = torch.from_numpy(self.sight(_batch(obs)))
        policy = self.network.step(rows, self.network.blank(1)).policy
        action = policy.mode if deterministic else policy.sample()
        return played(self.space, action)[0], None


def make_policy(spec: TrialSpec, env: gym.Env[Any, Any]) -> Policy:
    """Return an untrained policy, as the agent of ``spec`` has it."""
    return Policy(spec, env)


def settings_of(spec: TrialSpec) -> PPOConfig:
    """Return how the agent of a trial learns."""
    base, agent = keyroom_learning(), spec.agent
    pay = spec.intrinsic
    return PPOConfig(
        rollout=base.rollout,
        epochs=base.epochs,
        batches=base.batches,
        rate=agent.learning_rate,
        gamma=spec.gamma,
        intrinsic_gamma=spec.gamma,
        intrinsic_weight=0.0 if pay is None else pay.weight,
        hidden=agent.net_arch or base.hidden,
    )


def evaluation_points(
    spec: TrialSpec, env: gym.Env[Any, Any] | None = None
) -> list[int]:
    """Return the steps at which the agent is measured, by the first update after them."""
    del env  # our PPO learns after as many steps everywhere
    block = LANES * settings_of(spec).rollout
    return schedule.points(spec.steps, spec.evaluations, block)


def sight_of(spec: TrialSpec, space: gym.Space[Any]) -> Sight:
    """Return what the network sees of observations."""
    return NetHackSight() if setup.game(spec.env) else FlatSight(space)


def prepare(spec: TrialSpec) -> None:
    """Make or load what a training needs, before its process confines itself."""
    spec.env.prepare(LANES, **setup.seen_keys(spec.env, "message"))


def train(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Train; weights are in ``folder / "weights"`` then, as evaluations find them.

    Args:
        spec: A trial whose agent is ``two-value-ppo``.
        folder: Takes weights and curves.
        tell: Is told the progress.
    """
    torch.set_num_threads(1)  # trials run beside each other
    given = setup.seen_keys(spec.env, "message")
    envs: Any = make_envs([lambda: spec.build(**given)] * LANES)
    pay = spec.intrinsic
    bonus = None
    if pay is not None:
        names, weight = pay.bonuses, pay.bonus_weight
        bonus = setup.bonus_of(names, spec.env, LANES, weight, spec.seed)
    if bonus is not None:
        envs = VectorBonusReward(envs, bonus, "tell")
    rewards = labels_of(spec)
    agent = PPO(
        envs,
        settings_of(spec),
        seed=spec.seed,
        sight=sight_of(spec, envs.single_observation_space),
        rewards=rewards,
        captioner=None if rewards is None else captioner_of(spec),
    )
    _learn(spec, agent, folder, tell)
    envs.close()


def labels_of(spec: TrialSpec) -> LabelledRewards | None:
    """Return what pays for labels, by the rules of the task."""
    pay = spec.intrinsic
    if pay is None or pay.model == "none":
        return None
    rules = setup.annotator_of(spec.env, setup.Asked(), _model(pay.model), Path())
    model = setup.model_of(_model(pay.model), spec.seed)
    service = AnnotationService(rules, visible="at_publish")
    return LabelledRewards(service, model, power=pay.power, seed=spec.seed)


def require_labels(spec_env: Any, model: str) -> None:
    """Refuse labels that nobody can give.

    Raises:
        UsageError: There is no such model, or there are no rules for the task.
    """
    setup.model_of(_model(model), 0)
    if model != "none":
        task_rules(spec_env.task)


def captioner_of(spec: TrialSpec) -> Captioner:
    """Return what tells captions: the game's messages, or the task's fields."""
    if setup.game(spec.env):
        return Captioner(MessageCaption())
    return Captioner(TaskCaption(spec.task))


def _model(name: str) -> Any:
    return name  # model_of refuses what there is not


def _learn(spec: TrialSpec, agent: PPO, folder: Path, tell: Tell) -> None:
    """Let an agent learn; keep weights when they are measured, and curves."""
    place = folder / WEIGHTS
    waiting = evaluation_points(spec)
    curves = _Curves(folder / CURVES)
    began = last = time.monotonic()

    def update(done: Update) -> None:
        nonlocal last
        curves.add(done)
        while waiting and done.steps >= waiting[0]:
            name = schedule.weights_file(waiting.pop(0))
            write_weights(agent.network.state_dict(), place / name)
        now = time.monotonic()
        if now - last >= _TELL:
            last = now
            spent = round(now - began, 1)
            tell({"progress": {"steps": done.steps, "seconds": spent}})

    agent.learn(spec.steps, update)
    final = schedule.weights_file(schedule.FINAL)
    write_weights(agent.network.state_dict(), place / final)


class _Curves:
    """Appends the sums of each training episode to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sums = np.zeros((LANES, 3))

    def add(self, done: Update) -> None:
        """Write down the episodes that ended in an update."""
        lines = "".join(json.dumps(row) + "\n" for row in self._rows(done))
        with self.path.open("a") as file:
            file.write(lines)

    def _rows(self, done: Update) -> Iterator[dict[str, Any]]:
        rollout = done.rollout
        labels = done.targets.intrinsic - rollout.bonus
        paid = np.stack([rollout.rewards, labels, rollout.bonus], -1)
        first = done.steps - rollout.rewards.size
        for step, row in enumerate(paid):
            self._sums += row
            for lane in np.flatnonzero(
                rollout.terminated[step] | rollout.truncated[step]
            ):
                sparse, labelled, bonus = self._sums[lane].tolist()
                self._sums[lane] = 0.0
                yield {
                    "step": first + (step + 1) * LANES,
                    "components": {"labels": labelled, "bonus": bonus},
                    "sparse_return": sparse,
                    "dense_return": labelled + bonus,
                }


def _batch(obs: Any) -> Any:
    if isinstance(obs, Mapping):
        return {name: _batch(value) for name, value in obs.items()}
    return np.asarray(obs)[None]
