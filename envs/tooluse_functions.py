"""Tools from typed Python functions: the schema is read, and never written twice."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from reward_synth.errors import UsageError

_PLAIN: Mapping[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
_ARGUMENT = re.compile(r"^ {4}(\w+): (.*)$")
_KNOWN = "str, int, float, bool, None, list[...], Literal[...] and unions of them"


class ToolError(Exception):
    """Raised by a tool for what it refuses; its text is told to the agent.

    It is data for whoever called: no environment lets it through.
    """


@dataclass(frozen=True, slots=True)
class ToolFunction:
    """A tool: a Python function whose first argument is the world that it acts on.

    Example:
        >>> def restock(world: dict, sku: str, quantity: int = 1) -> int:
        ...     '''Put goods into the store.
        ...
        ...     Args:
        ...         sku: Number of the product.
        ...         quantity: How many.
        ...     '''
        >>> tool = ToolFunction.of(restock)
        >>> tool.schema["function"]["parameters"]["required"], tool.required
        (['sku'], ('sku',))
    """

    name: str
    function: Callable[..., Any]
    schema: Mapping[str, Any]
    """As OpenAI's chat completions take it."""

    @classmethod
    def of(cls, function: Callable[..., Any]) -> ToolFunction:
        """Return the tool that a function is.

        Raises:
            UsageError: It has no docstring, or an argument has no type that JSON has.
        """
        about, meanings = _documented(function)
        hints = get_type_hints(function)
        given = list(inspect.signature(function).parameters.values())[1:]
        properties = {}
        for item in given:
            if item.name not in hints or item.kind in (
                item.VAR_KEYWORD,
                item.VAR_POSITIONAL,
            ):
                raise _untyped(function, item.name)
            schema = _schema(hints[item.name], function, item.name)
            if item.name in meanings:
                schema["description"] = meanings[item.name]
            if item.default is not item.empty:
                schema["default"] = item.default
            properties[item.name] = schema
        required = [item.name for item in given if item.default is item.empty]
        parameters: dict[str, Any] = {"type": "object", "properties": properties}
        parameters |= {"required": required, "additionalProperties": False}
        inner = {"description": about, "parameters": parameters}
        name = function.__name__
        schema = {"type": "function", "function": {"name": name, **inner}}
        return cls(name, function, schema)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the arguments that must be given, in order."""
        return tuple(self.schema["function"]["parameters"]["required"])


def _documented(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return what a docstring says of a function and of its arguments."""
    text = inspect.getdoc(function)
    if not text:
        raise UsageError(
            f"The tool {function.__name__} has no docstring, so nobody would know what it "
            "does. Write one, with an Args: section."
        )
    about, _, rest = text.partition("\nArgs:\n")
    section = re.split(r"\n\S", rest)[0]
    found = filter(None, map(_ARGUMENT.match, section.split("\n")))
    return " ".join(about.split()), {item[1]: item[2] for item in found}


def _schema(hint: Any, function: Callable[..., Any], name: str) -> dict[str, Any]:
    """Return the JSON schema of a type."""
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    kind, inside = get_origin(hint), get_args(hint)
    if kind is Literal:
        return {"enum": list(inside)}
    if kind is list:
        return {"type": "array", "items": _schema(inside[0], function, name)}
    if kind in (Union, types.UnionType):
        return {"anyOf": [_schema(item, function, name) for item in inside]}
    raise _untyped(function, name)


def _untyped(function: Callable[..., Any], name: str) -> UsageError:
    return UsageError(
        f"The argument {name!r} of the tool {function.__name__} has no type that JSON "
        f"has. Annotate it with one of {_KNOWN}."
    )
