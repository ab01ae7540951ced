"""Calls from plain data: the many spellings of one dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reward_synth.verify.calls import ToolCall
from reward_synth.verify.limits import UnreadableError, check_size
from reward_synth.verify.strict_json import StrictJSON

_ARGUMENTS = ("arguments", "parameters", "args", "kwargs", "input")
"""Keys under which arguments stand: OpenAI, ToolRL, LangChain, τ-bench, Anthropic."""
_BESIDE = ("id", "type", "index", "cache_control")
"""Keys that may stand beside, and mean nothing here."""


def look_up(item: Any, key: str) -> Any:
    """Return a key of a mapping or an attribute of an object; None where it is not.

    Example:
        >>> look_up({"role": "user"}, "role")
        'user'
    """
    if type(item) is dict or isinstance(item, Mapping):
        return item.get(key)
    return getattr(item, key, None)


def usual_call(value: Any) -> ToolCall | None:
    """Return the call of the usual spelling, else None; for what JSON text held.

    Two keys, a name and an object: nothing of what :func:`calls_in` refuses can stand in
    it, if the text was within the limits.

    Example:
        >>> usual_call({"name": "f", "arguments": {"a": 1}})
        ToolCall(name='f', arguments={'a': 1})
        >>> usual_call({"name": "f"}) is None
        True
    """
    if type(value) is not dict or len(value) != 2:  # noqa: PLR2004 - name, arguments
        return None
    name = value.get("name")
    arguments = value.get("arguments")
    if arguments is None:
        arguments = value.get("parameters")
    if type(name) is str and name and type(arguments) is dict:
        return ToolCall(name, arguments)
    return None


def calls_in(value: Any, reader: StrictJSON) -> Iterator[ToolCall]:
    """Yield the calls that a decoded value holds.

    Args:
        value: A call, a list of calls, ``{"tool_calls": [...]}`` or BFCL's
            ``{function: {argument: value}}``.
        reader: Reads arguments that are written as a JSON text.

    Raises:
        UnreadableError: It holds no calls, or says two things at once.

    Example:
        >>> from reward_synth.verify.limits import Limits
        >>> reader = StrictJSON(Limits())
        >>> next(calls_in({"name": "f", "arguments": '{"a": 1}'}, reader))
        ToolCall(name='f', arguments={'a': 1})
    """
    if isinstance(value, list | tuple):
        for item in value:
            yield from calls_in_one(item, reader)
    else:
        yield from calls_in_one(value, reader)


def calls_in_one(value: Any, reader: StrictJSON) -> Iterator[ToolCall]:
    """Yield the calls of one object; see :func:`calls_in`."""
    inner = look_up(value, "tool_calls")
    if inner is not None:
        yield from calls_in(inner, reader)
        return
    function = look_up(value, "function")
    if function is not None and not isinstance(function, str):
        yield call_of(function, reader)
        return
    if look_up(value, "name") is None and isinstance(value, Mapping):
        yield from _by_function_name(value)
        return
    yield call_of(value, reader)


def call_of(value: Any, reader: StrictJSON) -> ToolCall:
    """Return the call of ``{"name": …, "arguments": …}`` in any of its spellings."""
    if isinstance(value, ToolCall):
        check_size(value.arguments, reader.limits)
        return value
    name = look_up(value, "name")
    if not isinstance(name, str) or not name:
        raise UnreadableError("malformed", f"a call without a name: {_shown(value)}")
    return ToolCall(name, _arguments(value, reader))


def _arguments(value: Any, reader: StrictJSON) -> Mapping[str, Any]:
    given = [key for key in _ARGUMENTS if look_up(value, key) is not None]
    if len(given) > 1:
        raise UnreadableError(
            "malformed", f"both {given[0]!r} and {given[1]!r} in one call"
        )
    if isinstance(value, Mapping):
        _refuse_strangers(value)
    found = look_up(value, given[0]) if given else {}
    if isinstance(found, str):
        found = reader.read(found) if found.strip() else {}
    elif given:
        check_size(found, reader.limits)
    if not isinstance(found, Mapping):
        raise UnreadableError("malformed", f"arguments are no object: {_shown(found)}")
    return found


def _refuse_strangers(value: Mapping[str, Any]) -> None:
    for key in value:
        if key != "name" and key not in _ARGUMENTS and key not in _BESIDE:
            raise UnreadableError("malformed", f"a call with the key {str(key)[:60]!r}")


def _by_function_name(value: Mapping[str, Any]) -> Iterator[ToolCall]:
    """Yield every call of ``{function: {argument: value}}``: no key is passed over."""
    if not value:
        raise UnreadableError("malformed", "an empty object is no call")
    for name, arguments in value.items():
        if not isinstance(name, str) or not isinstance(arguments, Mapping):
            raise UnreadableError("malformed", f"no call: {_shown(value)}")
        yield ToolCall(name, arguments)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"an object with the keys {sorted(map(str, value))[:5]}"
    return f"a {type(value).__name__}"
