"""All exceptions that reward_synth raises on purpose.

    RewardSynthError
    ├── UsageError            the caller asked for something that cannot be
    │   ├── UnknownEnvError       no such environment
    │   ├── TaskSpecError         a task description that contradicts itself
    │   ├── ProgramError          a reward program that cannot be used
    │   │   └── ProgramMismatchError   a program for another task
    │   ├── FieldMismatchError    a field that cannot be read as described
    │   └── RunConflictError      a run folder that holds another run
    ├── NotAvailableError     environment or endpoint is not there
    │   ├── MissingExtraError     a package is not installed
    │   └── EndpointError         the model server refused for good
    ├── NothingUsableError    the work ended without a usable result
    ├── RewardFaultError      a dense reward failed on too many steps
    ├── BudgetReachedError    a budget of the user is used up
    └── TryAgainError         a passing trouble: disk full, endpoint down

What a *program*, a *model* or a *server* does wrong is data (``Finding``,
``Execution``, ``Completion``), never an exception: only misuse raises.
Each class carries the exit code that the command line gives it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RewardSynthError(Exception):
    """Root of the tree; ``exit_code`` is what the command line returns."""

    exit_code = 1


class UsageError(RewardSynthError):
    """The caller asked for something that cannot be."""

    exit_code = 2


class UnknownEnvError(UsageError):
    """No environment of this name is known."""

    exit_code = 3


class TaskSpecError(UsageError):
    """A task description contradicts itself or cannot be read."""


class ProgramError(UsageError):
    """A reward program cannot be used."""


class ProgramMismatchError(ProgramError):
    """A reward program was written for other fields than the task has."""


class FieldMismatchError(UsageError):
    """A field of the task cannot be read as it is described."""


class RunConflictError(UsageError):
    """The run folder holds a run of another configuration."""


class NotAvailableError(RewardSynthError):
    """An environment or an endpoint is not available."""

    exit_code = 3


class MissingExtraError(NotAvailableError):
    """A package that an extra installs is missing.

    Example:
        >>> print(MissingExtraError("mani_skill", "maniskill"))
        mani_skill is not installed. Install it with: pip install 'reward-synth[maniskill]'
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed. "
            f"Install it with: pip install 'reward-synth[{extra}]'"
        )
        self.package = package
        self.extra = extra


class EndpointError(NotAvailableError):
    """The model server refused for good (wrong key, wrong model, wrong address)."""


class NothingUsableError(RewardSynthError):
    """The work ended without a usable result."""


class RewardFaultError(RewardSynthError):
    """A dense reward was not finite, too large, or raised, on too many steps."""


class BudgetReachedError(RewardSynthError):
    """A budget that the user set is used up."""

    exit_code = 4


class TryAgainError(RewardSynthError):
    """A passing trouble; the same command goes on where it stopped."""

    exit_code = 75


def did_you_mean(name: str, known: Iterable[str], *, n: int = 3) -> str:
    """Return `` Did you mean 'a' or 'b'?`` for the nearest known names, or ``""``.

    Example:
        >>> did_you_mean("cube_pso", ["cube_pos", "goal_pos"])
        " Did you mean 'cube_pos'?"
        >>> did_you_mean("zzz", ["cube_pos"])
        ''
    """
    near = difflib.get_close_matches(name, list(known), n=n, cutoff=0.6)
    if not near:
        return ""
    return f" Did you mean {' or '.join(repr(item) for item in near)}?"
