"""``reward_synth methods``."""

from __future__ import annotations

from typing import Annotated

import typer

from reward_synth.cli.options import Json


def methods(
    name: Annotated[
        str | None, typer.Argument(help="Show this one whole, as its file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the methods of `generate --method`: what each proposes and trains."""
    from dataclasses import asdict

    from reward_synth.cli.output import print_json, print_table
    from reward_synth.search import load_method, method_names
    from reward_synth.search.method import method_text

    if name is not None:
        load_method(name)  # refuses what is unknown
        print(method_text(name).rstrip())
        return
    found = [load_method(item) for item in method_names()]
    if as_json:
        print_json([asdict(item) for item in found])
        return
    print_table(
        ("method", "after", "samples", "rounds", "restarts", "asks"),
        [
            (
                item.name,
                item.title,
                str(item.samples),
                str(item.rounds),
                str(item.restarts),
                {"any": "a model, if there is one", "llm": "a model"}.get(
                    item.proposer, "no model"
                ),
            )
            for item in found
        ],
    )
    print(
        "Show one: reward_synth methods NAME. Change one: save it, and --method-file."
    )
