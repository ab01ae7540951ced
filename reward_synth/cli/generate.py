"""``reward_synth generate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reward_synth.cli import options as o
from reward_synth.cli.generated import (
    generated_data,
    show_dry_run,
    show_generated,
)

if TYPE_CHECKING:
    from reward_synth.api.config import GenerateConfig
    from reward_synth.search import Method


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
    llm: o.Llm = None,
    replay: Annotated[
        str | None,
        typer.Option("--replay", help="Use the recorded answers of this run."),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="How candidates are proposed and chosen; `reward_synth methods` lists.",
        ),
    ] = "default",
    method_file: Annotated[
        str | None,
        typer.Option("--method-file", help="A method of your own, a TOML file."),
    ] = None,
    n: Annotated[
        int | None,
        typer.Option(
            "--n", "-n", help="Candidates in all [the method's].", max=o.MOST_COUNT
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option("--rounds", help="Rounds; each learns from those before."),
    ] = None,
    temperature: Annotated[float | None, typer.Option("--temperature")] = None,
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", help="Of one answer.")
    ] = 4096,
    repairs: Annotated[
        int | None,
        typer.Option("--repairs", help="Corrections of one answer.", min=0),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", help="Seconds for one request.")
    ] = 120.0,
    parallel: Annotated[
        int, typer.Option("--parallel", help="Requests to the model at once.")
    ] = 4,
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
    max_train_steps: Annotated[
        int | None,
        typer.Option(
            "--max-train-steps", help="Stop before all trainings take more steps."
        ),
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", help="Stop after so much time.")
    ] = None,
    train_steps: Annotated[
        int,
        typer.Option(
            "--train-steps", help="Train the best candidates so long; 0: no training."
        ),
    ] = 0,
    train_top: Annotated[
        int | None,
        typer.Option("--train-top", help="How many candidates are trained at last."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="Last trainings of each arm.")
    ] = None,
    early_stop: Annotated[
        bool,
        typer.Option(
            "--early-stop",
            help="End trainings of hacked and of dominated candidates before their time.",
        ),
    ] = False,
    prefer: Annotated[
        str | None,
        typer.Option(
            "--prefer",
            help="Choose by which trained agent you prefer, not by success: `ask` here, or "
            "manual:DIR for questions and answers in files.",
        ),
    ] = None,
    algorithm: o.Algorithm = "auto",
    episodes: o.Episodes = 20,
    expert: o.Expert = False,
    jobs: o.Jobs = None,
    engine: o.EngineOption = o.EngineKind.local,
    ray_address: o.RayAddress = None,
    ray_resources: o.RayResources = None,
    env_kwargs: o.EnvKwargs = None,
    success: o.Success = None,
    task_spec: o.TaskSpecFile = None,
    allow_info: o.AllowInfo = None,
    demos: o.Demonstrations = None,
    combine: o.CombineOption = None,
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
        PREFERENCE,
        SUCCESS,
        EnvConfig,
        GenerateConfig,
        ModelConfig,
        TrainConfig,
    )
    from reward_synth.api.limits import Limits
    from reward_synth.cli.prefer import checked_prefer

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
            o.manual_folder(llm),
            replay,
            timeout,
            o.read_prices(prices),
            budget,
            parallel,
        ),
        TrainConfig(
            train_steps,
            train_top,
            seeds,
            algorithm,
            episodes,
            o.chosen_engine(engine, jobs, ray_address, ray_resources),
            expert,
            early_stop,
        ),
        chosen_method(method, method_file),
        n,
        rounds,
        o.checked_combiner(combine),
        weight,
        o.chosen_sandbox(sandbox, quiet=as_json),
        fitness=SUCCESS if checked_prefer(prefer) is None else PREFERENCE,
        limits=Limits(max_train_steps, max_minutes),
    )
    if dry:
        show_dry_run(config, as_json=as_json)
    else:
        run_generate(config, run, resume=resume, as_json=as_json, prefer=prefer)


def run_generate(
    config: GenerateConfig,
    run: str | None,
    *,
    resume: bool,
    as_json: bool,
    prefer: str | None = None,
) -> None:
    """Run a search in its folder and show what it gave."""
    from reward_synth.api.dry import trainings
    from reward_synth.api.generate import generate as generate_reward
    from reward_synth.api.result import Watcher
    from reward_synth.cli.folders import run_folder
    from reward_synth.cli.live import SearchState, shown
    from reward_synth.cli.output import note, print_json
    from reward_synth.cli.prefer import referee
    from reward_synth.cli.signals import INTERRUPTS
    from reward_synth.envs import resolve

    ref = resolve(config.env.env, config.env.env_kwargs)
    state = SearchState(trainings(config.plan, config.training)[1])
    with (
        run_folder(run, ref.name, resume=resume) as folder,
        shown(state, quiet=as_json) as view,
    ):
        for line in ref.remarks():
            note(line, quiet=as_json)
        watcher = Watcher(
            lambda text: note(text, quiet=as_json),
            state.progress,
            state.training,
            INTERRUPTS.steps,
            INTERRUPTS.checkpoint,
            lambda: INTERRUPTS.asked,
            referee(prefer, view, note, INTERRUPTS.checkpoint),
            view.outcome,
            state.answered,
        )
        INTERRUPTS.folder = folder
        result = generate_reward(config, folder, watcher)
    if as_json:
        print_json(generated_data(result))
    else:
        show_generated(result, ref)


def chosen_method(name: str, file: str | None) -> Method:
    """Return the method that the options name.

    Raises:
        UsageError: There is none, or both options are given.
    """
    from reward_synth.errors import UsageError
    from reward_synth.search import load_method

    if file is None:
        return load_method(name)
    if name != "default":
        raise UsageError("Give --method or --method-file, not both.")
    if not file.endswith(".toml"):
        raise UsageError(f"--method-file must be a .toml file, received {file!r}.")
    return load_method(file)
