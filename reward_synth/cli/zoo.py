"""``reward_synth zoo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli.options import Json

if TYPE_CHECKING:
    from reward_synth.zoo import Entry


def zoo(
    name: Annotated[
        str | None, typer.Argument(help="Show this one: its code and its figures.")
    ] = None,
    save: Annotated[
        str | None, typer.Option("--save", help="Write its program to this file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List reward programs that come with the package, with what was measured of them."""
    from reward_synth.cli.output import print_json, print_table
    from reward_synth.errors import UsageError
    from reward_synth.zoo import load, names

    if name is None:
        if save is not None:
            raise UsageError("--save needs the name of a program; `zoo` lists them.")
        found = [load(item) for item in names()]
        if as_json:
            print_json([_data(item) for item in found])
            return
        heads = ("name", "steps", "success", "sparse", "own dense", "seeds")
        print_table(heads, [_row(item) for item in found])
        print("Use one by its name: reward_synth.wrap(env, 'zoo:NAME').")
        return
    entry = load(name)
    if save is not None:
        entry.program.save(Path(save))
    if as_json:
        print_json({**_data(entry), "source": entry.program.source})
        return
    print(entry.program.to_text())
    for arm in entry.arms:
        rates = ", ".join(f"{rate:.0%}" for rate in arm.success)
        print(f"{arm.name}: {arm.mean:.0%} success after {entry.steps} steps ({rates})")
    print(f"Every training: {entry.results}, made by `{entry.command}`.")


def _row(entry: Entry) -> tuple[str, ...]:
    rates = [entry.arm(name) for name in ("program", "sparse", "expert")]
    shown = [f"{arm.mean:.0%}" if arm else "" for arm in rates]
    count = len(rates[0].success) if rates[0] else 0
    return (entry.name, f"{entry.steps:,}", *shown, str(count))


def _data(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "task": entry.task.id,
        "digest": entry.program.digest,
        "steps": entry.steps,
        "success": {arm.name: list(arm.success) for arm in entry.arms},
        "results": entry.results,
        "command": entry.command,
    }
