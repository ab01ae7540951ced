"""What became of one sample of a model, and who remembers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from reward_synth.llm import Completion, Usage
from reward_synth.program import Provenance, RewardProgram


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one sample."""

    slot: int
    """Which sample of the run, from 0."""
    program: RewardProgram | None
    """The last program it gave, even one with findings; None: no code at all."""
    completions: tuple[Completion, ...]
    """The answer and its corrections, in order; none where it was remembered."""
    requests: tuple[str, ...]
    """Digests of the requests, in order."""
    reason: str
    """Why there is no usable program, or empty."""
    usage: Usage = field(default_factory=Usage)
    """Of all requests."""

    @property
    def lasting(self) -> bool:
        """Whether it comes out the same if it is made again: every question was answered."""
        return bool(self.completions) and all(item.ok for item in self.completions)


class Attempts(Protocol):
    """Remembers attempts of a run, by their slots."""

    def recall(self, slot: int, /) -> Attempt | None:
        """Return what became of a sample; None: it is not known."""

    def keep(self, attempt: Attempt, /) -> None:
        """Keep what became of a sample, if that lasts."""


class Forgetful:
    """Remembers nothing.

    Example:
        >>> Forgetful().recall(0) is None
        True
    """

    def recall(self, _: int, /) -> Attempt | None:
        """Return None."""
        return None

    def keep(self, attempt: Attempt, /) -> None:
        """Keep nothing."""


def packed_attempt(attempt: Attempt) -> dict[str, Any]:
    r"""Return an attempt as JSON-ready data, without the answers, which a journal has.

    Example:
        >>> attempt = Attempt(3, RewardProgram("x = 1\n"), (), ("d",), "", Usage(5, 2))
        >>> unpacked_attempt(3, packed_attempt(attempt)) == attempt
        True
    """
    program = attempt.program
    return {
        "program": None
        if program is None
        else {**asdict(program), "digest": program.digest},
        "requests": list(attempt.requests),
        "reason": attempt.reason,
        "usage": asdict(attempt.usage),
    }


def unpacked_attempt(slot: int, data: Mapping[str, Any]) -> Attempt:
    """Return the attempt of which :func:`packed_attempt` made ``data``."""
    kept = data["program"]
    return Attempt(
        slot,
        None if kept is None else _program(kept),
        (),
        tuple(data["requests"]),
        data["reason"],
        Usage(**data["usage"]),
    )


def _program(kept: Mapping[str, Any]) -> RewardProgram:
    origin = kept["provenance"]
    return RewardProgram(
        kept["source"],
        kept["task_id"],
        tuple(kept["signature"]),
        Provenance(**{**origin, "parents": tuple(origin["parents"])}),
    ).known_as(kept["digest"])
