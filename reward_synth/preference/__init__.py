"""Reward models learned from preferences between trajectories.

    segments = Segments.of([rows of one trajectory, rows of another, ...])
    pairs = heron_pairs(factors, (Factor("success"), Factor("energy", sign=-1)), rng)
    fitted = fit(segments, pairs, Fit(kind="scalar"))
    env = reward_synth.wrap(env, fitted.model.seeing(Inputs(("position",))), "add")

Training needs PyTorch; a model that was saved needs NumPy alone.
"""

from reward_synth.preference.cycles import cyclic_share, von_neumann_winner
from reward_synth.preference.features import Inputs
from reward_synth.preference.heron import Factor, heron_pairs, ranked_preference
from reward_synth.preference.learn import (
    Fit,
    Fitted,
    accuracy,
    compared_with,
    fit,
    gaps,
    score_table,
)
from reward_synth.preference.model import Kind, Network, RewardModel
from reward_synth.preference.segments import Pairs, Segments, random_pairs

__all__ = [
    "Factor",
    "Fit",
    "Fitted",
    "Inputs",
    "Kind",
    "Network",
    "Pairs",
    "RewardModel",
    "Segments",
    "accuracy",
    "compared_with",
    "cyclic_share",
    "fit",
    "gaps",
    "heron_pairs",
    "random_pairs",
    "ranked_preference",
    "score_table",
    "von_neumann_winner",
]
