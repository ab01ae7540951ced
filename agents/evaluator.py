"""Measures a trial: what a policy earns, by weights alone.

This process never loads a reward program.  It starts a confined process that trains with
it (:mod:`~reward_synth.agents.trainer`), and takes from that one the policy's weights and
nothing else: forged files, logs or messages change no score.  What a training process
that breaks out of the reward language can still do is train in another way than with its
reward; its score is then what its weights truly earn.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch

from reward_synth.agents import sb3
from reward_synth.agents.claims import component_sums
from reward_synth.agents.config import TWO_VALUES
from reward_synth.agents.evaluate import evaluate
from reward_synth.agents.frames import film
from reward_synth.agents.progress import EVALUATIONS, TRIAL
from reward_synth.agents.schedule import FINAL
from reward_synth.agents.traces import best_and_worst, record
from reward_synth.agents.trainer import Train
from reward_synth.agents.trainer_process import TrainerProcess
from reward_synth.agents.trial_spec import TrialSpec
from reward_synth.agents.warm_trainers import Address

EVALUATION_SEED = 1_000_000
"""Evaluation resets use seeds from here on; training and screening stay below."""
SELECTION_SEED = 2_000_000
"""Candidates are chosen on these episodes and reported on the others."""
TOLD = 5
"""Episodes of which the best and the worst are told."""
CLAIMED = ("components",)
"""What a result holds that the training process itself told."""


def measured(
    spec: TrialSpec, place: Path, train: Train, server: Address | None = None
) -> dict[str, Any]:
    """Run a trial; see :func:`reward_synth.agents.trial.run_trial`."""
    shutil.rmtree(place, ignore_errors=True)  # what a killed training left
    place.mkdir(parents=True)
    _write_settings(spec, place, {})
    torch.set_num_threads(1)  # trials run beside each other
    env = spec.build_for_measurement()
    policy = _agents(spec).make_policy(spec, env)
    with TrainerProcess(spec, place, train, server) as process:
        curve, stopped = _followed(spec, env, policy, process)
        if not stopped:
            policy.load_state_dict(process.weights(FINAL, policy.state_dict()))
            process.finish()
        seconds = time.monotonic() - process.began
        before = curve[-1]["step"]
        if before < spec.steps and not stopped:  # they do not divide evenly
            curve.append(_point(spec, env, policy, process, before, spec.steps))
        layers = process.claims.layers
    _write_settings(spec, place, layers)
    chosen_by = _seeds(SELECTION_SEED, spec)
    selection = evaluate(policy, env, chosen_by)
    result = curve[-1]
    told = _told(spec, policy, env, chosen_by)
    env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
    if spec.film:
        film(spec.build_for_measurement, policy, EVALUATION_SEED, place)
    return {
        **result,
        **told,
        **({"stopped": {"step": before, "why": stopped}} if stopped else {}),
        "selection": selection,
        "curve": curve,
        "seconds": round(seconds, 1),
        "confinement": layers,
        "claimed": list(CLAIMED),
    }


def _agents(spec: TrialSpec) -> Any:
    """Return the module that knows the agent of a trial."""
    if spec.agent.algorithm != TWO_VALUES:
        return sb3
    from reward_synth.agents import intrinsic_trial  # noqa: PLC0415 - loads NetHack's

    return intrinsic_trial


def _told(
    spec: TrialSpec, policy: Any, env: gym.Env[Any, Any], seeds: Sequence[int]
) -> dict[str, Any]:
    """Return what the agent did, for whoever writes the next reward, if that is asked."""
    if not spec.told:
        return {}
    task = spec.task
    episodes = [record(policy, env, task, seed) for seed in seeds[:TOLD]]
    return {"rollouts": best_and_worst(episodes)}


def _followed(
    spec: TrialSpec, env: gym.Env[Any, Any], policy: Any, process: TrainerProcess
) -> tuple[list[dict[str, Any]], str]:
    """Return the evaluations on the way, and why the training was ended early, if so."""
    curve: list[dict[str, Any]] = []
    for point in _on_the_way(spec, env, policy, process):
        curve.append(point)
        why = spec.early.reason(curve, spec.steps) if spec.early else ""
        if why:
            return curve, why
    return curve, ""


def _on_the_way(
    spec: TrialSpec, env: gym.Env[Any, Any], policy: Any, process: TrainerProcess
) -> Iterator[dict[str, Any]]:
    """Yield an evaluation each time that the training process leaves weights."""
    before = 0
    for step in _agents(spec).evaluation_points(spec, env):
        policy.load_state_dict(process.weights(step, policy.state_dict()))
        point = _point(spec, env, policy, process, before, step)
        with (process.place / EVALUATIONS).open("a") as file:
            file.write(json.dumps(point) + "\n")
        before = step
        yield point


def _point(
    spec: TrialSpec,
    env: gym.Env[Any, Any],
    policy: Any,
    process: TrainerProcess,
    before: int,
    step: int,
) -> dict[str, Any]:
    """Measure a policy; ``before`` is the step of the evaluation before this one."""
    return {
        "step": step,
        **evaluate(policy, env, _seeds(EVALUATION_SEED, spec)),
        "components": component_sums(process.folder, before, step),
    }


def _seeds(first: int, spec: TrialSpec) -> Sequence[int]:
    return range(first, first + spec.episodes)


def _write_settings(spec: TrialSpec, place: Path, layers: dict[str, str]) -> None:
    data = {**spec.config(), "confinement": layers}
    (place / TRIAL).write_text(json.dumps(data, indent=2))
