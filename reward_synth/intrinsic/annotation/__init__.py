"""Labels of captions from a language model, asked for beside the training.

Example:
    >>> service = AnnotationService(task_rules("MiniHack-KeyRoom-S5-v0"))
    >>> service.submit(["You see here a key named The Master Key of Thievery."])
    >>> service.metrics().known
    1
"""

from reward_synth.intrinsic.annotation.asker import Asking
from reward_synth.intrinsic.annotation.distil import Distilling, distil
from reward_synth.intrinsic.annotation.distilled import (
    DistilledRule,
    load_rule,
)
from reward_synth.intrinsic.annotation.distilled_annotator import (
    DistilledAnnotator,
    with_rule,
)
from reward_synth.intrinsic.annotation.farming import Farming, FarmingWatch
from reward_synth.intrinsic.annotation.forecast import Forecast, forecast
from reward_synth.intrinsic.annotation.grammar import Grammar
from reward_synth.intrinsic.annotation.keeper import (
    AnnotatorDeadError,
    AnnotatorDeadWarning,
)
from reward_synth.intrinsic.annotation.label import (
    Annotator,
    InstantAnnotator,
    Label,
    Predictor,
    Status,
)
from reward_synth.intrinsic.annotation.ledger import Ledger
from reward_synth.intrinsic.annotation.metrics import Metrics
from reward_synth.intrinsic.annotation.model import ModelAnnotator
from reward_synth.intrinsic.annotation.prompt import Decoding, LabelPrompt
from reward_synth.intrinsic.annotation.purse import Spending
from reward_synth.intrinsic.annotation.replay import ReplayedLabels
from reward_synth.intrinsic.annotation.rules import Rule, RuleAnnotator, task_rules
from reward_synth.intrinsic.annotation.service import AnnotationService
from reward_synth.intrinsic.annotation.throttle import Pace
from reward_synth.intrinsic.annotation.waiting import WaitingCaptions
from reward_synth.intrinsic.annotation.warm import WarmStart

__all__ = [
    "AnnotationService",
    "Annotator",
    "AnnotatorDeadError",
    "AnnotatorDeadWarning",
    "Asking",
    "Decoding",
    "DistilledAnnotator",
    "DistilledRule",
    "Distilling",
    "Farming",
    "FarmingWatch",
    "Forecast",
    "Grammar",
    "InstantAnnotator",
    "Label",
    "LabelPrompt",
    "Ledger",
    "Metrics",
    "ModelAnnotator",
    "Pace",
    "Predictor",
    "ReplayedLabels",
    "Rule",
    "RuleAnnotator",
    "Spending",
    "Status",
    "WaitingCaptions",
    "WarmStart",
    "distil",
    "forecast",
    "load_rule",
    "task_rules",
    "with_rule",
]
