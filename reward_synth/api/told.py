"""What a proposer is told of each candidate of a run, as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from reward_synth.api.result import FEEDBACK
from reward_synth.errors import UsageError
from reward_synth.search.tournament import standing
from reward_synth.store import RunStore

_TRAINED = "trained"
_LAST = 1e6
"""Above the number of any step."""
_ABOVE = 1e9
"""Where people compared agents, that counts."""


def told(run: Path) -> Iterator[tuple[str, str]]:
    """Yield digest and text of every candidate, best first.

    Measured success counts before the rank on rollouts, a later step of trainings before
    an earlier one, and the preference of people before both.

    Raises:
        UsageError: The folder holds no run of ``generate``.
    """
    with RunStore.read(run) as store:
        ranks = {
            row.digest: _score(store.programs.scores(row.digest))
            for row in store.programs
        }
        liked = standing(store.preferences)
    ranks |= {
        digest: _ABOVE + liked[digest[:16]] for digest in ranks if digest[:16] in liked
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
    for digest in sorted(texts, key=lambda item: (-ranks[item], item)):
        yield digest, texts[digest].strip()


def _score(scores: Mapping[str, float]) -> float:
    """Return what the search ranks by; see ``Outcome.score``.

    Example:
        >>> _score({"screen": 0.5}), _score({"screen": 0.5, "trained, step 1": 0.25})
        (0.5, 3.25)
        >>> _score({"screen": 0.5, "trained, step 1": 0.25, "trained": 0.0})
        0.5
    """
    steps = [name for name in scores if name.startswith(_TRAINED)]
    if steps:
        last = max(steps, key=_step)
        if scores[last]:
            return 1.0 + scores[last] + 2.0 * _step(last)
    return scores.get("screen", float("-inf"))


def _step(name: str) -> float:
    """Return which step of trainings a score is of; the last one has no number."""
    number = name.rpartition(" ")[2]
    return float(number) if number.isdigit() else _LAST
