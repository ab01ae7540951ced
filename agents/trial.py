"""One trial: train an agent on one arm, measure it by the task's own success rule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_synth.agents.lares_spec import PeriodSpec
from reward_synth.agents.mpc_spec import PlanSpec
from reward_synth.agents.trial_spec import ARMS, Arm, TrialSpec
from reward_synth.agents.warm_trainers import SHARED, Address
from reward_synth.engine import Call

if TYPE_CHECKING:
    from reward_synth.agents.trainer import Train

__all__ = ["ARMS", "Arm", "TrialSpec", "run_trial", "trial_call"]


def trial_call(spec: TrialSpec, folder: Path, timeout: float | None = None) -> Call:
    """Return the call that runs ``spec`` in a process of its own."""
    arguments = (spec, str(folder), None, SHARED.address())
    return Call(spec.key, run_trial, arguments, timeout, str(folder))


def run_trial(
    spec: TrialSpec,
    folder: str,
    train: Train | None = None,
    server: Address | None = None,
) -> dict[str, Any]:
    """Train and measure; called in a process of its own.

    This process measures, and never loads the trial's program. It starts another one,
    which is confined and trains, and takes nothing from it but the policy's weights.

    Args:
        spec: The trial.
        folder: Takes TensorBoard logs, progress and component curves.
        train: Trains in the confined process; Stable-Baselines3 by default.
        server: Forks the confined process; without one it is a new program, which takes
            some seconds longer to begin.

    Returns:
        The final evaluation, the one that candidates are chosen by (``selection``), the
        evaluations on the way (``curve``), ``seconds`` of training, and the layers
        around it (``confinement``). ``components`` are sums of training episodes as the
        training process tells them (``claimed`` names such values): no score is made
        of them. A :class:`PeriodSpec` gives instead what
        :func:`reward_synth.agents.lares_trial.measured` says, a
        :class:`PlanSpec` what :func:`reward_synth.agents.mpc_trial.measured` says.

    Raises:
        TrainingError: The training failed.
        WeightsError: What it left is no policy of this agent.
    """
    if isinstance(spec, PeriodSpec):
        from reward_synth.agents import lares_trial  # noqa: PLC0415 - loads torch

        place = Path(folder)
        return lares_trial.measured(spec, place, train or lares_trial.train, server)
    if isinstance(spec, PlanSpec):
        from reward_synth.agents import mpc_trial  # noqa: PLC0415 - loads torch

        return mpc_trial.measured(spec, Path(folder), train or mpc_trial.plan, server)
    from reward_synth.agents import evaluator, trainer  # noqa: PLC0415 - loads torch

    return evaluator.measured(spec, Path(folder), train or trainer.train, server)
