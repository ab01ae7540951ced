"""``reward_synth describe``."""

from __future__ import annotations

from typing import Annotated

import typer

from reward_synth.cli import options as o


def describe(
    env: o.Env,
    env_kwargs: o.EnvKwargs = None,
    success: o.Success = None,
    allow_info: o.AllowInfo = None,
    seed: o.Seed = 0,
    save: Annotated[
        str | None,
        typer.Option("--save", help="Write the description to this .json file."),
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Show a task as a proposer sees it: fields, units, measured ranges, success."""
    from reward_synth.api.config import EnvConfig
    from reward_synth.api.prepare import describe as describe_task
    from reward_synth.cli.output import note, print_json

    config = EnvConfig(
        env,
        o.read_kwargs(env_kwargs),
        success=success,
        allow_info=tuple(allow_info or ()),
        seed=seed,
    )
    ref, task = describe_task(config)
    for line in ref.remarks():
        note(line, quiet=as_json)
    if save:
        task.save(save)
        note(
            f"Saved to {save}; edit it and give it back with --task-spec.",
            quiet=as_json,
        )
    if as_json:
        print_json(task.to_dict())
        return
    _show(task)


def _show(task: object) -> None:
    from reward_synth.cli.output import out, print_table, say
    from reward_synth.prompts.build import field_rows, head_lines
    from reward_synth.task import TaskSpec

    if not isinstance(task, TaskSpec):
        raise TypeError("describe shows a TaskSpec")
    for line in head_lines(task):
        out.print(line, markup=False)
    out.print()
    head, *rows = field_rows(task)
    print_table(head, rows)
    if task.info_keys:
        say(f"info keys, withheld from rewards: {', '.join(task.info_keys)}")
    for line in task.notes:
        say(f"note: {line}")
