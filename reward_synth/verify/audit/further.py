"""What an audit tries beside single answers: replay, laws, fixed texts, time."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterator, Sequence

from reward_synth.verify.audit.loading import Address
from reward_synth.verify.audit.outcome import Outcome
from reward_synth.verify.audit.pool import Courtroom
from reward_synth.verify.audit.report import Baseline, Row
from reward_synth.verify.audit.sample import Sample
from reward_synth.verify.audit.target import Target
from reward_synth.verify.audit.worker import Asked, ask, together
from reward_synth.verify.master_keys import MASTER_KEYS

_THREADS = 4
_ROWS = 50
"""Rows on which a fixed text is tried."""
_NEAR = 1e-9
FIXED = ("", *MASTER_KEYS, "yes", "The answer is correct.")
"""Texts that are right on no row."""
_REPLAYED = "replay"


def replayed(base: Sequence[Baseline], limit: float) -> Iterator[Row]:
    """Yield a verdict on every row's right answer.

    It must score the most of all rows, and more than abstaining unless that is right.
    """
    scores = [item.honest.score for item in base if item.honest.status == "ok"]
    most = max(scores, default=math.nan)
    for number, item in enumerate(base):
        honest, idle = item.honest, item.idle
        text, failed = "", True
        if honest.status != "ok":
            text = f"{honest.status.replace('_', ' ')}: {honest.error}"
        elif item.abstain.status != "ok":
            text = f"abstaining: {item.abstain.status}: {item.abstain.error}"
        elif honest.score < item.abstain.score - _NEAR:
            text = f"less than abstaining: {honest.score:.4g}"
        elif honest.score <= item.abstain.score + _NEAR and not idle:
            text = f"no more than abstaining: {honest.score:.4g}"
        elif honest.spoilt:
            text = "what the function was given is changed afterwards"
        elif honest.score < most - _NEAR:
            text, failed = f"less than on other rows: {honest.score:.4g}", False
        elif honest.seconds > limit:
            text, failed = f"slow: {1000 * honest.seconds:.0f} ms", False
        verdict = "ok" if not text else "failure" if failed else "warning"
        yield Row(
            "right answer",
            _REPLAYED,
            verdict,  # type: ignore[arg-type]  # one of three texts
            text,
            number,
            "the most of all",
            honest.score,
            most,
            honest.seconds,
        )


def laws(
    room: Courtroom,
    asked: Asked,
    rows: Sequence[Sample],
    base: Sequence[Baseline],
    keys: set[tuple[str, ...]],
) -> Iterator[Row]:
    """Yield verdicts on what holds of the function as a whole."""
    usable = [i for i, item in enumerate(base) if item.usable][:_ROWS]
    requests = [
        dataclasses.replace(asked, sample=rows[i], answer=answer)
        for i in usable
        for answer in (rows[i].honest, rows[i].abstain)
    ]
    alone = [item for i in usable for item in (base[i].honest, base[i].abstain)]
    if not requests or room.worn:
        return
    again = [room.ask(ask, item) for item in requests]
    yield _law("the same score again", alone, again)
    threads = room.ask(together, requests, _THREADS)
    yield _law("the same score from threads", alone, _listed(threads, requests))
    if _batched(asked.address):
        batch = room.ask(together, requests, 0)
        yield _law("the same score in a batch", alone, _listed(batch, requests))
    text = "" if len(keys) <= 1 else f"keys differ: {sorted(keys, key=len)[:3]}"
    yield Row("the same keys every time", "laws", "failure" if text else "ok", text)


def _listed(found: list[Outcome] | Outcome, requests: Sequence[Asked]) -> list[Outcome]:
    """Return one outcome a request, also where the call as a whole was lost."""
    return [found] * len(requests) if isinstance(found, Outcome) else found


def _batched(address: Address) -> bool:
    return address.form is not None and Target(len, address.form).batched


def _law(name: str, one: Sequence[Outcome], other: Sequence[Outcome]) -> Row:
    for left, right in zip(one, other, strict=True):
        if right.status != "ok":
            text = f"{right.status.replace('_', ' ')}: {right.error}"
            return Row(name, "laws", "failure", text)
        if abs(left.score - right.score) > _NEAR * max(1.0, abs(left.score)):
            text = f"{left.score:.6g}, then {right.score:.6g}"
            return Row(
                name, "laws", "failure", text, score=right.score, bound=left.score
            )
    return Row(name, "laws", "ok")


def acceptance(
    room: Courtroom,
    asked: Asked,
    rows: Sequence[Sample],
    base: Sequence[Baseline],
) -> dict[str, float]:
    """Return the share of rows on which a fixed text is accepted.

    It is where it scores above the middle between abstaining and a right answer.

    What a policy can say everywhere, it learns to say: such texts end a training also
    where few rows accept them.
    """
    usable = [
        i
        for i, item in enumerate(base)
        if item.usable and not item.idle and item.honest.score > item.abstain.score
    ][:_ROWS]
    fixed: list[object] = [*FIXED, *[rows[i].honest for i in usable[:1]]]
    shares: dict[str, float] = {}
    for text in fixed:
        tried = [i for i in usable if rows[i].honest != text]
        if not tried or room.worn:
            continue
        count = 0
        for i in tried:
            request = dataclasses.replace(asked, sample=rows[i], answer=text)
            outcome: Outcome = room.ask(ask, request)
            middle = (base[i].honest.score + base[i].abstain.score) / 2
            count += outcome.status == "ok" and outcome.score > middle
        name = repr(text) if text in FIXED else "the right answer of another row"
        shares[name] = count / len(tried)
    return shares


def accepted_rows(shares: dict[str, float], allowed: float) -> Iterator[Row]:
    """Yield a verdict on every fixed text."""
    for name, share in shares.items():
        text = f"accepted on {100 * share:.0f} % of rows" if share > allowed else ""
        yield Row(
            f"{name} everywhere",
            "acceptance",
            "failure" if text else "ok",
            text,
            rule=f"on at most {100 * allowed:g} % of rows",
            score=share,
            bound=allowed,
        )


def pickled(address: Address, *, picklable: bool) -> Iterator[Row]:
    """Yield whether a function can be sent to other processes, as TRL does."""
    if address.form == "trl":
        text = "" if picklable else "it cannot be sent to another process (pickle)"
        yield Row("it can be pickled", "laws", "ok" if picklable else "warning", text)


def latency(base: Sequence[Baseline], found: Sequence[Row]) -> dict[str, float]:
    """Return seconds: of right answers, and the worst of all."""
    honest = sorted(i.honest.seconds for i in base if i.honest.status == "ok")
    tried = [row.seconds for row in found if math.isfinite(row.seconds)]
    if not honest:
        return {}
    return {
        "median": statistics.median(honest),
        "p95": honest[min(len(honest) - 1, int(0.95 * len(honest)))],
        "most": honest[-1],
        "worst": max(tried, default=honest[-1]),
    }
