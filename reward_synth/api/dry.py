"""What a run would ask, without asking."""

from __future__ import annotations

from dataclasses import dataclass

from reward_synth.agents.pace import measure_pace
from reward_synth.api.config import GenerateConfig, TrainConfig
from reward_synth.api.measure import trial_specs
from reward_synth.api.prepare import Prepared, describe, require_trainable
from reward_synth.api.proposers import choose_proposer
from reward_synth.llm import Usage
from reward_synth.prompts import estimate_tokens
from reward_synth.search import LanguageModelProposer, Plan
from reward_synth.search.loop import shares
from reward_synth.task import TaskSpec


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would ask, and about how much."""

    task: TaskSpec
    proposer: str
    why: str
    messages: tuple[tuple[str, str], ...]
    """Empty without a model."""
    prompt_tokens: int
    """About, for the first round without corrections."""
    completion_tokens: int
    """At most."""
    cost: float | None
    """At most, in the currency of the prices; None: not known."""
    samples: int
    """Programs asked for in all."""
    trainings: int
    """At most."""
    steps: int
    """Of all trainings together, at most."""
    minutes: float
    """About how long the trainings take on this machine, from a short one."""


def dry_run(config: GenerateConfig) -> DryRun:
    """Describe the environment and say what would be asked; asks and writes nothing.

    How long the trainings would take is told from a short one.
    """
    ref, task = describe(config.env)
    require_trainable(task, config.training)
    chosen = choose_proposer(config, task, None)
    asks = chosen.proposer.name == "llm" and config.model.replay is None
    proposer = chosen.proposer
    model = proposer if isinstance(proposer, LanguageModelProposer) else None
    messages = model.messages() if model is not None and asks else ()
    plan = config.plan
    samples = plan.samples
    plans = config.method.planner
    count, steps = (0, 0) if plans else trainings(plan, config.training)
    usage = Usage(
        estimate_tokens(messages) * samples,
        config.model.max_tokens * samples if asks else 0,
        estimated=True,
    )
    return DryRun(
        task,
        chosen.proposer.name,
        chosen.why,
        messages,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cost(config.model.prices),
        samples,
        count,
        steps,
        _minutes(config, Prepared(ref, task, ()), count, steps) if count else 0.0,
    )


def _minutes(
    config: GenerateConfig, prepared: Prepared, count: int, steps: int
) -> float:
    """Return about how long the trainings take here, from a short one."""
    spec, *_ = trial_specs(
        prepared,
        [],
        config.training,
        seed=config.env.seed,
        seeds=1,
        combine=config.combination,
        weight=config.weight,
    )
    pace = measure_pace(spec)
    whole = (count - 1) * pace.seconds(spec, 0) + pace.seconds(spec, steps)
    return whole / min(config.training.engine.at_once, count) / 60.0


def trainings(plan: Plan, training: TrainConfig) -> tuple[int, int]:
    """Return how many trainings a plan makes at most, and of how many steps in all.

    Example:
        >>> from reward_synth.search import Rung
        >>> from reward_synth.search.method import ladder
        >>> final = ladder([Rung(4, share=0.25), Rung(1, seeds=2)])
        >>> trainings(Plan(8, 2, final=final), TrainConfig(1000))
        (8, 5000)
    """
    sizes = [*shares(plan.candidates, plan.rounds), *[1] * plan.merge] * plan.restarts
    together = plan.elites > 0
    found = [
        (1 if together else min(size, r.keep), r)
        for size in sizes
        for r in plan.each_round
    ]
    most = plan.samples
    for rung in plan.final:
        most = min(most, rung.keep)
        found.append((most + (1 + training.expert) * rung.last, rung))
    counts = [(arms * rung.seeds, rung.share) for arms, rung in found]
    steps = sum(count * max(1, round(training.steps * x)) for count, x in counts)
    return sum(count for count, _ in counts), steps
