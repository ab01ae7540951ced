"""Reward models that learn from labels; they need torch.

Example:
    >>> model = ClassificationModel(seed=0)
    >>> model.judge(Seen(["You see here a key."]))[0].status
    'pending'
"""

from reward_synth.intrinsic.models.classification import ClassificationModel
from reward_synth.intrinsic.models.files import (
    About,
    about_model,
    load_model,
    save_model,
)
from reward_synth.intrinsic.models.inputs import Characters, Encoder, NGrams, Observed
from reward_synth.intrinsic.models.offline import Offline, learn_offline
from reward_synth.intrinsic.models.online import (
    EpisodeCounts,
    LabelledRewards,
    Labels,
    NoLabels,
)
from reward_synth.intrinsic.models.pairs import (
    PAIRS,
    ComparedLabels,
    pair_prompt,
    pair_text,
)
from reward_synth.intrinsic.models.protocol import (
    Fit,
    LabelModel,
    PairModel,
    Question,
    RewardModel,
    Seen,
    question_of,
)
from reward_synth.intrinsic.models.ranking import RankingModel
from reward_synth.intrinsic.models.retrieval import RetrievalModel

__all__ = [
    "PAIRS",
    "About",
    "Characters",
    "ClassificationModel",
    "ComparedLabels",
    "Encoder",
    "EpisodeCounts",
    "Fit",
    "LabelModel",
    "LabelledRewards",
    "Labels",
    "NGrams",
    "NoLabels",
    "Observed",
    "Offline",
    "PairModel",
    "Question",
    "RankingModel",
    "RetrievalModel",
    "RewardModel",
    "Seen",
    "about_model",
    "learn_offline",
    "load_model",
    "pair_prompt",
    "pair_text",
    "question_of",
    "save_model",
]
