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
from reward_synth.intrinsic.models.frame_encoder import TorchEncoder, load_encoder
from reward_synth.intrinsic.models.frames import (
    FrameBonus,
    FrameEncoder,
    FrameModel,
    encoded,
    frame_rewards,
    load_frame_model,
)
from reward_synth.intrinsic.models.goal_baseline import GoalBaseline
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
from reward_synth.intrinsic.models.stages import Stages

__all__ = [
    "PAIRS",
    "About",
    "Characters",
    "ClassificationModel",
    "ComparedLabels",
    "Encoder",
    "EpisodeCounts",
    "Fit",
    "FrameBonus",
    "FrameEncoder",
    "FrameModel",
    "GoalBaseline",
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
    "Stages",
    "TorchEncoder",
    "about_model",
    "encoded",
    "frame_rewards",
    "learn_offline",
    "load_encoder",
    "load_frame_model",
    "load_model",
    "pair_prompt",
    "pair_text",
    "question_of",
    "save_model",
]
