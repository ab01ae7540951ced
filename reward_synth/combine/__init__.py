"""Combiners: how a dense reward and the environment's own become one number.

A combiner is a name or an object; :data:`COMBINERS` lists the names. Mixtures
(:class:`Mix`) become combiners by :class:`Blend`, shapes (:class:`Shape`) by
:class:`Shaped` within one.
"""

from reward_synth.combine.basic import Add, Blend, Mix, Replace, Weighted
from reward_synth.combine.ensembles import Mean, Robust, Uncertain, Worst
from reward_synth.combine.factors import Hybrid, SignBounded, regularised_relevance
from reward_synth.combine.geometric import Geometric, Nearness
from reward_synth.combine.group import GroupNormalised, Stratified
from reward_synth.combine.lagrange import Lagrange
from reward_synth.combine.logic import And, Or, Soft
from reward_synth.combine.names import (
    COMBINERS,
    Named,
    make_combiner,
    reads_potential,
    require_served,
)
from reward_synth.combine.outcome import OutcomeGate
from reward_synth.combine.potential import (
    DynamicPotential,
    LookBack,
    Potential,
    look_ahead,
)
from reward_synth.combine.protocol import (
    DECODED,
    POTENTIAL,
    ActsOn,
    Combiner,
    Context,
    State,
    Values,
    total,
)
from reward_synth.combine.running import DynamicScale, Running
from reward_synth.combine.schedule import Anneal, Schedule
from reward_synth.combine.shapes import (
    LogSigmoid,
    Relative,
    Shape,
    Shaped,
    sigmoid_polynomial,
)
from reward_synth.combine.state import (
    Split,
    load_state,
    merged,
    restarted,
    save_state,
    shared_of,
    with_shared,
)
from reward_synth.combine.sums import ClipDelta, clip, delta

__all__ = [
    "COMBINERS",
    "DECODED",
    "POTENTIAL",
    "ActsOn",
    "Add",
    "And",
    "Anneal",
    "Blend",
    "ClipDelta",
    "Combiner",
    "Context",
    "DynamicPotential",
    "DynamicScale",
    "Geometric",
    "GroupNormalised",
    "Hybrid",
    "Lagrange",
    "LogSigmoid",
    "LookBack",
    "Mean",
    "Mix",
    "Named",
    "Nearness",
    "Or",
    "OutcomeGate",
    "Potential",
    "Relative",
    "Replace",
    "Robust",
    "Running",
    "Schedule",
    "Shape",
    "Shaped",
    "SignBounded",
    "Soft",
    "Split",
    "State",
    "Stratified",
    "Uncertain",
    "Values",
    "Weighted",
    "Worst",
    "clip",
    "delta",
    "load_state",
    "look_ahead",
    "make_combiner",
    "merged",
    "reads_potential",
    "regularised_relevance",
    "require_served",
    "restarted",
    "save_state",
    "shared_of",
    "sigmoid_polynomial",
    "total",
    "with_shared",
]
