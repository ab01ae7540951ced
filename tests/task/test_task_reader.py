"""The reader: proves each field at its first reading, and returns copies."""

from __future__ import annotations

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.errors import FieldMismatchError
from reward_synth.task import Field, FieldReader, TaskSpec


def cart(*fields: Field) -> tuple[FieldReader, gym.Env[Any, Any]]:
    env = gym.make("CartPole-v1")
    task = TaskSpec("CartPole-v1", "balance", fields, Field("action", (), "int"))
    return FieldReader(task, env), env


def test_values_are_copies_with_a_leading_axis() -> None:
    """What the environment does to its buffer afterwards changes nothing that was read."""
    reader, env = cart(Field("state", (4,)), Field("angle", source="obs[2]"))
    obs, info = env.reset(seed=3)
    obs = obs.astype(np.float64)  # of the field's own type, so that a view would do
    fields = reader.read(obs, info, reset=True)
    kept = obs.copy()
    obs[:] = 99.0
    assert fields["state"].shape == (1, 4)
    assert fields["angle"].shape == (1,)
    np.testing.assert_array_equal(fields["state"][0], kept)
    assert fields["angle"][0] == kept[2]


def test_types_are_the_described_ones() -> None:
    """Fields arrive as float64, int64 or bool, whatever the environment holds."""
    reader, env = cart(
        Field("angle", source="obs[2]"),
        Field("steps", (), "int", source="info.steps"),
        Field("up", (), "bool", source="info.up"),
    )
    obs, _ = env.reset(seed=3)
    fields = reader.read(obs, {"steps": np.int32(4), "up": 1})
    assert [fields[name].dtype.name for name in ("angle", "steps", "up")] == [
        "float64",
        "int64",
        "bool",
    ]
    assert fields["up"].tolist() == [True]


def test_fields_that_reset_lacks_are_left_out_then() -> None:
    """A field with at_reset=False is read after steps only."""
    reader, env = cart(
        Field("angle", source="obs[2]"),
        Field("force", source="info.force", at_reset=False),
    )
    obs, info = env.reset(seed=3)
    assert set(reader.read(obs, info, reset=True)) == {"angle"}
    assert set(reader.read(obs, {"force": 2.0})) == {"angle", "force"}
    with pytest.raises(FieldMismatchError, match="no key 'force'"):
        reader.read(obs, {})


def test_names_choose_what_is_read() -> None:
    """Fields that nobody asked for are not read, also not wrong ones."""
    reader, env = cart(Field("angle", source="obs[2]"), Field("gone", source="obs[9]"))
    obs, info = env.reset(seed=3)
    only = FieldReader(reader.task, env, ["angle"])
    assert set(only.read(obs, info)) == {"angle"}
    with pytest.raises(FieldMismatchError, match=r"obs\[9\]"):
        reader.read(obs, info)


def test_a_wrong_shape_is_refused_with_both_shapes() -> None:
    """A field of another shape than described is refused at its first reading."""
    reader, env = cart(Field("state", (3,)))
    obs, info = env.reset(seed=3)
    with pytest.raises(FieldMismatchError, match=r"'state'.*\(3,\).*'obs'.*\(4,\)"):
        reader.read(obs, info)


def test_a_field_that_differs_from_its_check_names_both_places() -> None:
    """The second place must hold the same value; the error shows both."""
    state = "sim.state[2]"
    right, env = cart(Field("angle", source="obs[2]", check=state))
    wrong = cart(Field("angle", source="obs[3]", check=state))[0]
    wrong = FieldReader(wrong.task, env)
    obs, info = env.reset(seed=3)
    assert right.read(obs, info)["angle"][0] == pytest.approx(float(obs[2]))
    with pytest.raises(
        FieldMismatchError, match=r"obs\[3\].*sim.state\[2\].*wrong place"
    ):
        wrong.read(obs, info)


def test_float32_copies_of_a_state_count_as_equal() -> None:
    """The comparison allows what float32 rounding does, and not a tenth of a percent."""
    for offset, fits in ((1e-7, True), (1e-3, False)):
        reader, env = cart(Field("angle", source="info.angle", check="obs[0]"))
        env.reset(seed=3)
        if fits:
            assert reader.read(np.array([0.5]), {"angle": 0.5 + offset})
        else:
            with pytest.raises(FieldMismatchError):
                reader.read(np.array([0.5]), {"angle": 0.5 + offset})


def test_a_check_that_is_not_there_is_no_mismatch() -> None:
    """Observation modes lack some places: then there is nothing to compare."""
    reader, env = cart(Field("angle", source="obs[2]", check="obs.extra.angle"))
    obs, info = env.reset(seed=3)
    assert reader.read(obs, info)["angle"][0] == pytest.approx(float(obs[2]))


def test_a_pickled_reader_reads_its_copy_of_the_environment() -> None:
    """A reader travels with its environment and is bound to the copy there."""
    reader, env = cart(Field("angle", source="sim.state[2]"))
    env.reset(seed=3)
    reader.read(None, {})  # bound, so that there are getters to leave behind
    copy, environment = pickle.loads(pickle.dumps((reader, env)))
    environment.unwrapped.state = np.array([0.0, 0.0, 0.125, 0.0])
    assert copy.read(None, {})["angle"].tolist() == [0.125]
    assert reader.read(None, {})["angle"].tolist() != [0.125]
