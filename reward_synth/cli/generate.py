"""``reward_synth generate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli import options as o

if TYPE_CHECKING:
    from reward_synth.api.config import GenerateConfig
    from reward_synth.api.dry import DryRun
    from reward_synth.api.result import Generated


def generate(
    env: o.Env,
    task: o.Task = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="A language model; none: symbolic programs."
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            help="An OpenAI-compatible endpoint; the key comes from OPENAI_API_KEY.",
        ),
    ] = None,
    replay: Annotated[
        str | None,
        typer.Option("--replay", help="Use the recorded answers of this run."),
    ] = None,
    n: Annotated[
        int, typer.Option("--n", "-n", help="Candidates in all.", max=o.MOST_COUNT)
    ] = 8,
    rounds: Annotated[
        int, typer.Option("--rounds", help="Rounds; each learns from those before.")
    ] = 2,
    temperature: Annotated[float, typer.Option("--temperature")] = 1.0,
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", help="Of one answer.")
    ] = 4096,
    repairs: Annotated[
        int, typer.Option("--repairs", help="Corrections of one answer.", min=0)
    ] = 2,
    timeout: Annotated[
        float, typer.Option("--timeout", help="Seconds for one request.")
    ] = 120.0,
    prices: Annotated[
        str | None,
        typer.Option(
            "--prices",
            help="Of a million prompt and completion tokens, such as 0.5,1.5: tells cost.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            help="Stop before the model costs more: in the currency of --prices, else "
            "in tokens.",
        ),
    ] = None,
    train_steps: Annotated[
        int,
        typer.Option(
            "--train-steps", help="Train the best candidates so long; 0: no training."
        ),
    ] = 0,
    train_top: Annotated[
        int, typer.Option("--train-top", help="How many candidates are trained.")
    ] = 2,
    seeds: Annotated[int, typer.Option("--seeds", help="Trainings of each arm.")] = 1,
    algorithm: o.Algorithm = "auto",
    episodes: o.Episodes = 20,
    expert: o.Expert = False,
    jobs: o.Jobs = 2,
    env_kwargs: o.EnvKwargs = None,
    success: o.Success = None,
    task_spec: o.TaskSpecFile = None,
    allow_info: o.AllowInfo = None,
    demos: o.Demonstrations = None,
    combine: o.CombineOption = o.Combine.add,
    weight: o.Weight = 1.0,
    sandbox: o.SandboxOption = None,
    seed: o.Seed = 0,
    run: o.Run = None,
    resume: o.Resume = False,
    dry: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be asked, and about how much."),
    ] = False,
    as_json: o.Json = False,
) -> None:
    """Propose, check, compile and screen reward programs; save the best."""
    from reward_synth.api.config import (
        EnvConfig,
        GenerateConfig,
        ModelConfig,
        TrainConfig,
    )

    config = GenerateConfig(
        EnvConfig(
            env,
            o.read_kwargs(env_kwargs),
            task,
            success,
            tuple(allow_info or ()),
            task_spec,
            demos,
            seed,
        ),
        ModelConfig(
            model,
            base_url,
            temperature,
            max_tokens,
            repairs,
            replay,
            timeout,
            o.read_prices(prices),
            budget,
        ),
        TrainConfig(train_steps, train_top, seeds, algorithm, episodes, jobs, expert),
        n,
        rounds,
        combine.value,
        weight,
        o.chosen_sandbox(sandbox, quiet=as_json),
    )
    if dry:
        _dry(config, as_json=as_json)
    else:
        _run(config, run, resume=resume, as_json=as_json)


def _dry(config: GenerateConfig, *, as_json: bool) -> None:
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
                "trainings": plan.trainings,
            }
        )
        return
    for role, text in plan.messages:
        out.print(f"--- {role} ---", style="bold")
        out.print(text, markup=False)
    out.print(f"Proposer: {plan.proposer}. {plan.why}", markup=False)
    out.print(
        f"{config.candidates} candidates; about {plan.prompt_tokens} prompt tokens, at "
        f"most {plan.completion_tokens} completion tokens in the first answers; "
        f"{plan.trainings} trainings of {config.training.steps} steps. "
        f"{cost_words(plan.cost, at_most=True)}Nothing was asked or written."
    )


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


def _run(
    config: GenerateConfig, run: str | None, *, resume: bool, as_json: bool
) -> None:
    from reward_synth.api.generate import generate as generate_reward
    from reward_synth.api.result import Watcher
    from reward_synth.cli.folders import run_folder
    from reward_synth.cli.output import (
        CandidateProgress,
        TrainingProgress,
        note,
        print_json,
        progress_bars,
    )
    from reward_synth.cli.signals import INTERRUPTS
    from reward_synth.envs import resolve

    ref = resolve(config.env.env, config.env.env_kwargs)
    with run_folder(run, ref.name, resume=resume) as folder, progress_bars() as bars:
        for line in ref.remarks():
            note(line, quiet=as_json)
        watcher = Watcher(
            lambda text: note(text, quiet=as_json),
            CandidateProgress(bars),
            TrainingProgress(bars),
            INTERRUPTS.steps,
            INTERRUPTS.checkpoint,
            lambda: INTERRUPTS.asked,
        )
        INTERRUPTS.folder = folder
        result = generate_reward(config, folder, watcher)
    if as_json:
        print_json(_data(result))
    else:
        _show(result, ref)


def _data(result: Generated) -> dict[str, Any]:
    from reward_synth.cli.training import trial_row

    best = result.best
    return {
        "run": str(result.folder),
        "reward": str(result.reward_file),
        "task": result.task.id,
        "proposer": result.proposer,
        "why": result.why,
        "digest": best.program.digest if best else None,
        "candidates": [
            {
                "digest": item.program.digest,
                "ok": item.report.ok,
                "screen": item.screen.score if item.screen else None,
                "trained": item.trained,
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


def _show(result: Generated, ref: Any) -> None:
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
    task = ""
    if result.config.env.task_file or result.config.env.allow_info:
        task = f", task={str(result.folder / 'task.json')!r}"
    combine = result.config.combine
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
