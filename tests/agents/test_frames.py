"""Frames: one episode as a strip, and a reason where it cannot be drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.agents.frames import FRAMES, NO_FRAMES, film, strip


class Ramp(gym.Env[Any, Any]):
    """Draws a picture that is as bright as the episode is old."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium writes it

    def __init__(self, length: int, render_mode: str | None = None) -> None:
        self.observation_space = gym.spaces.Box(0.0, 1.0, (1,))
        self.action_space = gym.spaces.Discrete(2)
        self.length, self.render_mode = length, render_mode
        self.steps = self.drawn = 0

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        self.steps = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        return np.zeros(1, np.float32), 0.0, self.steps >= self.length, False, {}

    def render(self) -> Any:
        self.drawn += 1
        bright = round(255 * self.steps / self.length)
        return np.full((48, 64, 3), bright, np.uint8)


class Zero:
    """Always the same action."""

    def predict(self, obs: Any, deterministic: bool) -> tuple[Any, None]:
        return 0, None


def test_a_strip_shows_the_first_frame_the_last_and_even_steps_between(
    tmp_path: Path,
) -> None:
    """Eight frames of 1,000 steps, of which some tens are drawn at all."""
    pillow = pytest.importorskip("PIL.Image")
    made: list[Ramp] = []

    def make(render_mode: str) -> Ramp:
        made.append(Ramp(1000, render_mode))
        return made[-1]

    film(make, Zero(), 0, tmp_path)
    with pillow.open(tmp_path / FRAMES) as image:
        assert image.size == (8 * 64, 48)
        bright = np.asarray(image.convert("L"), float)[24, 32::64]
    np.testing.assert_allclose(bright, np.linspace(0, 255, 8), atol=255 / 12)
    assert made[0].drawn < 200
    assert made[0].render_mode == "rgb_array"


def test_short_episodes_have_fewer_frames(tmp_path: Path) -> None:
    """Three steps are four pictures: the start and one after each step."""
    pillow = pytest.importorskip("PIL.Image")
    film(lambda render_mode: Ramp(3, render_mode), Zero(), 0, tmp_path)
    with pillow.open(tmp_path / FRAMES) as image:
        assert image.size == (4 * 64, 48)


def test_what_cannot_be_drawn_says_why(tmp_path: Path) -> None:
    """A training is never lost to its picture: the reason is written instead."""

    def make(render_mode: str) -> Ramp:
        raise SystemExit(f"no {render_mode}\nhere")

    film(make, Zero(), 0, tmp_path)
    assert (tmp_path / NO_FRAMES).read_text() == "SystemExit: no rgb_array here"
    assert not (tmp_path / FRAMES).exists()


def test_frames_are_reduced_by_means_of_blocks() -> None:
    """Width 320 becomes 160: each pixel is the mean of four."""
    shot = np.zeros((2, 320, 3), np.uint8)
    shot[0, ::2] = 100
    found = strip([shot])
    assert found.shape == (1, 160, 3)
    assert (found == 25).all()
