"""Checks of reward programs: static ones, and ones on real steps in a locked worker."""

from reward_synth.checks.behaviour import (
    finite,
    in_scale,
    runs_alone,
    success_is_best,
    varies,
)
from reward_synth.checks.gate import bounded, more_than_the_answer
from reward_synth.checks.report import Check, Examined, Examiner, Report
from reward_synth.checks.static import (
    imports_what_it_uses,
    no_float_equality,
    sound_within_ranges,
)
from reward_synth.language import Finding

DEFAULT_CHECKS: tuple[Check, ...] = (
    imports_what_it_uses,
    no_float_equality,
    sound_within_ranges,
    finite,
    bounded,
    runs_alone,
    varies,
    in_scale,
    more_than_the_answer,
    success_is_best,
)
"""In the order in which they run; see :class:`Examiner`."""

__all__ = [
    "DEFAULT_CHECKS",
    "Check",
    "Examined",
    "Examiner",
    "Finding",
    "Report",
]
