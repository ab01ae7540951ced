"""Distances between rewards that foretell what a policy loses, and that loss itself.

On finite processes they are exact: :func:`starc` in six canonical forms, and
:func:`regret`. From sampled transitions of any environment they are estimated:
:func:`starc_sampled`, :func:`epic` and :func:`dard`.
"""

from reward_synth.distance.canonical import KINDS, Kind, canonicalise
from reward_synth.distance.features import Features, Fourier, OneHot
from reward_synth.distance.norms import Norm, length
from reward_synth.distance.process import Dense, Successors, as_process
from reward_synth.distance.pseudometrics import LinearModel, dard, epic
from reward_synth.distance.reach import reachable
from reward_synth.distance.regret import (
    Regret,
    optimal_actions,
    optimal_values,
    regret,
)
from reward_synth.distance.samples import (
    Batch,
    LinearValue,
    ValueFitter,
    standardised_sampled,
    starc_sampled,
)
from reward_synth.distance.starc import starc, starc_matrix

__all__ = [
    "KINDS",
    "Batch",
    "Dense",
    "Features",
    "Fourier",
    "Kind",
    "LinearModel",
    "LinearValue",
    "Norm",
    "OneHot",
    "Regret",
    "Successors",
    "ValueFitter",
    "as_process",
    "canonicalise",
    "dard",
    "epic",
    "length",
    "optimal_actions",
    "optimal_values",
    "reachable",
    "regret",
    "standardised_sampled",
    "starc",
    "starc_matrix",
    "starc_sampled",
]
