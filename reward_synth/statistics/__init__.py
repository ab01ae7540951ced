"""Statistics of few runs: interval estimates instead of single numbers.

All of it works on plain arrays; what is random takes a NumPy generator. SciPy comes with
the extra ``report`` and is loaded on use. What to use when, and what not to trust, is in
docs/statistics.md.
"""

from reward_synth.statistics.aggregates import (
    Statistic,
    iqm,
    mean,
    median,
    optimality_gap,
)
from reward_synth.statistics.arrays import Scores
from reward_synth.statistics.bootstrap import difference, stratified_bootstrap
from reward_synth.statistics.curves import (
    Reached,
    area_under_curve,
    hacking_gap,
    median_steps,
    steps_to,
)
from reward_synth.statistics.hacking import Fall, fall_after_best
from reward_synth.statistics.improvement import newcombe, probability_of_improvement
from reward_synth.statistics.interval import Interval, mean_interval, rate_interval
from reward_synth.statistics.normalised import Normalised, human_normalised
from reward_synth.statistics.profile import Profile, performance_profile

__all__ = [
    "Fall",
    "Interval",
    "Normalised",
    "Profile",
    "Reached",
    "Scores",
    "Statistic",
    "area_under_curve",
    "difference",
    "fall_after_best",
    "hacking_gap",
    "human_normalised",
    "iqm",
    "mean",
    "mean_interval",
    "median",
    "median_steps",
    "newcombe",
    "optimality_gap",
    "performance_profile",
    "probability_of_improvement",
    "rate_interval",
    "steps_to",
    "stratified_bootstrap",
]
