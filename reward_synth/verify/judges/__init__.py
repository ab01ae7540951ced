"""Judges: language models that grade answers, hardened against what they grade.

Models are asked through :mod:`reward_synth.llm`, the one client: budget, repetition and
journals are its. The extra ``llm`` brings it.
"""

from reward_synth.verify.judges.aided import AidedJudge
from reward_synth.verify.judges.aids import Aid, Calculator, Code, Search
from reward_synth.verify.judges.calculator import calculate
from reward_synth.verify.judges.canaries import Canaries, CanaryError, CanaryReport
from reward_synth.verify.judges.corpus import Corpus
from reward_synth.verify.judges.form import Form, Scale, Use, Verdict
from reward_synth.verify.judges.groups import GroupScores, group_scores
from reward_synth.verify.judges.judge import RUBRIC, Judge
from reward_synth.verify.judges.juror import Juror, Reply, ask
from reward_synth.verify.judges.opinion import NoVerdictError, Opinion, Submission
from reward_synth.verify.judges.rubrics import nugget_judge
from reward_synth.verify.judges.sheet import Fences, Sheet
from reward_synth.verify.judges.steps import (
    Critique,
    StepGrades,
    criticised_rewards,
    critique,
    graded_steps,
)
from reward_synth.verify.master_keys import MASTER_KEYS

__all__ = [
    "MASTER_KEYS",
    "RUBRIC",
    "Aid",
    "AidedJudge",
    "Calculator",
    "Canaries",
    "CanaryError",
    "CanaryReport",
    "Code",
    "Corpus",
    "Critique",
    "Fences",
    "Form",
    "GroupScores",
    "Judge",
    "Juror",
    "NoVerdictError",
    "Opinion",
    "Reply",
    "Scale",
    "Search",
    "Sheet",
    "StepGrades",
    "Submission",
    "Use",
    "Verdict",
    "ask",
    "calculate",
    "criticised_rewards",
    "critique",
    "graded_steps",
    "group_scores",
    "nugget_judge",
]
