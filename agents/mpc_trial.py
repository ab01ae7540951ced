"""Measures a planner: a confined process plans with the program, actions alone come back.

The measuring process loads no program: it plays the actions from the same seeds in its own
simulator and sees for itself what they reach. Forged actions are no better than what they do.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import torch

from reward_synth.agents.evaluate import evaluate
from reward_synth.agents.evaluator import EVALUATION_SEED, SELECTION_SEED, TOLD
from reward_synth.agents.mpc_spec import PLAN, PlanSpec
from reward_synth.agents.progress import WEIGHTS
from reward_synth.agents.schedule import weights_file
from reward_synth.agents.traces import best_and_worst, record
from reward_synth.agents.trainer_process import TrainerProcess
from reward_synth.agents.warm_trainers import Address
from reward_synth.agents.weights import write_weights
from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from reward_synth.agents.trainer import Tell, Train
    from reward_synth.agents.trial_spec import TrialSpec

_OBSERVED = 1.0
"""Seconds between two words of progress."""


class Replayed:
    """A policy that knows its actions beforehand; the last one is kept up."""

    def __init__(self, actions: Any) -> None:
        self.actions = actions
        self.step = 0

    def predict(self, obs: Any, deterministic: bool) -> tuple[Any, None]:
        """Return the next action."""
        del obs, deterministic
        action = self.actions[min(self.step, len(self.actions) - 1)]
        self.step += 1
        return action, None


def plan(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Plan every episode; what confined processes do. The measuring one never calls it.

    Args:
        spec: A :class:`PlanSpec`.
        folder: Takes the actions.
        tell: Is told the progress.

    Raises:
        UsageError: It is another kind of trial, or has no program.
    """
    from reward_synth.agents import mpc  # noqa: PLC0415 - loads numba and mujoco
    from reward_synth.wrappers.sources import program_function  # noqa: PLC0415 - likewise

    if not isinstance(spec, PlanSpec) or spec.program is None:
        raise UsageError(f"A planned trial with a program is needed; received {spec}.")
    function = program_function(spec.program, spec.task, potential=False)
    env = spec.build_for_measurement()
    twin = mpc.Twin(spec.build_for_measurement(), spec.task, function)
    space: Any = env.action_space
    began = last = time.monotonic()
    actions = np.zeros(_shape(spec, env))
    for number, seed in enumerate(seeds(spec)):
        rng = np.random.default_rng([spec.seed, seed])
        planner = mpc.Planner(space, twin.play, spec.planner, rng)
        env.reset(seed=seed)
        for step in range(actions.shape[1]):
            action = planner.act(mpc.state_of(env)).astype(space.dtype)
            actions[number, step] = action
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                break
        now = time.monotonic()
        if now - last >= _OBSERVED:
            last, done = now, (number + 1) * actions.shape[1]
            tell({"progress": {"steps": done, "seconds": round(now - began, 1)}})
    path = folder / WEIGHTS / weights_file(PLAN)
    write_weights({"actions": torch.as_tensor(actions)}, path)


def seeds(spec: TrialSpec) -> list[int]:
    """Return the episodes' seeds: those that programs are chosen by, then the reported.

    Example:
        >>> from types import SimpleNamespace
        >>> seeds(SimpleNamespace(episodes=1))
        [2000000, 1000000]
    """
    firsts = (SELECTION_SEED, EVALUATION_SEED)
    return [first + n for first in firsts for n in range(spec.episodes)]


def measured(
    spec: PlanSpec, place: Path, train: Train, server: Address | None = None
) -> dict[str, Any]:
    """Run a planned trial; see :func:`reward_synth.agents.trial.run_trial`.

    Args:
        spec: The trial.
        place: Takes the progress.
        train: Plans in the confined process.
        server: Forks the confined process; without one it is a new program.

    Returns:
        What other trials give, with one point of the curve, and ``random``: what random
        actions reach from the reported seeds.

    Raises:
        TrainingError: The planning failed.
        WeightsError: What it left are no actions of these episodes.
    """
    shutil.rmtree(place, ignore_errors=True)  # what a killed one left
    place.mkdir(parents=True)
    env = spec.build_for_measurement()
    expected = {"actions": torch.zeros(_shape(spec, env), dtype=torch.float64)}
    with TrainerProcess(spec, place, train, server) as process:
        plans = process.weights(PLAN, expected)["actions"].numpy()
        process.finish()
        seconds = time.monotonic() - process.began
        layers = process.claims.layers
    space: Any = env.action_space
    plans = np.clip(plans, space.low, space.high).astype(space.dtype)
    chosen_by, reported = np.split(plans, 2)
    first, second = np.split(np.array(seeds(spec)), 2)
    selection = replayed(env, chosen_by, first.tolist())
    found = replayed(env, reported, second.tolist())
    episodes = [
        record(Replayed(actions), env, spec.task, seed)
        for actions, seed in zip(chosen_by[:TOLD], first[:TOLD].tolist(), strict=True)
    ]
    chance = np.random.default_rng(spec.seed)
    drawn = chance.uniform(space.low, space.high, reported.shape).astype(space.dtype)
    random = replayed(env, drawn, second.tolist())
    env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
    return {
        "step": spec.steps,
        **found,
        "selection": selection,
        "curve": [{"step": spec.steps, **found}],
        "random": random,
        "rollouts": best_and_worst(episodes),
        "seconds": round(seconds, 1),
        "confinement": layers,
    }


def replayed(
    env: gym.Env[Any, Any], plans: Any, starts: Sequence[int]
) -> dict[str, float]:
    """Play actions from their seeds; return means as :func:`evaluate` does.

    Args:
        env: Publishes ``is_success`` and ``env_reward``.
        plans: Actions, shape ``(episodes, steps, *action_shape)``.
        starts: The episodes' seeds.
    """
    rows = [
        evaluate(Replayed(actions), env, [seed])
        for actions, seed in zip(plans, starts, strict=True)
    ]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _shape(spec: TrialSpec, env: gym.Env[Any, Any]) -> tuple[int, ...]:
    steps = spec.task.horizon or 1
    return (2 * spec.episodes, steps, *(env.action_space.shape or ()))
