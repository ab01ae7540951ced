"""What is expected, read strictly: a broken data set is told of before training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reward_synth.errors import UsageError, did_you_mean
from reward_synth.verify.calls import Accept, Expected, GoldCall
from reward_synth.verify.limits import Limits, UnreadableError, check_size
from reward_synth.verify.plain_calls import call_of
from reward_synth.verify.strict_json import StrictJSON
from reward_synth.verify.tools import Tools

_LIMITS = Limits()


class GoldError(UsageError):
    """An expected answer that cannot be right; ``row`` says which."""

    def __init__(self, text: str, row: int | None = None) -> None:
        super().__init__(text if row is None else f"Row {row}: {text}")
        self.row = row


def expect(
    calls: Any = (), *, tools: Tools | None = None, ordered: bool = False
) -> Expected:
    """Return what an answer is compared with.

    Args:
        calls: A call or several, as ``{"name": …, "arguments": {…}}`` in any usual
            spelling, as :class:`GoldCall`, or as JSON text; none: no call should be
            made. An argument's value may be an :class:`Accept`.
        tools: If given, every call must name one of them and fit its schema.
        ordered: The calls must come in this order.

    Raises:
        GoldError: It names an unknown tool, breaks a schema or is no call.

    Example:
        >>> expect([{"name": "add", "arguments": {"a": 1}}]).calls[0].name
        'add'
        >>> expect([{"nam": "add"}])
        Traceback (most recent call last):
        ...
        reward_synth.verify.gold.GoldError: a call without a name: an object with the \
keys ['nam']. Write {"name": "tool", "arguments": {...}}.
    """
    if isinstance(calls, Expected):
        return calls
    found = tuple(_gold(item, tools) for item in _items(calls))
    if len(found) > _LIMITS.max_calls:
        raise GoldError(
            f"{len(found)} calls are expected; at most {_LIMITS.max_calls} are compared."
        )
    return Expected(found, ordered)


def from_bfcl(calls: Iterable[Mapping[str, Mapping[str, Sequence[Any]]]]) -> Expected:
    """Return what BFCL's ``possible_answer`` rows expect.

    Each is ``{function: {argument: [accepted, ...]}}``; an accepted ``""`` means that
    the argument may be left out.

    Example:
        >>> from_bfcl([{"f": {"a": [1, 2], "b": ["", "x"]}}]).calls[0].arguments["b"]
        Accept(values=('x',), optional=True)
    """
    found = []
    for item in calls:
        if len(item) != 1:
            raise GoldError(f"one function a row is expected, received {list(item)}.")
        ((name, arguments),) = item.items()
        found.append(
            GoldCall(
                name, {key: _accepted(values) for key, values in arguments.items()}
            )
        )
    return Expected(tuple(found))


def load_gold(
    rows: Iterable[Any], *, tools: Tools | None = None, ordered: bool = False
) -> list[Expected]:
    """Return what each row of a data set expects; see :func:`expect`.

    Raises:
        GoldError: Names the first row, counted from 0, that cannot be right.

    Example:
        >>> load_gold([[], [{"name": 3}]])
        Traceback (most recent call last):
        ...
        reward_synth.verify.gold.GoldError: Row 1: a call without a name: an object with \
the keys ['name']. Write {"name": "tool", "arguments": {...}}.
    """
    found = []
    for number, row in enumerate(rows):
        try:
            found.append(expect(row, tools=tools, ordered=ordered))
        except GoldError as error:
            raise GoldError(str(error), number) from None
    return found


def _items(calls: Any) -> Sequence[Any]:
    if isinstance(calls, str):
        try:
            calls = StrictJSON(_LIMITS).read(calls) if calls.strip() else []
        except UnreadableError as error:
            raise GoldError(f"the expected calls are {error.text}.") from None
    if calls is None:
        raise GoldError("the expected calls are missing. Write [] for none.")
    if isinstance(calls, list | tuple):
        return calls
    return [calls]


def _gold(item: Any, tools: Tools | None) -> GoldCall:
    call = item if isinstance(item, GoldCall) else _from_plain(item)
    for name, accept in call.arguments.items():
        _check_values(call.name, name, accept)
    if tools is not None:
        _check_tool(call, tools)
    return call


def _from_plain(item: Any) -> GoldCall:
    given = item.get("arguments") if isinstance(item, Mapping) else None
    if isinstance(given, Mapping) and any(
        isinstance(value, Accept) for value in given.values()
    ):
        return GoldCall(str(item["name"]), {k: _accept(v) for k, v in given.items()})
    function = item.get("function") if isinstance(item, Mapping) else None
    try:
        call = call_of(function or item, StrictJSON(_LIMITS))
    except UnreadableError as error:
        raise GoldError(
            f'{error.text}. Write {{"name": "tool", "arguments": {{...}}}}.'
        ) from None
    return GoldCall(call.name, {k: _accept(v) for k, v in call.arguments.items()})


def _accept(value: Any) -> Accept:
    return value if isinstance(value, Accept) else Accept((value,))


def _accepted(values: Sequence[Any]) -> Accept:
    kept = tuple(value for value in values if value != "")
    return Accept(kept, optional=len(kept) < len(values))


def _check_values(tool: str, name: str, accept: Accept) -> None:
    if not accept.values and not accept.optional:
        raise GoldError(f"argument {name!r} of {tool!r} accepts no value.")
    try:
        check_size(list(accept.values), _LIMITS)
        json.dumps(list(accept.values), ensure_ascii=False).encode("utf-8")
    except UnreadableError as error:
        raise GoldError(f"argument {name!r} of {tool!r}: {error.text}.") from None
    except UnicodeEncodeError:
        raise GoldError(
            f"argument {name!r} of {tool!r} holds a lone surrogate, which no file can "
            "hold. Decode the source with errors='replace'."
        ) from None


def _check_tool(call: GoldCall, tools: Tools) -> None:
    tool = tools.find(call.name)
    if tool is None:
        near = did_you_mean(call.name, tools.names)
        raise GoldError(f"the tool {call.name!r} is not among the tools.{near}")
    for trouble in tools.troubles(call.name, _simplest(call)):
        raise GoldError(
            f"the expected call of {call.name!r} breaks its schema: {trouble}."
        )


def _simplest(call: GoldCall) -> dict[str, Any]:
    return {
        k: accept.values[0] for k, accept in call.arguments.items() if accept.values
    }
