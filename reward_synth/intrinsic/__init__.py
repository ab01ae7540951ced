"""Intrinsic rewards: captions, labels of a language model, exploration bonuses.

Example:
    >>> Captioner(lambda obs: f"at {obs}")(3)
    'at 3'
"""

from reward_synth.intrinsic.captions import (
    Caption,
    Captioner,
    CaptionError,
    MessageCaption,
    NetHackView,
    TaskCaption,
)

__all__ = [
    "Caption",
    "CaptionError",
    "Captioner",
    "MessageCaption",
    "NetHackView",
    "TaskCaption",
]
