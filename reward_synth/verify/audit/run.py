"""Conducts an audit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reward_synth.errors import UsageError
from reward_synth.verify.audit import further
from reward_synth.verify.audit.corpus import corpus
from reward_synth.verify.audit.loading import Address
from reward_synth.verify.audit.outcome import Outcome
from reward_synth.verify.audit.pool import Courtroom
from reward_synth.verify.audit.report import Audit, Baseline, Row, judged
from reward_synth.verify.audit.rules import Case
from reward_synth.verify.audit.sample import TAGS, Sample, Writer, built_in
from reward_synth.verify.audit.worker import Asked, Met, ask, meet

_TRIED = 20
"""Rows that a case is tried on."""
_BOOKS = 200
"""Rows whose right answers are replayed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an audit is conducted."""

    deadline: float = 5.0
    """Seconds after which the function is killed."""
    limit: float = 0.05
    """Seconds that one answer may take."""
    accepted: float = 0.05
    """Share of rows on which a fixed text may be accepted."""
    rows: int = _BOOKS
    """Rows whose right answers are replayed."""

    def __post_init__(self) -> None:
        """Refuse what nothing could keep."""
        for name in ("deadline", "limit", "rows"):
            if not getattr(self, name) > 0:
                raise UsageError(
                    f"{name} must be above 0, received {getattr(self, name)}."
                )


SETTINGS = Settings()


def audit(
    address: Address,
    samples: Sequence[Sample] | None = None,
    writer: Writer = TAGS,
    settings: Settings = SETTINGS,
    tick: Callable[[int, int], None] = lambda _, __: None,
) -> Audit:
    """Return what can be got out of a reward function without a right answer.

    The function runs in a process of its own, which is killed where it hangs.

    Args:
        address: The reward function.
        samples: Rows with right answers; by default those that come with the audit.
        writer: Writes calls in the syntax that the function reads.
        settings: Deadlines.
        tick: Told how many cases are done, of how many.

    Raises:
        UsageError: There is no such function, or no row.
        NothingUsableError: The function cannot be loaded.
    """
    rows = list(built_in(writer) if samples is None else samples)[: settings.rows]
    if not rows:
        raise UsageError("An audit needs at least one row with a right answer.")
    with Courtroom(settings.deadline) as room:
        met: Met = room.meet(meet, address, rows[0])
        if met.error:
            raise UsageError(met.error)
        known = dataclasses.replace(address, form=met.form, gold=met.gold)
        session = _Session(room, known, rows, writer, settings)
        return session.run(tick, picklable=met.picklable)


class _Session:
    """One audit, while it runs."""

    def __init__(
        self,
        room: Courtroom,
        address: Address,
        rows: list[Sample],
        writer: Writer,
        settings: Settings,
    ) -> None:
        self.room = room
        self.rows = rows
        self.settings = settings
        self.asked = Asked(address, rows[0], writer, limit=settings.limit)

    def run(self, tick: Callable[[int, int], None], *, picklable: bool) -> Audit:
        self._choose_messages()
        base = [self._baseline(sample) for sample in self.rows]
        found = list(further.replayed(base, self.settings.limit))
        keys = {item.honest.keys for item in base if item.honest.status == "ok"}
        for done, case in enumerate(corpus().values()):
            tick(done, len(corpus()))
            for row, outcome in self._cases(case, base):
                found.append(row)
                keys |= {outcome.keys} if outcome.status == "ok" else set()
        found += further.laws(self.room, self.asked, self.rows, base, keys)
        accepted = further.acceptance(self.room, self.asked, self.rows, base)
        found += further.accepted_rows(accepted, self.settings.accepted)
        found += further.pickled(self.asked.address, picklable=picklable)
        return self._audit(found, base, accepted)

    def _audit(
        self, found: list[Row], base: list[Baseline], accepted: dict[str, float]
    ) -> Audit:
        address = self.asked.address
        remarks = []
        if self.room.worn:
            remarks.append(
                f"{self.room.lost} answers hung or ended the process; the rest was not "
                "tried."
            )
        return Audit(
            f"{address.place}:{address.name}",
            str(address.form),
            len(self.rows),
            self.settings.limit,
            tuple(found),
            tuple(base),
            further.latency(base, found),
            accepted,
            tuple(remarks),
        )

    def _choose_messages(self) -> None:
        """Give answers as messages where texts do not score and messages do."""
        first = self.rows[0]
        if self.asked.address.form not in ("trl", "plain", "verifiers_v1"):
            return
        if self._ask(first, answer=first.honest).status == "ok":
            return
        tried = dataclasses.replace(self.asked, messages=True)
        plain, self.asked = self.asked, tried
        if self._ask(first, answer=first.honest).status != "ok":
            self.asked = plain

    def _ask(self, sample: Sample, *, case: str = "", answer: object = None) -> Outcome:
        if self.room.worn:
            return Outcome("skipped")
        asked = dataclasses.replace(self.asked, sample=sample, case=case, answer=answer)
        found: Outcome = self.room.ask(ask, asked)
        return found

    def _baseline(self, sample: Sample) -> Baseline:
        return Baseline(
            self._ask(sample, answer=sample.honest),
            self._ask(sample, answer=sample.abstain),
            sample.idle,
        )

    def _cases(
        self, case: Case, base: Sequence[Baseline]
    ) -> Iterator[tuple[Row, Outcome]]:
        """Yield the verdicts of a case: on the first row that allows it, or on all."""
        tried = False
        for number, sample in enumerate(self.rows[:_TRIED]):
            if not base[number].usable:
                continue
            outcome = self._ask(sample, case=case.name)
            if outcome.status == "skipped":
                continue
            tried = True
            yield self._judged(case, outcome, base[number], number), outcome
            if not case.everywhere:
                return
        if not tried:
            outcome = Outcome("skipped")
            yield Row(case.name, case.group, "skipped"), outcome

    def _judged(self, case: Case, outcome: Outcome, base: Baseline, number: int) -> Row:
        return judged(
            case.name,
            case.group,
            case.rule,
            outcome,
            base,
            sample=number,
            limit=self.settings.limit,
        )
