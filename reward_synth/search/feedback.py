"""What a proposer is told of an attempt: a summary, not raw series.

Summarised feedback is one of the four design choices that clearly helped in the
ablations of "A Bird's-Eye View of Iterative Reward Design" (BIRD).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reward_synth.search.outcome import Outcome

_FINDINGS = 6


def feedback(outcome: Outcome) -> str:
    """Return code, findings and measurements of one attempt as text."""
    parts = [f"```python\n{outcome.program.source.strip()}\n```", *_measured(outcome)]
    if outcome.report.findings:
        parts.append("Findings:")
        parts += [f"- {item}" for item in outcome.report.findings[:_FINDINGS]]
    parts += [text for text in (outcome.feedback, outcome.taught) if text]
    return "\n".join(parts)


def _measured(outcome: Outcome) -> list[str]:
    lines = []
    if outcome.trained is not None:
        lines.append(f"An agent trained with it succeeded in {outcome.trained:.0%}.")
    if outcome.preferred is not None:
        lines.append(
            "People compared what agents did: this one is preferred to a middling one in "
            f"{outcome.preferred:.0%}."
        )
    screen = outcome.screen
    if screen is None:
        return lines
    lines.append(f"Rank on stored rollouts: {screen.score:.2f} ({screen.basis}).")
    if screen.preference is not None:
        lines.append(
            f"It orders {screen.preference:.0%} of success/failure pairs rightly."
        )
    if screen.progress is not None:
        lines.append(
            f"Rank correlation with time up to success: {screen.progress:.2f}."
        )
    return lines


def summarise_components(
    names: Sequence[str],
    values: npt.NDArray[np.float64],
    success: npt.NDArray[np.bool_] | None,
) -> str:
    """Return a line a component: mean, range, share of the reward, use for success.

    Args:
        names: Component names.
        values: Shape ``(N, len(names))``.
        success: Shape ``(N,)``, or None.

    Example:
        >>> values = np.array([[0.0, 1.0], [1.0, 1.0]])
        >>> print(summarise_components(["near", "alive"], values, None))
        Components on the stored rollouts:
        - near: mean 0.5, from 0 to 1, 33% of the reward's size
        - alive: mean 1, from 1 to 1, 67% of the reward's size
    """
    sizes = np.abs(values).mean(axis=0)
    whole = max(float(sizes.sum()), 1e-12)
    lines = ["Components on the stored rollouts:"]
    for column, name in enumerate(names):
        value = values[:, column]
        line = (
            f"- {name}: mean {value.mean():.3g}, from {value.min():.3g} to "
            f"{value.max():.3g}, {sizes[column] / whole:.0%} of the reward's size"
        )
        lines.append(line + _at_success(value, success))
    return "\n".join(lines)


def _at_success(
    value: npt.NDArray[np.float64], success: npt.NDArray[np.bool_] | None
) -> str:
    if success is None or not success.any():
        return ""
    return f", mean {value[success].mean():.3g} at success"
