"""Asks for a better program with a person's words about an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reward_synth.api.config import SUCCESS, GenerateConfig, ModelConfig
from reward_synth.api.result import FEEDBACK, REWARD_FILE
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.search import Refinement
from reward_synth.search.method import Method
from reward_synth.store import RunStore

_FENCE = "```"


def refined(
    run: Path,
    wish: str,
    *,
    samples: int = 1,
    model: Mapping[str, Any] | None = None,
) -> GenerateConfig:
    """Return the configuration of a run that goes on from ``run`` with a person's words.

    After the interactive setting of Text2Reward (Xie et al., 2024): the model is shown
    the program, what was measured of it, and what a person says of what it leads to. What
    was said in earlier refinements of the same line is kept.

    Args:
        run: A run of ``generate`` that saved a program; an edited file counts as it is.
        wish: What the person says.
        samples: How many programs are asked for.
        model: Settings of the model that are others than the run's.

    Raises:
        UsageError: The run cannot be refined, or nothing was said.
    """
    if not wish.strip():
        raise UsageError("--feedback is empty. Say what the agent should do otherwise.")
    if samples < 1:
        raise UsageError(f"--n must be at least 1, received {samples}.")
    with RunStore.read(run) as store:
        config = GenerateConfig.from_dict(store.config)
    if config.method.planner:
        raise UsageError(
            f"{run} describes a motion (method {config.method.name}), which is not "
            "refined. Say what the robot should do in other words: generate with --task."
        )
    file = run / REWARD_FILE
    if not file.exists():
        raise UsageError(f"{run} has saved no program ({REWARD_FILE}) to refine yet.")
    program = RewardProgram.load(file)
    given = {key: value for key, value in (model or {}).items() if value is not None}
    chosen = replace(config.model, **{**_elsewhere(given), **given})
    _require_model(chosen)
    new = Refinement(program.source, _behaviour(run, program), wish)
    return replace(
        config,
        model=chosen,
        method=_method(config.method, samples),
        candidates=samples,
        rounds=1,
        fitness=SUCCESS,  # one program is trained: there is nothing to compare
        refinements=(*config.refinements, new),
    )


def _elsewhere(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a new place of answers switches off: the place of the run's own."""
    places = ("base_url", "manual", "replay")
    named = [name for name in places if given.get(name)]
    return dict.fromkeys(places) if named else {"replay": None}


def _require_model(model: ModelConfig) -> None:
    if model.asked is None:
        raise UsageError(
            "Only a language model can read feedback, and the run had none. Name one with "
            "--model, or answer yourself with --llm manual:DIR."
        )


def _method(method: Method, samples: int) -> Method:
    """Return the run's method as one round of one search that asks a model."""
    return replace(
        method,
        proposer="llm",
        samples=samples,
        rounds=1,
        restarts=1,
        merge=None,
        elites=0,
        each_round=(),
        final=(*method.final[:-1], replace(method.final[-1], keep=1)),
    )


def _behaviour(run: Path, program: RewardProgram) -> str:
    """Return what the run found of the program, without its code."""
    try:
        text = (run / FEEDBACK / f"{program.digest}.md").read_text("utf-8")
    except OSError:
        return "Nothing is known of it: it was edited after it was measured."
    return text.rsplit(_FENCE + "\n", 1)[-1].strip()
