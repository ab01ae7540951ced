"""What a planned trial depends on: nothing is trained, a simulator looks ahead."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from reward_synth.agents.trial_spec import TrialSpec
from reward_synth.errors import UsageError

Choice = Literal["best", "mean"]
PLAN = "plan"
"""Name, without its end, of the file of planned actions."""


@dataclass(frozen=True, slots=True)
class Mpc:
    """How far and how wide a planner looks; the values are ours.

    Raises:
        UsageError: One is out of range.

    Example:
        >>> Mpc(samples=8).horizon
        15
    """

    samples: int = 24
    """Plans that are tried at each step, the last one's rest among them."""
    horizon: int = 15
    """Environment steps that are looked ahead."""
    knots: int = 5
    """Points of a plan; actions between them are interpolated."""
    noise: float = 0.4
    """Standard deviation of what is added to the points, of half the actions' range."""
    choice: Choice = "best"
    """``best``: the best plan is followed (predictive sampling, Howell et al. 2022);
    ``mean``: the mean of all, weighted by exp(return / temperature) (MPPI, Williams et
    al. 2017)."""
    temperature: float = 0.1
    """Of ``mean``, in standard deviations of the returns."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be used."""
        if min(self.samples, self.horizon, self.knots) < 1:
            raise UsageError(
                f"Mpc needs samples, horizon and knots of at least 1; received {self}."
            )
        if not (self.noise > 0.0 and self.temperature > 0.0):
            raise UsageError(
                f"Mpc needs noise and temperature above 0; received {self}."
            )
        if self.choice not in get_args(Choice):
            raise UsageError(f"choice is {self.choice!r}; it must be 'best' or 'mean'.")


@dataclass(frozen=True, slots=True)
class PlanSpec(TrialSpec):
    """A trial whose agent plans by a program; ``steps`` are those of all its episodes."""

    planner: Mpc = field(default_factory=Mpc)

    def __post_init__(self) -> None:
        """Refuse what cannot be planned."""
        TrialSpec.__post_init__(self)
        if self.task.horizon is None:
            raise UsageError(
                f"Planning needs to know how long episodes are; {self.task.id!r} has no "
                "limit. Give one, for example --env-kwargs '{\"max_episode_steps\": 200}'."
            )
        if self.task.action.dtype != "float":
            raise UsageError(
                f"Planning needs continuous actions; {self.task.id!r} has "
                f"{self.task.action.dtype}."
            )

    def config(self) -> dict[str, Any]:
        """Return everything that the result depends on, as JSON-ready data."""
        return {**TrialSpec.config(self), "planner": asdict(self.planner)}
