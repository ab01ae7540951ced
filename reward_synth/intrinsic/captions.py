"""Short texts for observations, which a language model can judge.

A caption is any function from an observation to a text. The fewer different texts an
environment gives, the fewer questions are asked: NetHack's message has some hundred in
an hour of play, a text with the hero's place in it has millions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from reward_synth.errors import UsageError
from reward_synth.intrinsic.nethack_text import inventory, message, status, surroundings
from reward_synth.task import Field, Source, TaskSpec, as_array

LONGEST = 2000
"""Characters of a caption; more would cost more than it tells."""
_PARTS = {
    "message": message,
    "status": status,
    "inventory": inventory,
    "surroundings": surroundings,
}


class Caption(Protocol):
    """Any function from an observation to a text."""

    def __call__(self, obs: Any, /) -> str:
        """Return the text; ``""`` where there is nothing to say."""


class CaptionError(UsageError):
    """A caption function raised, or returned what is no text."""


@dataclass(frozen=True, slots=True)
class MessageCaption:
    """NetHack's message, as ONI and Motif use it.

    Example:
        >>> row = np.zeros(256, np.uint8)
        >>> row[:12] = np.frombuffer(b"You see here", np.uint8)
        >>> MessageCaption()({"message": row})
        'You see here'
    """

    def __call__(self, obs: Mapping[str, Any], /) -> str:
        """Return the message."""
        return message(obs)


@dataclass(frozen=True, slots=True)
class NetHackView:
    """What a player of NetHack or MiniHack reads off the screen, as text.

    Args:
        parts: Which of ``message``, ``status``, ``inventory``, ``surroundings``.

    Raises:
        UsageError: There is no such part.

    Example:
        >>> NetHackView(("message", "mood"))
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: There is no part 'mood'; the parts are message, \
status, inventory, surroundings.
    """

    parts: tuple[str, ...] = tuple(_PARTS)

    def __post_init__(self) -> None:
        """Check the parts."""
        for name in self.parts:
            if name not in _PARTS:
                raise UsageError(
                    f"There is no part {name!r}; the parts are {', '.join(_PARTS)}."
                )

    def __call__(self, obs: Mapping[str, Any], /) -> str:
        """Return the parts that have something to say, one a line."""
        texts = (_PARTS[name](obs) for name in self.parts)
        return "\n".join(text for text in texts if text)


@dataclass(frozen=True, slots=True)
class TaskCaption:
    """A task's fields by name, with rounded values.

    Args:
        task: Whose fields are told; those that no observation holds are left out.
        names: Which fields; empty: all single numbers and short vectors.
        steps: By how much the numbers of a field are rounded, by its name; else to two
            significant digits.

    Raises:
        TaskSpecError: A name is no field.
        UsageError: No field can be told, or a step is not above 0.

    Example:
        >>> task = TaskSpec("Car", "drive", (Field("speed", source="obs[1]"),),
        ...                 Field("action"))
        >>> TaskCaption(task)(np.array([0.5, -0.01234]))
        'speed -0.012'
        >>> TaskCaption(task, steps={"speed": 0.5})(np.array([0.5, 0.8]))
        'speed 1'
    """

    task: TaskSpec
    names: tuple[str, ...] = ()
    steps: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that there is something to tell."""
        for name in (*self.names, *self.steps):
            self.task.field(name)
        if not all(step > 0 for step in self.steps.values()):
            raise UsageError(f"Steps must be above 0; received {dict(self.steps)}.")
        if not self._told():
            raise UsageError(
                f"No field of {self.task.id!r} can be told from its observation. Write "
                "a function from the observation to a text."
            )

    def __call__(self, obs: Any, /) -> str:
        """Return ``name value`` for each field."""
        return ", ".join(
            f"{item.name} {_shown(item, _read(item, obs), self.steps.get(item.name))}"
            for item in self._told()
        )

    def _told(self) -> tuple[Field, ...]:
        return tuple(
            item
            for item in self.task.fields
            if item.source.startswith("obs")
            and (item.name in self.names if self.names else item.size <= _SHORT)
        )


_SHORT = 4
"""Numbers of a field that is told without being asked for."""


@dataclass(frozen=True, slots=True)
class Captioner:
    """Calls a caption function, and says clearly what is wrong with it.

    Args:
        caption: The function.
        longest: Characters; what is longer is refused.

    Example:
        >>> Captioner(lambda obs: 3)(None)
        Traceback (most recent call last):
        ...
        reward_synth.intrinsic.captions.CaptionError: The caption function must return a \
text; it returned 3, which is of type int.
    """

    caption: Caption
    longest: int = LONGEST

    def __call__(self, obs: Any, /) -> str:
        """Return the text.

        Raises:
            CaptionError: The function raised, or returned no text or a too long one.
        """
        try:
            text = self.caption(obs)
        except Exception as cause:
            raise CaptionError(
                f"The caption function raised {type(cause).__name__}: {cause}. It was "
                f"given {_kind(obs)}."
            ) from cause
        if not isinstance(text, str):
            raise CaptionError(
                f"The caption function must return a text; it returned {text!r}, which "
                f"is of type {type(text).__name__}."
            )
        if len(text) > self.longest:
            raise CaptionError(
                f"The caption function returned {len(text)} characters; at most "
                f"{self.longest} are asked about. Tell less, or raise `longest`."
            )
        return text

    def batch(self, obs: Any, lanes: int) -> list[str]:
        """Return the text of each environment of a vector.

        Args:
            obs: Batched as vectors give it, first axis the environments.
            lanes: How many there are.

        Raises:
            CaptionError: As for one observation.
        """
        return [self(one) for one in rows(obs, lanes)]


def rows(obs: Any, lanes: int) -> Iterator[Any]:
    """Yield each environment's observation of a batch.

    Example:
        >>> list(rows({"x": np.array([[1], [2]])}, 2))
        [{'x': array([1])}, {'x': array([2])}]
    """
    for number in range(lanes):
        yield _row(obs, number)


def _row(obs: Any, number: int) -> Any:
    if isinstance(obs, Mapping):
        return {name: _row(value, number) for name, value in obs.items()}
    return obs[number]


def _read(item: Field, obs: Any) -> Sequence[float]:
    get = Source.parse(item.source).bind(None)
    values: list[float] = np.ravel(as_array(get(obs, {}))).tolist()
    return values


def _shown(item: Field, values: Sequence[float], step: float | None) -> str:
    texts = [_number(value, step, whole=item.dtype != "float") for value in values]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _number(value: float, step: float | None, *, whole: bool) -> str:
    if step is not None:
        value = round(value / step) * step
        return f"{value:.6g}"
    return f"{int(value)}" if whole else f"{value:.2g}"


def _kind(obs: Any) -> str:
    if isinstance(obs, Mapping):
        return f"a mapping with the keys {', '.join(map(str, obs))}"
    return f"{type(obs).__name__} of shape {getattr(obs, 'shape', '?')}"
