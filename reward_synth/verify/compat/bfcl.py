"""BFCL's check of calls, after its published code, for Python.

Source: Patil et al., Berkeley Function-Calling Leaderboard, ``ast_checker.py`` at 6ea5797.
Kept as it is there:

* texts are equal without spaces, ``,./-_*^`` and capitals: ``-5`` is ``5``;
* a list of integers is wrong where a list of floats is expected;
* True is 1 within objects;
* other functions in the same object are passed over;
* parallel calls are matched to the first that fits, which can miss a matching.

The repaired twin is :func:`~reward_synth.verify.verify` with
:func:`~reward_synth.verify.from_bfcl`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from reward_synth.errors import UsageError

BFCLKind = Literal["simple", "multiple", "parallel"]
_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
}
_DROPPED = re.compile(r"[ ,./\-_*^]")
_Call = Mapping[str, Mapping[str, Any]]


def bfcl_calls(
    calls: Sequence[_Call],
    gold: Sequence[Mapping[str, Mapping[str, Sequence[Any]]]],
    tools: Sequence[Mapping[str, Any]],
    kind: BFCLKind = "simple",
) -> tuple[bool, str]:
    """Return whether calls are what BFCL accepts, and its type of error.

    Args:
        calls: Each ``{function: {argument: value}}``.
        gold: Each ``{function: {argument: [accepted, ...]}}``; an accepted ``""`` means
            that the argument may be left out.
        tools: Schemas with ``name`` and ``parameters`` in BFCL's types.
        kind: ``simple``: one call; ``multiple``: one call, of several tools;
            ``parallel``: several calls, in any order.

    Raises:
        UsageError: The kind is unknown, or no tool has an expected name.

    Example:
        >>> tool = {"name": "f", "parameters": {"properties": {"a": {"type": "string"}},
        ...     "required": ["a"]}}
        >>> bfcl_calls([{"f": {"a": "-5"}}], [{"f": {"a": ["5"]}}], [tool])
        (True, '')
    """
    if kind not in ("simple", "multiple", "parallel"):
        raise UsageError(f"kind must be simple, multiple or parallel: {kind!r}.")
    if kind == "parallel":
        return _parallel(calls, gold, tools)
    if len(calls) != len(gold):
        return False, "wrong_count"
    return _one(calls[0], gold[0], tools)


def _parallel(
    calls: Sequence[_Call],
    gold: Sequence[Mapping[str, Mapping[str, Sequence[Any]]]],
    tools: Sequence[Mapping[str, Any]],
) -> tuple[bool, str]:
    if len(calls) != len(gold):
        return False, "wrong_count"
    free = list(range(len(calls)))
    for expected in gold:
        fits = (i for i in free if _one(calls[i], expected, tools)[0])
        found = next(fits, None)
        if found is None:
            return False, "cannot_find_match"
        free.remove(found)
    return True, ""


def _one(
    call: _Call,
    gold: Mapping[str, Mapping[str, Sequence[Any]]],
    tools: Sequence[Mapping[str, Any]],
) -> tuple[bool, str]:
    name, accepted = next(iter(gold.items()))
    tool = next((item for item in tools if item["name"] == name), None)
    if tool is None:
        raise UsageError(f"No tool is named {name!r}, which is expected.")
    if name not in call:
        return False, "wrong_func_name"
    schema = tool["parameters"]
    if any(key not in call[name] for key in schema["required"]):
        return False, "missing_required"
    for key, value in call[name].items():
        if key not in schema["properties"] or key not in accepted:
            return False, "unexpected_param"
        error = _argument(value, accepted[key], schema["properties"][key])
        if error:
            return False, error
    for key, values in accepted.items():
        if key not in call[name] and "" not in values:
            return False, "missing_optional"
    return True, ""


def _argument(value: Any, accepted: Sequence[Any], schema: Mapping[str, Any]) -> str:
    kind = schema["type"]
    if kind == "tuple" and isinstance(value, tuple):
        value = list(value)
    if kind == "float" and type(value) is int:
        value = float(value)
    inner = None
    if kind in ("array", "tuple"):
        inner = _TYPES[schema["items"]["type"]]
    known = _known(accepted)
    variable = known is not None and known is not _TYPES[kind]
    error = _wrong_type(value, accepted, _TYPES[kind], inner)
    if error == "type_error:nested" or (error and type(value) is not known):
        return error
    if not variable and not error:
        if type(value) is dict:
            return _object(value, accepted)
        if type(value) is list and inner is dict:
            return _objects(value, accepted)
        if type(value) is str:
            texts = [_plain(item) for item in accepted if type(item) is str]
            return "" if _plain(value) in texts else "value_error:string"
        if type(value) is list:
            lists = [_plain_list(item) for item in accepted]
            return "" if _plain_list(value) in lists else "value_error:list"
    return "" if value in accepted else "value_error:others"


def _known(accepted: Sequence[Any]) -> type | None:
    """Return the type of the first accepted value; an empty text is none."""
    return next((type(item) for item in accepted if item != ""), None)


def _wrong_type(
    value: Any, accepted: Sequence[Any], kind: type, inner: type | None
) -> str:
    exact: type = type(value)
    if exact is not kind:
        return "type_error:simple"
    if inner is None or any(not isinstance(item, list) for item in accepted):
        return ""
    fits = any(
        all(type(x) in (inner, _known(item)) for x in value) for item in accepted
    )
    return "" if fits else "type_error:nested"


def _object(value: Mapping[str, Any], accepted: Sequence[Any]) -> str:
    error = "value_error:dict_key"
    for item in accepted:
        if item == "":
            continue
        error = _object_error(value, item)
        if not error:
            return ""
    return error


def _object_error(
    value: Mapping[str, Any], accepted: Mapping[str, Sequence[Any]]
) -> str:
    for key, found in value.items():
        if key not in accepted:
            return "value_error:dict_key"
        if _plain(found) not in [_plain(item) for item in accepted[key]]:
            return "value_error:dict_value"
    missing = [k for k, v in accepted.items() if k not in value and "" not in v]
    return "value_error:dict_key" if missing else ""


def _objects(value: Sequence[Any], accepted: Sequence[Any]) -> str:
    error = "value_error:list_dict_count"
    for item in accepted:
        if len(item) != len(value):
            continue
        errors = [_object(one, [other]) for one, other in zip(value, item, strict=True)]
        error = next((text for text in errors if text), "")
        if not error:
            return ""
    return error


def _plain_list(value: Any) -> list[Any]:
    return [_plain(item) for item in value]


def _plain(value: Any) -> Any:
    if type(value) is not str:
        return value
    return _DROPPED.sub("", value).lower().replace("'", '"')
