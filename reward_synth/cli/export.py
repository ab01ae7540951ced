"""``reward_synth export``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli import options as o

if TYPE_CHECKING:
    from reward_synth.export import Exported

Run = Annotated[
    str, typer.Argument(help="The folder of a run of generate, train or bench.")
]
To = Annotated[
    str | None,
    typer.Option("--to", help="Folder of the reward card; by default RUN/export."),
]
Task = Annotated[
    str | None, typer.Option("--task", help="Only this task of a run of bench.")
]
Design = Annotated[
    str | None,
    typer.Option(
        "--design",
        help="Only this design of a run of bench; of other runs, the beginning of a "
        "program's digest.",
    ),
]
License = Annotated[
    str,
    typer.Option("--license", help="Of the program, for the card: mit, cc-by-4.0 …"),
]
Zoo = Annotated[
    str | None,
    typer.Option("--zoo", help="Write a folder that RL Baselines3 Zoo trains in."),
]
Minari = Annotated[
    str | None,
    typer.Option("--minari", help="Play episodes into a Minari data set of this name."),
]
Policy = Annotated[
    str,
    typer.Option("--policy", help="Who plays: random, held, or demonstrations."),
]
Episodes = Annotated[
    int,
    typer.Option(
        "--episodes", help="How many are played; of demonstrations all there are."
    ),
]


def export(
    run: Run,
    to: To = None,
    task: Task = None,
    design: Design = None,
    license_name: License = "unknown",
    zoo: Zoo = None,
    minari: Minari = None,
    policy: Policy = "held",
    episodes: Episodes = 10,
    seed: o.Seed = 0,
    as_json: o.Json = False,
) -> None:
    """Write a reward card of a run, a folder for RL Zoo, or a Minari data set."""
    from reward_synth.cli.output import note, print_json
    from reward_synth.export import read_exports

    _refuse_empty({"--to": to, "--zoo": zoo, "--minari": minari})
    found = read_exports(run, task=task, design=design)
    told: dict[str, Any] = {"run": run}
    if to is not None or (zoo is None and minari is None):
        told["cards"] = _cards(found, to or str(Path(run) / "export"), license_name)
    if zoo is not None:
        told["zoo"] = _zoo(found, zoo)
    if minari is not None:
        told["minari"] = _minari(found, minari, policy, episodes, seed)
    if as_json:
        print_json(told)
        return
    for path in told.get("cards", ()):
        note(f"Written: {Path(path) / 'README.md'}")
    for line in told.get("zoo", ()):
        print(line)
    if minari is not None:
        note(
            f"Written: the data set {minari}. In Python: minari.load_dataset({minari!r})"
        )


def _refuse_empty(options: dict[str, str | None]) -> None:
    from reward_synth.errors import UsageError

    for name, value in options.items():
        if value is not None and not value.strip():
            raise UsageError(f"{name} is empty. Give it a value, or leave it out.")


def _cards(found: list[Exported], to: str, license_name: str) -> list[str]:
    """Write a card; several get folders of their own."""
    from reward_synth.export import write_card

    places = [Path(to)]
    if len(found) > 1:
        places = [Path(to) / _slug(f"{x.told.task}-{x.told.design}") for x in found]
    return [
        str(write_card(item, place, license_name=license_name))
        for item, place in zip(found, places, strict=True)
    ]


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", name)


def _one(found: list[Exported], option: str) -> Exported:
    from reward_synth.errors import UsageError

    if len(found) > 1:
        names = [f"--task {x.told.task} --design {x.told.design}" for x in found]
        raise UsageError(
            f"{option} takes one program, and the run has {len(found)}. Name one: "
            f"{'; '.join(names)}."
        )
    return found[0]


def _zoo(found: list[Exported], zoo: str) -> list[str]:
    from reward_synth.export import write_zoo

    return write_zoo(_one(found, "--zoo"), zoo)


def _minari(
    found: list[Exported], dataset_id: str, policy: str, episodes: int, seed: int
) -> dict[str, Any]:
    from reward_synth.errors import UsageError
    from reward_synth.export.minari import export_minari

    if episodes < 1:
        raise UsageError(f"--episodes must be at least 1, received {episodes}.")
    dataset = export_minari(
        _one(found, "--minari"), dataset_id, policy, episodes=episodes, seed=seed
    )
    return {
        "id": dataset_id,
        "episodes": int(dataset.total_episodes),
        "steps": int(dataset.total_steps),
    }
