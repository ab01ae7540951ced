"""How right one predicted call is, beside one expected call of the same name."""

from __future__ import annotations

from typing import Any

from reward_synth.verify.calls import GoldCall, ToolCall
from reward_synth.verify.policy import Policy, ValuePolicy
from reward_synth.verify.result import Problem
from reward_synth.verify.tools import Tools
from reward_synth.verify.values import equal

_BITS, _ITEMS = 200, 10  # of values that are shown whole

Grade = tuple[float, float, float]
"""Quality of a pair, share of its arguments' names, share of their values."""
_WHOLE: Grade = (1.0, 1.0, 1.0)


class CallScorer:
    """Grades pairs of calls under one policy.

    Example:
        >>> from reward_synth.verify.gold import expect
        >>> gold = expect([{"name": "f", "arguments": {"a": 1, "b": 2}}]).calls[0]
        >>> round(CallScorer(Policy()).quality(gold, ToolCall("f", {"a": 1})), 3)
        0.667
    """

    def __init__(self, policy: Policy, tools: Tools | None = None) -> None:
        self.policy = policy
        self.tools = tools if policy.schema else None

    def quality(self, gold: GoldCall, call: ToolCall) -> float:
        """Return 0 for another tool, 1 for a right call, the share earned between."""
        return self.grade(gold, call)[0] if gold.name == call.name else 0.0

    def grade(self, gold: GoldCall, call: ToolCall) -> Grade:
        """Return quality, and the shares of named and of right arguments.

        Both calls are of one name.
        """
        policy = self.policy
        if self.tools is not None and self._schema_troubles(call):
            return policy.name, 0.0, 0.0
        right = present = named = 0
        compare = policy.compare
        arguments = call.arguments
        for key, accept in gold.arguments.items():
            if key not in arguments:
                named += not (accept.optional or self._defaults_to(gold, key))
                continue
            present += 1
            right += _accepts(accept.values, arguments[key], compare)
        named += present
        if len(arguments) > present:
            named += len(self._strangers(gold, call))
        if right == named:
            return _WHOLE  # exactly, whatever the shares round to
        keys, values = present / named, right / named
        quality = policy.name + policy.keys * keys + policy.values_weight * values
        return quality, keys, values

    def problems(self, gold: GoldCall, call: ToolCall) -> tuple[Problem, ...]:
        """Return what is wrong with ``call``, as what should be there and what is."""
        found = [
            Problem("schema", "", text)
            for text in (self._schema_troubles(call) if self.tools else ())
        ]
        compare = self.policy.compare
        for key, accept in gold.arguments.items():
            if key not in call.arguments:
                if not (accept.optional or self._defaults_to(gold, key)):
                    found.append(
                        Problem("missing_argument", key, _expected(accept.values))
                    )
            elif not _accepts(accept.values, call.arguments[key], compare):
                found.append(self._wrong(gold, call, key))
        for key in self._strangers(gold, call):
            found.append(
                Problem("unexpected_argument", key, _short(call.arguments[key]))
            )
        return tuple(found)

    def _wrong(self, gold: GoldCall, call: ToolCall, key: str) -> Problem:
        values, found = gold.arguments[key].values, call.arguments[key]
        same = any(_kind(value) == _kind(found) for value in values)
        kind = "wrong_value" if same else "wrong_type"
        return Problem(kind, key, f"{_expected(values)}, found {_short(found)}")

    def _strangers(self, gold: GoldCall, call: ToolCall) -> list[str]:
        """Return arguments that were not asked for and are not just a default."""
        arguments = call.arguments
        if arguments.keys() <= gold.arguments.keys():
            return []
        tool = self.tools.find(call.name) if self.tools else None
        return [
            key
            for key in arguments
            if key not in gold.arguments
            and not (tool and self._is_default(tool.default(key), arguments[key]))
        ]

    def _is_default(self, default: tuple[object, ...], value: object) -> bool:
        return bool(default) and equal(default[0], value, self.policy.compare)

    def _defaults_to(self, gold: GoldCall, key: str) -> bool:
        """Return whether leaving ``key`` out means an accepted value."""
        tool = self.tools.find(gold.name) if self.tools else None
        default = tool.default(key) if tool else ()
        values = gold.arguments[key].values
        return any(self._is_default(default, value) for value in values)

    def _schema_troubles(self, call: ToolCall) -> list[str]:
        if self.tools is None or self.tools.find(call.name) is None:
            return []
        return self.tools.troubles(call.name, call.arguments)


def _accepts(values: tuple[Any, ...], found: Any, policy: ValuePolicy) -> bool:
    # No generator: this is where most of the time goes.
    for value in values:  # noqa: SIM110
        if equal(value, found, policy):
            return True
    return False


def _kind(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(type(value))
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else str(isinstance(value, list | tuple))


def _expected(values: tuple[object, ...]) -> str:
    return "expected " + (
        " or ".join(_short(value) for value in values[:3]) or "nothing"
    )


def _short(value: object) -> str:
    text = value[:60] if isinstance(value, str) else value
    if isinstance(text, int) and text.bit_length() > _BITS:
        return "a number of many digits"
    if isinstance(text, list | tuple | dict) and len(text) > _ITEMS:
        return f"a {type(text).__name__} of {len(text)}"
    return ascii(text)[:80]
