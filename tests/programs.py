"""A small task and strategies for programs, shared by several test files."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from reward_synth.reward import Array
from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "Toy/Carry-v0",
    "Carry the cube to the goal.",
    (
        Field("tcp_pos", (3,), unit="m", source="obs[0:3]"),
        Field("cube_pos", (3,), unit="m", source="obs[3:6]"),
        Field("goal_pos", (3,), unit="m", source="obs[6:9]"),
        Field("height", (), unit="m", source="obs[5]"),
        Field("is_grasped", (), "bool", source="obs[9]"),
        Field("contact", (), source="obs[10]", at_reset=False),
    ),
    Field("action", (4,)),
)

SCALARS = ("height", "tcp_pos[0]", "cube_pos[-1]", "action[2]", "prev_height")
VECTORS = ("tcp_pos", "cube_pos", "goal_pos", "prev_cube_pos", "action[0:3]")
TESTS = ("is_grasped", "height > 0.1", "not is_grasped", "tcp_pos[0] <= cube_pos[0]")
_UNARY = ("np.tanh", "np.abs", "np.square", "np.sin", "np.exp", "np.sqrt", "np.sign")
_PAIR = ("np.minimum", "np.maximum", "np.arctan2", "np.hypot")
_REDUCE = ("np.sum", "np.mean", "np.min", "np.max", "np.linalg.norm", "np.std")


def _scalar(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("{}({})".format, st.sampled_from(_UNARY), inner),
        st.builds("{}({}, {})".format, st.sampled_from(_PAIR), inner, inner),
        st.builds("({} if {} else {})".format, inner, st.sampled_from(TESTS), inner),
        st.builds("np.where({}, {}, {})".format, st.sampled_from(TESTS), inner, inner),
        st.builds("np.clip({}, -1.0, 0.5)".format, inner),
        st.builds("-{}".format, inner),
    )


def _reduced() -> st.SearchStrategy[str]:
    pair = st.builds(
        "{} {} {}".format,
        st.sampled_from(VECTORS),
        st.sampled_from("+-*"),
        st.sampled_from(VECTORS),
    )
    return st.one_of(
        st.builds("{}({})".format, st.sampled_from(_REDUCE), pair),
        st.builds(
            "np.dot({}, {})".format, st.sampled_from(VECTORS), st.sampled_from(VECTORS)
        ),
        st.builds(
            "({} @ {})".format, st.sampled_from(VECTORS), st.sampled_from(VECTORS)
        ),
    )


def expressions() -> st.SearchStrategy[str]:
    """Scalar expressions of the reward language."""
    leaves = st.one_of(
        st.sampled_from(SCALARS),
        _reduced(),
        st.floats(-2, 2, allow_nan=False).map(lambda x: f"{round(x, 3)}"),
    )
    return st.recursive(leaves, _scalar, max_leaves=8)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Whole programs with branches, loops and several components."""
    first, second, third = (draw(expressions()) for _ in range(3))
    test = draw(st.sampled_from(TESTS))
    return f"""import numpy as np

LIMITS = (-0.5, 0.5)
WEIGHTS = np.array([0.5, 0.5, 0.25 + 0.25])


def shaped(x, slope=0.5):
    low, high = LIMITS
    if x < low:
        return low + slope * (x - low)
    if x > high:
        x = high + slope * (x - high)
    return x


def compute_reward(tcp_pos, cube_pos, goal_pos, height, is_grasped, prev_cube_pos,
                   prev_height, action):
    a = shaped({first}) + shaped(height, slope=0.25)
    b = 0.0
    for weight, entry in zip(WEIGHTS, cube_pos):
        b += entry * weight
    for i in range(3):
        b += cube_pos[i] * 0.5
    if {test}:
        b = {second}
        x, y, z = cube_pos
    else:
        x = {third}
    return {{"a": a, "b": b, "c": x}}
"""


def random_values(seed: int, scale: float = 1.0) -> dict[str, Array]:
    """One value for each parameter that the toy task offers."""
    rng = np.random.default_rng(seed)
    values: dict[str, Array] = {}
    for name, item in TASK.parameters.items():
        if item.dtype == "bool":
            values[name] = np.asarray(rng.random() < 0.5)
        else:
            values[name] = scale * rng.normal(size=item.shape)
    return values
