"""Measures programs by planning with them: nothing is trained.

After Language to Rewards (Yu et al., 2023).
"""

from __future__ import annotations

from collections.abc import Sequence

from reward_synth.agents.mpc_spec import PlanSpec
from reward_synth.agents.training import train_all
from reward_synth.api.measure import Measurement, measured
from reward_synth.api.prepare import Prepared, require_success, running
from reward_synth.errors import MissingExtraError
from reward_synth.program import RewardProgram
from reward_synth.search import Measured, Rung


class Planning:
    """Plans episodes with each program, in a simulator; the search's trainer.

    Args:
        run: Knows the run, and keeps results.

    Raises:
        UsageError: The task has no success rule, or cannot be planned.
    """

    def __init__(self, run: Measurement) -> None:
        require_plannable(run.prepared)
        self.run = run

    def __call__(
        self, programs: Sequence[RewardProgram], rung: Rung
    ) -> list[Measured | None]:
        """Return what planning with each program reached, None where it failed."""
        numbers = range(rung.first, rung.first + rung.seeds)
        specs = [self._spec(item, n) for item in programs for n in numbers]
        self.run.meter.require_steps(specs)
        watcher = self.run.watcher
        engine = self.run.config.training.engine.make(watcher.stopping)
        results = train_all(specs, self.run.store, engine, watch=watcher.training)
        self.run.results += results
        watcher.checkpoint()
        return [measured(program, results) for program in programs]

    def _spec(self, program: RewardProgram, number: int) -> PlanSpec:
        config, prepared = self.run.config, self.run.prepared
        episodes = config.training.episodes
        return PlanSpec(
            env=prepared.ref,
            task=prepared.task,
            arm="dense",
            steps=2 * episodes * (prepared.task.horizon or 1),
            seed=config.env.seed + number,
            program=program,
            combine=config.combination,
            weight=config.weight,
            episodes=episodes,
            sandbox=config.sandbox,
        )


def require_plannable(prepared: Prepared) -> None:
    """Refuse what no planner can act in, before anything is asked.

    Raises:
        UsageError: There is no success rule, no limit of an episode, no continuous
            action, or the simulator's state is not MuJoCo's alone.
        MissingExtraError: MuJoCo is not installed.
    """
    require_success(prepared.task, "Planning")
    PlanSpec(prepared.ref, prepared.task, "sparse", 1, 0)  # refuses what it must
    try:
        from reward_synth.agents import mpc  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as cause:
        raise MissingExtraError("mujoco", "mujoco") from cause
    with running(prepared.ref):
        env = prepared.ref.make()
    mpc.simulated(env)
    env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
