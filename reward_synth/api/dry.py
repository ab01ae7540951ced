"""What a run would ask, without asking."""

from __future__ import annotations

from dataclasses import dataclass

from reward_synth.api.config import GenerateConfig
from reward_synth.api.prepare import describe, require_trainable
from reward_synth.api.proposers import choose_proposer
from reward_synth.llm import Usage
from reward_synth.prompts import estimate_tokens, first_messages
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
    trainings: int


def dry_run(config: GenerateConfig) -> DryRun:
    """Describe the environment and say what would be asked; asks and writes nothing."""
    _, task = describe(config.env)
    require_trainable(task, config.training)
    chosen = choose_proposer(config, task, None)
    asks = config.model.model is not None and config.model.replay is None
    messages = first_messages(task) if asks else ()
    usage = Usage(
        estimate_tokens(messages) * config.candidates,
        config.model.max_tokens * config.candidates if asks else 0,
        estimated=True,
    )
    training = config.training
    arms = 1 + min(training.top, config.candidates) + training.expert
    return DryRun(
        task,
        chosen.proposer.name,
        chosen.why,
        messages,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cost(config.model.prices),
        arms * training.seeds if training.steps else 0,
    )
