"""For verl: ``custom_reward_function.path=pkg://reward_synth.verify.adapters.verl``.

``compute_score`` is for its naive, DAPO and PRIME managers, ``compute_score_batch`` for
its batch manager. The mapping that they return has the same keys for every sample.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from reward_synth.verify.adapters.guarded import Guarded, columns, has_score
from reward_synth.verify.policy import Policy
from reward_synth.verify.verifier import ToolCallVerifier


def compute_score(
    data_source: str,  # noqa: ARG001 - verl gives it by name
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    fallback: float = 0.0,
    low: float = -1.0,
    high: float = 1.0,
    policy: Mapping[str, Any] | None = None,
    **settings: Any,  # noqa: ARG001 - verl's managers may give more
) -> dict[str, float | str]:
    """Return the score of one response, with its components.

    Args:
        data_source: Not used.
        solution_str: The response.
        ground_truth: The expected calls, usually as JSON text.
        extra_info: If it holds ``tools``, schemas as a list or as JSON text, calls are
            checked against them.
        fallback: The score where the verifier fails; the column ``status`` says so.
        low: Least score.
        high: Largest score.
        policy: Settings of :class:`~reward_synth.verify.Policy`, from
            ``custom_reward_function.reward_kwargs``.
        settings: Not used.

    Raises:
        GoldError: What is expected cannot be right.

    Example:
        >>> compute_score("calls", "No.", '[]')["score"]
        1.0
    """
    tools = (extra_info or {}).get("tools")
    guarded = _guarded(_text(tools), _text(policy), low, high)
    result = guarded(solution_str, ground_truth)
    score = result.score if has_score(result) else fallback
    return {"score": float(score), **columns(result)}


def compute_score_batch(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[Any],
    extra_infos: Sequence[Mapping[str, Any] | None] | None = None,
    **settings: Any,
) -> list[dict[str, float | str]]:
    """Return what :func:`compute_score` does for each response of a batch.

    Example:
        >>> [x["score"] for x in compute_score_batch(["d"], ["No."], ["[]"])]
        [1.0]
    """
    infos = extra_infos if extra_infos is not None else [None] * len(solution_strs)
    rows = zip(data_sources, solution_strs, ground_truths, infos, strict=True)
    return [compute_score(*row, **settings) for row in rows]


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, sort_keys=True)


@lru_cache(maxsize=256)
def _guarded(tools: str, policy: str, low: float, high: float) -> Guarded:
    schemas = json.loads(tools) if tools else None
    chosen = Policy(**json.loads(policy)) if policy else Policy()
    return Guarded(ToolCallVerifier(schemas, chosen), low, high)
