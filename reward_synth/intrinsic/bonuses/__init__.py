"""Exploration bonuses; those that are trained lie in ``learned``, which needs torch.

Example:
    >>> Product(EpisodicCount(8), GlobalCount(8)).bonuses[0].power is None
    True
"""

from reward_synth.intrinsic.bonuses.counts import EpisodicCount, GlobalCount
from reward_synth.intrinsic.bonuses.elliptic import E3B
from reward_synth.intrinsic.bonuses.neighbours import RE3
from reward_synth.intrinsic.bonuses.protocol import (
    GLYPHS,
    MESSAGE,
    POSITION,
    Bonus,
    Captions,
    Feature,
    Key,
    whole,
)
from reward_synth.intrinsic.bonuses.scale import Moments, Shape, ShapedBonus
from reward_synth.intrinsic.bonuses.together import (
    Product,
    Sum,
    load_bonus,
    save_bonus,
)

__all__ = [
    "E3B",
    "GLYPHS",
    "MESSAGE",
    "POSITION",
    "RE3",
    "Bonus",
    "Captions",
    "EpisodicCount",
    "Feature",
    "GlobalCount",
    "Key",
    "Moments",
    "Product",
    "Shape",
    "ShapedBonus",
    "Sum",
    "load_bonus",
    "save_bonus",
    "whole",
]
