"""Texts for observations."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.envs import describe_env, resolve
from reward_synth.errors import TaskSpecError, UsageError
from reward_synth.intrinsic import (
    Captioner,
    CaptionError,
    MessageCaption,
    NetHackView,
    TaskCaption,
)
from reward_synth.intrinsic.nethack_text import surroundings


def screen(text: str = "", **stats: int) -> dict[str, Any]:
    """Return an observation with a message and an empty map, the hero at (10, 5)."""
    places = {"hp": 10, "max_hp": 11, "depth": 12, "level": 18, "condition": 25}
    line = np.zeros(27, np.int64)
    line[:2] = 10, 5
    line[21] = 1
    for name, value in stats.items():
        line[places[name]] = value
    message = np.zeros(256, np.uint8)
    message[: len(text)] = list(text.encode())
    chars = np.full((21, 79), ord(" "), np.uint8)
    chars[5, 10] = ord("@")
    return {"message": message, "blstats": line, "chars": chars}


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=255))
def test_a_message_is_told_as_it_stands(text: str) -> None:
    """Whatever printable text the game writes comes out unchanged."""
    assert MessageCaption()(screen(text)) == text


def test_a_view_tells_all_parts_that_have_something() -> None:
    """Message, status, inventory and surroundings each make a line; empty ones none."""
    obs = screen("You see here a key.", hp=9, max_hp=12, depth=1, level=1)
    obs["chars"][3, 13] = ord(">")
    obs["chars"][5, 9] = ord("d")
    view = NetHackView()
    assert view(obs).splitlines() == [
        "You see here a key.",
        "HP 9/12, level 1, depth 1, armour class 0, gold 0",
        "creature d 1 west, staircase down 3 east 2 north",
    ]
    obs["message"][:] = 0
    assert len(view(obs).splitlines()) == 2
    assert NetHackView(("status",))(screen(condition=512)).endswith("hallucinating")


def test_the_nearest_things_are_told() -> None:
    """Of ten things in a row the eight nearest are told, the nearest first."""
    obs = screen()
    obs["chars"][5, 20:30] = ord("$")
    told = surroundings(obs).split(", ")
    assert told == [f"gold {distance} east" for distance in range(10, 18)]


def test_a_view_reads_a_real_game() -> None:
    """On NLE itself the view has the hero's hit points, the pet and the pack by name."""
    pytest.importorskip("nle")
    env = resolve("NetHackScore-v0").make()
    obs, _ = env.reset(seed=1)
    text = NetHackView()(obs)
    assert "Hello Agent, welcome to NetHack!" in text
    assert f"HP {obs['blstats'][10]}/{obs['blstats'][11]}" in text
    assert "carrying a: " in text
    assert "tame" in text


def test_a_task_tells_its_fields() -> None:
    """Numbers are told by name, rounded so that near states share a caption."""
    task = describe_env(gym.make("MountainCar-v0"), rollouts=1, max_steps=5)
    caption = TaskCaption(task, steps={"position": 0.1, "velocity": 0.05})
    assert caption(np.array([-0.4812, 0.01])) == "position -0.5, velocity 0"
    assert (
        caption(np.array([-0.5198, -0.02])) == "position -0.5, velocity -0"[:-2] + "0"
    )
    assert TaskCaption(task, ("velocity",))(np.array([0.0, 0.0123])) == "velocity 0.012"


def test_a_caption_that_cannot_be_is_refused() -> None:
    """Unknown parts and fields, and steps that round nothing, are named."""
    task = describe_env(gym.make("MountainCar-v0"), rollouts=1, max_steps=5)
    with pytest.raises(TaskSpecError, match="Did you mean 'velocity'"):
        TaskCaption(task, ("velocty",))
    with pytest.raises(UsageError, match="above 0"):
        TaskCaption(task, steps={"position": 0.0})
    with pytest.raises(UsageError, match="no 'blstats'; it has message"):
        NetHackView(("status",))({"message": np.zeros(9, np.uint8)})


def boom(_: Any) -> str:
    raise KeyError("pos")


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        (boom, r"raised KeyError: 'pos'.*shape \(2,\)"),
        (lambda _: b"bytes", "of type bytes"),
        (lambda _: None, "of type NoneType"),
        (lambda _: "x" * 2001, "2001 characters"),
    ],
)
def test_a_wrong_caption_function_is_told_clearly(caption: Any, said: str) -> None:
    """A function that raises or returns no short text is an error of its own kind."""
    with pytest.raises(CaptionError, match=said):
        Captioner(caption)(np.zeros(2))


def test_a_batch_is_captioned_lane_by_lane() -> None:
    """Each environment of a vector gets the text that it would get alone."""
    obs = {"x": np.arange(6).reshape(3, 2)}
    caption = Captioner(lambda o: f"x {o['x'].tolist()}")
    assert caption.batch(obs, 3) == ["x [0, 1]", "x [2, 3]", "x [4, 5]"]
