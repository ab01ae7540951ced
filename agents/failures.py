"""How a training fails, as a name and a sentence: its trial has no score then."""

from __future__ import annotations

from reward_synth.errors import RewardSynthError


class TrainingError(RewardSynthError):
    """The training process ended early, or said that it failed."""


class ConfinementError(RewardSynthError):
    """A strict trial's training process lacks a layer of protection."""


class WeightsError(RewardSynthError):
    """What should be a policy's weights was not taken.

    Example:
        >>> print(WeightsError("600.safetensors", "are no plain file"))
        The weights 600.safetensors of the training process are no plain file.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"The weights {name} of the training process {why}.")
        self.why = why


def sentence(cause: BaseException) -> str:
    r"""Return an exception as one printable line.

    Example:
        >>> sentence(ValueError("first\n  second"))
        'ValueError: first second'
    """
    return printable(f"{type(cause).__name__}: {cause}")


def printable(text: str, most: int = 500) -> str:
    r"""Return one line of plain characters, for what an untrusted process said.

    Example:
        >>> printable("a\x1b[2J\nb")
        'a [2J b'
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())[:most]
