"""A result as a difference for each call, for people."""

from __future__ import annotations

from collections.abc import Iterator

from reward_synth.verify.calls import GoldCall, ToolCall
from reward_synth.verify.result import Match, VerifyResult

_LONGEST = 70
_BITS = 200


def explain(result: VerifyResult) -> str:
    """Return the score, what is wrong, and every call beside what was expected.

    Example:
        >>> from reward_synth.verify import verify
        >>> print(explain(verify("f(a=2)", [{"name": "f", "arguments": {"a": 1}}])))
        score 0.667 (ok): f.a: wrong value: expected 1, found 2
        ~ f(a=2)   0.667
            a: wrong value: expected 1, found 2
    """
    said = f": {result.message}" if result.message else ""
    lines = [f"score {result.score:.3f} ({result.status}){said}"]
    for match in result.matches:
        lines.extend(_lines(match))
    return "\n".join(lines)


def _lines(match: Match) -> Iterator[str]:
    if match.call is None and match.gold is not None:
        yield f"- {_gold(match.gold)}   missing"
    elif match.gold is None and match.call is not None:
        yield f"+ {_call(match.call)}   superfluous"
    elif match.call is not None:
        mark = "=" if not match.problems else "~"
        yield f"{mark} {_call(match.call)}   {match.quality:.3f}"
    for problem in match.problems:
        where = f"{problem.argument}: " if problem.argument else ""
        yield f"    {where}{problem.error_type.replace('_', ' ')}: {problem.text}"


def _call(call: ToolCall) -> str:
    return _cut(call.name, {key: ascii(value) for key, value in _few(call)})


def _few(call: ToolCall) -> list[tuple[str, object]]:
    return [(k, v if _small(v) else "…") for k, v in list(call.arguments.items())[:8]]


def _small(value: object) -> bool:
    if isinstance(value, str | list | tuple | dict):
        return len(value) <= _LONGEST
    return not isinstance(value, int) or value.bit_length() < _BITS


def _gold(gold: GoldCall) -> str:
    shown = {
        key: " | ".join(ascii(v)[:_LONGEST] for v in accept.values[:3] if _small(v))
        for key, accept in list(gold.arguments.items())[:8]
    }
    return _cut(gold.name, shown)


def _cut(name: str, arguments: dict[str, str]) -> str:
    inside = ", ".join(f"{key[:40]}={text}" for key, text in arguments.items())
    text = f"{ascii(name[:60])[1:-1]}({inside})"
    return text if len(text) <= 2 * _LONGEST else text[: 2 * _LONGEST] + "…"
