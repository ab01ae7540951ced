"""What a verification found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reward_synth.verify.calls import GoldCall, ToolCall

Status = Literal["ok", "invalid_output", "infra_error", "timeout", "not_applicable"]

COMPONENTS = (
    "format",
    "names",
    "arguments",
    "values",
    "coverage",
    "superfluous",
    "duplicates",
    "order",
)
"""Keys of :attr:`VerifyResult.components`, the same on every path."""

ERROR_TYPES = (
    "",
    "malformed",
    "duplicate_key",
    "not_json",
    "not_finite",
    "not_text",
    "too_long",
    "too_deep",
    "too_many_calls",
    "role_token",
    "impersonation",
    "unexpected_call",
    "missing_call",
    "wrong_count",
    "wrong_name",
    "duplicate_call",
    "missing_argument",
    "unexpected_argument",
    "wrong_type",
    "wrong_value",
    "schema",
    "wrong_order",
    "timeout",
    "infra_error",
)
"""Every value of :attr:`VerifyResult.error_type`; ``""`` where nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a call."""

    error_type: str
    argument: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """An expected and a predicted call; one of them is None if it has no partner."""

    gold: GoldCall | None
    call: ToolCall | None
    quality: float
    """0 to 1; 1 for a right call."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The graded score of an answer, and why.

    Example:
        >>> from reward_synth.verify import verify
        >>> result = verify('f(a=1)', [{"name": "f", "arguments": {"a": 1}}])
        >>> result.score, result.status, result.success
        (1.0, 'ok', True)
    """

    score: float
    """From ``-policy.penalty`` to 1; 1 for what was expected, 0 for abstaining where
    calls are expected."""
    components: Mapping[str, float]
    """Keys :data:`COMPONENTS`: for display, each 0 to 1 but the counts ``superfluous``
    and ``duplicates``."""
    status: Status = "ok"
    error_type: str = ""
    """One of :data:`ERROR_TYPES`: the first thing that is wrong."""
    message: str = ""
    matches: tuple[Match, ...] = ()
    n_calls: int = 0
    """Calls that the answer holds."""

    @property
    def success(self) -> bool:
        """Whether the answer is just what was expected."""
        return self.status == "ok" and self.score >= 1.0

    def explain(self) -> str:
        """Return a difference for each call, for people."""
        from reward_synth.verify.explain import explain  # noqa: PLC0415 - reads this

        return explain(self)
