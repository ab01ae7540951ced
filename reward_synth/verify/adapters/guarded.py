"""What all adapters share: gold read once, results bounded, failures as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from reward_synth.errors import UsageError
from reward_synth.verify.calls import Expected
from reward_synth.verify.gold import expect
from reward_synth.verify.result import COMPONENTS, VerifyResult
from reward_synth.verify.verifier import ToolCallVerifier, failed

Verifier: TypeAlias = Callable[[Any, Expected], VerifyResult]
"""Grades one answer, as :class:`ToolCallVerifier` does."""
NO_SCORE = ("infra_error", "timeout", "not_applicable")
"""Statuses that say nothing about the answer: not a score of 0."""
_SLACK = 1e-9
_KEPT = 10_000
"""Texts of gold that are kept after they were read."""


class Guarded:
    """A verifier whose results any trainer can use.

    Scores lie within bounds and are finite, components have the same keys on every path,
    and a verifier that raises gives ``infra_error``, not an exception.

    Args:
        verifier: Grades answers; by default a :class:`ToolCallVerifier`.
        low: Least score; what is below is set to it.
        high: Largest score; more is a fault of the verifier, since cutting it would give
            the fault the largest reward.

    Example:
        >>> guarded = Guarded(low=-1.0, high=1.0)
        >>> guarded("f(a=1)", '[{"name": "f", "arguments": {"a": 1}}]').score
        1.0
    """

    def __init__(
        self, verifier: Verifier | None = None, low: float = -1.0, high: float = 1.0
    ) -> None:
        if not -math.inf < low < high < math.inf:
            raise UsageError(
                f"low and high must be finite and in order, received {low} and {high}."
            )
        self.verifier = ToolCallVerifier() if verifier is None else verifier
        self.low = low
        self.high = high
        self._gold: dict[str, Expected] = {}

    def __call__(self, output: Any, gold: Any) -> VerifyResult:
        """Return a result that is safe to use.

        Args:
            output: The model's answer.
            gold: What :func:`~reward_synth.verify.expect` takes.

        Raises:
            GoldError: What is expected cannot be right.
        """
        expected = self._expected(gold)
        try:
            result = self.verifier(output, expected)
        except Exception as error:  # a verifier's failure is not the model's
            said = f"{type(error).__name__}: {error}"[:300]
            return failed("infra_error", "infra_error", said, 0.0)
        return self._bounded(result)

    def _expected(self, gold: Any) -> Expected:
        if not isinstance(gold, str):
            return expect(gold)
        found = self._gold.get(gold)
        if found is None:
            found = expect(gold)
            if len(self._gold) < _KEPT:
                self._gold[gold] = found
        return found

    def _bounded(self, result: VerifyResult) -> VerifyResult:
        score = _finite(result.score)
        if score is None or score > self.high + _SLACK:
            said = f"The verifier gave the score {result.score!r}, not {self.high:g} at most."
            return failed("infra_error", "infra_error", said, 0.0)
        components = {
            name: _finite(result.components.get(name)) or 0.0 for name in COMPONENTS
        }
        score = min(self.high, max(self.low, score))
        return replace(result, score=score, components=components)


def _finite(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def has_score(result: VerifyResult) -> bool:
    """Return whether a result says something about the answer.

    Example:
        >>> has_score(failed("timeout", "timeout", "", 0.0))
        False
    """
    return result.status not in NO_SCORE


def columns(result: VerifyResult) -> dict[str, float | str]:
    """Return a result as flat columns, the same keys on every path.

    Example:
        >>> sorted(columns(failed("timeout", "timeout", "", 0.0)))[:3]
        ['arguments', 'coverage', 'duplicates']
    """
    return {
        **result.components,
        "success": float(result.success),
        "n_calls": float(result.n_calls),
        "status": result.status,
        "error_type": result.error_type,
    }


def numbers(result: VerifyResult) -> dict[str, float]:
    """Return the columns that are numbers.

    Example:
        >>> "status" in numbers(failed("timeout", "timeout", "", 0.0))
        False
    """
    return {
        key: value for key, value in columns(result).items() if isinstance(value, float)
    }


def find_gold(name: str, *places: Any) -> Any:
    """Return what is expected, from the first place that has it.

    Args:
        name: Of the column.
        places: Mappings or objects; None is passed over.

    Raises:
        UsageError: No place has it.

    Example:
        >>> find_gold("gold", None, {"gold": "[]"})
        '[]'
    """
    for place in places:
        if isinstance(place, Mapping):
            if place.get(name) is not None:
                return place[name]
        elif place is not None and getattr(place, name, None) is not None:
            return getattr(place, name)
    raise UsageError(
        f"There is no {name!r} to compare answers with. Give the data set such a column, "
        "or name another one with gold=."
    )
