"""Tools that a judge may use before its verdict."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from reward_synth.sandbox import Job, Sandbox
from reward_synth.verify.judges.calculator import ArithmeticTextError, calculate
from reward_synth.verify.judges.corpus import Corpus

_SHOWN = 800
_FUNCTION = "answer"


class Aid(Protocol):
    """A tool of a judge; what goes wrong in it is told in its output."""

    @property
    def name(self) -> str:
        """What the judge calls it."""

    @property
    def about(self) -> str:
        """What it does, and what it is given, in a sentence."""

    def __call__(self, given: str, /) -> str:
        """Return the output; never raises for what it is given."""


class Calculator:
    """Computes an arithmetical expression.

    Example:
        >>> Calculator()("12 * 12"), Calculator()("1 / 0")
        ('144', 'error: a division by zero')
    """

    name = "calculator"
    about = (
        "computes an expression of numbers, + - * / // % ** and sqrt, log, exp, round"
    )

    def __call__(self, given: str) -> str:
        """Return the value, or why there is none."""
        try:
            return repr(calculate(given))
        except ArithmeticTextError as error:
            return f"error: {error}"


class Code:
    r"""Runs a Python function in the locked sandbox.

    Args:
        sandbox: Where it runs, for example
            :class:`~reward_synth.sandbox.ProcessSandbox`.

    Example:
        >>> from reward_synth.sandbox import ProcessSandbox
        >>> Code(ProcessSandbox())("def answer():\n    return {'n': sum(range(10))}")
        'n = 45.0'
    """

    name = "code"
    about = (
        f"runs Python that defines {_FUNCTION}(), without arguments; it returns a dict of "
        "named numbers and may use numpy and math"
    )

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def __call__(self, given: str) -> str:
        """Return the numbers, or why there are none."""
        # A job is of rows: the one row that is given is not passed on.
        source = f"{given}\n\ndef _of_row(row):\n    return {_FUNCTION}()\n"
        found = self.sandbox.run(Job(source, "_of_row", ("row",), {"row": np.zeros(1)}))
        if not found.ok:
            return f"error: {found.status}: {found.error}"[:_SHOWN]
        pairs = zip(found.names, found.values[0].tolist(), strict=True)
        return ", ".join(f"{name} = {value!r}" for name, value in pairs)[:_SHOWN]


class Search:
    """Finds texts of a local corpus.

    Args:
        corpus: Where it looks.
        most: Texts that are shown.

    Example:
        >>> Search(Corpus({"fr": "Paris is in France."}))("Paris")
        '[fr] Paris is in France.'
    """

    name = "search"
    about = "finds texts by words"

    def __init__(self, corpus: Corpus, most: int = 3) -> None:
        self.corpus = corpus
        self.most = most

    def __call__(self, given: str) -> str:
        """Return the best texts, shortened."""
        found = self.corpus.search(given, self.most)
        shown = [f"[{item.name}] {item.text[:_SHOWN]}" for item in found]
        return "\n".join(shown) or "nothing found"
