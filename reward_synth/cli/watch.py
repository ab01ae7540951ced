"""``reward_synth watch``."""

from __future__ import annotations

from typing import Annotated

import typer

Runs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN ...]",
        help="Folders of runs; none: every run in --root.",
        show_default=False,
    ),
]
Root = Annotated[str, typer.Option("--root", help="Where runs lie.")]
Port = Annotated[
    int, typer.Option("--port", help="0 takes any free port.", min=0, max=65535)
]
Quiet = Annotated[bool, typer.Option("--no-open", help="Open no browser.")]


def watch(
    runs: Runs = None, root: Root = "runs", port: Port = 0, no_open: Quiet = False
) -> None:
    """Show runs in the browser while they run; only this machine can read them."""
    from reward_synth.cli.output import note
    from reward_synth.watch import open_server

    server = open_server(runs or (), root, port)
    print(server.address, flush=True)
    note("Whoever knows this address can read the runs. Ctrl-C ends.")
    if not no_open:
        _open(server.address)
    server.run()


def _open(address: str) -> None:
    """Open the address in a browser with windows; one in the terminal would block it."""
    import os
    import sys
    import webbrowser

    if sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        webbrowser.open(address)
