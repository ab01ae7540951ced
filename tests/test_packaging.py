"""The package is whole: from a wheel, from a checkout, and light to import."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import reward_synth

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "stable_baselines3", "openai", "nle", "mujoco", "ray")


def test_every_package_is_mapped_and_linked() -> None:
    """A folder is importable from a wheel (mapped) and from a checkout (linked)."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    inside = ROOT / "reward_synth"
    links = {item.name for item in inside.iterdir() if item.is_symlink()}
    folders = {item.parent.name for item in ROOT.glob("*/__init__.py")} - {"tests"}
    found = [item.parent.relative_to(ROOT) for item in inside.rglob("__init__.py")]
    linked = [f"reward_synth.{name}" for name in links]  # rglob follows no links
    nested = {".".join(item.parts) for item in found} | set(linked)

    assert links == folders - {"reward_synth"}
    assert set(config["package-dir"].values()) == folders
    assert set(config["packages"]) == nested


def test_importing_loads_nothing_heavy() -> None:
    """`import reward_synth` loads no simulator, learner or client of a model server."""
    code = f"import sys, reward_synth; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_loads() -> None:
    """What __all__ promises is there, documented, and nothing else is listed."""
    for name in reward_synth.__all__:
        assert getattr(reward_synth, name).__doc__, name
    assert dir(reward_synth) == sorted(reward_synth.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelled name fails as it does in any module."""
    assert not hasattr(reward_synth, "warp")


def test_every_license_and_type_marker_is_there() -> None:
    """The package says that it is typed and under which licence."""
    assert (ROOT / "reward_synth" / "py.typed").exists()
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_every_pin_has_digests() -> None:
    """The lock names the pins of the constraints, each with the digest of a file."""
    pin = re.compile(r"^([\w.-]+==\S+)", re.MULTILINE)
    folder = ROOT / "constraints"
    wanted = pin.findall((folder / "py311-cpu.txt").read_text())
    lock = (folder / "py311-cpu.lock").read_text()
    entries = [item for item in re.split(r"(?<!\\)\n", lock) if pin.match(item)]
    assert [pin.findall(item)[0] for item in entries] == wanted
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", item) for item in entries)
