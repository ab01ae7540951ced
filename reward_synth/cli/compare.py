"""``reward_synth compare`` and ``reward_synth combiners``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli import options as o
from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from reward_synth.api.comparison import Comparison


class Form(Enum):
    """Canonical forms of rewards."""

    value = "value"
    value_potential = "value_potential"
    epic = "epic"
    dard = "dard"
    minimal = "minimal"
    minimal_potential = "minimal_potential"


def compare(
    files: Annotated[list[str], typer.Argument(help="Reward programs (.py).")],
    env: o.Env,
    env_kwargs: o.EnvKwargs = None,
    success: o.Success = None,
    task_spec: o.TaskSpecFile = None,
    allow_info: o.AllowInfo = None,
    kind: Annotated[
        Form,
        typer.Option("--kind", help="Canonical form; others than value on Gridworld."),
    ] = Form.value,
    gamma: Annotated[
        float | None, typer.Option("--gamma", help="Discount; by default the task's.")
    ] = None,
    episodes: Annotated[
        int, typer.Option("--episodes", help="Episodes of each simple policy.", min=1)
    ] = 10,
    top: Annotated[
        int, typer.Option("--top", help="States to tell that are judged apart.", min=0)
    ] = 5,
    page: Annotated[
        str | None,
        typer.Option(
            "--page", help="Also draw where they disagree: a page (.html) or a .png."
        ),
    ] = None,
    fields: Annotated[
        str,
        typer.Option(
            "--fields", help="Of --page: two numbers of the states to draw over."
        ),
    ] = "",
    seed: o.Seed = 0,
    as_json: o.Json = False,
) -> None:
    """Tell how far rewards are from each other and from the environment's own."""
    from reward_synth.api.compare import compare as compared
    from reward_synth.api.config import EnvConfig
    from reward_synth.cli.output import note, print_json

    drawn = _Drawn.checked(page, fields)
    config = EnvConfig(
        env,
        o.read_kwargs(env_kwargs),
        success=success,
        task_file=task_spec,
        allow_info=tuple(allow_info or ()),
        seed=seed,
    )
    found = compared(
        files,
        config,
        kind=kind.value,
        gamma=gamma,
        episodes=episodes,
        top=top if drawn is None else drawn.every,
        notify=lambda text: note(text, quiet=as_json),
    )
    if drawn is not None:
        found = drawn.write(found, top)
    if as_json:
        print_json(found.to_dict())
    else:
        _show(found)
        if drawn is not None:
            note(f"Drawn: {drawn.path}")


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The picture that is asked for."""

    path: str
    fields: tuple[str, ...]
    every: int
    """How many states a map needs: all."""

    @classmethod
    def checked(cls, path: str | None, fields: str) -> _Drawn | None:
        """Return what is asked for; None if nothing is.

        Raises:
            UsageError: It could not be written.
        """
        if path is None:
            if fields:
                raise UsageError("--fields is for a picture; give --page FILE too.")
            return None
        from reward_synth.report.plots_apart import ALL
        from reward_synth.report.plots_axes import split_names
        from reward_synth.report.plots_files import picture_path

        return cls(str(picture_path(path)), split_names(fields), ALL)

    def write(self, found: Comparison, top: int) -> Comparison:
        """Write the picture; return the comparison with the states that are told."""
        from reward_synth.cli.plot import write
        from reward_synth.report.plots_apart import disagreement_map

        apart = disagreement_map(found, self.fields, top)
        write(apart, self.path)
        return apart.found


def _show(found: Comparison) -> None:
    from reward_synth.cli.output import note, out

    how = "exact, all" if found.exact else "estimated from"
    out.print(
        f"{found.env}: {how} {found.transitions} transitions, gamma {found.gamma:g}.\n"
    )
    _matrix(f"STARC distance ({found.kind}); 0 same, 1 opposite", found, "distances")
    _matrix("correlation on shared rollouts", found, "correlations")
    if found.regrets:
        _regrets(found)
    _disagreements(found)
    for remark in found.remarks:
        note(remark)


def _matrix(title: str, found: Comparison, which: str) -> None:
    from reward_synth.cli.output import out, print_table

    out.print(title, markup=False)
    rows = [
        [name, *(_cell(value) for value in row)]
        for name, row in zip(found.names, getattr(found, which), strict=True)
    ]
    print_table(("", *found.names), rows)
    out.print()


def _regrets(found: Comparison) -> None:
    from reward_synth.cli.output import out, print_table

    out.print("regret of its optimal policies, share of what can be lost")
    rows = [
        [name, _cell(told["regret"]), _cell(told["least"])]
        for name, told in found.regrets.items()
    ]
    print_table(("", "worst", "best"), rows)
    out.print()


def _disagreements(found: Comparison) -> None:
    from reward_synth.cli.output import out, print_table

    if not found.disagreements:
        return
    first, second = found.disagreements[0].rewards
    out.print(f"where {first} and {second} disagree most", markup=False)
    rows = [
        [f"{item.gap:+.2f}", str(item.action), _state(item.state)]
        for item in found.disagreements
    ]
    print_table(("gap", "action", "state"), rows)


def _state(fields: Any) -> str:
    return "  ".join(f"{name} {_short(value)}" for name, value in fields.items())


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "[" + " ".join(_short(item) for item in value) + "]"
    return f"{value:.4g}"


def _cell(value: float) -> str:
    return "-" if value != value else f"{value:.3f}"  # noqa: PLR0124 - NaN


def combiners(as_json: o.Json = False) -> None:
    """List combiners: what their steps pay, and what they act on."""
    from reward_synth.cli.output import print_json, print_table
    from reward_synth.combine import COMBINERS

    rows = [
        {
            "name": item.name,
            "acts_on": item.acts_on,
            "pays": item.words,
            "given_as": item.example or f"combine={item.name!r}",
        }
        for item in COMBINERS.values()
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("name", "acts on", "a step pays", "given as"),
        [[*row.values()] for row in rows],
    )
