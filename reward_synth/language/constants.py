"""How large the numbers in a program may be."""

from __future__ import annotations

import ast

from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Const, Expr

LARGEST = 1e9
"""The largest number that may be written."""
_LARGEST_POWER = 8.0


def small_power(exponent: Expr, node: ast.AST) -> None:
    """Refuse powers that make everything 0 or infinite.

    Raises:
        ProgramProblemError: The exponent is too large.

    Example:
        >>> from reward_synth.language.ir import FLOAT
        >>> small_power(Const(2.0, FLOAT), ast.parse("x ** 2"))
    """
    if isinstance(exponent, Const) and abs(exponent.value) > _LARGEST_POWER:
        raise ProgramProblemError(
            "too-large",
            f"The exponent {exponent.value:g} in {ast.unparse(node)!r} is larger than "
            f"{_LARGEST_POWER:g}.",
            "Use np.exp or np.tanh to sharpen a term.",
        )
