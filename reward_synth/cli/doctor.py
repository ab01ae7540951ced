"""``reward_synth doctor``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from reward_synth.cli import options as o

_PACKAGES = (
    "reward-synth",
    "numpy",
    "numba",
    "gymnasium",
    "stable-baselines3",
    "torch",
    "openai",
)
"""Whose versions matter when something is odd; those that are missing say so."""
_LACKING = 3
"""Exit code where ``--sandbox strict`` would refuse."""
_WRONG = 1
"""Exit code where an environment breaks a rule."""


def doctor(
    env: Annotated[
        str | None,
        typer.Option(
            "--env", "-e", help=f"Examine an environment instead: {o.ENV_HELP}"
        ),
    ] = None,
    env_kwargs: o.EnvKwargs = None,
    steps: Annotated[
        int, typer.Option("--steps", help="Steps that --env is played.", min=1)
    ] = 2000,
    seed: o.Seed = 0,
    as_json: o.Json = False,
) -> int:
    """Print which layers of the sandbox are live here, and versions.

    Exit code 0 where --sandbox strict holds, 3 where a layer is missing.

    With --env, play an environment and tell what learners rely on and it does not keep:
    observations that stay as they were, seeds that decide the game, time limits that
    truncate, determinism, observations in their space, finite rewards. Exit code 0 where
    nothing is wrong, else 1.
    """
    if env is not None:
        return _environment(env, o.read_kwargs(env_kwargs), steps, seed, as_json)
    return _installation(as_json)


def _environment(
    name: str, kwargs: Mapping[str, Any], steps: int, seed: int, as_json: bool
) -> int:
    from dataclasses import asdict

    from reward_synth.cli.output import out, print_json, print_table
    from reward_synth.envs import resolve
    from reward_synth.intrinsic.env_doctor import examine

    ref = resolve(name, kwargs)
    found = examine(ref.make, seed=seed, steps=steps)
    wrong = [item for item in found if item.verdict == "wrong"]
    if as_json:
        print_json({"env": ref.name, "checks": [asdict(item) for item in found]})
        return _WRONG if wrong else 0
    rows = [(item.check, item.verdict, item.text) for item in found]
    print_table(("check", "", "seen"), rows)
    for item in wrong:
        out.print()
        out.print(f"{item.check}: {item.cure}", markup=False)
    out.print()
    said = (
        f"{len(wrong)} of {len(found)} checks failed" if wrong else "Nothing is wrong"
    )
    out.print(f"{said} in {ref.name}.", markup=False)
    return _WRONG if wrong else 0


def _installation(as_json: bool) -> int:
    from reward_synth.cli.output import out, print_json, print_table

    found = findings()
    lacking = found["missing"]
    if as_json:
        print_json(found)
        return _LACKING if lacking else 0
    rows = [
        (
            item["layer"],
            item["state"],
            "" if item["strict"] else "optional",
            item["stops"],
        )
        for item in found["layers"]
    ]
    print_table(("layer", "state", "", "without it"), rows)
    out.print()
    print_table(("version", ""), list(found["versions"].items()))
    out.print()
    out.print(_verdict(lacking), markup=False)
    return _LACKING if lacking else 0


def findings() -> dict[str, Any]:
    """Return what is live here, as JSON-ready data.

    Example:
        >>> sorted(findings())
        ['layers', 'missing', 'mode', 'versions']
    """
    from reward_synth.sandbox import STOPS, choose, live_layers
    from reward_synth.sandbox.lockdown import OPTIONAL_LAYERS

    tier = choose()
    return {
        "mode": tier.mode,
        "missing": tier.missing,
        "layers": [
            {
                "layer": name,
                "state": state,
                "strict": name not in OPTIONAL_LAYERS,
                "stops": STOPS[name],
            }
            for name, state in live_layers().items()
        ],
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of what decides how things behave.

    Example:
        >>> versions()["Python"].startswith("3.")
        True
    """
    import platform
    from importlib.metadata import PackageNotFoundError, version

    def of(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "not installed"

    return {
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Landlock ABI": _landlock(),
        **{name: of(name) for name in _PACKAGES},
    }


def _landlock() -> str:
    import ctypes
    import sys

    from reward_synth.sandbox import landlock

    if sys.platform != "linux":
        return "none"
    return str(landlock.abi(ctypes.CDLL(None, use_errno=True)) or "none")


def _verdict(missing: Mapping[str, str]) -> str:
    if not missing:
        return "The sandbox is complete: programs run under --sandbox strict."
    return (
        f"The sandbox is reduced: {len(missing)} of its layers "
        f"{'is' if len(missing) == 1 else 'are'} missing. --sandbox strict refuses here."
    )
