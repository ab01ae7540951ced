"""What a proposer is told of each candidate of a run, as text for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reward_synth.api.result import FEEDBACK
from reward_synth.errors import UsageError
from reward_synth.store import RunStore


def told(run: Path) -> Iterator[tuple[str, str]]:
    """Yield digest and text of every candidate, best first.

    Measured success counts before the rank on rollouts, a later step of trainings before
    an earlier one.

    Raises:
        UsageError: The folder holds no run of ``generate``.
    """
    with RunStore.read(run) as store:
        ranks = {
            row.digest: _rank(store.programs.scores(row.digest))
            for row in store.programs
        }
    found = {digest: run / FEEDBACK / f"{digest}.md" for digest in ranks}
    texts = {
        digest: path.read_text("utf-8")
        for digest, path in found.items()
        if path.is_file()
    }
    if not texts:
        raise UsageError(
            f"{run} tells of no candidate: it was not made by generate, or stopped before "
            "the first one was checked."
        )
    for digest in sorted(texts, key=lambda item: (ranks[item], item), reverse=True):
        yield digest, texts[digest].strip()


def _rank(scores: dict[str, float]) -> tuple[float, str, float, float]:
    """Order as the search does: measured, and by the last step; then by the screen."""
    steps = {
        name: value for name, value in scores.items() if name != "screen" and value
    }
    last = max(steps, default="")  # "trained" alone is the last; see the recorder
    final = float("trained" in steps)
    best = steps.get("trained", steps.get(last, 0.0))
    return final, last, best, scores.get("screen", float("-inf"))
