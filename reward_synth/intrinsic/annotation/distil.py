"""Labels made into a short rule: asked for, tried on labels it never saw."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from reward_synth.errors import NothingUsableError, TryAgainError, UsageError
from reward_synth.intrinsic.annotation.distil_grammar import read_rules, rules_schema
from reward_synth.intrinsic.annotation.distil_prompt import (
    Known,
    again,
    distil_messages,
    mistaken,
    unusable,
)
from reward_synth.intrinsic.annotation.distilled import DistilledRule, Origin, Tally
from reward_synth.intrinsic.annotation.label import Label
from reward_synth.intrinsic.annotation.model import ModelAnnotator
from reward_synth.intrinsic.annotation.prompt import Messages
from reward_synth.intrinsic.annotation.rules import RuleAnnotator
from reward_synth.llm import ChatRequest, Completion

_MISTAKES = 20
"""Captions that a model is told it was wrong about."""
PURPOSE = "rule"
"""Of requests, in the journal."""
FEWEST = 20
"""Known labels; from fewer no rule could be trusted."""
_HELD_OUT = 0.4
"""Share of the labels on which a rule is tried."""


class JournalledModel:
    """Answers requests by an annotator's model, journal and budget; waits for it.

    Not while a service uses the annotator.

    Args:
        annotator: Whose.
    """

    def __init__(self, annotator: ModelAnnotator) -> None:
        self.annotator = annotator

    def complete(self, request: ChatRequest, /) -> Completion:
        """Return what stands in the journal, else ask.

        Raises:
            EndpointError: No request to this server can succeed.
            BudgetReachedError: The budget is used up.
            TryAgainError: The server is down.
        """
        found = asyncio.run(self._ask(request))
        if found is None:
            raise TryAgainError(
                f"The server of {self.annotator.decoding.model!r} does not answer. Start "
                "it, or give its address with --base-url."
            )
        return found

    async def _ask(self, request: ChatRequest) -> Completion | None:
        try:
            return await self.annotator.asker.complete(request)
        finally:
            await self.annotator.leave()


@dataclass(frozen=True, slots=True, kw_only=True)
class Distilling:
    """How a rule is asked for."""

    rounds: int = 3
    """Answers at most; each sees what was wrong with the one before."""
    shown: int = 120
    """Captions that the model is shown, each label as often as can be."""
    least: float = 0.8
    """Agreement above which a clause's whole interval must lie to be trusted."""
    max_tokens: int = 1024

    def __post_init__(self) -> None:
        """Check the numbers."""
        if min(self.rounds, self.shown, self.max_tokens) < 1:
            raise UsageError(
                "rounds, shown and max_tokens must be at least 1; received "
                f"{self.rounds}, {self.shown} and {self.max_tokens}."
            )


def distil(
    annotator: ModelAnnotator, distilling: Distilling | None = None
) -> DistilledRule:
    """Ask a model for a rule, and try it on labels of its journal that it never saw.

    Answers are chosen among by the captions of one part of the journal, split off by
    their hash; the agreement that decides about trust is counted on the other part. A
    request that the journal holds is not made again.

    Args:
        annotator: Whose journal holds labels, and whose model is asked.
        distilling: How.

    Raises:
        UsageError: The journal holds fewer than 20 labels, or labels of one kind alone.
        NothingUsableError: No answer was a rule.
        BudgetReachedError: The budget is used up.
        TryAgainError: The server is down.
    """
    how = distilling or Distilling()
    known = _known(annotator.recall())
    taught = {text: name for text, name in known.items() if share(text) >= _HELD_OUT}
    tried = {text: name for text, name in known.items() if text not in taught}
    rules, request = _chosen(annotator, how, taught)
    shares = dict.fromkeys(annotator.prompt.grammar.labels, 0.0)
    for name in tried.values():
        shares[name] += 1.0 / len(tried)
    origin = Origin(
        annotator.question(),
        annotator.decoding.model,
        request.digest,
        _digest(known),
        len(taught),
    )
    return DistilledRule(rules, tallies(rules, tried), shares, origin, how.least)


def tallies(rules: RuleAnnotator, known: Known) -> tuple[Tally, ...]:
    """Count each clause's agreement with known labels.

    Example:
        >>> from reward_synth.intrinsic.annotation import Rule
        >>> rules = RuleAnnotator([Rule("key", "helpful")], "unhelpful")
        >>> tallies(rules, {"a key": "helpful", "a keyhole": "unhelpful"})
        (Tally(tried=2, right=1), Tally(tried=0, right=0))
    """
    found = [Tally() for _ in range(len(rules.rules) + 1)]
    for text, name in known.items():
        fits = (n for n, one in enumerate(rules.rules) if one.fits(text))
        clause = next(fits, len(rules.rules))
        found[clause] = found[clause].add(rules.judge_now(text).name == name)
    return tuple(found)


def share(text: str) -> float:
    """Return a number from 0 to 1 that a text decides.

    Example:
        >>> 0 <= share("a key") < 1, share("a key") == share("a key")
        (True, True)
    """
    told = hashlib.blake2b(text.encode(), digest_size=8, person=b"distil").digest()
    return int.from_bytes(told, "little") / 2**64


def _known(labels: Mapping[str, Label]) -> dict[str, str]:
    """Return names of labels that have a worth, sorted by caption."""
    found = {text: one.name for text, one in sorted(labels.items()) if one.usable}
    if len(found) < FEWEST or len(set(found.values())) < 2:  # noqa: PLR2004 - two kinds
        raise UsageError(
            f"The journal holds {len(found)} labels of {len(set(found.values()))} kinds; "
            f"a rule is made of at least {FEWEST}, of two kinds. Label more captions "
            "first: raise --steps, or --max-calls."
        )
    return found


def _chosen(
    annotator: ModelAnnotator, how: Distilling, taught: Known
) -> tuple[RuleAnnotator, ChatRequest]:
    """Return the rules that agree most with what they were to learn."""
    model, grammar = JournalledModel(annotator), annotator.prompt.grammar
    first = distil_messages(annotator.prompt, _balanced(taught, how.shown))
    messages, found = first, []
    trouble = ""
    for _ in range(how.rounds):
        request = _request(annotator, how, messages)
        answer = _text(model.complete(request))
        rules = read_rules(answer, grammar)
        if isinstance(rules, str):
            trouble, said = rules, unusable(rules)
        else:
            wrong = _mistakes(rules, taught)
            found.append((_score(rules, taught), rules, request))
            said = mistaken(wrong)
            if not wrong:
                break
        messages = again(first, answer, said)
    if not found:
        raise NothingUsableError(
            f"{annotator.decoding.model!r} gave no rule in {how.rounds} answers; the last "
            f"cannot be used: {trouble}. Labels work without one."
        )
    _, rules, request = max(found, key=lambda item: item[0])  # the earliest of the best
    return rules, request


def _request(
    annotator: ModelAnnotator, how: Distilling, messages: Messages
) -> ChatRequest:
    decoding = annotator.decoding
    return ChatRequest(
        decoding.model,
        messages,
        temperature=decoding.temperature,
        max_tokens=how.max_tokens,
        seed=decoding.seed,
        purpose=PURPOSE,
        schema=rules_schema(annotator.prompt.grammar),
    )


def _text(completion: Completion) -> str:
    return completion.text.strip() if completion.ok else ""


def _score(rules: RuleAnnotator, known: Known) -> int:
    """Return how much more often rules are right than wrong; silence counts nothing."""
    said = {text: rules.judge_now(text) for text in known}
    right = sum(one.name == known[text] for text, one in said.items())
    return right - sum(one.usable and one.name != known[t] for t, one in said.items())


def _mistakes(rules: RuleAnnotator, known: Known) -> Known:
    wrong = {t: name for t, name in known.items() if rules.judge_now(t).name != name}
    return dict(sorted(wrong.items(), key=lambda item: share(item[0]))[:_MISTAKES])


def _balanced(known: Known, most: int) -> Known:
    """Return captions of each label in turn, in an order that their hashes decide."""
    kinds: dict[str, list[str]] = {}
    for text in sorted(known, key=share):
        kinds.setdefault(known[text], []).append(text)
    longest = max(map(len, kinds.values()), default=0)
    turns = [
        texts[n]
        for n in range(longest)
        for _, texts in sorted(kinds.items())
        if n < len(texts)
    ]
    return {text: known[text] for text in turns[:most]}


def _digest(known: Known) -> str:
    return hashlib.sha256(json.dumps(sorted(known.items())).encode()).hexdigest()
