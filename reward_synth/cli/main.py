"""Entry point: runs a command and turns every failure into one line and a code.

| code | meaning |
|---|---|
| 0 | done |
| 1 | nothing usable came out |
| 2 | wrong usage |
| 3 | environment or endpoint not available |
| 4 | a budget is used up |
| 75 | try again: endpoint down, disk full |
| 130 | interrupted |
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

import typer

from reward_synth.cli.app import app
from reward_synth.cli.signals import INTERRUPTED, INTERRUPTS
from reward_synth.errors import RewardSynthError, TryAgainError, UsageError

_KEPT = ("generate", "train")
"""Commands whose work is kept in a run."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Args:
        arguments: What follows the program's name; by default what the shell gave.
    """
    INTERRUPTS.install()
    code = run(arguments)
    INTERRUPTS.ending = code == INTERRUPTED
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Example:
        >>> run(["check", "missing.py", "--env", "CartPole-v1"])
        2
    """
    try:
        given = None if arguments is None else list(arguments)
        code = app(given, standalone_mode=False)
    except RewardSynthError as error:
        _complain(str(error))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        _complain(_interrupted(arguments))
        return INTERRUPTED
    except BrokenPipeError:
        return INTERRUPTED
    except OSError as error:
        return _os_trouble(error)
    except Exception as error:
        return _other(error)
    if code == INTERRUPTED:  # typer turns Ctrl-C into this
        _complain(_interrupted(arguments))
    return code if isinstance(code, int) else 0


def _interrupted(arguments: Sequence[str] | None) -> str:
    """Say what an interrupted command leaves.

    Example:
        >>> _interrupted(["check", "reward.py"])
        'Interrupted.'
    """
    given = sys.argv[1:] if arguments is None else arguments
    if not given or given[0] not in _KEPT or "--dry-run" in given:
        return "Interrupted."
    if INTERRUPTS.folder is None:
        return "Interrupted. The same command with --run or --resume goes on."
    return (
        "Interrupted. What was done is kept. Go on with the same command and "
        f"--run {shlex.quote(str(INTERRUPTS.folder))}"
    )


def _os_trouble(error: OSError) -> int:
    """Handle files that cannot be read or written, and a disk that is full or fails."""
    from reward_synth.store.troubles import is_passing

    said = error.strerror or str(error)
    _complain(f"{error.filename}: {said}." if error.filename else f"{said}.")
    return TryAgainError.exit_code if is_passing(error) else UsageError.exit_code


def _other(error: Exception) -> int:
    """Handle wrong options, and failures of things that we call."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        text = error.format_message()
        if text:  # none where the help was printed in its place
            _complain(text.replace(": Value error, ", ": "))
        return int(error.exit_code)
    if isinstance(error, ModuleNotFoundError):
        _complain(f"{error.name} is not installed. {_extra(error.name or '')}")
        return 3
    said = f"{type(error).__name__}: {error}".rstrip(" .:")
    _complain(f"{said}. Set REWARD_SYNTH_DEBUG=1 for details.")
    return 1


_EXTRAS = {
    "stable_baselines3": "train",
    "torch": "train",
    "openai": "llm",
    "mujoco": "mujoco",
    "mani_skill": "maniskill",
    "sapien": "maniskill",
    "minari": "data",
    "tensorboard": "train",
}


def _extra(package: str) -> str:
    extra = _EXTRAS.get(package.partition(".")[0])
    what = f"'reward-synth[{extra}]'" if extra else package
    return f"Install it with: pip install {what}"


def _one_line(text: str) -> str:
    r"""Join a message of several lines: a head, then points.

    Example:
        >>> _one_line("Two differ:\n  n: 1 here\n  seed: 2 here")
        'Two differ: n: 1 here; seed: 2 here'
    """
    head, *points = [
        " ".join(line.split()) for line in text.splitlines() if line.strip()
    ]
    return " ".join([head, "; ".join(points)]).strip()


def _complain(text: str) -> None:
    line = _one_line(text).encode(errors="backslashreplace").decode()
    print(f"error: {line}", file=sys.stderr)
    if os.environ.get("REWARD_SYNTH_DEBUG") and sys.exc_info()[0]:
        import traceback

        traceback.print_exc()
