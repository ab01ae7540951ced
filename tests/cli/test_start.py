"""Starting up: what is loaded, help, completion, and output that nobody reads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.tools import CAR, SECONDS, Cli, python

HEAVY = {"torch", "stable_baselines3", "openai", "nle", "mujoco", "ray"}
"""Packages that have a door of their own."""
NOT_FOR_HELP = HEAVY | {"numba", "scipy", "jinja2", "starlette"}
SAY = "import sys; print(*{name.split('.')[0] for name in sys.modules})"


def loaded(code: str) -> set[str]:
    """Return the packages that a fresh process has loaded after ``code``."""
    result = python(f"{code}\n{SAY}")
    assert result.code == 0, result.err
    return set(result.out.splitlines()[-1].split())


def test_importing_loads_nothing_heavy() -> None:
    """``import reward_synth`` and its commonest use stay light."""
    assert not loaded("import reward_synth") & NOT_FOR_HELP
    assert not loaded("import reward_synth.api, reward_synth.envs") & HEAVY
    assert not loaded("from reward_synth import *") & HEAVY


@pytest.mark.parametrize("verb", ["", "generate", "check", "train", "describe", "envs"])
def test_help_is_instant(verb: str) -> None:
    """--help of every command loads no simulator, no learner and no client."""
    arguments = [item for item in (verb, "--help") if item]
    code = f"from reward_synth.cli.main import run\nassert run({arguments!r}) == 0"
    assert not loaded(code) & NOT_FOR_HELP


def test_no_arguments_show_the_help(cli: Cli) -> None:
    """The bare command tells what there is."""
    result = cli()
    for verb in ("generate", "check", "train", "describe", "envs"):
        assert verb in result.out + result.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_a_completion_script(shell: str) -> None:
    """--show-completion prints a script for the shell."""
    done = subprocess.run(
        ["reward_synth", "--show-completion", shell],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={
            **os.environ,
            "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        },
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "reward_synth" in done.stdout


def test_completion_completes() -> None:
    """What the script calls knows the commands and their options."""
    place = os.path.dirname(sys.executable)
    done = subprocess.run(
        [os.path.join(place, "reward_synth")],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={
            **os.environ,
            "_REWARD_SYNTH_COMPLETE": "complete_bash",
            "COMP_WORDS": "reward_synth gen",
            "COMP_CWORD": "1",
        },
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.split() == ["generate"]


def test_nobody_reads_the_output() -> None:
    """A closed pipe, as of ``| head``, ends the command without a traceback."""
    child = subprocess.Popen(
        [sys.executable, "-m", "reward_synth", "describe", "--env", CAR, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    err = child.stderr.read()
    child.wait(timeout=SECONDS)
    assert "Traceback" not in err
    assert "Exception ignored" not in err
