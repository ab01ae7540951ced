"""Outcomes of examinations as data, so that a run that goes on makes none twice."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from reward_synth.checks import Finding, Report
from reward_synth.program import RewardProgram
from reward_synth.search.outcome import Outcome
from reward_synth.search.screening import Screen

_ORDER = "order"


def packed(outcome: Outcome) -> dict[str, Any]:
    r"""Return what was found in a program before any training, as JSON-ready data.

    Example:
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action"))
        >>> text = "def compute_reward(x):\n    return {'near': -abs(x)}"
        >>> program = RewardProgram.of(text, task)
        >>> screen = Screen(0.5, None, 1.0, 1.0, "given", np.array([0.0, 1.5, 1.5]))
        >>> found = Outcome(program, Report(program.digest, ()), screen, feedback="near")
        >>> again = unpacked(program, packed(found))
        >>> again == found, np.asarray(again.screen.order).tolist()
        (True, [0.0, 1.5, 1.5])
    """
    screen = outcome.screen
    return {
        "findings": [item.to_dict() for item in outcome.report.findings],
        "screen": None if screen is None else _screen(screen),
        "feedback": outcome.feedback,
    }


def unpacked(program: RewardProgram, data: Mapping[str, Any]) -> Outcome:
    """Return the outcome of which :func:`packed` made ``data``."""
    findings = tuple(Finding(**item) for item in data["findings"])
    screen = data["screen"]
    return Outcome(
        program,
        Report(program.digest, findings),
        None
        if screen is None
        else Screen(**{**screen, _ORDER: _Ranks(screen[_ORDER])}),
        feedback=data["feedback"],
    )


class _Ranks:
    """Ranks that stay packed until they are used: a run may hold ten thousand lists."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        halves = np.frombuffer(zlib.decompress(base64.b64decode(self._text)), "<u4")
        ranks = halves / 2.0
        return ranks if dtype is None else ranks.astype(dtype)


def _screen(screen: Screen) -> dict[str, Any]:
    # ranks are whole or half numbers
    halves = np.rint(2.0 * np.asarray(screen.order)).astype("<u4")
    text = base64.b64encode(zlib.compress(halves.tobytes())).decode()
    return {**asdict(replace(screen, order=())), _ORDER: text}
