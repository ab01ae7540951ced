"""Writes ``report.md``: what was tried, what was found, what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reward_synth.agents.training import Trained
from reward_synth.api.result import Generated
from reward_synth.search import Outcome

_SHOWN = 3
"""Findings shown of one candidate."""


def write_report(result: Generated) -> str:
    """Return the report of a run as Markdown."""
    parts = [
        f"# {result.task.id}",
        result.task.instruction,
        f"Proposer: **{result.proposer}**. {result.why}",
        *_success(result),
        *_best(result),
        "## Candidates",
        candidate_table(result.outcomes),
        *_lost(result),
        *_training(result),
        *_notes(result),
    ]
    return "\n\n".join(parts) + "\n"


def _success(result: Generated) -> list[str]:
    success = result.task.success
    if success is None:
        return ["Success: no rule is known, so checks of success do not apply."]
    return [f"Success: `{success.rule}` ({success.words})"]


def _best(result: Generated) -> list[str]:
    best = result.best
    if best is None:
        return ["No candidate passed the checks."]
    code = best.program.source.strip()
    return [
        "## Best program",
        f"Saved as `{result.reward_file.name}`. {_basis(best)}",
        f"```python\n{code}\n```",
        best.feedback,
    ]


def _basis(best: Outcome) -> str:
    if best.preferred is not None:
        return (
            "Chosen by preference: its agent is preferred to a middling one in "
            f"{best.preferred:.0%}."
        )
    if best.trained is not None:
        return "Chosen by training."
    basis = best.screen.basis if best.screen else ""
    return f"Chosen by ranking on {basis}; it was not trained."


def candidate_table(outcomes: Sequence[Outcome]) -> str:
    """Return candidates, best first, as a Markdown table."""
    rows = [
        "| rank | program | components | rank score | trained | findings |",
        "|---|---|---|---|---|---|",
    ]
    for number, item in enumerate(outcomes, start=1):
        screen = "" if item.screen is None else f"{item.screen.score:.3f}"
        trained = "" if item.trained is None else f"{item.trained:.0%}"
        if item.preferred is not None:
            trained += f", preferred {item.preferred:.0%}"
        found = [str(finding) for finding in item.report.findings[:_SHOWN]]
        names = _components(item)
        rows.append(
            f"| {number} | `{item.program.digest[:10]}` | {names} | {screen} | {trained} "
            f"| {'<br>'.join(_cell(text) for text in found) or 'none'} |"
        )
    return "\n".join(rows)


def _components(outcome: Outcome) -> str:
    lines = outcome.feedback.splitlines()[1:]
    return ", ".join(line[2:].split(":")[0] for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


def _lost(result: Generated) -> list[str]:
    if not result.lost:
        return []
    return [
        "Samples without a program:",
        "\n".join(f"- {item}" for item in result.lost),
    ]


def _training(result: Generated) -> list[str]:
    if not result.trained:
        return []
    return [
        "## Training",
        training_table(result.trained),
        training_words(result.trained),
    ]


def training_table(trained: Iterable[Trained]) -> str:
    """Return one row a training as a Markdown table."""
    rows = [
        "| arm | program | seed | steps | success, any step | success, last step "
        "| own return | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for item in trained:
        spec = item.spec
        program = f"`{spec.program.digest[:10]}`" if spec.program else ""
        steps = str(spec.steps)
        if stopped := item.result.get("stopped"):
            steps = f"{stopped['step']} of {steps}: {stopped['why']}"
        start = f"| {spec.arm} | {program} | {spec.seed} | {steps} |"
        if item.status != "ok":
            rows.append(f"{start} {item.status}: {_cell(item.error)} | | | |")
            continue
        result = item.result
        rows.append(
            f"{start} {result['success_any']:.0%} | {result['success_last']:.0%} "
            f"| {result['env_return']:.4g} | {result['seconds']:.0f} |"
        )
    return "\n".join(rows)


def training_words(trained: Sequence[Trained]) -> str:
    """Say how the numbers were made."""
    episodes = trained[0].spec.episodes
    return (
        f"Each agent was measured in {episodes} episodes by the task's own success rule, "
        "after training, without exploration. *Own return* is the return in the "
        "environment's own reward. Candidates were chosen on other episodes than these. "
        "Few seeds: read differences with care."
    )


def _notes(result: Generated) -> list[str]:
    lines = [f"- {note}" for note in result.task.notes]
    if result.proposer == "llm":
        usage = result.usage
        sign = "about " if usage.estimated else ""
        lines.append(
            f"- {sign}{usage.prompt_tokens} prompt tokens and "
            f"{usage.completion_tokens} completion tokens."
        )
        if result.cost is not None:
            lines.append(f"- Cost: {result.cost:.4g} in the currency of --prices.")
    return ["## Notes", "\n".join(lines)] if lines else []
