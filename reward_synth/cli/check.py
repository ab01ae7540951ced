"""``reward_synth check``."""

from __future__ import annotations

from typing import Annotated

import typer

from reward_synth.cli import options as o


def check(
    file: Annotated[str, typer.Argument(help="A reward program (.py).")],
    env: o.Env,
    env_kwargs: o.EnvKwargs = None,
    success: o.Success = None,
    task_spec: o.TaskSpecFile = None,
    allow_info: o.AllowInfo = None,
    demos: o.Demonstrations = None,
    seed: o.Seed = 0,
    sandbox: o.SandboxOption = None,
    as_json: o.Json = False,
) -> int:
    """Examine a reward program, also a hand-written one; exit code 1 if unusable."""
    from reward_synth.api import check_program, prepare
    from reward_synth.api.config import EnvConfig
    from reward_synth.cli.output import note, out, print_json
    from reward_synth.program import RewardProgram

    o.refuse_device(file)
    program = RewardProgram.load(file)
    mode = o.chosen_sandbox(sandbox, quiet=as_json)
    config = EnvConfig(
        env,
        o.read_kwargs(env_kwargs),
        success=success,
        task_file=task_spec,
        allow_info=tuple(allow_info or ()),
        demonstrations=demos,
        seed=seed,
    )
    prepared = prepare(config, notify=lambda text: note(text, quiet=as_json))
    report = check_program(program, prepared, mode)
    if as_json:
        print_json(report.to_dict() | {"edited": program.provenance.edited})
        return 0 if report.ok else 1
    if program.provenance.edited:
        note("The file was edited after it was generated.")
    for finding in report.findings:
        out.print(f"{file}: {finding}", markup=False)
    verdict = "usable" if report.ok else "not usable"
    count = len(report.findings)
    out.print(f"{file}: {verdict}, {count} finding{'' if count == 1 else 's'}.")
    return 0 if report.ok else 1
