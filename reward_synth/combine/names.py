"""Combiners by name, and where each can be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reward_synth.combine.basic import Add, Blend, Replace
from reward_synth.combine.ensembles import Mean, Robust, Uncertain, Worst
from reward_synth.combine.factors import SignBounded
from reward_synth.combine.geometric import Geometric
from reward_synth.combine.group import GroupNormalised, Stratified
from reward_synth.combine.logic import And, Or, Soft
from reward_synth.combine.outcome import OutcomeGate
from reward_synth.combine.potential import LookBack, Potential
from reward_synth.combine.protocol import ActsOn, Combiner
from reward_synth.combine.running import DynamicScale, Running
from reward_synth.combine.shapes import LogSigmoid, Relative, Shaped
from reward_synth.combine.sums import ClipDelta
from reward_synth.errors import UsageError, did_you_mean

_Make = Callable[[float, float], Combiner]
"""``(gamma, weight) -> combiner``."""


@dataclass(frozen=True, slots=True)
class Named:
    """A combiner that has a name."""

    name: str
    words: str
    """The reward of a step."""
    make: _Make | None
    """None: it needs arguments, and is given as an object."""
    acts_on: ActsOn = "step"
    example: str = ""
    """How one that needs arguments is made."""


def _blend(mix: Callable[[], Any]) -> _Make:
    return lambda _, weight: Blend(mix(), weight)


def _shape(how: Any) -> _Make:
    return _blend(lambda: Shaped(Relative(how=how)))


_ALL = (
    Named("add", "sparse + weight x sum", lambda _, w: Add(w)),
    Named("replace", "sum", lambda *_: Replace()),
    Named("potential", "sparse + weight x (gamma phi(s') - phi(s))", Potential),
    Named(
        "dynamic_potential",
        "the same with a weight that changes",
        None,
        example="DynamicPotential(gamma, Schedule(1, 0, 100_000))",
    ),
    Named("look_back", "sparse + weight x (phi(s, a) - phi(before) / gamma)", LookBack),
    Named(
        "weighted",
        "sparse + factors x components",
        None,
        example="Blend(Weighted({'reach': 1.0, 'grasp': 2.0}))",
    ),
    Named(
        "anneal",
        "weights that change while an agent learns",
        None,
        example="Anneal(Schedule(1, 0, 100_000))",
    ),
    Named("par", "sparse + mean sigmoid(sum - reference)", _shape("sigmoid")),
    Named("sgfc", "the same, grown later", _shape("slow")),
    Named("centred", "sparse + sum - mean reference", _shape("centred")),
    Named("tanh", "sparse + tanh(sum - reference)", _shape("tanh")),
    Named("arctan", "sparse + arctan(sum - reference)", _shape("arctan")),
    Named("fitted", "sparse + polynomial next to the sigmoid", _shape("fitted")),
    Named(
        "log_sigmoid",
        "sparse + log sigmoid(sum - reference)",
        _blend(lambda: Shaped(LogSigmoid())),
    ),
    Named(
        "z_score",
        "sparse + (sum - mean) / deviation",
        lambda _, w: Running("z_score", w),
    ),
    Named(
        "clip", "sparse + sum, cut to mean ± deviation", lambda _, w: Running("clip", w)
    ),
    Named(
        "min_max", "sparse + sum, scaled to 0 to 1", lambda _, w: Running("min_max", w)
    ),
    Named("all_good", "sparse + log chance that all are good", _blend(And)),
    Named("any_good", "sparse + log chance that any is good", _blend(Or)),
    Named("soft_max", "sparse + log mean exp", _blend(lambda: Soft(1.0))),
    Named("soft_min", "sparse - log mean exp(-r)", _blend(lambda: Soft(-1.0))),
    Named("mean", "sparse + mean", _blend(Mean)),
    Named("worst", "sparse + least component", _blend(Worst)),
    Named("uncertain", "sparse + mean - variance", _blend(Uncertain)),
    Named("robust", "sparse + half mean, half least", _blend(Robust)),
    Named(
        "clip_delta", "sparse + clipped differences", lambda _, w: ClipDelta(weight=w)
    ),
    Named(
        "lagrange",
        "thresholds kept by learned multipliers",
        None,
        example="Lagrange({'safe': 1.0})",
    ),
    Named(
        "hybrid",
        "aspects with confidence, price for length",
        None,
        example="Blend(Hybrid({'fact': 1.0, 'tone': 0.5}))",
    ),
    Named(
        "relevance",
        "relevance, less a cost",
        None,
        example="regularised_relevance('near', 'long')",
    ),
    Named(
        "dynamic_scale",
        "sparse + components at scale 1",
        lambda _, w: DynamicScale(weight=w),
    ),
    Named("geometric", "sparse + signed geometric mean", _blend(Geometric)),
    Named(
        "sign_bounded",
        "sign(sparse) + 0.1 x sign(sum)",
        lambda _, w: SignBounded(0.1 * w),
    ),
    Named(
        "outcome_gate",
        "process rewards at the end, gated by the outcome",
        lambda _, w: OutcomeGate(w),
        "episode",
    ),
    Named(
        "group_normalised",
        "rewards normalised in groups, then summed up",
        lambda *_: GroupNormalised(),
        "group",
    ),
    Named(
        "group_summed",
        "rewards summed up, then normalised in groups",
        lambda *_: GroupNormalised(together=True),
        "group",
    ),
    Named(
        "stratified",
        "process rewards in the band of their outcome",
        lambda *_: Stratified(),
        "group",
    ),
)
COMBINERS = {item.name: item for item in _ALL}
"""All by name, in the order in which they are listed."""


def make_combiner(
    name: str | Combiner, *, gamma: float, weight: float = 1.0
) -> Combiner:
    """Return the combiner of that name; a combiner as it is.

    Raises:
        UsageError: The name is unknown, or names one that needs arguments; or a weight is
            given beside a combiner, which has its own.

    Example:
        >>> make_combiner("add", gamma=0.99)
        Add(weight=1.0, acts_on='step')
    """
    if not isinstance(name, str):
        return _checked(name, weight)
    found = COMBINERS.get(name)
    if found is None:
        known = list(COMBINERS)
        raise UsageError(
            f"combine={name!r} is not one of {', '.join(known)}."
            f"{did_you_mean(name, known)}"
        )
    if found.make is None:
        raise UsageError(
            f"combine={name!r} needs arguments; give the object, for example "
            f"combine={found.example}, imported from reward_synth.combine."
        )
    return found.make(gamma, weight)


def _checked(given: Any, weight: float) -> Combiner:
    missing = [
        part
        for part in ("acts_on", "init", "combine", "one")
        if not hasattr(given, part)
    ]
    if missing:
        raise UsageError(
            f"combine must be a name or a Combiner; {given!r} has no {missing[0]}."
        )
    if weight != 1.0:
        raise UsageError(
            f"weight={weight} is for combiners given by name; {type(given).__name__} has "
            "its own settings."
        )
    combiner: Combiner = given
    return combiner


def require_served(
    combiner: Combiner, place: str, served: tuple[ActsOn, ...] = ("step", "episode")
) -> None:
    """Refuse a combiner that a place cannot give what it acts on.

    Args:
        combiner: The combiner.
        place: What it is used in, for the message.
        served: What the place has.

    Raises:
        UsageError: It acts on something else.

    Example:
        >>> require_served(Add(), "an environment")
    """
    if combiner.acts_on not in served:
        raise UsageError(
            f"{type(combiner).__name__} acts on {combiner.acts_on}, and {place} has only "
            f"{' and '.join(served)}. Use its combine where {combiner.acts_on}s are at "
            "hand, or another combiner; `reward_synth combiners` lists them."
        )


def reads_potential(combiner: Combiner | str) -> bool:
    """Tell whether a combiner is given compute_potential instead of compute_reward.

    Example:
        >>> reads_potential(Potential(0.9)), reads_potential("add")
        (True, False)
    """
    if isinstance(combiner, str):
        return combiner == "potential"
    return bool(getattr(combiner, "reads_potential", False))
