"""Asks a reward function for scores, in a process that may be killed."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.verify.audit.corpus import corpus
from reward_synth.verify.audit.loading import (
    Address,
    Form,
    form_of,
    load_function,
)
from reward_synth.verify.audit.outcome import Outcome, read_score
from reward_synth.verify.audit.sample import GOLD_NAMES, TAGS, Sample, Writer
from reward_synth.verify.audit.target import Target

_TARGETS: dict[Address, Target] = {}
"""What this process has loaded: a target is loaded once a process."""
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the worker: a case on a row, or an answer as it stands."""

    address: Address
    sample: Sample
    writer: Writer = TAGS
    case: str = ""
    answer: Any = None
    messages: bool = False
    """Give answers as messages."""
    limit: float = 0.05
    """Seconds from which an answer is measured again."""


@dataclass(frozen=True, slots=True)
class Met:
    """What a function is like."""

    form: Form = "plain"
    gold: str = ""
    """The column with what is expected."""
    picklable: bool = False
    error: str = ""
    """Why there is no such function."""


def meet(address: Address, sample: Sample) -> Met:
    """Load the function, and return what it is like."""
    try:
        target = _target(address, sample)
    except UsageError as error:
        return Met(error=str(error))
    return Met(target.form, target.gold, _picklable(target.function))


def ask(asked: Asked) -> Outcome:
    """Return the outcome of one answer; whatever the function does is data in it."""
    target = _target(asked.address, asked.sample)
    target.messages = asked.messages or target.form in ("verifiers", "verifiers_group")
    answer = asked.answer
    if asked.case:
        answer = corpus()[asked.case].build(asked.sample, asked.writer)
    if answer is None or (not isinstance(answer, str) and not target.takes_messages):
        return Outcome("skipped")
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder, "canary")
        if isinstance(answer, str):
            answer = answer.replace("{canary}", str(canary))
        outcome = _measured(target, asked, answer)
        if canary.exists():
            return Outcome(
                outcome.status,
                outcome.score,
                outcome.seconds,
                outcome.error,
                outcome.keys,
                outcome.spoilt,
                ran=True,
            )
    return outcome


def together(asked: list[Asked], threads: int) -> list[Outcome]:
    """Return the outcomes of answers that are given in one call, or from threads.

    Args:
        asked: One function's.
        threads: 0: in one call; else from so many threads at once, none of them the
            process's first.
    """
    target = _target(asked[0].address, asked[0].sample)
    target.messages = asked[0].messages
    if not threads:
        try:
            found = target([(item.sample, item.answer) for item in asked])
        except BaseException as error:
            return [_raised(error)] * len(asked)
        if len(found.scores) != len(asked):
            said = f"{len(found.scores)} scores for {len(asked)} answers"
            return [Outcome("not_a_number", error=said)] * len(asked)
        return [_outcome(item, 0.0, found.spoilt) for item in found.scores]
    outcomes: list[Outcome] = [Outcome("skipped")] * len(asked)

    def work(first: int) -> None:
        for place in range(first, len(asked), threads):
            outcomes[place] = _once(target, asked[place].sample, asked[place].answer)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return outcomes


def _target(address: Address, sample: Sample) -> Target:
    if address not in _TARGETS:
        _silence()
        function = load_function(address)
        form = address.form or form_of(function)
        _TARGETS[address] = Target(function, form, _gold(address, sample.columns))
    return _TARGETS[address]


def _gold(address: Address, columns: Mapping[str, Any]) -> str:
    if address.gold:
        return address.gold
    return next((name for name in GOLD_NAMES if name in columns), "")


def _silence() -> None:
    """Send what the function prints nowhere: some print every answer."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _picklable(function: Callable[..., Any]) -> bool:
    try:
        pickle.dumps(function)
    except Exception:
        return False
    return True


def _measured(target: Target, asked: Asked, answer: Any) -> Outcome:
    """Return the outcome with the least time of a few: a busy machine only adds."""
    outcome = _once(target, asked.sample, answer)
    least = outcome.seconds
    for _ in range(_REPEATS):
        if not asked.limit < least < 10 * asked.limit:
            break
        least = min(least, _once(target, asked.sample, answer).seconds)
    return Outcome(
        outcome.status,
        outcome.score,
        least,
        outcome.error,
        outcome.keys,
        outcome.spoilt,
    )


def _once(target: Target, sample: Sample, answer: Any) -> Outcome:
    try:
        found = target([(sample, answer)])
        (score,) = found.scores
    except BaseException as error:  # also SystemExit: a trainer would end
        return _raised(error)
    return _outcome(score, found.seconds, found.spoilt)


def _outcome(found: Any, seconds: float, spoilt: bool) -> Outcome:
    status, score, error, keys = read_score(found)
    return Outcome(status, score, seconds, error, keys, spoilt)


def _raised(error: BaseException) -> Outcome:
    try:
        text = " ".join(str(error).split())[:160]
    except Exception:  # an exception's own text may fail
        text = ""
    said = f"{type(error).__name__}: {text}".encode(errors="backslashreplace").decode()
    return Outcome("raised", error=said)
