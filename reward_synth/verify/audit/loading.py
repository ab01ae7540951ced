"""Finds a reward function, and how it is called."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from reward_synth.errors import UsageError, did_you_mean

Form = Literal[
    "trl", "verl", "verl_batch", "verifiers", "verifiers_group", "verifiers_v1", "plain"
]
FORMS: Mapping[str, str] = {
    "trl": "f(prompts, completions, **columns) -> list",
    "verl": "f(data_source, solution_str, ground_truth, extra_info) -> float or dict",
    "verl_batch": "f(data_sources, solution_strs, ground_truths, extra_infos) -> list",
    "verifiers": "f(prompt, completion, answer, state, info) -> float",
    "verifiers_group": "f(prompts, completions, answers, states, infos) -> list",
    "verifiers_v1": "async f(task, trace) -> float or mapping",
    "plain": "f(answer, gold) -> float",
}
"""How trainers call reward functions."""
_MARKS: tuple[tuple[str, Form], ...] = (
    ("solution_strs", "verl_batch"),
    ("solution_str", "verl"),
    ("trace", "verifiers_v1"),
    ("answers", "verifiers_group"),
    ("infos", "verifiers_group"),
    ("completions", "trl"),
    ("completion", "verifiers"),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a reward function is, and how it is called."""

    place: str
    """A file, or the dotted name of a module."""
    name: str
    form: Form | None = None
    gold: str = ""
    """The column with what is expected; empty: the first usual name that is there."""
    folder: str = ""
    """Put on the path that modules are looked for in."""


def parse_address(text: str, folder: str = "") -> Address:
    """Return the address that ``FILE:FUNCTION`` means.

    Raises:
        UsageError: It is no such pair.

    Example:
        >>> parse_address("my/reward.py:score").name
        'score'
    """
    place, mark, name = text.rpartition(":")
    if not mark or not place or not name:
        raise UsageError(
            "Name a file (or a module) and a function, for example rewards.py:score; "
            f"received {text!r}."
        )
    return Address(place, name, folder=folder)


def load_function(address: Address) -> Callable[..., Any]:
    """Return the function; runs its module.

    Raises:
        UsageError: There is no such file, module or function.
    """
    if address.folder and address.folder not in sys.path:
        sys.path.insert(0, address.folder)
    module = _module(address.place)
    found: Any = module
    for part in address.name.split("."):
        if not hasattr(found, part):
            near = did_you_mean(part, vars(found)) if hasattr(found, "__dict__") else ""
            raise UsageError(f"{address.place} has no {address.name!r}.{near}")
        found = getattr(found, part)
    if not callable(found):
        raise UsageError(f"{address.place}:{address.name} cannot be called.")
    return found  # type: ignore[no-any-return]  # callable, as was just seen


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        return importlib.import_module(place)
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"There is no file {place}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{place} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # so that what it defines can be pickled
    spec.loader.exec_module(module)
    return module


def form_of(function: Callable[..., Any]) -> Form:
    """Return how a function is called, from the names of its parameters.

    Raises:
        UsageError: They tell nothing.

    Example:
        >>> form_of(lambda completions, **columns: [])
        'trl'
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = {}.values()
    names = [item.name for item in parameters]
    for mark, form in _MARKS:
        if mark in names:
            return form
    needed = [
        item.name
        for item in parameters
        if item.default is item.empty
        and item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) == 2:  # noqa: PLR2004 - an answer and what is expected
        return "plain"
    raise UsageError(
        f"The parameters {names} do not tell how the function is called. Say it with "
        f"--form, one of: {', '.join(FORMS)}."
    )
