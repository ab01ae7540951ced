"""Exports: reward cards, folders of RL Zoo, data sets of Minari."""

from reward_synth.export.card import write_card
from reward_synth.export.chosen import Exported, read_exports
from reward_synth.export.minari import to_minari
from reward_synth.export.zoo import write_zoo

__all__ = ["Exported", "read_exports", "to_minari", "write_card", "write_zoo"]
