"""A small task and episodes of it, for tests of checks and of the search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reward_synth.reward import Rollout, Step
from reward_synth.task import Field, TaskSpec

SMALL = TaskSpec(
    "Line",
    "Go right.",
    (
        Field("x"),
        Field("count", (), "int"),
        Field("held", (), "bool"),
        Field("pair", (2,)),
    ),
    Field("action", (1,)),
)
NINE = tuple(float(x) for x in np.linspace(-1.0, 1.0, 9))
"""-1, -0.75, … 1: sizes have the mean 2 * (1 + 0.75 + 0.5 + 0.25) / 9 = 5/9."""


def episode(
    x: Sequence[float] = NINE,
    success: Sequence[bool] | None = None,
    sparse: Sequence[float] | None = None,
) -> Rollout:
    """An episode in which ``x`` takes these values, starting at the first of them."""
    path = np.array([x[0], *x], np.float64)
    fields = {
        "x": path,
        "count": np.arange(len(path)),
        "held": path > 0.0,
        "pair": np.stack([path, -path], axis=1),
    }
    quiet = np.zeros(len(x), np.bool_)
    steps = Step(
        before={name: value[:-1] for name, value in fields.items()},
        action=np.zeros((len(x), 1)),
        after={name: value[1:] for name, value in fields.items()},
        sparse=np.zeros(len(x)) if sparse is None else np.array(sparse, np.float64),
        terminated=quiet,
        truncated=quiet,
        valid=~quiet,
    )
    marks = None if success is None else np.array(success, np.bool_)
    return Rollout("scripted", 0, steps, marks)


def reward(*components: str, parameters: str = "x, count, held, pair") -> str:
    """The text of a program whose components stand in lines 3, 4, …."""
    lines = "".join(f"        {item},\n" for item in components)
    return f"def compute_reward({parameters}):\n    return {{\n{lines}    }}\n"
