"""What a turn of tool use is worth: graded, as ToolRL has it, as FTRL has it, a potential.

Each reads what the environment tells in ``info`` (the calls that it executed, and what the
tools said) and never a word of the agent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from reward_synth.combine import POTENTIAL, Potential
from reward_synth.errors import UsageError
from reward_synth.verify import (
    Expected,
    ToolCall,
    ToolCallVerifier,
    VerifyResult,
    expect,
)
from reward_synth.verify.compat import ftrl_step, toolrl_correctness
from reward_synth.verify.compat.ftrl import FTRLVariant, ftrl_solves
from reward_synth.verify.compat.toolrl import Variant

Info = Mapping[str, Any]
_LOW, _HIGH = -3.0, 3.0
_MALFORMED = "<tool_call>"


class TurnScore(Protocol):
    """The dense reward of one episode after the other."""

    def begin(self, info: Info) -> None:
        """Take the ``info`` of a reset."""

    def __call__(self, info: Info, *, terminated: bool) -> float:
        """Return what the turn is worth that led to ``info``."""


class _Grader:
    """Grades all calls of an episode against what is expected."""

    def __init__(self, verifier: ToolCallVerifier | None = None) -> None:
        self._verifier = verifier or ToolCallVerifier()
        self._expected = Expected()

    def begin(self, info: Info) -> None:
        """Take what is expected."""
        self._expected = expect(required(info, "expected"))

    def __call__(self, info: Info) -> VerifyResult:
        """Return the grade of the calls so far."""
        calls = [ToolCall(c["name"], c["arguments"]) for c in required(info, "calls")]
        return self._verifier.graded(calls, self._expected)


class GradedChange:
    """The change of the graded score of all calls, so that an episode sums up to it.

    Repeating or guessing calls cannot raise the sum: see
    :func:`reward_synth.verify.verify` for the score and its laws.

    Args:
        verifier: Grades the calls; by default with its default policy.
    """

    def __init__(self, verifier: ToolCallVerifier | None = None) -> None:
        self._grade = _Grader(verifier)
        self._before = 0.0

    def begin(self, info: Info) -> None:
        """Begin with the score of doing nothing."""
        self._grade.begin(info)
        self._before = self._grade(info).score

    def __call__(self, info: Info, *, terminated: bool) -> float:
        """Return by how much the score rose."""
        del terminated
        before, self._before = self._before, self._grade(info).score
        return self._before - before


class MatchedPotential:
    """The matched share of the expected calls as a potential: optimal policies stay.

    F = gamma Phi(s') - Phi(s) with Phi = 0 at a terminated state, as in
    :class:`reward_synth.combine.Potential`. Phi is the verifier's ``coverage``: the mean
    quality of the best matching of expected and executed calls.

    Args:
        gamma: The agent's discount.
        verifier: Grades the calls; by default with its default policy.
    """

    def __init__(self, gamma: float, verifier: ToolCallVerifier | None = None) -> None:
        self._grade = _Grader(verifier)
        self._shaping = Potential(gamma)
        self._state: Any = 0.0

    def begin(self, info: Info) -> None:
        """Begin with the potential of the first state."""
        self._grade.begin(info)
        self._state = self._shaping.init({POTENTIAL: self._phi(info)})

    def __call__(self, info: Info, *, terminated: bool) -> float:
        """Return the shaping term of a turn."""
        reward, self._state = self._shaping.one(
            self._state, 0.0, self._phi(info), terminated=terminated
        )
        return reward

    def _phi(self, info: Info) -> float:
        return self._grade(info).components["coverage"]


class ToolRLTurn:
    """ToolRL's correctness of each turn, after its code; -3 to 3.

    There each turn has its own expected calls. Here these are the next ones of the order
    in which they can be made, as many as the turn makes and at least one, of those that
    have not been executed as they should. A turn that cannot be read gets the least. Where
    nothing is left to do, every turn earns 0, as there.

    Args:
        variant: As for :func:`reward_synth.verify.compat.toolrl_correctness`.
    """

    def __init__(self, variant: Variant = "default") -> None:
        self._variant = variant
        self._open: list[dict[str, Any]] = []
        self._seen = 0

    def begin(self, info: Info) -> None:
        """Begin with all expected calls."""
        self._open = [_toolrl(call) for call in required(info, "expected")]
        self._seen = 0

    def __call__(self, info: Info, *, terminated: bool) -> float:
        """Return the correctness of a turn."""
        del terminated
        made = [_toolrl(call) for call in required(info, "calls")[self._seen :]]
        self._seen += len(made)
        if not self._open:
            return 0.0
        wanted = self._open[: max(1, len(made))]
        for call in made:
            if call in self._open:
                self._open.remove(call)
        if info["turn"]["error_type"]:
            return _LOW
        return toolrl_correctness(wanted, made, self._variant)


class FTRLTurn:
    """FTRL's reward of each turn, after its code: do outputs solve what is open?

    Args:
        variant: As for :func:`reward_synth.verify.compat.ftrl_step`.
    """

    def __init__(self, variant: FTRLVariant = "f1") -> None:
        self._variant = variant
        self._open: dict[str, list[str]] = {}
        self._total = 0
        self._seen = 0

    def begin(self, info: Info) -> None:
        """Begin with everything unsolved."""
        self._open = {}
        calls = required(info, "expected")
        for call, answer in zip(calls, required(info, "answers"), strict=True):
            self._open.setdefault(call["name"], []).append(answer)
        self._total = len(calls)
        self._seen = 0

    def __call__(self, info: Info, *, terminated: bool) -> float:
        """Return the reward of a turn."""
        del terminated
        new = required(info, "calls")[self._seen :]
        self._seen += len(new)
        made = [(call["name"], call["output"]) for call in new]
        turn = info["turn"]
        paid = ftrl_step(
            made,
            self._open,
            content=_MALFORMED if turn["error_type"] else turn["said"],
            solve_rate=1 - sum(map(len, self._open.values())) / max(1, self._total),
            variant=self._variant,
        )
        for name, output in made:
            self._solve(name, output)
        return paid

    def _solve(self, name: str, output: str) -> None:
        """Take the answer that an output gives off the list."""
        for answer in self._open.get(name, []):
            if ftrl_solves(output, answer):
                self._open[name].remove(answer)
                return


SCORES: Mapping[str, Callable[[float], TurnScore]] = {
    "graded": lambda _: GradedChange(),
    "potential": MatchedPotential,
    "toolrl": lambda _: ToolRLTurn(),
    "ftrl": lambda _: FTRLTurn(),
}
"""By name, made for a discount."""


def required(info: Info, key: str) -> Any:
    """Return what an environment of tool use tells under ``key``.

    Raises:
        UsageError: It does not tell it.

    Example:
        >>> required({"calls": ()}, "calls")
        ()
    """
    if key not in info:
        raise UsageError(
            f"info has no {key!r}, so these are not an environment of tool use: "
            "DenseToolReward wraps ToolUseEnv, ToolChoiceEnv, and what tells the same."
        )
    return info[key]


def _toolrl(call: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": call["name"], "parameters": dict(call["arguments"])}
