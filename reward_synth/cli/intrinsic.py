"""``reward_synth intrinsic``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli import annotate as a
from reward_synth.cli import options as o

if TYPE_CHECKING:
    from reward_synth.agents.intrinsic_progress import Progress


def intrinsic(
    env: Annotated[
        str | None, typer.Option("--env", "-e", help=o.ENV_HELP, show_default=False)
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="What learns from labels: oni-retrieval, oni-classification, oni-ranking; "
            "none: bonuses alone.",
        ),
    ] = "oni-retrieval",
    frozen: Annotated[
        str | None,
        typer.Option(
            "--reward-model",
            help="A file that `annotate --learn` wrote; then nobody is asked.",
        ),
    ] = None,
    bonus: Annotated[
        list[str] | None,
        typer.Option(
            "--bonus",
            help="count, global-count, product, e3b, rnd or noveld; repeatable.",
        ),
    ] = None,
    bonus_weight: Annotated[
        float, typer.Option("--bonus-weight", help="Factor of the bonuses' sum.")
    ] = 0.1,
    weight: Annotated[
        float, typer.Option("--weight", help="Factor of all that is intrinsic.")
    ] = 1.0,
    power: Annotated[
        float,
        typer.Option(
            "--power", help="Decay by the caption's count in the episode.", min=0.0
        ),
    ] = 3.0,
    steps: Annotated[
        int, typer.Option("--steps", help="Of all environments.", min=1)
    ] = 150_000,
    lanes: Annotated[
        int, typer.Option("--lanes", help="Environments at once.", min=1)
    ] = 8,
    memory: Annotated[
        int, typer.Option("--memory", help="Width of a recurrent unit; 0: none.", min=0)
    ] = 0,
    warm: Annotated[
        float,
        typer.Option(
            "--warm", help="Share of steps to be labelled before learning begins."
        ),
    ] = 0.0,
    caption: a.CaptionOption = "auto",
    annotator: a.Annotator = "rules",
    rule: a.RuleOption = None,
    goal: a.Goal = None,
    base_url: a.BaseUrl = None,
    labels: a.Journal = None,
    distilled: a.DistilledOption = None,
    max_calls: a.MaxCalls = None,
    prices: a.Prices = None,
    requests_per_minute: a.PerMinute = None,
    env_kwargs: o.EnvKwargs = None,
    seed: o.Seed = 0,
    run: Annotated[
        str | None, typer.Option("--run", help="The run's folder; a new one in runs/.")
    ] = None,
    explain: Annotated[
        int | None,
        typer.Option(
            "--explain", help="Tell where the pay of a step of --run came from."
        ),
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Train an agent on labels of what it sees, and on what is new.

    A rule or a language model says which captions are helpful, while the agent trains.
    Every step is written down with its label and where that came from: --explain tells.
    """
    from reward_synth.errors import UsageError

    if explain is not None:
        _explain(run, explain, as_json)
        return
    if env is None:
        raise UsageError(
            "Give an environment with --env, such as MiniHack-KeyRoom-S5-v0."
        )
    asked = a.asked_of(
        annotator,
        rule,
        goal,
        base_url,
        labels,
        max_calls,
        prices,
        requests_per_minute,
        distilled,
    )
    settings: dict[str, Any] = {
        "env_kwargs": o.read_kwargs(env_kwargs),
        "model": model,
        "frozen": frozen,
        "bonuses": tuple(bonus or ()),
        "bonus_weight": bonus_weight,
        "caption": caption,
        "asked": asked,
        "power": power,
        "warm": warm,
        "steps": steps,
        "lanes": lanes,
        "seed": seed,
    }
    _train(env, settings, weight, memory, run, as_json)


def _train(
    env: str,
    settings: dict[str, Any],
    weight: float,
    memory: int,
    run: str | None,
    as_json: bool,
) -> None:
    from dataclasses import replace

    from reward_synth.agents.intrinsic_run import (
        IntrinsicConfig,
        Training,
        keyroom_learning,
    )
    from reward_synth.cli.folders import run_folder
    from reward_synth.cli.output import note, print_json, progress_bars

    learning = replace(keyroom_learning(), intrinsic_weight=weight, memory=memory)
    if memory:
        learning = replace(learning, batches=min(4, settings["lanes"]))
    config = IntrinsicConfig(env=env, learning=learning, **settings)
    with run_folder(run, f"intrinsic-{env}", resume=False) as folder:
        training = Training(config, folder)
        with progress_bars() as bars:
            task = bars.add_task("begins", total=config.steps)

            def tell(progress: Progress) -> None:
                bars.update(task, completed=progress.steps, description=progress.line)

            result = training.run(tell)
    if as_json:
        print_json({"run": str(folder), **result})
        return
    _show(result)
    note(f"Labels: {folder}/labels.jsonl. One step: --run {folder} --explain STEP")


def _show(result: dict[str, Any]) -> None:
    from reward_synth.cli.output import out, print_table

    rate = result["steps"] / max(result["seconds"], 1e-9)
    rows = [
        ("steps", f"{result['steps']} ({rate:.0f} a second)"),
        ("episodes", f"{result['episodes']}"),
        ("success, last fifth", _cell(result["success_last_fifth"])),
        ("return, last fifth", _cell(result["return_last_fifth"])),
    ]
    told = result["labels"]
    if told is not None:
        rows += [
            ("steps by label", _counts(result["steps_by_label"])),
            ("questions answered", f"{told['known']}"),
            ("questions waiting", f"{told['waiting'] + told['in_flight']}"),
            ("calls, tokens", f"{told['calls']:.0f}, {told['tokens']:.0f}"),
        ]
    failed = result["failed_requests"]
    if failed:
        rows.append(
            ("failed requests", ", ".join(f"{k} {n}" for k, n in failed.items()))
        )
    print_table(("", ""), rows)
    farming = result["farming"]
    if farming["suspected"]:
        out.print(
            f"Farming is suspected: {farming['share']:.0%} of all labels' pay came from "
            f"{farming['caption']!r}. Raise --power.",
            markup=False,
        )


def _explain(run: str | None, step: int, as_json: bool) -> None:
    from dataclasses import asdict

    from reward_synth.agents.intrinsic_record import explain
    from reward_synth.cli.output import print_json, print_table
    from reward_synth.errors import UsageError

    if run is None:
        raise UsageError("--explain needs the run's folder: give --run DIR.")
    found = asdict(explain(Path(run), step))
    if as_json:
        print_json(found)
        return
    asked = [f"{role}: {text}" for role, text in found.pop("question")]
    rows = [
        (name, "" if value is None else f"{value}") for name, value in found.items()
    ]
    rows += [("asked", text) for text in asked]
    print_table(("", ""), rows)


def _counts(statuses: dict[str, int]) -> str:
    total = sum(statuses.values())
    return ", ".join(f"{name} {n / total:.1%}" for name, n in statuses.items())


def _cell(share: float | None) -> str:
    return "-" if share is None else f"{share:.3g}"
