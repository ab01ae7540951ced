"""Keeps what a search finds, before it is used."""

from __future__ import annotations

import json
from collections.abc import Callable

from reward_synth.api.provenance import versions
from reward_synth.api.result import FEEDBACK
from reward_synth.program import RewardProgram
from reward_synth.search import Outcome, Plan
from reward_synth.search.feedback import feedback
from reward_synth.search.memory import packed, unpacked
from reward_synth.store import ProgramRow, RunStore, whole_file


class StoreRecorder:
    """Keeps candidates in the run's store, and what is told of them beside it.

    Args:
        store: The run's.
        plan: The last step of its trainings gives the score that is called ``trained``.
        tell: Told each candidate, each time that more is found of it.
    """

    def __init__(
        self, store: RunStore, plan: Plan, tell: Callable[[Outcome], None]
    ) -> None:
        self.store = store
        self.tell = tell
        self.steps = len(plan.each_round) + len(plan.final)
        self.folder = store.folder / FEEDBACK
        self.folder.mkdir(exist_ok=True)
        self.software = json.dumps(versions(), sort_keys=True)

    def recall(self, program: RewardProgram) -> Outcome | None:
        """Return what the same software found in a program without errors."""
        kept = self.store.programs.outcome(program.digest, self.software)
        return None if kept is None else unpacked(program, kept)

    def _tell(self, outcome: Outcome) -> None:
        with whole_file(self.folder / f"{outcome.program.digest}.md") as part:
            part.write_text(feedback(outcome) + "\n")

    def candidate(self, outcome: Outcome) -> None:
        """Keep a program, its findings and its screen."""
        self.tell(outcome)
        program, origin = outcome.program, outcome.program.provenance
        row = ProgramRow(
            program.digest,
            program.source,
            origin.proposer,
            origin.model,
            origin.request,
            origin.parents,
        )
        self.store.programs.record(row)
        findings = [item.to_dict() for item in outcome.report.findings]
        self.store.programs.record_findings(program.digest, "examination", findings)
        if outcome.screen is not None:
            score = outcome.screen.score
            self.store.programs.record_score(program.digest, "screen", score)
        self._tell(outcome)
        if outcome.report.ok:  # errors may be those of a busy machine
            self.store.programs.record_outcome(
                program.digest, packed(outcome), self.software
            )

    def trained(self, outcome: Outcome) -> None:
        """Keep what was measured of a program."""
        self.tell(outcome)
        if outcome.trained is not None:
            step = outcome.rung + 1
            name = "trained" if step == self.steps else f"trained, step {step}"
            digest = outcome.program.digest
            self.store.programs.record_score(digest, name, outcome.trained)
            self._tell(outcome)
