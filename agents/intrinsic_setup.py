"""Builds what an intrinsic training is made of, from names and settings."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from reward_synth.envs.registry import EnvRef
from reward_synth.envs.user_module import import_user_module
from reward_synth.errors import UsageError, did_you_mean
from reward_synth.intrinsic import (
    Captioner,
    MessageCaption,
    NetHackView,
    TaskCaption,
)
from reward_synth.intrinsic.annotation import (
    Asking,
    Decoding,
    LabelPrompt,
    ModelAnnotator,
    Pace,
    Rule,
    RuleAnnotator,
    Spending,
    task_rules,
    with_rule,
)
from reward_synth.intrinsic.bonuses import (
    E3B,
    MESSAGE,
    Bonus,
    EpisodicCount,
    Feature,
    GlobalCount,
    Product,
    Shape,
    ShapedBonus,
    Sum,
    whole,
)
from reward_synth.intrinsic.models import (
    ClassificationModel,
    ComparedLabels,
    RankingModel,
    RetrievalModel,
    pair_prompt,
)

Model = Literal["none", "oni-retrieval", "oni-classification", "oni-ranking"]
RULES = "rules"
"""The annotator that asks no language model."""
_GAMES = ("NetHack", "MiniHack")
_KEYS = ("chars", "message", "blstats")
_VIEW = (*_KEYS, "inv_strs", "inv_letters", "screen_descriptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who labels captions, and what they are asked."""

    annotator: str = RULES
    """``rules``, or the name of a language model at an endpoint."""
    rules: tuple[Rule, ...] = ()
    """By default those that are known for the task."""
    goal: str | None = None
    """What a language model is told; by default the task's instruction."""
    base_url: str | None = None
    journal: str | None = None
    """Folder of its answers, which several runs may share; by default in the run's."""
    distilled: str | None = None
    """File of a rule that answers where it is trusted; see ``annotate --distil``."""
    spending: Spending = field(default_factory=Spending)
    pace: Pace = field(default_factory=Pace)


def game(ref: EnvRef) -> bool:
    """Return whether an environment is NetHack's or MiniHack's.

    Example:
        >>> from reward_synth.envs import resolve
        >>> game(resolve("CartPole-v1"))
        False
    """
    return ref.family in _GAMES


def env_maker(ref: EnvRef, caption: str) -> Callable[[], Any]:
    """Return what makes an environment, with the observations that are read."""
    given = seen_keys(ref, caption)
    return lambda: ref.make(**given)


def seen_keys(ref: EnvRef, caption: str) -> dict[str, Any]:
    """Return the setting of an environment that leaves out what is not read."""
    if not game(ref) or "observation_keys" in ref.kwargs:
        return {}
    return {"observation_keys": _VIEW if caption == "view" else _KEYS}


def captioner_of(ref: EnvRef, caption: str) -> Captioner:
    """Return what tells captions.

    Args:
        ref: The environment.
        caption: ``auto``, ``message``, ``view``, ``task``, or ``module:function``.

    Raises:
        UsageError: There is no such caption, or it does not fit the environment.

    Example:
        >>> from reward_synth.envs import resolve
        >>> captioner_of(resolve("CartPole-v1"), "massage")
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: There is no caption 'massage'; take auto, message, \
view, task, or module:function of your own. Did you mean 'message'?
    """
    chosen = ("message" if game(ref) else "task") if caption == "auto" else caption
    if ":" in chosen:
        return Captioner(_function(chosen))
    if chosen in {"message", "view"} and not game(ref):
        raise UsageError(
            f"The caption {chosen!r} is NetHack's; {ref.name} is another game. Take task, "
            "or module:function of your own."
        )
    if chosen == "task":
        return Captioner(TaskCaption(ref.describe(rollouts=1, max_steps=50)))
    made = {"message": MessageCaption, "view": NetHackView}
    if chosen not in made:
        raise UsageError(
            f"There is no caption {caption!r}; take auto, message, view, task, or "
            f"module:function of your own.{did_you_mean(caption, (*made, 'task', 'auto'))}"
        )
    return Captioner(made[chosen]())


def annotator_of(ref: EnvRef, asked: Asked, model: Model, folder: Path) -> Any:
    """Return who labels captions, or pairs of them for a ranking.

    Args:
        ref: The environment.
        asked: What is asked of whom.
        model: The reward model.
        folder: Where a language model's answers are kept.

    Raises:
        UsageError: There are no rules, the goal is empty, or a rule's file does not fit.
    """
    pairs = model == "oni-ranking"
    if asked.distilled is not None:
        return _distilled(ref, asked, model, folder)
    if asked.annotator == RULES:
        rules = _rules(ref, asked)
        return ComparedLabels(rules) if pairs else rules
    prompt = prompt_of(ref, asked, pairs=pairs)
    return ModelAnnotator(
        prompt,
        Decoding(asked.annotator),
        folder,
        asked.base_url,
        asking=Asking(spending=asked.spending, pace=asked.pace),
    )


def prompt_of(ref: EnvRef, asked: Asked, *, pairs: bool = False) -> LabelPrompt:
    """Return what a language model is asked.

    Raises:
        UsageError: The goal is empty.
    """
    goal = asked.goal
    if goal is None:
        goal = ref.describe(rollouts=1, max_steps=20).instruction
    domain = "a game of NetHack" if game(ref) else f"the environment {ref.name}"
    return pair_prompt(goal, domain) if pairs else LabelPrompt(goal, domain)


def model_of(name: Model, seed: int) -> Any:
    """Return a reward model that has learned nothing; None for ``none``.

    Raises:
        UsageError: There is none of that name.

    Example:
        >>> model_of("oni-retrieval", 0).kind
        'retrieval'
    """
    require_name("model", name, get_args(Model))
    made: Mapping[str, Callable[[], Any]] = {
        "none": lambda: None,
        "oni-retrieval": RetrievalModel,
        "oni-classification": lambda: ClassificationModel(seed=seed),
        "oni-ranking": lambda: RankingModel(seed=seed),
    }
    return made[name]()


BONUSES = ("count", "global-count", "product", "e3b", "rnd", "noveld")
_SCALED = ("e3b", "rnd", "noveld")
"""Divided by their running deviation; counts lie between 0 and 1."""


def bonus_of(
    names: tuple[str, ...], ref: EnvRef, lanes: int, weight: float, seed: int
) -> Bonus | None:
    """Return the weighted sum of bonuses; None for none.

    States of NetHack are told apart by the message, others by the whole observation.

    Raises:
        UsageError: There is none of a name.
    """
    feature: Feature = MESSAGE if game(ref) else whole
    parts = [_bonus(name, lanes, feature, seed) for name in names]
    if not parts:
        return None
    return ShapedBonus(Sum(*parts), Shape(weight=weight))


def require_name(what: str, name: str, known: tuple[str, ...]) -> None:
    """Refuse a name that there is not.

    Raises:
        UsageError: It is not among them.

    Example:
        >>> require_name("bonus", "rdn", ("rnd", "e3b"))
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: There is no bonus 'rdn'; take one of rnd, e3b. Did \
you mean 'rnd'?
    """
    if name not in known:
        raise UsageError(
            f"There is no {what} {name!r}; take one of {', '.join(known)}."
            f"{did_you_mean(name, known)}"
        )


def _bonus(name: str, lanes: int, feature: Feature, seed: int) -> Bonus:
    from reward_synth.intrinsic.bonuses import learned  # noqa: PLC0415 - needs torch

    require_name("bonus", name, BONUSES)
    made: Mapping[str, Callable[[], Bonus]] = {
        "count": lambda: EpisodicCount(lanes, feature),
        "global-count": lambda: GlobalCount(lanes, feature),
        "product": lambda: Product(
            EpisodicCount(lanes, feature), GlobalCount(lanes, feature)
        ),
        "e3b": lambda: E3B(lanes, feature),
        "rnd": lambda: learned.RND(lanes, feature, seed=seed),
        "noveld": lambda: Product(
            EpisodicCount(lanes, feature), learned.NovelD(lanes, feature, seed=seed)
        ),
    }
    bonus = made[name]()
    if name in _SCALED:
        return ShapedBonus(bonus, Shape(normalise=True, clip=5.0))
    return bonus


def _distilled(ref: EnvRef, asked: Asked, model: Model, folder: Path) -> Any:
    if model == "oni-ranking" or asked.rules:
        raise UsageError(
            "--distilled labels captions: take --model oni-retrieval or "
            "oni-classification, and no --rule."
        )
    bare, alone = replace(asked, distilled=None), asked.annotator == RULES
    beside = None if alone else annotator_of(ref, bare, model, folder)
    return with_rule(beside, f"{asked.distilled}")


def _rules(ref: EnvRef, asked: Asked) -> RuleAnnotator:
    if asked.rules:
        return RuleAnnotator(asked.rules, otherwise="unhelpful")
    try:
        return task_rules(ref.task)
    except UsageError as cause:
        raise UsageError(
            f"No rules are known for {ref.name}. Give some, such as --rule "
            "'door opens=helpful', or a language model with --annotator MODEL and --goal "
            "TEXT; --model none trains without labels."
        ) from cause


def _function(text: str) -> Any:
    """Return a function of a user's module."""
    module, _, name = text.partition(":")
    import_user_module(module, str(Path.cwd()))
    found = getattr(importlib.import_module(module), name, None)
    if not callable(found):
        raise UsageError(
            f"The module {module!r} has no function {name!r} that takes an observation and "
            "returns a text."
        )
    return found
