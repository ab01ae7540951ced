"""The commands and their options."""

from __future__ import annotations

import typer

from reward_synth.cli import (
    annotate,
    audit,
    bench,
    check,
    compare,
    describe,
    doctor,
    export,
    generate,
    intrinsic,
    listing,
    methods,
    plot,
    probe,
    refine,
    report,
    runs,
    training,
    watch,
    zoo,
)

app = typer.Typer(
    name="reward_synth",
    help="Dense rewards for sparse Gymnasium environments: written, checked, compiled "
    "and measured.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"reward_synth {version('reward-synth')}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Dense rewards for sparse Gymnasium environments."""


app.command("envs")(listing.envs)
app.command("describe")(describe.describe)
app.command("generate")(generate.generate)
app.command("methods")(methods.methods)
app.command("zoo")(zoo.zoo)
app.command("refine")(refine.refine)
app.command("feedback")(refine.feedback)
app.command("check")(check.check)
app.command("audit")(audit.audit)
app.command("train")(training.train)
app.command("bench")(bench.bench)
app.command("report")(report.report)
app.command("watch")(watch.watch)
app.command("export")(export.export)
app.command("doctor")(doctor.doctor)
app.add_typer(runs.app, name="runs")
app.command("compare")(compare.compare)
app.command("combiners")(compare.combiners)
app.command("probe")(probe.probe)
app.command("plot")(plot.plot)
app.command("intrinsic")(intrinsic.intrinsic)
app.command("annotate")(annotate.annotate)
