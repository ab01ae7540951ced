"""A space of texts in any script, for agents that write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.errors import UsageError

_LONGEST_SAMPLE = 64
_SCRIPTS = (
    " ",
    "{}[]()<>\"':,=\\/",
    "abcxyz019_",
    "éßñ",
    "яж",
    "工具",
    "🙂",
    "\n\t\u200b",
)


class UnicodeText(gym.Space[str]):
    """Every text up to a length that can be written down as UTF-8.

    Unlike :class:`gymnasium.spaces.Text` it knows no alphabet, so that asking whether a
    text is inside costs one pass, and no table of a million characters is kept.

    Args:
        max_length: Most characters (code points).
        seed: Of :meth:`sample`, whose texts are short and of several scripts.

    Raises:
        UsageError: ``max_length`` is below 1.

    Example:
        >>> space = UnicodeText(8)
        >>> "工具 🙂" in space, "" in space, "123456789" in space, chr(0xD800) in space
        (True, True, False, False)
    """

    def __init__(
        self, max_length: int, seed: int | np.random.Generator | None = None
    ) -> None:
        if max_length < 1:
            raise UsageError(f"max_length must be at least 1, received {max_length}.")
        self.max_length = max_length
        super().__init__(None, None, seed)

    @property
    def is_np_flattenable(self) -> bool:
        """False: texts are no arrays."""
        return False

    def sample(self, mask: None = None, probability: None = None) -> str:
        """Draw a short text.

        Raises:
            UsageError: A mask is given; there are none for texts.
        """
        if mask is not None or probability is not None:
            raise UsageError("UnicodeText has no masks; sample() takes no argument.")
        longest = min(self.max_length, _LONGEST_SAMPLE)
        length = int(self.np_random.integers(longest + 1))
        scripts = self.np_random.integers(len(_SCRIPTS), size=length)
        places = self.np_random.integers(2**16, size=length)
        pairs = zip(scripts, places, strict=True)
        return "".join(_SCRIPTS[i][int(k) % len(_SCRIPTS[i])] for i, k in pairs)

    def contains(self, x: Any) -> bool:
        """Tell whether ``x`` is a text that fits and can be encoded."""
        if not isinstance(x, str) or len(x) > self.max_length:
            return False
        return not has_surrogate(x)

    def to_jsonable(self, sample_n: Sequence[str]) -> list[str]:
        """Return the texts, which are JSON already."""
        return list(sample_n)

    def from_jsonable(self, sample_n: Sequence[Any]) -> list[str]:
        """Return the texts that :meth:`to_jsonable` gave."""
        return [str(item) for item in sample_n]

    def __eq__(self, other: object) -> bool:
        """Compare lengths."""
        return isinstance(other, UnicodeText) and other.max_length == self.max_length

    def __hash__(self) -> int:
        """Agree with ``==``."""
        return hash((UnicodeText, self.max_length))

    def __repr__(self) -> str:
        """Return how it is made."""
        return f"UnicodeText({self.max_length})"


def has_surrogate(text: str) -> bool:
    """Tell whether half a character is in a text, which no file can hold.

    Example:
        >>> has_surrogate("🙂"), has_surrogate(chr(0xDC00))
        (False, True)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
