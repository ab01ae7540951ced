"""Parts of the text of a query: words, items of the schema, pairs of words."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from itertools import pairwise

_WORD = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|$)|'(?:[^']|'')*'|"[^"]*"|`[^`]*`|\[[^\]\[\n]*\]"""
    r"""|[A-Za-z_]\w*|\d+(?:\.\d+)?|[<>=!]+|\S""",
    re.DOTALL,
)
_MOST = 20_000


def words(sql: str) -> list[str]:
    """Return the words of a query in small letters, comments left out.

    Example:
        >>> words("SELECT a FROM t WHERE b >= 'X' -- all")
        ['select', 'a', 'from', 't', 'where', 'b', '>=', "'x'"]
    """
    found = (item.group() for item in _WORD.finditer(sql[:_MOST]))
    return [
        _unquoted(item).lower() for item in found if not item.startswith(("--", "/*"))
    ]


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] in '"`[' else word


def schema_items(sql: str, known: Iterable[str]) -> set[str]:
    """Return the tables and columns of a data base that a query names.

    Args:
        sql: The query.
        known: Names of the data base, in small letters.

    Example:
        >>> sorted(schema_items("select A from t", {"a", "b", "t"}))
        ['a', 't']
    """
    return set(words(sql)) & set(known)


def pairs(sql: str) -> set[tuple[str, str]]:
    """Return the neighbouring words of a query.

    Example:
        >>> sorted(pairs("select a"))
        [('select', 'a')]
    """
    found = words(sql)
    return set(pairwise(found))


def jaccard(left: set[Hashable], right: set[Hashable]) -> float:
    """Return the share of common items; 1 for two empty sets.

    Example:
        >>> jaccard({1, 2}, {2, 3})
        0.3333333333333333
    """
    union = left | right
    return len(left & right) / len(union) if union else 1.0
