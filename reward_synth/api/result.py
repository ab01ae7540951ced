"""What a run gives, and who is told while it works."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from reward_synth.agents.training import Trained, TrialProgress
from reward_synth.api.config import GenerateConfig
from reward_synth.api.prepare import Notify
from reward_synth.llm import Usage
from reward_synth.search import Outcome, Referee
from reward_synth.task import TaskSpec

REWARD_FILE = "reward.py"
REPORT_FILE = "report.md"
FEEDBACK = "feedback"
"""Folder of what a proposer is told of each candidate, ``DIGEST.md``."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told what happens; every part may be left out."""

    notify: Notify = lambda _: None
    """A sentence that the user should read; it is kept in the store too."""
    progress: Callable[[str, int, int], None] = lambda *_: None
    """``(what, done, of how many)`` while candidates are checked."""
    training: Callable[[list[TrialProgress]], None] = lambda _: None
    """How far running trainings are, twice a second."""
    steps: Callable[[], AbstractContextManager[None]] = nullcontext
    """Entered while steps are made between which the run may be stopped."""
    checkpoint: Callable[[], None] = lambda: None
    """Called between steps; may raise to stop the run there."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the next checkpoint raises, so that nothing long should be begun."""
    referee: Referee | None = None
    """Compares agents, where preference is what candidates are chosen by."""
    outcome: Callable[[Outcome], None] = lambda _: None
    """What is known of a candidate, each time that more is found; not of those whose
    examination an earlier start has kept."""
    answered: Callable[[Usage], None] = lambda _: None
    """What a sample of the model took, remembered ones too."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What a run of :func:`generate` gave."""

    folder: Path
    config: GenerateConfig
    task: TaskSpec
    proposer: str
    """``symbolic`` or ``llm``."""
    why: str
    """Why this proposer ran."""
    outcomes: tuple[Outcome, ...]
    """Every candidate, best first."""
    trained: tuple[Trained, ...] = ()
    """Every training, the sparse arm's too."""
    lost: tuple[str, ...] = ()
    """Why samples of the model gave no program at all."""
    usage: Usage = field(default_factory=Usage)
    """Tokens of this run, those of recorded answers included."""

    @property
    def best(self) -> Outcome | None:
        """The best usable candidate, or None."""
        first = self.outcomes[0] if self.outcomes else None
        return first if first is not None and first.report.ok else None

    @property
    def cost(self) -> float | None:
        """What the tokens cost, in the currency of the prices; None: not known."""
        return self.usage.cost(self.config.model.prices)

    @property
    def reward_file(self) -> Path:
        """Where the best program is saved."""
        return self.folder / REWARD_FILE
