"""The whole corpus, in the order in which it is told."""

from __future__ import annotations

from functools import cache

from reward_synth.verify.audit.code import code_cases
from reward_synth.verify.audit.judges import judge_cases
from reward_synth.verify.audit.laws import law_cases
from reward_synth.verify.audit.resources import resource_cases
from reward_synth.verify.audit.rules import Case
from reward_synth.verify.audit.structure import structure_cases
from reward_synth.verify.audit.tags import tag_cases
from reward_synth.verify.audit.values import value_cases


@cache
def corpus() -> dict[str, Case]:
    """Return every case by its name.

    Example:
        >>> len(corpus()) >= 120
        True
    """
    cases = (
        *structure_cases(),
        *tag_cases(),
        *value_cases(),
        *resource_cases(),
        *code_cases(),
        *judge_cases(),
        *law_cases(),
    )
    return {case.name: case for case in cases}
