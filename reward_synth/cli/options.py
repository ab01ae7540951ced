"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import json
import os
import stat
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from reward_synth.engine import EngineConfig
    from reward_synth.llm import Prices
    from reward_synth.sandbox import Mode

ENV_HELP = (
    "ManiSkill (a family: its default task), ManiSkill/PushCube-v1, any Gymnasium id such "
    "as Hopper-v5, or module:Id for your own."
)

Env = Annotated[str, typer.Option("--env", "-e", help=ENV_HELP, show_default=False)]
EnvKwargs = Annotated[
    str | None,
    typer.Option("--env-kwargs", help="Arguments of the environment as JSON."),
]
Success = Annotated[
    str | None,
    typer.Option(
        "--success",
        help="When the task is done: 'position >= 0.45', or info.<key>.",
    ),
]
Task = Annotated[
    str | None,
    typer.Option("--task", help="What is to be done, in words."),
]
TaskSpecFile = Annotated[
    str | None,
    typer.Option("--task-spec", help="A saved task description (.json or .toml)."),
]
AllowInfo = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-info", help="A key of info that rewards may read; repeatable."
    ),
]
MOST_COUNT = 10_000
"""Of candidates; far more than any search can use."""
MOST_STEPS = 10**12
"""Of a training; far more than any can take."""
MOST_SEED = 2**31 - 1
"""Every generator that we hand seeds to takes these."""
Seed = Annotated[
    int, typer.Option("--seed", help="Same seed, same result.", min=0, max=MOST_SEED)
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Run = Annotated[
    str | None,
    typer.Option(
        "--run",
        help="The run's folder; an unfinished run of the same configuration goes on. "
        "By default a new folder in runs/.",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the newest unfinished run.")
]
Demonstrations = Annotated[
    str | None,
    typer.Option(
        "--demos",
        help="Recorded rollouts (.npz), or the name of a Minari data set.",
    ),
]
Algorithm = Annotated[
    str, typer.Option("--algorithm", help="auto, sac or ppo of Stable-Baselines3.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        help="Trainings at once. [default: 2; with Ray as many as there is room for]",
        show_default=False,
    ),
]


class EngineKind(Enum):
    """Where trainings run."""

    local = "local"
    ray = "ray"


EngineOption = Annotated[
    EngineKind,
    typer.Option("--engine", help="Processes of this machine, or a Ray cluster."),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        help="The cluster, such as 10.0.0.1:6379 or auto. By default a new one here.",
    ),
]
RayResources = Annotated[
    str | None,
    typer.Option("--ray-resources", help="Of each training. [default: CPU=1,GPU=0]"),
]
Episodes = Annotated[int, typer.Option("--episodes", help="Episodes of an evaluation.")]
Expert = Annotated[
    bool,
    typer.Option(
        "--expert", help="Also train with the environment's own dense reward."
    ),
]
Weight = Annotated[
    float, typer.Option("--weight", help="Factor of the dense part; not 0.")
]


class SandboxMode(Enum):
    """What happens where the platform lacks a layer of the worker's lock."""

    reduced = "reduced"
    strict = "strict"


CombineOption = Annotated[
    str | None,
    typer.Option(
        "--combine",
        help="How the dense reward meets the sparse one: add [default], replace, potential "
        "(shaping) …; `reward_synth combiners` lists all.",
    ),
]
Llm = Annotated[
    str | None,
    typer.Option(
        "--llm",
        help="manual:DIR writes prompts as files and waits for your answers beside them.",
    ),
]
SandboxOption = Annotated[
    SandboxMode | None,
    typer.Option(
        "--sandbox",
        help="strict refuses where a layer of the lock is missing, reduced goes on "
        "without. By default strict where every layer is live; see doctor.",
        show_default=False,
    ),
]


def chosen_engine(
    kind: EngineKind, jobs: int | None, address: str | None, resources: str | None
) -> EngineConfig:
    """Return where trainings run.

    Raises:
        UsageError: The options do not fit each other, or a number means nothing.

    Example:
        >>> chosen_engine(EngineKind.local, 3, None, None).at_once
        3
    """
    from reward_synth.engine.config import EngineConfig, read_resources

    return EngineConfig(kind.value, jobs, address, read_resources(resources))


def chosen_sandbox(asked: SandboxMode | None, *, quiet: bool = False) -> Mode:
    """Return the mode that programs run under, and say so where a layer is missing.

    Raises:
        NotAvailableError: strict is asked for and cannot hold.

    Example:
        >>> chosen_sandbox(SandboxMode.reduced, quiet=True)
        'reduced'
    """
    from reward_synth.cli.output import note
    from reward_synth.sandbox import choose

    tier = choose(None if asked is None else asked.value)
    if tier.remark:
        note(tier.remark, quiet=quiet)
    return tier.mode


def refuse_device(path: str) -> None:
    """Refuse what has no end, such as ``/dev/zero``, before it is read.

    Raises:
        UsageError: It is a device.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # whoever reads it says what is wrong
        return
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise UsageError(f"Cannot read the reward file {path}: it is a device.")


def read_prices(text: str | None) -> Prices | None:
    """Read ``--prices``: a million prompt tokens, a million completion tokens.

    Raises:
        UsageError: It is not two numbers of at least 0.

    Example:
        >>> read_prices("0.5,1.5").completion
        1.5
    """
    if text is None:
        return None
    from reward_synth.llm import Prices

    parts = text.split(",")
    try:
        prompt, completion = (float(part) for part in parts)
    except ValueError as cause:
        raise UsageError(
            f"--prices takes two numbers, of a million prompt and a million completion "
            f"tokens, for example --prices 0.5,1.5; received {text!r}."
        ) from cause
    return Prices(prompt, completion)


def read_kwargs(text: str | None) -> dict[str, Any]:
    """Read ``--env-kwargs``.

    Raises:
        UsageError: It is not a JSON object.

    Example:
        >>> read_kwargs('{"control_mode": "pd_joint_delta_pos"}')
        {'control_mode': 'pd_joint_delta_pos'}
        >>> read_kwargs(None)
        {}
    """
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise UsageError(
            f"--env-kwargs is not valid JSON ({cause}); received {text[:200]!r}. Write for "
            'example --env-kwargs \'{"render_mode": "rgb_array"}\'.'
        ) from cause
    if not isinstance(value, dict):
        raise UsageError(
            f"--env-kwargs must be a JSON object such as {{}}, received {text!r}."
        )
    return value


def checked_combiner(name: str | None) -> str | None:
    """Return the name of a combiner that trainings can use, or None.

    Raises:
        UsageError: There is none of that name, it needs arguments, or it acts on what
            a training's environment does not have.

    Example:
        >>> checked_combiner("replace")
        'replace'
    """
    from reward_synth.combine import make_combiner, require_served

    if name is not None:
        require_served(make_combiner(name, gamma=0.99), "a training's environment")
    return name


def manual_folder(llm: str | None) -> str | None:
    """Return the folder of ``manual:DIR``; None if nothing was given.

    Raises:
        UsageError: It is something else.

    Example:
        >>> manual_folder("manual:chat")
        'chat'
    """
    from reward_synth.errors import UsageError

    if llm is None:
        return None
    kind, _, folder = llm.partition(":")
    if kind != "manual" or not folder.strip():
        raise UsageError(
            f"--llm must be manual:DIR, received {llm!r}. A model at an endpoint is named "
            "with --model."
        )
    return folder
