"""Measures a period: each policy by the task's own success rule, by weights alone.

This process owns the replay buffer. It gives a confined process copies of the buffer and of
the elites' policies, and takes back policies and new steps, whose shapes and numbers are
checked; it loads no program. What a training process that breaks out can still do is hand
over steps that never were: they spoil the policies of later periods, and no score.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from reward_synth.agents import sb3
from reward_synth.agents.evaluate import evaluate
from reward_synth.agents.evaluator import EVALUATION_SEED, SELECTION_SEED, TOLD
from reward_synth.agents.lares_spec import (
    FRESH,
    GIVEN,
    REPLAY,
    PeriodSpec,
    policy_file,
)
from reward_synth.agents.lares_steps import (
    Transitions,
    read_steps,
    shapes,
    write_steps,
)
from reward_synth.agents.progress import TRAINING
from reward_synth.agents.schedule import weights_file
from reward_synth.agents.traces import best_and_worst, record
from reward_synth.agents.trainer_process import TrainerProcess
from reward_synth.agents.warm_trainers import Address
from reward_synth.agents.weights import write_weights

if TYPE_CHECKING:
    from reward_synth.agents.trainer import Tell, Train
    from reward_synth.agents.trial_spec import TrialSpec


def train(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Train a period; what confined processes do. This process never calls it."""
    from reward_synth.agents import lares_train  # noqa: PLC0415 - loads numba

    lares_train.train(spec, folder, tell)


def measured(
    spec: PeriodSpec, place: Path, train: Train, server: Address | None = None
) -> dict[str, Any]:
    """Run a period; see :func:`reward_synth.agents.trial.run_trial`.

    Args:
        spec: The period; the one before it, if there is one, lies beside ``place``.
        place: Takes the replay buffer and the policies, for the next period.
        train: Trains in the confined process.
        server: Forks the confined process; without one it is a new program.

    Returns:
        ``population``: for each program its digest, ``selection`` (what elites are chosen
        by), ``reported`` (the evaluation), and what its policy did; as of other trials,
        the same of the best policy; ``steps`` of the replay buffer; ``seconds``;
        ``confinement``.

    Raises:
        TrainingError: The training failed, or left what cannot be taken.
    """
    shutil.rmtree(place, ignore_errors=True)  # what a killed training left
    _give(spec, place)
    torch.set_num_threads(1)
    env = spec.build_for_measurement()
    policies = [sb3.make_policy(spec, env) for _ in spec.population]
    with TrainerProcess(spec, place, train, server) as process:
        for number, policy in enumerate(policies):
            expected = policy.state_dict()
            policy.load_state_dict(process.weights(policy_file(number), expected))
        process.finish()
        seconds = time.monotonic() - process.began
        fresh = read_steps(FRESH, shapes(spec.task, env), spec.steps, process.left)
        layers = process.claims.layers
    known = _keep(spec, place, fresh, policies)
    found = [
        {"program": program.digest, **_played(spec, policy, env)}
        for program, policy in zip(spec.population, policies, strict=True)
    ]
    env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
    best = max(found, key=lambda row: _rank(row["selection"]))
    return {
        "population": found,
        "selection": best["selection"],
        "curve": [{"step": spec.steps, **best["reported"]}],
        "step": spec.steps,
        **best["reported"],
        "steps": known,
        "seconds": round(seconds, 1),
        "confinement": layers,
    }


def _give(spec: PeriodSpec, place: Path) -> None:
    """Copy what the training begins with into the folder that it may write."""
    given = place / TRAINING / GIVEN
    if not spec.before:
        place.mkdir(parents=True)
        return
    given.mkdir(parents=True)
    before = place.parent / spec.before
    shutil.copyfile(before / REPLAY, given / REPLAY)
    for number, row in enumerate(spec.elites):
        name = weights_file(policy_file(row))
        shutil.copyfile(before / name, given / weights_file(policy_file(number)))


def _keep(
    spec: PeriodSpec, place: Path, fresh: Transitions, policies: Sequence[Any]
) -> int:
    """Keep the buffer and all policies; return the buffer's length."""
    parts = [fresh]
    if spec.before:
        env = spec.build_for_measurement()
        known = place.parent / spec.before / REPLAY
        most = spec.agent.buffer_size
        parts.insert(0, read_steps(known, shapes(spec.task, env), most))
        env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
    whole = Transitions.joined(parts).last(spec.agent.buffer_size)
    write_steps(whole, place / REPLAY)
    for number, policy in enumerate(policies):
        path = place / weights_file(policy_file(number))
        write_weights(policy.state_dict(), path)
    return len(whole)


def _rank(measured: dict[str, Any]) -> tuple[float, float]:
    return measured["success_any"], measured["env_return"]


def _played(spec: PeriodSpec, policy: Any, env: Any) -> dict[str, Any]:
    chosen_by = range(SELECTION_SEED, SELECTION_SEED + spec.episodes)
    reported = range(EVALUATION_SEED, EVALUATION_SEED + spec.episodes)
    episodes = [record(policy, env, spec.task, seed) for seed in chosen_by[:TOLD]]
    return {
        "selection": evaluate(policy, env, chosen_by),
        "reported": evaluate(policy, env, reported),
        "rollouts": list(best_and_worst(episodes)),
    }
