"""Task descriptions, where their fields are read, and the reader that proves them."""

from reward_synth.task.field import ACTION, PREVIOUS, Field, holds_answer
from reward_synth.task.lanes import is_batch, lanes_of
from reward_synth.task.reader import FieldReader
from reward_synth.task.roots import PUBLISHED, Roots
from reward_synth.task.source import Source, as_array, as_number
from reward_synth.task.spec import Success, TaskSpec

__all__ = [
    "ACTION",
    "PREVIOUS",
    "PUBLISHED",
    "Field",
    "FieldReader",
    "Roots",
    "Source",
    "Success",
    "TaskSpec",
    "as_array",
    "as_number",
    "holds_answer",
    "is_batch",
    "lanes_of",
]
