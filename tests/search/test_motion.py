"""Motions as terms: what is read, what is refused, and what the program says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.kernels import RewardKernel
from reward_synth.language import parse
from reward_synth.search.motion import (
    Motion,
    TermsError,
    motion_program,
    read_motion,
)
from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "Arm",
    "Reach.",
    (
        Field("hand", (3,), source="obs[0:3]"),
        Field("cube", (3,), source="obs[3:6]"),
        Field("speed", source="obs[6]"),
        Field("held", dtype="bool", source="obs[7]"),
        Field("turn", (2, 2), source="obs[8:12]"),
    ),
    Field("action", (2,)),
)


def read(*terms: Any, motion: Any = "Go.", **more: Any) -> Motion:
    text = json.dumps({"motion": motion, "terms": list(terms), **more})
    return read_motion(f"Here:\n```json\n{text}\n```\n", TASK)


def reach(**changes: Any) -> dict[str, Any]:
    return {"kind": "reach", "of": "hand", "to": "cube", "weight": 1.0, **changes}


def earned(motion: Motion, values: dict[str, Any]) -> dict[str, float]:
    ir = parse(motion_program(motion), TASK).ir
    assert ir is not None
    assert ir.reward is not None
    kernel = RewardKernel(ir.reward)
    given_values = {
        n: np.asarray(values[n], float)[None] for n, _ in ir.reward.parameters
    }
    rows = kernel.batch(given_values, np.empty((len(kernel.names) + 1, 1)))
    return dict(zip(kernel.names, rows[:-1, 0].tolist(), strict=True))


HAND, CUBE, ACTION = [0.0, 3.0, 0.5], [0.0, 0.0, 4.5], [2.0, -4.0]
"""Hand and cube are 3 and 4 apart along two axes: 5 in all."""


def test_each_kind_and_norm_pays_its_formula() -> None:
    """Distance 5, square 25, smooth sqrt(25.01) - 0.1; one entry, numbers, effort 10."""
    motion = read(
        reach(weight=2.0),
        reach(of="cube", to="hand", norm="square"),
        reach(of="cube[2]", to=-1.5, norm="distance", weight=0.5),
        reach(of="hand[1]", to="cube[2]", norm="smooth"),
        reach(of="speed", to=1, norm="square", weight=3),
        {"kind": "more", "of": "hand[2]", "weight": 4},
        {"kind": "less", "of": "speed", "weight": 1},
        {"kind": "effort", "weight": 0.1},
    )
    values = {"hand": HAND, "cube": CUBE, "speed": 3.0, "action": ACTION}
    assert earned(motion, values) == pytest.approx(
        {
            "reach_hand": -10.0,
            "reach_cube": -25.0,
            "reach_cube_2": -3.0,
            "reach_hand_1": -(np.sqrt(1.5**2 + 0.01) - 0.1),
            "reach_speed": -12.0,
            "more_hand_2": 2.0,
            "less_speed": -3.0,
            "effort": -1.0,
        }
    )


REF = st.sampled_from(["hand", "cube", "speed", "hand[0]", "cube[2]"])
WEIGHT = st.floats(1e-3, 1e3)
NUMBER = st.floats(-1e6, 1e6)
TERM = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just("reach"),
            "of": REF,
            "to": st.one_of(REF, NUMBER, st.lists(NUMBER, min_size=3, max_size=3)),
            "weight": WEIGHT,
        },
        optional={"norm": st.sampled_from(["distance", "square", "smooth"])},
    ),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["more", "less"]), "of": REF, "weight": WEIGHT}
    ),
    st.fixed_dictionaries({"kind": st.just("effort"), "weight": WEIGHT}),
)


@given(st.lists(TERM, min_size=1, max_size=4), st.text(max_size=60))
def test_what_is_taken_is_a_program_without_errors(
    terms: list[dict[str, Any]], words: str
) -> None:
    """Whatever terms and words are accepted, the program passes the language's parser,
    with a component a term."""
    try:
        motion = read(*terms, motion=words)
    except TermsError:
        return
    parsed = parse(motion_program(motion), TASK)
    assert not [item for item in parsed.findings if item.severity == "error"]
    assert parsed.ir is not None
    assert parsed.ir.reward is not None
    assert len(parsed.ir.reward.outputs) == len(terms)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No answer raises anything but the one error that says what is wrong."""
    with pytest.raises(TermsError):
        read_motion(text, TASK)


def test_words_cannot_become_code() -> None:
    """Quotes, backslashes and lines of the words stay within the docstring."""
    words = 'a"""\nimport os\n"""\\'
    code = motion_program(read(reach(), motion=words))
    assert "\n    \"\"\"a''' import os '''\"\"\"\n" in code


BAD: dict[str, tuple[Any, str]] = {
    "kind": (reach(kind="push"), "kind 'push'; it must be one of reach"),
    "key": (reach(colour=1), "unknown key 'colour'"),
    "lack": ({"kind": "reach", "of": "hand", "weight": 1}, "lacks 'to'"),
    "field": (reach(of="hnd"), "'hnd' is no field, nor an entry of one. Did you mean"),
    "code": (reach(of="hand) + open('x'"), "is no field"),
    "entry": (reach(of="hand[3]", to=0), "beyond the 3 of its field"),
    "entry of one": (reach(of="speed[0]", to=0), "beyond the one of its field"),
    "bool": (reach(of="held", to=1), "is bool of shape"),
    "matrix": (reach(of="turn", to=0), r"of shape \(2, 2\)"),
    "shapes": (reach(to="speed"), "have 3 and one numbers"),
    "list": (reach(to=[0, 0]), "to has 2 numbers; of has 3"),
    "number": (reach(of="speed", to="1"), "is no field"),
    "truth": (reach(of="speed", to=True), "must be a number"),
    "large": (reach(of="speed", to=1e7), "at most 1e[+]06 in size"),
    "weight": (reach(weight=0), "weight must be above 0"),
    "minus": (reach(weight=-1), "weight must be above 0"),
    "norm": (reach(norm="L1"), "norm is 'L1'"),
    "vector": ({"kind": "more", "of": "hand", "weight": 1}, r"such as hand\[0\]"),
    "text": ("reach the cube", "must be an object"),
    "effort": ({"kind": "effort", "weight": 1}, "a term beside effort"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_term_is_refused(name: str) -> None:
    """One sentence that says what was found and what is expected."""
    term, says = BAD[name]
    with pytest.raises(TermsError, match=says):
        read(term)


WHOLE = {
    "nothing": ("I cannot.", "holds no JSON"),
    "open": ('```json\n{"motion": "Go.",\n```', "not valid JSON"),
    "list": ("```json\n[1]\n```", "must be an object"),
    "nan": ('{"motion": "Go.", "terms": [NaN]}', "NaN is no number"),
    "twice": ('{"motion": "a", "motion": "b", "terms": []}', "stands twice"),
    "empty": ('{"motion": "a", "terms": []}', "0 terms; 1 to 12"),
    "words": ('{"motion": 3, "terms": []}', '"motion" must be a text'),
    "more": ('{"motion": "a", "terms": [], "x": 1}', "unknown key 'x'"),
    "deep": ("{" + '"a":[' * 3000, "holds no JSON|not valid JSON"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_no_motion_is_refused(name: str) -> None:
    """Prose, broken or strange JSON: likewise."""
    text, says = WHOLE[name]
    with pytest.raises(TermsError, match=says):
        read_motion(text, TASK)


def test_equal_components_and_too_many_are_refused() -> None:
    """Names of components are unique, and there are at most twelve terms."""
    with pytest.raises(TermsError, match="one kind and one field: 'reach_hand'"):
        read(reach(), reach(to=[0, 0, 0]))
    with pytest.raises(TermsError, match="13 terms"):
        read(*[reach()] * 13)
