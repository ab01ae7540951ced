"""The tools that may be called, from their JSON schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from reward_synth.errors import MissingExtraError, UsageError

Missing = Literal["error", "none", "all"]
_TYPES = {
    "dict": "object",
    "float": "number",
    "tuple": "array",
    "list": "array",
    "int": "integer",
    "bool": "boolean",
    "str": "string",
}
"""What data sets such as BFCL write for JSON schema's types."""
_INSIDE = (
    "properties",
    "items",
    "anyOf",
    "oneOf",
    "allOf",
    "$defs",
    "additionalProperties",
)


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: its name and the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any]

    @property
    def argument_names(self) -> tuple[str, ...]:
        """Names of the arguments, in order."""
        return tuple(self.schema.get("properties", {}))

    def default(self, argument: str) -> tuple[Any, ...]:
        """Return the default value of an argument in a tuple; empty if it has none."""
        found = self.schema.get("properties", {}).get(argument, {})
        return (found["default"],) if "default" in found else ()


class Tools:
    """Tools by name, with their schemas ready to check calls.

    Args:
        schemas: OpenAI's ``{"type": "function", "function": {...}}``, its inner part,
            Anthropic's ``input_schema`` or MCP's ``inputSchema``.
        missing_required: What a schema of an object with properties but without
            ``required`` means: ``none`` or ``all`` of them are; by default it is
            refused, because data sets differ and a wrong guess turns right calls wrong.

    Raises:
        UsageError: A schema is broken, or two tools share a name.

    Example:
        >>> tools = Tools([{"name": "add", "parameters": {"type": "object",
        ...     "properties": {"a": {"type": "integer"}}, "required": ["a"]}}])
        >>> tools.troubles("add", {"a": "x"})
        ["a: 'x' is not of type 'integer'"]
    """

    def __init__(
        self,
        schemas: Iterable[Mapping[str, Any]],
        *,
        missing_required: Missing = "error",
    ) -> None:
        self._tools: dict[str, Tool] = {}
        self._checkers: dict[str, Any] = {}
        for given in schemas:
            tool = _tool(given, missing_required)
            if tool.name in self._tools:
                raise UsageError(f"Two tools are named {tool.name!r}.")
            self._tools[tool.name] = tool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all tools, in the given order."""
        return tuple(self._tools)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the checkers, which cannot be sent to other processes."""
        return {**self.__dict__, "_checkers": {}}

    @cached_property
    def positions(self) -> Mapping[str, tuple[str, ...]]:
        """Names of each tool's arguments in order."""
        return {name: tool.argument_names for name, tool in self._tools.items()}

    def find(self, name: str) -> Tool | None:
        """Return the tool of a name, or None."""
        return self._tools.get(name)

    def troubles(self, name: str, arguments: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with a call's arguments; empty if nothing is."""
        checker = self._checkers.get(name)
        if checker is None:
            checker = self._checkers[name] = _checker(self._tools[name])
        if checker.is_valid(arguments):
            return []
        found = []
        for error in checker.iter_errors(arguments):
            place = ".".join(str(part) for part in error.absolute_path)
            message = error.message[:200]
            found.append(f"{place}: {message}" if place else message)
        return sorted(found)


def _checker(tool: Tool) -> Any:
    try:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("jsonschema", "verify") from None
    from referencing import Registry  # noqa: PLC0415 - comes with jsonschema

    # An empty registry: no reference of a schema is fetched from the network.
    return Draft202012Validator(dict(tool.schema), registry=Registry())


def _tool(given: Mapping[str, Any], missing: Missing) -> Tool:
    inner = given.get("function", given)
    name = inner.get("name") if isinstance(inner, Mapping) else None
    if not isinstance(name, str) or not name:
        raise UsageError(f"A tool without a name: {str(given)[:100]}.")
    for key in ("parameters", "input_schema", "inputSchema"):
        if key in inner:
            return Tool(name, _schema(inner[key], name, missing))
    return Tool(name, {"type": "object", "properties": {}, "required": []})


def _schema(given: Any, name: str, missing: Missing) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise UsageError(
            f"The parameters of tool {name!r} must be a JSON schema, an object; "
            f"received {type(given).__name__}."
        )
    schema: dict[str, Any] = _normalised(given)
    properties = schema.setdefault("properties", {})
    if "required" not in schema:
        if properties and missing == "error":
            raise UsageError(
                f"The schema of tool {name!r} has no 'required'. Add it (an empty list if "
                'all arguments are optional), or give missing_required="none" or "all".'
            )
        schema["required"] = list(properties) if missing == "all" else []
    unknown = [key for key in schema["required"] if key not in properties]
    if unknown:
        raise UsageError(
            f"The schema of tool {name!r} requires {unknown[0]!r}, which is not among its "
            "properties."
        )
    schema.setdefault("additionalProperties", False)
    _check_schema(schema, name)
    return schema


def _check_schema(schema: Mapping[str, Any], name: str) -> None:
    try:
        from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("jsonschema", "verify") from None
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        raise UsageError(
            f"The schema of tool {name!r} is no JSON schema: {error.message[:200]}."
        ) from None


def _normalised(schema: Any) -> Any:
    """Return a copy with JSON schema's names of types."""
    if isinstance(schema, list):
        return [_normalised(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, str):
            found[key] = _TYPES.get(value, value)
            if value == "any":
                del found[key]
        elif key == "properties" and isinstance(value, Mapping):
            found[key] = {name: _normalised(inner) for name, inner in value.items()}
        elif key in _INSIDE:
            found[key] = _normalised(value)
        else:
            found[key] = value
    return found
