"""Draws one episode of a trained agent as a strip of frames."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from reward_synth.errors import MissingExtraError

FRAMES = "frames.webp"
NO_FRAMES = "frames.txt"
"""Why there are none."""
_QUIET = {
    "MUJOCO_GL": "egl",  # its own default needs a screen
    "SDL_VIDEODRIVER": "dummy",
    "SDL_AUDIODRIVER": "dummy",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}
Image = npt.NDArray[np.uint8]
_COUNT = 8
_MOST = 24
"""Frames kept while an episode of unknown length goes on."""
_WIDTH = 160
"""Pixels of one frame; a strip of eight is some 20 kB."""


def film(
    make: Any, model: Any, seed: int, folder: Path, *, count: int = _COUNT
) -> None:
    """Write a strip of one deterministic episode, or why it cannot be drawn.

    Args:
        make: Makes the environment, given ``render_mode``.
        model: Has Stable-Baselines3's ``predict``.
        seed: The episode's.
        folder: Takes ``frames.webp`` or ``frames.txt``.
        count: Frames, evenly spaced; the first and the last of the episode are there.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        warnings.simplefilter("ignore")  # this process ends with the episode
        env = make(render_mode="rgb_array")
        try:
            shots = _episode(env, model, seed)
        finally:
            env.close()
        _save(strip(_spread(shots, count)), folder / FRAMES)
    except (Exception, SystemExit) as cause:  # drawing never spoils a training
        said = " ".join(f"{type(cause).__name__}: {cause}".split())[:300]
        (folder / NO_FRAMES).write_text(said)


def strip(shots: Sequence[Image], width: int = _WIDTH) -> Image:
    """Return frames side by side, each reduced to about ``width`` pixels.

    Example:
        >>> strip([np.zeros((480, 640, 3), np.uint8)] * 3).shape
        (120, 480, 3)
    """
    return np.concatenate([_reduced(shot, width) for shot in shots], axis=1)


def _reduced(shot: Image, width: int) -> Image:
    """Return means over whole blocks of pixels: no library, no aliasing."""
    step = max(1, shot.shape[1] // width)
    high, wide = shot.shape[0] // step * step, shot.shape[1] // step * step
    blocks = shot[:high, :wide, :3].reshape(high // step, step, wide // step, step, 3)
    reduced: Image = blocks.mean(axis=(1, 3)).astype(np.uint8)
    return reduced


def _episode(env: gym.Env[Any, Any], model: Any, seed: int) -> list[Image]:
    """Return frames of an episode, thinned as they come: drawing may be slow."""
    obs, _ = env.reset(seed=seed)
    shots, every, ended, step = [_frame(env)], 1, False, 0
    while not ended:
        action, _ = model.predict(obs, deterministic=True)
        obs, _, terminated, truncated, _ = env.step(action)
        ended, step = terminated or truncated, step + 1
        if step % every == 0 or ended:
            shots.append(_frame(env))
        if len(shots) > _MOST and not ended:
            shots, every = shots[::2], every * 2
    return shots


def _frame(env: gym.Env[Any, Any]) -> Image:
    shot: Any = env.render()
    return np.asarray(shot, np.uint8)


def _spread(shots: Sequence[Image], count: int) -> list[Image]:
    places = np.linspace(0, len(shots) - 1, min(count, len(shots))).round()
    return [shots[int(place)] for place in places]


def _save(image: Image, path: Path) -> None:
    try:
        from PIL import Image as pillow  # noqa: N813, PLC0415 - an optional package
    except ImportError as cause:
        raise MissingExtraError("Pillow", "report") from cause
    pillow.fromarray(image).save(path, quality=70)
