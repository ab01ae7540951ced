"""Starts the arena, in namespaces of its own where the system grants them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reward_synth.benchmarks.hostile_case import Hostile
from reward_synth.benchmarks.hostile_host import SECRET, VARIABLE

Row = dict[str, Any]


def arena(cases: Sequence[Hostile], layers: Sequence[str], seconds: float) -> list[Row]:
    """Run programs with these layers only; a row a program: name, status, effects."""
    request = {
        "layers": list(layers),
        "seconds": seconds,
        "programs": [(case.name, case.source) for case in cases],
    }
    inside = shelter()
    variables = {
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        "PATH": os.defpath,
    }
    variables |= {"ARENA_SHELTERED": "1"} if inside else {}
    variables |= {} if "clean_start" in layers else {VARIABLE: SECRET}
    with tempfile.TemporaryDirectory() as own:
        done = subprocess.run(
            [
                *inside,
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "reward_synth.benchmarks.hostile_arena",
            ],
            input=json.dumps(request, ensure_ascii=True),
            capture_output=True,
            text=True,
            env={**variables, "TMPDIR": own},
            check=False,
        )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    if len(rows) != len(cases):
        raise SystemExit(
            f"The arena ended early after {len(rows)}: {done.stderr[-900:]}"
        )
    return rows


def shelter() -> list[str]:
    """Return the command that gives the arena namespaces, or nothing."""
    base = ["unshare", "--mount", "--net", "--ipc", "--uts", "--pid", "--fork"]
    base += ["--kill-child", "--mount-proc"]
    for command in (base, [*base, "--user", "--map-root-user"]):
        with contextlib.suppress(OSError):
            done = subprocess.run([*command, "true"], capture_output=True, check=False)
            if done.returncode == 0:
                return command
    return []
