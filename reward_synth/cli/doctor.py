"""``reward_synth doctor``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def doctor(as_json: o.Json = False) -> int:
    """Print which layers of the sandbox are live here, and versions.

    Exit code 0 where --sandbox strict holds, 3 where a layer is missing.
    """
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
