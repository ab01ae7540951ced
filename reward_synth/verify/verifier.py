"""The door: one answer in, one graded result out; never an exception for an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reward_synth.verify.calls import Expected, GoldCall, ToolCall
from reward_synth.verify.gold import expect
from reward_synth.verify.limits import UnreadableError
from reward_synth.verify.policy import Policy
from reward_synth.verify.quality import CallScorer
from reward_synth.verify.reading import CallReader
from reward_synth.verify.result import COMPONENTS, Match, Problem, Status, VerifyResult
from reward_synth.verify.score import Graded, grade
from reward_synth.verify.tools import Tools

_POLICY = Policy()


class ToolCallVerifier:
    """Verifies answers under one policy; make it once and call it often.

    Args:
        tools: The tools that may be called, or their schemas.
        policy: How answers are read and scored.

    Example:
        >>> verifier = ToolCallVerifier()
        >>> verifier("f(a=1)", expect([{"name": "f", "arguments": {"a": 1}}])).score
        1.0
    """

    def __init__(
        self,
        tools: Tools | Sequence[Mapping[str, Any]] | None = None,
        policy: Policy = _POLICY,
    ) -> None:
        self.policy = policy
        self.tools = tools if isinstance(tools, Tools | None) else Tools(tools)
        positions = self.tools.positions if self.tools else {}
        self._reader = CallReader(policy, positions)
        self._scorer = CallScorer(policy, self.tools)

    def __call__(self, output: Any, expected: Any) -> VerifyResult:
        """Return the graded score of one answer; see :func:`verify`."""
        gold = expected if isinstance(expected, Expected) else expect(expected)
        try:
            calls = self._reader.read(output)
        except UnreadableError as trouble:
            return self.unreadable(trouble)
        return self.graded(calls, gold)

    def graded(self, calls: Sequence[ToolCall], gold: Expected) -> VerifyResult:
        """Return the score of calls that were read already."""
        found = grade(gold, calls, self._scorer)
        if found.score >= 1.0:
            return _right(found, calls, gold)
        matches = self._matches(found, calls, gold)
        kind, text = _first_problem(found, matches, gold)
        return VerifyResult(
            found.score,
            _components(found, len(gold.calls)),
            error_type=kind,
            message=text,
            matches=matches,
            n_calls=len(calls),
        )

    def unreadable(self, trouble: UnreadableError) -> VerifyResult:
        """Return the result for an answer that cannot be read: the lowest score."""
        return failed(
            "invalid_output", trouble.error_type, trouble.text, -self.policy.penalty
        )

    def _problems(
        self, gold: GoldCall, call: ToolCall, quality: float
    ) -> tuple[Problem, ...]:
        return () if quality >= 1.0 else self._scorer.problems(gold, call)

    def _matches(
        self, found: Graded, calls: Sequence[ToolCall], gold: Expected
    ) -> tuple[Match, ...]:
        matches = [
            Match(
                gold.calls[row],
                calls[column],
                quality,
                self._problems(gold.calls[row], calls[column], quality),
            )
            for row, column, quality in found.pairs
        ]
        if len(matches) == len(calls) == len(gold.calls):
            return tuple(matches)
        rows = {row for row, *_ in found.pairs}
        columns = {column for _, column, _ in found.pairs}
        matches += [
            Match(call, None, 0.0)
            for row, call in enumerate(gold.calls)
            if row not in rows
        ]
        matches += [
            Match(None, call, 0.0)
            for column, call in enumerate(calls)
            if column not in columns
        ]
        return tuple(matches)


def verify(
    output: Any,
    expected: Any,
    *,
    tools: Tools | Sequence[Mapping[str, Any]] | None = None,
    policy: Policy = _POLICY,
) -> VerifyResult:
    """Return how well an answer makes the calls that are expected.

    Args:
        output: What the model gave: a text (``<tool_call>`` tags, JSON or Python calls),
            a message or a list of messages (OpenAI, Anthropic, TRL, verifiers), or a
            list of calls. What the environment said in it is passed over.
        expected: What :func:`expect` takes; an empty list means that no call should be
            made.
        tools: The tools that may be called, or their schemas.
        policy: How answers are read and scored.

    Returns:
        The result; whatever a model writes is data in it.

    Raises:
        GoldError: ``expected`` cannot be right.
        UsageError: A tool's schema is broken.

    Example:
        >>> gold = [{"name": "add", "arguments": {"a": 1, "b": 2}}]
        >>> result = verify("add(a=1, b=3)", gold)
        >>> round(result.score, 3), result.error_type
        (0.833, 'wrong_value')
    """
    return ToolCallVerifier(tools, policy)(output, expected)


def failed(status: Status, error_type: str, text: str, score: float) -> VerifyResult:
    """Return a result without a graded answer; it has the same keys as any other.

    Example:
        >>> failed("timeout", "timeout", "No answer in 5 s.", 0.0).components["format"]
        0.0
    """
    return VerifyResult(score, dict.fromkeys(COMPONENTS, 0.0), status, error_type, text)


def _right(found: Graded, calls: Sequence[ToolCall], gold: Expected) -> VerifyResult:
    matches = tuple(Match(gold.calls[r], calls[c], q) for r, c, q in found.pairs)
    return VerifyResult(
        1.0, _components(found, len(gold.calls)), matches=matches, n_calls=len(calls)
    )


def _components(found: Graded, expected: int) -> dict[str, float]:
    share = 1.0 / expected if expected else 0.0
    none_asked = float(not expected and not found.superfluous)
    return {
        "format": 1.0,
        "names": found.named * share + none_asked,
        "arguments": found.keys * share + none_asked,
        "values": found.values * share + none_asked,
        "coverage": found.quality * share + none_asked,
        "superfluous": float(found.superfluous),
        "duplicates": float(found.duplicates),
        "order": found.order,
    }


def _first_problem(
    found: Graded, matches: tuple[Match, ...], gold: Expected
) -> tuple[str, str]:
    """Return the error type that helps most: a wrong call before a missing one."""
    for match in matches:
        if match.problems:
            problem = match.problems[0]
            return problem.error_type, _sentence(match, problem)
    extra = next((m.call for m in matches if m.gold is None), None)
    missing = next((m.gold for m in matches if m.call is None), None)
    if extra is not None and missing is not None:
        return "wrong_name", f"{missing.name} was expected, {extra.name[:60]} called."
    if missing is not None:
        return "missing_call", f"{missing.name} was not called."
    if extra is not None:
        return _superfluous(extra, found, gold)
    return "wrong_order", "The calls are right, their order is not."


def _superfluous(extra: ToolCall, found: Graded, gold: Expected) -> tuple[str, str]:
    name = extra.name[:60]
    if not gold.calls:
        return "unexpected_call", f"{name} was called where no call is expected."
    if found.duplicates:
        return "duplicate_call", f"{name} was called again."
    return "wrong_count", f"{name} was called beyond the {len(gold.calls)} expected."


def _sentence(match: Match, problem: Problem) -> str:
    name = match.call.name if match.call else ""
    where = f"{name}.{problem.argument}" if problem.argument else name
    return f"{where}: {problem.error_type.replace('_', ' ')}: {problem.text}"
