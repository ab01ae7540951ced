"""Where trainings run, as a user says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from reward_synth.engine.cluster import RayEngine, Resources
from reward_synth.engine.local import LocalEngine
from reward_synth.engine.types import Engine
from reward_synth.errors import UsageError

Kind = Literal["local", "ray"]
_JOBS = 2


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Which engine runs trainings, and what each is given; changes no result.

    Example:
        >>> type(EngineConfig(jobs=3).make()).__name__
        'LocalEngine'
    """

    kind: Kind = "local"
    jobs: int | None = None
    """Trainings at once; by default 2 here, and on a cluster as many as it has room for."""
    address: str | None = None
    """Of a Ray cluster; None: one of this machine, for the time of the run."""
    resources: Resources = field(default_factory=Resources)
    """Of each training, on a cluster."""

    def __post_init__(self) -> None:
        """Refuse what is no engine, and a cluster's settings for another."""
        if self.kind not in get_args(Kind):
            raise UsageError(
                f"--engine must be one of {', '.join(get_args(Kind))}, received "
                f"{self.kind!r}."
            )
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"--jobs must be at least 1, received {self.jobs}.")
        if self.kind == "local" and (self.address or self.resources != Resources()):
            raise UsageError(
                "--ray-address and --ray-resources are for --engine ray; give that too, "
                "or leave them out."
            )

    @property
    def at_once(self) -> int:
        """How many trainings run at once, as far as that is known beforehand."""
        return self.jobs or _JOBS

    def make(self, stopping: Callable[[], bool] = lambda: False) -> Engine:
        """Return the engine.

        Args:
            stopping: Asked before a training is begun; True: no further one is.

        Raises:
            MissingExtraError: Ray is not installed.
        """
        if self.kind == "local":
            return LocalEngine(self.at_once, stopping)
        return RayEngine(self.address, self.jobs, self.resources, stopping=stopping)


def read_resources(text: str | None) -> Resources:
    """Read what a training is given, such as ``CPU=2,GPU=0.5``.

    Raises:
        UsageError: It says something else.

    Example:
        >>> read_resources("CPU=2,GPU=0.5")
        Resources(cpus=2.0, gpus=0.5)
    """
    given = {"CPU": 1.0, "GPU": 0.0}
    for part in (text or "").split(",") if text else ():
        name, _, number = part.strip().partition("=")
        try:
            given[{"CPU": "CPU", "GPU": "GPU"}[name.strip().upper()]] = float(number)
        except (KeyError, ValueError) as cause:
            raise UsageError(
                f"--ray-resources must look like CPU=2,GPU=0.5, received {text!r}."
            ) from cause
    return Resources(given["CPU"], given["GPU"])
