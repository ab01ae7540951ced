"""``reward_synth plot``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reward_synth.cli import options as o

if TYPE_CHECKING:
    from reward_synth.report.plots_apart import Apart
    from reward_synth.report.plots_data import RewardPlots


def plot(
    file: Annotated[str, typer.Argument(help="A reward program (.py).")],
    env: o.Env,
    fields: Annotated[
        str,
        typer.Option(
            "--fields",
            help="Two numbers to draw over: position,velocity; gripper[2]; action[0].",
            show_default=False,
        ),
    ],
    out_file: Annotated[
        str, typer.Option("--out", help="The picture (.png) or page (.html).")
    ] = "plot.html",
    env_kwargs: o.EnvKwargs = None,
    success: o.Success = None,
    task_spec: o.TaskSpecFile = None,
    allow_info: o.AllowInfo = None,
    demos: o.Demonstrations = None,
    combine: o.CombineOption = None,
    weight: o.Weight = 1.0,
    gamma: Annotated[
        float | None, typer.Option("--gamma", help="Discount; by default the task's.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at", help="Hold another number: --at velocity=0.01; repeatable."
        ),
    ] = None,
    episode: Annotated[
        int | None,
        typer.Option(
            "--episode",
            help="The recorded episode to show. By default the first with success.",
        ),
    ] = None,
    step: Annotated[
        int, typer.Option("--step", help="Its step that the maps are drawn around.")
    ] = 0,
    seed: o.Seed = 0,
    as_json: o.Json = False,
) -> None:
    """Draw a reward over two fields of a task, and along an episode."""
    from reward_synth.api.config import EnvConfig
    from reward_synth.cli.output import note, out, print_json
    from reward_synth.report.plots import plot_reward
    from reward_synth.report.plots_axes import read_values, split_names
    from reward_synth.report.plots_files import picture_path

    path = picture_path(out_file)
    o.refuse_device(file)
    config = EnvConfig(
        env,
        o.read_kwargs(env_kwargs),
        success=success,
        task_file=task_spec,
        allow_info=tuple(allow_info or ()),
        demonstrations=demos,
        seed=seed,
    )
    found = plot_reward(
        file,
        config,
        split_names(fields),
        combine=combine,
        gamma=gamma,
        weight=weight,
        at=read_values(at or ()),
        episode=episode,
        step=step,
        notify=lambda text: note(text, quiet=as_json),
    )
    write(found, str(path))
    if as_json:
        print_json({"file": str(path), **found.to_dict()})
        return
    for remark in found.remarks:
        note(remark)
    out.print(str(path), markup=False)


def write(found: RewardPlots | Apart, path: str) -> None:
    """Write pictures with the command of this process and the time."""
    import time

    from reward_synth.api.provenance import command_line, versions
    from reward_synth.report.plots_data import Made
    from reward_synth.report.plots_files import write_plots

    write_plots(found, path, Made(command_line(), time.time(), versions()))
