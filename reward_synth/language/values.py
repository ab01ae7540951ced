"""Values that exist only while a program is parsed: tuples and lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Const, Expr, Name, Op, Pick, Stack, Type
from reward_synth.language.operations import stack


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple or list of known length: for unpacking, indexing and loops."""

    items: tuple[Item, ...]
    text: str = "It"
    """How the author wrote it, for messages."""


Item: TypeAlias = Const | Name | Op | Pick | Stack | Group
"""What an author's expression gives: a value of the typed form, or a group of them."""


def leaves(item: Item) -> Iterator[Expr]:
    """Yield the numbers, vectors and matrices of a value, in order.

    Example:
        >>> one = Const(1.0, Type())
        >>> len(list(leaves(Group((one, Group((one, one)))))))
        3
    """
    if isinstance(item, Group):
        for part in item.items:
            yield from leaves(part)
    else:
        yield item


def as_vector(item: Item) -> Expr:
    """Return what ``np.array(item)`` gives.

    Raises:
        ProgramProblemError: The parts are of different shapes, or there are none.

    Example:
        >>> one = Const(1.0, Type())
        >>> str(as_vector(Group((one, one))).type)
        'float vector of 2'
    """
    if not isinstance(item, Group):
        return item
    if not item.items:
        raise ProgramProblemError("shape-mismatch", "An empty list has no entries.")
    return stack([as_vector(part) for part in item.items], nest=True)


def as_value(item: Item) -> Expr:
    """Return a value that Python computes with; a list is none.

    Raises:
        ProgramProblemError: It is a list or a tuple.

    Example:
        >>> as_value(Const(1.0, Type())).value
        1.0
    """
    if isinstance(item, Group):
        raise ProgramProblemError(
            "forbidden",
            f"{item.text!r} is a list or tuple, not a vector.",
            f"Write np.array({item.text}).",
        )
    return item


def parts(item: Item) -> tuple[Item, ...]:
    """Return what a loop over the value, or unpacking it, gives.

    Raises:
        ProgramProblemError: It is a single number.

    Example:
        >>> [str(part.type) for part in parts(Name("m", Type((2, 3))))]
        ['float vector of 3', 'float vector of 3']
    """
    if isinstance(item, Group):
        return item.items
    if item.type.scalar:
        raise ProgramProblemError(
            "shape-mismatch", f"A {item.type} has no parts.", "Use it as it is."
        )
    row = Type(item.type.shape[1:], item.type.kind)
    size = row.size
    return tuple(
        Pick(item, tuple(range(i * size, (i + 1) * size)), row)
        for i in range(item.type.shape[0])
    )
