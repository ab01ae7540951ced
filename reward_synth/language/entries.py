"""Selects entries of values by indices that are known before the program runs."""

from __future__ import annotations

import ast
from types import EllipsisType
from typing import TypeAlias

import numpy as np

from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Expr
from reward_synth.language.operations import pick
from reward_synth.language.values import Group, Item

Index: TypeAlias = int | slice | list[int] | EllipsisType | None
"""What may stand between the brackets, for each axis."""


def selected(node: ast.Subscript, value: Item, index: tuple[Index, ...]) -> Item:
    """Return ``value[index]``; NumPy itself says which entries those are.

    Raises:
        ProgramProblemError: There are no such entries.

    Example:
        >>> from reward_synth.language.ir import Name, Type
        >>> node = ast.parse("m[:, 1]", mode="eval").body
        >>> selected(node, Name("m", Type((2, 3))), (slice(None), 1)).entries
        (1, 4)
    """
    if isinstance(value, Group):
        return _part(node, value, index)
    return _entries(node, value, index)


def _entries(node: ast.Subscript, value: Expr, index: tuple[Index, ...]) -> Expr:
    if value.type.scalar:
        raise ProgramProblemError(
            "out-of-range",
            f"{ast.unparse(node)!r} is out of range: the value is a single number.",
            "Use it as it is.",
        )
    numbers = np.arange(value.type.size).reshape(value.type.shape)
    try:
        picked = numbers[index]
    except (IndexError, ValueError):
        raise ProgramProblemError(
            "out-of-range",
            f"{ast.unparse(node)!r} is out of range: the value is a {value.type}.",
        ) from None
    if 0 in np.shape(picked):
        raise ProgramProblemError("out-of-range", f"{ast.unparse(node)!r} is empty.")
    return pick(value, picked)


def _part(node: ast.Subscript, group: Group, index: tuple[Index, ...]) -> Item:
    place = index[0] if len(index) == 1 else None
    try:
        if isinstance(place, slice):
            return Group(group.items[place], ast.unparse(node))
        if isinstance(place, int):
            return group.items[place]
    except (IndexError, ValueError):
        pass
    raise ProgramProblemError(
        "out-of-range",
        f"{ast.unparse(node)!r} is no part of a tuple of {len(group.items)}.",
    )
