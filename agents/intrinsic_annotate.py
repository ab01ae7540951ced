"""Labels captions without training: of random play, or of a file."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from reward_synth.agents import intrinsic_setup as setup
from reward_synth.envs.registry import EnvRef
from reward_synth.errors import TryAgainError, UsageError
from reward_synth.intrinsic.annotation import AnnotationService, Metrics, distil
from reward_synth.intrinsic.annotation import forecast as told_ahead
from reward_synth.intrinsic.models import learn_offline, save_model

_TELLING = 12
"""Attempts that failed, and none that did not, after which a server counts as down."""


def read_captions(path: str) -> list[str]:
    """Read a file with a caption a line; empty lines are left out.

    Raises:
        UsageError: There is no such file, it is no text, or it holds nothing.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as cause:
        raise UsageError(f"Cannot read the captions in {path}: {cause}.") from cause
    found = [line for line in lines if line.strip()]
    if not found:
        raise UsageError(f"{path} holds no caption; write one a line.")
    return found


def played_captions(ref: EnvRef, caption: str, steps: int, seed: int) -> list[str]:
    """Return the captions of random play, one a step.

    Raises:
        UsageError: ``steps`` is below 1.
        CaptionError: The caption function raised, or returned what is no text.

    Example:
        >>> from reward_synth.envs import resolve
        >>> len(played_captions(resolve("CartPole-v1"), "task", 5, seed=0))
        5
    """
    if steps < 1:
        raise UsageError(f"steps must be at least 1; received {steps}.")
    captioner = setup.captioner_of(ref, caption)
    env: Any = setup.env_maker(ref, caption)()
    env.action_space.seed(seed)
    env.reset(seed=seed)
    found = []
    for _ in range(steps):
        obs, _, terminated, truncated, _ = env.step(env.action_space.sample())
        found.append(captioner(obs))
        if terminated or truncated:
            env.reset()
    env.close()
    return found


def forecast_of(
    ref: EnvRef, asked: setup.Asked, captions: Sequence[str], steps: int
) -> dict[str, Any]:
    """Return what a run of so many steps would ask a model.

    Raises:
        UsageError: There are too few captions, or the goal is empty.
    """
    prompt = setup.prompt_of(ref, asked)
    prices = asked.spending.prices
    return asdict(told_ahead(captions, steps, prompt, prices=prices, pace=asked.pace))


def annotated(
    ref: EnvRef, asked: setup.Asked, captions: Sequence[str], wait: float
) -> list[dict[str, Any]]:
    """Return each different caption's label, the most frequent first.

    Args:
        ref: The environment that they are of.
        asked: Who labels.
        captions: One a step.
        wait: Seconds to wait for a model; what is not answered then is ``pending``.

    Raises:
        AnnotatorDeadError: The model cannot be asked.
        TryAgainError: Its server does not answer.
    """
    counts = Counter(captions)
    with tempfile.TemporaryDirectory() as spare:
        journal = Path(asked.journal or spare)
        annotator = setup.annotator_of(ref, asked, "oni-retrieval", journal)
        with AnnotationService(annotator) as service:
            service.submit(captions)
            _wait(service, wait)
            labels = service.get(list(counts))
    rows = zip(counts.items(), labels, strict=True)
    found = [
        {
            "caption": text,
            "times": times,
            "label": label.name or label.status,
            "value": label.value,
            "status": label.status,
            "origin": label.origin,
        }
        for (text, times), label in rows
    ]
    return sorted(found, key=lambda row: -int(str(row["times"])))


def distilled(
    ref: EnvRef, asked: setup.Asked, captions: Sequence[str], path: str, wait: float
) -> list[dict[str, Any]]:
    """Label captions, make a rule of all labels of the journal, and write it.

    Args:
        ref: The environment of the captions.
        asked: A language model, which labels and then writes the rule.
        captions: One a step.
        path: The rule's file.
        wait: Seconds to wait for labels.

    Returns:
        A row a clause: pattern, label, how often it agreed with labels that it was not
        chosen by, with an interval, and whether it is trusted.

    Raises:
        UsageError: No language model is asked, or there are too few labels.
        NothingUsableError: The model wrote no rule.
        TryAgainError: Its server does not answer.
    """
    if asked.annotator == setup.RULES:
        raise UsageError("--distil asks a language model; name one with --annotator.")
    with tempfile.TemporaryDirectory() as spare:
        bare = replace(asked, journal=asked.journal or spare, distilled=None)
        annotated(ref, bare, captions, wait)
        folder = Path(bare.journal or spare)
        annotator = setup.annotator_of(ref, bare, "oni-retrieval", folder)
        try:
            rule = distil(annotator)
        finally:
            annotator.close()
    rule.save(path)
    return rule.table()


def learned(
    ref: EnvRef,
    asked: setup.Asked,
    captions: Sequence[str],
    model: setup.Model,
    path: str,
    *,
    pairs: int,
    seed: int,
    wait: float,
) -> dict[str, Any]:
    """Train a reward model on a record, try it, write it; return how it went.

    Args:
        ref: The environment of the captions.
        asked: Who labels.
        captions: One a step.
        model: Its kind; a ranking is Motif's.
        path: The file.
        pairs: That a ranking asks about at most.
        seed: Decides the model and the pairs.
        wait: Seconds to wait for a chunk of a language model's answers.

    Raises:
        UsageError: There is no such model.
        NothingUsableError: Nothing was labelled.
    """
    made = setup.model_of(model, seed)
    if made is None:
        raise UsageError(
            "--learn needs a model; take --model oni-ranking, for example."
        )
    with tempfile.TemporaryDirectory() as spare:
        journal = Path(asked.journal or spare)
        annotator = setup.annotator_of(ref, asked, model, journal)
        with AnnotationService(annotator) as service:
            found = learn_offline(
                made, captions, service, pairs=pairs, seed=seed, wait=wait
            )
    about = save_model(made, path)
    return {**asdict(found), "model": about.model, "data": about.data, "file": path}


def _require_answers(service: AnnotationService, metrics: Metrics) -> None:
    """Give up a server that never answered, after as many attempts as are telling."""
    asker = getattr(service.annotator, "asker", None)
    errors = {} if asker is None else asker.errors
    if metrics.known + metrics.abstained == 0 and sum(errors.values()) >= _TELLING:
        said = ", ".join(f"{name} {count}" for name, count in errors.items())
        raise TryAgainError(
            f"The model's server has answered none of {sum(errors.values())} requests "
            f"({said}). Start it, or give its address with --base-url."
        )


def _wait(service: AnnotationService, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not service.stopped:
        service.check()
        metrics = service.metrics()
        _require_answers(service, metrics)
        if not metrics.waiting and not metrics.in_flight:
            return
        time.sleep(0.02)
