"""Shows what ``generate`` would do, and what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reward_synth.api.config import GenerateConfig
    from reward_synth.api.dry import DryRun
    from reward_synth.api.result import Generated


def show_dry_run(config: GenerateConfig, *, as_json: bool) -> None:
    """Say what a run would ask and train."""
    from reward_synth.api.dry import dry_run
    from reward_synth.cli.output import out, print_json

    plan: DryRun = dry_run(config)
    if as_json:
        print_json(
            {
                "task": plan.task.id,
                "proposer": plan.proposer,
                "why": plan.why,
                "messages": [list(item) for item in plan.messages],
                "prompt_tokens": plan.prompt_tokens,
                "completion_tokens_at_most": plan.completion_tokens,
                "cost_at_most": plan.cost,
                "method": config.method.name,
                "candidates": plan.samples,
                "trainings": plan.trainings,
                "training_steps": plan.steps,
                "training_minutes": round(plan.minutes, 2),
            }
        )
        return
    for role, text in plan.messages:
        out.print(f"--- {role} ---", style="bold")
        out.print(text, markup=False)
    out.print(f"Proposer: {plan.proposer}. {plan.why}", markup=False)
    out.print(
        f"Method {config.method.name}: {plan.samples} candidates; about "
        f"{plan.prompt_tokens} prompt tokens, at most {plan.completion_tokens} completion "
        f"tokens in the first answers; at most {plan.trainings} trainings of "
        f"{plan.steps} steps in all{_time(plan.minutes)}. "
        f"{cost_words(plan.cost, at_most=True)}Nothing was asked or written."
    )


def _time(minutes: float) -> str:
    """Return about how long trainings take, in words.

    Example:
        >>> _time(0.4), _time(12.6), _time(300.0), _time(0.0)
        (', under a minute here', ', about 13 minutes here', ', about 5.0 hours here', '')
    """
    if minutes == 0.0:
        return ""
    if minutes < 1.0:
        return ", under a minute here"
    if minutes < 90.0:  # noqa: PLR2004 - above, people count hours
        return f", about {minutes:.0f} minutes here"
    return f", about {minutes / 60.0:.1f} hours here"


def cost_words(cost: float | None, *, at_most: bool = False) -> str:
    """Return a sentence about money, or nothing if prices are unknown.

    Example:
        >>> cost_words(0.0125), cost_words(None)
        ('Cost: 0.0125 in the currency of --prices. ', '')
    """
    if cost is None:
        return ""
    about = "at most " if at_most else ""
    return f"Cost: {about}{cost:.4g} in the currency of --prices. "


def generated_data(result: Generated) -> dict[str, Any]:
    """Return what a run gave, for ``--json``."""
    from reward_synth.cli.training import trial_row

    best = result.best
    return {
        "run": str(result.folder),
        "reward": str(result.reward_file),
        "task": result.task.id,
        "proposer": result.proposer,
        "why": result.why,
        "method": result.config.method.name,
        "digest": best.program.digest if best else None,
        "candidates": [
            {
                "digest": item.program.digest,
                "ok": item.report.ok,
                "screen": item.screen.score if item.screen else None,
                "trained": item.trained,
                **({} if item.preferred is None else {"preferred": item.preferred}),
                "findings": [finding.to_dict() for finding in item.report.findings],
            }
            for item in result.outcomes
        ],
        "lost": list(result.lost),
        "trials": [trial_row(item) for item in result.trained],
        "prompt_tokens": result.usage.prompt_tokens,
        "completion_tokens": result.usage.completion_tokens,
        "cost": result.cost,
    }


def show_generated(result: Generated, ref: Any) -> None:
    """Print what a run gave, and how it is used."""
    from reward_synth.cli.output import out, print_table, say
    from reward_synth.cli.training import show_trials

    print_table(
        ("rank", "program", "score", "trained", "errors", "warnings"),
        [
            (
                str(number),
                item.program.digest[:10],
                f"{item.screen.score:.3f}" if item.screen else "",
                f"{item.trained:.0%}" if item.trained is not None else "",
                str(len(item.report.errors)),
                str(len(item.report.warnings)),
            )
            for number, item in enumerate(result.outcomes, start=1)
        ],
    )
    if result.trained:
        out.print()
        show_trials(result.trained)
    if result.proposer == "llm":
        usage = result.usage
        say(
            f"{usage.prompt_tokens} prompt and {usage.completion_tokens} completion "
            f"tokens. {cost_words(result.cost)}".rstrip()
        )
    for reason in result.lost:
        say(f"a sample gave no program: {reason}")
    best = result.best
    if best is None:
        return
    # print, not rich: code must not be wrapped at the terminal's width
    print(f"\n{best.program.source.strip()}\n\nUse it:\n{snippet(result, ref)}\n")
    print(f"Report: {result.folder / 'report.md'}")
    print(f"As a page: reward_synth report {result.folder}")


def snippet(result: Generated, ref: Any) -> str:
    """Return lines of Python that use the saved reward."""
    from reward_synth.combine import DECODED

    if result.config.combination == DECODED:
        return _decoding(result, ref)
    task = ""
    if result.config.env.task_file or result.config.env.allow_info:
        task = f", task={str(result.folder / 'task.json')!r}"
    combine = result.config.combination
    mode = "" if combine == "add" else f", combine={combine!r}"
    return "\n".join(
        [
            "import reward_synth",
            ref.code(),
            f"env = reward_synth.wrap(env, {str(result.reward_file)!r}{mode}{task})",
            "obs, info = env.reset(seed=0)",
            "obs, reward, terminated, truncated, info = env.step("
            "env.action_space.sample())",
            'print(reward, info["sparse_reward"], info["reward_components"])',
        ]
    )


def _decoding(result: Generated, ref: Any) -> str:
    """Return lines that learn from returns of episodes, or pay a decoder that has."""
    from reward_synth.agents.progress import DECODER

    trained = [
        result.folder / "trials" / item.spec.key / DECODER
        for item in result.trained
        if item.status == "ok" and item.spec.arm == "dense"
    ]
    task = f"TaskSpec.load({str(result.folder / 'task.json')!r})"
    factors = repr(str(result.reward_file))
    lines = [
        "from reward_synth import TaskSpec",
        "from reward_synth.agents import lare",
        *ref.code().splitlines(),
        f"task = {task}",
    ]
    if trained:
        return "\n".join(
            [*lines, f"env = lare.decoded(env, {factors}, {str(trained[0])!r}, task)"]
        )
    return "\n".join(
        [
            *lines,
            f"env = lare.latent(env, {factors}, task)",
            "agent = lare.attach(SAC('MlpPolicy', env), env)  # of stable_baselines3",
        ]
    )
