"""Each combiner once, with settings of its own, for the rules that all must keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.combine import (
    COMBINERS,
    Anneal,
    Blend,
    Combiner,
    Context,
    DynamicPotential,
    Hybrid,
    Lagrange,
    LogSigmoid,
    Nearness,
    OutcomeGate,
    Schedule,
    Shaped,
    Weighted,
    make_combiner,
    regularised_relevance,
)

Values = npt.NDArray[np.float64]
NAMED = {
    name: make_combiner(name, gamma=0.9)
    for name, item in COMBINERS.items()
    if item.make is not None
}
GIVEN: dict[str, Combiner] = {
    "weighted": Blend(Weighted({"a": 2.0, "b": -1.0})),
    "anneal": Anneal(Schedule(1.0, 0.0, 7)),
    "dynamic_potential": DynamicPotential(0.9, Schedule(1.0, 0.0, 7)),
    "lagrange": Lagrange({"a": 1.0, "b": 0.5}),
    "lagrange xi": Lagrange({"b": 1.0, "a": 0.5}, form="xi", acts_on="advantage"),
    "hybrid": Blend(Hybrid({"a": 1.0}, {"a": "b"}, length="b", price=0.1)),
    "relevance": regularised_relevance("a", "b"),
    "nearness": Blend(Shaped(Nearness(2.0), each=True)),
    "log_sigmoid at": Blend(Shaped(LogSigmoid.at([0.0, 1.0, 5.0]), each=True)),
    "outcome mean": OutcomeGate(mean=True),
}
EVERY: dict[str, Combiner] = {**NAMED, **GIVEN}
POTENTIALS = ("potential", "dynamic_potential")
ONE_BY_ONE = [name for name, item in EVERY.items() if item.acts_on != "group"]


def components(name: str, first: Any, second: Any) -> dict[str, Values]:
    """Return components that a combiner reads."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return {"potential": a} if name in POTENTIALS else {"a": a, "b": b}


def start(name: str, first: Any) -> dict[str, Any]:
    """Return what its ``init`` is given."""
    return {"potential": first} if name in POTENTIALS else {}


def marks(
    lanes: int,
    terminated: Any = False,
    valid: Any = True,
    truncated: Any = False,
    learning: bool = True,
) -> Context:
    """Return a context; single flags stand for all lanes."""
    none = np.zeros(lanes, np.bool_)
    return Context(none | terminated, none | valid, none | truncated, learning=learning)
