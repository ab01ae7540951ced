"""Whole words and numbers of texts: what is compared where substrings would be fooled."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from reward_synth.errors import UsageError

_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_TOKEN = re.compile(r"[-+]?\d+(?:\.\d+)?|\w+", re.UNICODE)
_MOST = 200_000


def tokens(text: str) -> list[str]:
    """Return words in small letters and numbers in one spelling.

    Example:
        >>> tokens("Pays 2,100,000.50 EUR"), tokens("5.0"), tokens("x5")
        (['pays', '2100000.5', 'eur'], ['5'], ['x5'])
    """
    plain = unicodedata.normalize("NFKC", text[:_MOST]).casefold()
    return [_spelt(item) for item in _TOKEN.findall(_GROUPED.sub("", plain))]


def _spelt(token: str) -> str:
    if "." in token:
        token = token.rstrip("0").rstrip(".")
    return token.removeprefix("+")


def holds(text: str, answer: str) -> bool:
    """Return whether an answer's tokens stand in a text, one after another.

    Raises:
        UsageError: The answer has no token: anything would hold it.

    Example:
        >>> holds("15 people", "5"), holds("It is 1,500.", "1500")
        (False, True)
    """
    wanted, found = tokens(answer), tokens(text)
    if not wanted:
        raise UsageError(
            f"The expected answer {answer!r} has no word and no number: every text would "
            "hold it. Give one, or leave it out."
        )
    starts = (i for i, token in enumerate(found) if token == wanted[0])
    return any(found[i : i + len(wanted)] == wanted for i in starts)


def word_f1(answer: str, gold: str) -> float:
    """Return the F1 of tokens as multisets: repeating a right word costs.

    Raises:
        UsageError: ``gold`` has no token.

    Example:
        >>> word_f1("Paris Paris", "paris"), word_f1("paris", "Paris")
        (0.6666666666666666, 1.0)
    """
    wanted, found = Counter(tokens(gold)), Counter(tokens(answer))
    if not wanted:
        raise UsageError(f"The expected answer {gold!r} has no word and no number.")
    common = (wanted & found).total()
    return 2 * common / (wanted.total() + found.total())
