"""Task descriptions: what they refuse, and that files give back what was saved."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_synth.errors import TaskSpecError
from reward_synth.task import Field, Success, TaskSpec, holds_answer
from reward_synth.task.field import Dtype
from tests.programs import TASK

ONE = TaskSpec("T", "go", (Field("x"),), Field("action", (2,)))

BAD_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "no identifier": ({"name": "x y"}, "must be a Python identifier"),
    "a keyword": ({"name": "lambda"}, "must be a Python identifier"),
    "a past": ({"name": "prev_x"}, "does not begin with 'prev_'"),
    "type": ({"name": "x", "dtype": "text"}, "expected one of float, int, bool"),
    "low": (
        {"name": "x", "shape": (2,), "low": (0.0,)},
        "low has 1 numbers.*2 entries",
    ),
    "high": ({"name": "x", "high": (0.0, 1.0)}, "high has 2 numbers"),
    "seen": ({"name": "x", "seen_low": (0.0, 1.0)}, "seen_low has 2 numbers"),
    "seen high": ({"name": "x", "seen_high": (0.0, 1.0)}, "seen_high has 2 numbers"),
    "source": ({"name": "x", "source": "moon"}, "not a place to read"),
    "check": ({"name": "x", "check": "moon"}, "not a place to read"),
}


@pytest.mark.parametrize(("keys", "reason"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_a_field_keeps_what_it_promises(keys: dict[str, Any], reason: str) -> None:
    """A field that contradicts itself is refused, with the part that does."""
    with pytest.raises(TaskSpecError, match=reason):
        Field(**keys)


@pytest.mark.parametrize(
    "key", ["success", "is_success", "Reward", "score_total", "episode.r", "episode.l"]
)
def test_info_keys_that_hold_the_answer_are_no_fields(key: str) -> None:
    """A program never reads reward, success, score, return or what lies under them."""
    with pytest.raises(TaskSpecError, match="holds the answer"):
        Field("x", source=f"info.{key}")
    assert Field("x", source="info.x_position").source == "info.x_position"
    assert not holds_answer("x_position")


BAD_TASKS: dict[str, tuple[dict[str, Any], str]] = {
    "twice": ({"fields": (Field("x"), Field("y"), Field("x"))}, r"twice: \['x'\]"),
    "none": ({"fields": ()}, "no fields"),
    "action": ({"fields": (Field("action"),)}, "the action's own name"),
    "gamma 0": ({"gamma": 0.0}, r"\(0, 1\], received 0.0"),
    "gamma 2": ({"gamma": 2.0}, "received 2.0"),
    "gamma nan": ({"gamma": math.nan}, "received nan"),
    "horizon": ({"horizon": 0}, "at least 1, received 0"),
}


@pytest.mark.parametrize(("keys", "reason"), BAD_TASKS.values(), ids=BAD_TASKS)
def test_a_task_that_no_reward_fits_is_refused(
    keys: dict[str, Any], reason: str
) -> None:
    """A task needs distinct fields, a discount in (0, 1] and time to act."""
    with pytest.raises(TaskSpecError, match=reason):
        replace(ONE, **keys)


def test_parameters_are_fields_their_past_and_the_action() -> None:
    """prev_<field> exists exactly where reset delivers the field; action comes last."""
    assert list(TASK.parameters) == [
        *("tcp_pos", "prev_tcp_pos", "cube_pos", "prev_cube_pos", "goal_pos"),
        *("prev_goal_pos", "height", "prev_height", "is_grasped", "prev_is_grasped"),
        *("contact", "action"),
    ]
    assert TASK.parameters["prev_cube_pos"] is TASK.field("cube_pos")


def test_an_unknown_field_is_answered_with_the_nearest() -> None:
    """A misspelled name gets the field that was probably meant."""
    with pytest.raises(
        TaskSpecError, match=r"no field 'cube_pso'. Did you mean 'cube_pos'"
    ):
        TASK.field("cube_pso")


def test_the_range_is_what_was_seen_else_what_is_declared() -> None:
    """A seen range beats a declared one; an infinite declaration says nothing."""
    both = Field("x", low=(-9.0,), high=(9.0,), seen_low=(-1.0,), seen_high=(1.0,))
    assert both.range == ((-1.0,), (1.0,))
    assert Field("x", low=(-9.0,), high=(9.0,)).range == ((-9.0,), (9.0,))
    assert Field("x", low=(-math.inf,), high=(9.0,)).range == ((), ())


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
NUMBER = st.floats(allow_nan=False)


@st.composite
def fields(draw: st.DrawFn, name: str = "") -> Field:
    shape = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    numbers = st.lists(NUMBER, min_size=math.prod(shape), max_size=math.prod(shape))
    bounds = st.one_of(st.just(()), numbers.map(tuple))
    return Field(
        name or draw(st.sampled_from(["x", "speed", "größe", "cube_pos"])),
        shape,
        draw(st.sampled_from(["float", "int", "bool"])),
        unit=draw(TEXT),
        meaning=draw(TEXT),
        source=draw(st.sampled_from(["obs", "obs[0:3]", "info.x_position"])),
        check=draw(st.sampled_from(["", "sim.cube.pose.p"])),
        low=draw(bounds),
        high=draw(bounds),
        seen_low=draw(bounds),
        seen_high=draw(bounds),
        at_reset=draw(st.booleans()),
        train_only=draw(st.booleans()),
    )


@st.composite
def tasks(draw: st.DrawFn) -> TaskSpec:
    return TaskSpec(
        draw(TEXT),
        draw(TEXT),
        tuple(draw(st.lists(fields(), min_size=1, unique_by=lambda item: item.name))),
        draw(fields("action")),
        draw(st.one_of(st.none(), st.builds(Success, TEXT, TEXT))),
        sparse=draw(st.booleans()),
        ends_on_success=draw(st.booleans()),
        horizon=draw(st.one_of(st.none(), st.integers(1, 1000))),
        gamma=draw(st.floats(0.5, 1.0)),
        dt=draw(st.one_of(st.none(), st.floats(1e-3, 1.0))),
        notes=tuple(draw(st.lists(TEXT, max_size=2))),
        info_keys=tuple(draw(st.lists(TEXT, max_size=2))),
    )


def toml(value: Any) -> str:
    """Write data as one TOML value; keys without a value are left out."""
    if isinstance(value, dict):
        given = [(k, v) for k, v in value.items() if v is not None]
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in given) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(task=tasks())
def test_a_saved_task_is_the_same_task(task: TaskSpec, tmp_path: Path) -> None:
    """JSON and TOML give back every field, also infinite bounds and any letters."""
    path = tmp_path / "task.json"
    task.save(path)
    assert TaskSpec.load(path) == task
    top = task.to_dict()
    lines = [
        f"{key} = {toml(value)}" for key, value in top.items() if value is not None
    ]
    path = tmp_path / "task.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert TaskSpec.load(path) == task


@settings(max_examples=30, deadline=None)
@given(task=tasks(), order=st.randoms(use_true_random=False))
def test_the_digest_is_of_content_not_of_order(task: TaskSpec, order: Any) -> None:
    """Keys in another order are the same task; another instruction is another."""
    data = task.to_dict()
    keys = list(data)
    order.shuffle(keys)
    assert TaskSpec.from_dict({key: data[key] for key in keys}).digest == task.digest
    other = replace(task, instruction=task.instruction + "!")
    assert other.digest != task.digest


def described(**changes: Any) -> dict[str, Any]:
    return ONE.to_dict() | changes


UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "top": (
        described(instructoin="go"),
        "'instructoin' in the task. Did you mean 'instr",
    ),
    "field": (
        described(fields=[{"name": "x", "shpae": [2]}]),
        "'shpae' in the field 'x'. Did you mean 'shape'",
    ),
    "success": (described(success={"rul": "x > 1"}), "Unknown key 'rul'"),
    "success half": (described(success={"words": "x"}), "success rule lacks 'rule'"),
    "success text": (
        described(success="x > 1"),
        "'success' of the task must be a mapping.*received 'x > 1'",
    ),
    "fields as names": (
        described(fields=["x"]),
        r"'fields' of the task must be a list of mappings.*received \['x'\]",
    ),
    "fields as mapping": (described(fields={"name": "x"}), "must be a list of mapp"),
    "action": (
        described(action=2),
        "'action' of the task must be a mapping.*received 2",
    ),
    "bounds in words": (
        described(fields=[{"name": "x", "low": ["zero"]}]),
        r"'low' of the field 'x' must be a list of numbers, received \['zero'\]",
    ),
    "bound alone": (described(fields=[{"name": "x", "low": 1.0}]), "received 1.0"),
    "shape": (described(fields=[{"name": "x", "shape": [1.5]}]), "list of whole numb"),
    "number as name": (described(fields=[{"name": 3}]), "'name' .* a text, received 3"),
    "flag": (described(sparse="no"), "'sparse' .* must be true or false, rec.* 'no'"),
    "gamma in words": (described(gamma="high"), "'gamma' .* a number, received 'high'"),
    "horizon": (described(horizon="abc"), "'horizon' .* a whole number.* 'abc'"),
    "missing": ({"id": "T", "instruction": "go"}, "the task lacks 'fields'"),
}


@pytest.mark.parametrize(("data", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_description_is_one_error(
    data: dict[str, Any], reason: str
) -> None:
    """Wrong keys and values in a file give a TaskSpecError, never a bare exception."""
    with pytest.raises(TaskSpecError, match=reason):
        TaskSpec.from_dict(data)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", "{"), ("a.toml", "x ="), ("a.json", "[1]"), ("missing.json", None)],
)
def test_an_unreadable_file_is_named(
    tmp_path: Path, name: str, text: str | None
) -> None:
    """A file that is missing, broken or holds no object is named in the error."""
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(TaskSpecError, match=name):
        TaskSpec.load(path)


@pytest.mark.parametrize("name", ["task.toml", "task.txt", "task"])
def test_a_task_is_saved_as_json_only(tmp_path: Path, name: str) -> None:
    """Another ending than .json is refused before anything is written."""
    with pytest.raises(TaskSpecError, match=rf"{name}: .* ends in .json"):
        ONE.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_with_success_changes_the_rule_alone() -> None:
    """The rule is replaced; everything else stays."""
    changed = TASK.with_success("height > 0.2")
    assert changed.success == Success("height > 0.2", "success when height > 0.2")
    assert replace(changed, success=None) == TASK


def test_signatures_name_type_and_shape() -> None:
    """A signature is what a program depends on: name, type and shape."""
    kinds: tuple[Dtype, ...] = ("float", "int")
    assert [Field("a", (2, 3), kind).signature for kind in kinds] == [
        "a: float[2, 3]",
        "a: int[2, 3]",
    ]
