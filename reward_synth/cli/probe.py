"""``reward_synth probe``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from reward_synth.cli import options as o
from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from reward_synth.probe import Probed


def probe(
    file: Annotated[str, typer.Argument(help="A reward program (.py).")],
    env: o.Env,
    env_kwargs: o.EnvKwargs = None,
    success: o.Success = None,
    task_spec: o.TaskSpecFile = None,
    allow_info: o.AllowInfo = None,
    demos: o.Demonstrations = None,
    combine: Annotated[
        str, typer.Option("--combine", help="How the reward meets the environment's.")
    ] = "add",
    weight: Annotated[
        float, typer.Option("--weight", help="Factor of the dense part.")
    ] = 1.0,
    gamma: Annotated[
        float | None, typer.Option("--gamma", help="Discount; by default the task's.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option("--steps", help="Of an episode; by default the horizon.", min=1),
    ] = None,
    population: Annotated[
        int, typer.Option("--population", help="Draws of a generation.", min=8)
    ] = 48,
    generations: Annotated[
        int, typer.Option("--generations", help="Of the searches.", min=1)
    ] = 8,
    folder: Annotated[
        str, typer.Option("--out", help="Folder for the trajectories.")
    ] = "probe",
    replay: Annotated[
        str | None, typer.Option("--replay", help="Play this trajectory again.")
    ] = None,
    seed: o.Seed = 0,
    as_json: o.Json = False,
) -> None:
    """Look for ways to earn a reward without doing the task."""
    from reward_synth.api.config import EnvConfig
    from reward_synth.cli.output import note, print_json
    from reward_synth.probe import CrossEntropy
    from reward_synth.probe import probe as probed
    from reward_synth.probe.run import Mixed

    config = EnvConfig(
        env,
        o.read_kwargs(env_kwargs),
        success=success,
        task_file=task_spec,
        allow_info=tuple(allow_info or ()),
        demonstrations=demos,
        seed=seed,
    )
    mixed = Mixed(combine, weight, gamma)
    if replay is not None:
        _replay(file, config, replay, mixed, as_json)
        return
    options = {
        "--env": env,
        "--env-kwargs": env_kwargs,
        "--success": success,
        "--task-spec": task_spec,
        "--combine": None if combine == "add" else combine,
        "--weight": None if weight == 1.0 else weight,
        "--gamma": gamma,
    }
    given = [(n, str(v)) for n, v in options.items() if v is not None]
    given += [("--allow-info", name) for name in allow_info or ()]
    found = probed(
        file,
        config,
        mixed=mixed,
        steps=steps,
        settings=CrossEntropy(population, generations),
        folder=folder,
        command=("reward_synth", "probe", file, *(x for pair in given for x in pair)),
        notify=lambda text: note(text, quiet=as_json),
    )
    if as_json:
        print_json(found.to_dict())
    else:
        _show(found)


def _replay(file: str, config: object, path: str, mixed: object, as_json: bool) -> None:
    from reward_synth.cli.output import out, print_json
    from reward_synth.probe import replay as replayed

    played, same = replayed(file, config, path, mixed)  # type: ignore[arg-type]
    data = {
        "steps": len(played.paid),
        "paid": float(played.paid.sum()),
        "sparse": float(played.sparse.sum()),
        "success": played.succeeded,
        "as_recorded": same,
    }
    if as_json:
        print_json(data)
    else:
        ends = "with" if played.succeeded else "without"
        out.print(
            f"{data['steps']} steps, paid {data['paid']:.6g}, of which the environment "
            f"{data['sparse']:.6g}; {ends} success.",
            markup=False,
        )
    if not same:
        raise UsageError(
            f"{path} was recorded with other pay: another reward, combiner, weight or "
            "environment. Use the command that probe printed."
        )


def _show(found: Probed) -> None:
    from reward_synth.cli.output import note, out, print_table

    known = "none is known" if found.success is None else f"{found.success:.4g}"
    out.print(
        f"{found.env}, gamma {found.gamma:g}. Worth of the best success: {known}.\n",
        markup=False,
    )
    if found.exact:
        out.print(
            f"Exact, from the first states, without end: {found.exact['without']:.4g} "
            f"without success, {found.exact['success']:.4g} with.\n",
            markup=False,
        )
    verdict = {True: "yes", False: "no", None: "?"}
    rows = [
        [x.kind, f"{x.worth:.4g}", f"{x.total:.4g}", str(x.steps), verdict[x.beats]]
        for x in found.found
    ]
    print_table(("without success", "worth", "paid", "steps", "beats success"), rows)
    for item in found.found:
        out.print(f"{item.kind}: {item.words}.", markup=False)
        out.print(f"  {shlex.join(item.replay)}", markup=False, soft_wrap=True)
    for remark in found.remarks:
        note(remark)
