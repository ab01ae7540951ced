"""``reward_synth refine`` and ``reward_synth feedback``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reward_synth.cli import options as o

RunFolder = Annotated[str, typer.Argument(help="The folder of a run of `generate`.")]


def feedback(run: RunFolder, as_json: o.Json = False) -> None:
    """Print what a proposer is told of each candidate, best first."""
    from reward_synth.api.told import told
    from reward_synth.cli.output import print_json

    found = list(told(Path(run)))
    if as_json:
        print_json([{"digest": digest, "feedback": text} for digest, text in found])
        return
    for number, (digest, text) in enumerate(found, start=1):
        print(f"## {number}. {digest[:10]}\n\n{text}\n")


def refine(
    source: RunFolder,
    wish: Annotated[
        str,
        typer.Option(
            "--feedback", help="What the agent does wrong, or should do otherwise."
        ),
    ],
    n: Annotated[
        int, typer.Option("--n", "-n", help="Programs to ask for.", max=o.MOST_COUNT)
    ] = 1,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="By default the run's.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="By default the run's.")
    ] = None,
    llm: o.Llm = None,
    run: o.Run = None,
    resume: o.Resume = False,
    as_json: o.Json = False,
) -> None:
    """Ask for a better program, with your words about the one that a run saved."""
    from reward_synth.api.refine import refined
    from reward_synth.cli.generate import run_generate

    given = {"model": model, "base_url": base_url, "manual": o.manual_folder(llm)}
    config = refined(Path(source), wish, samples=n, model=given)
    run_generate(config, run, resume=resume, as_json=as_json)
