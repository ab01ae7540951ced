"""``reward_synth audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.tools import Cli

OURS = """
from reward_synth.verify import ToolCallVerifier

verifier = ToolCallVerifier()

def score(completions, gold, **columns):
    return [verifier(c, g).score for c, g in zip(completions, gold)]
"""
PUBLISHED = """
from reward_synth.verify.compat import ToolRL

toolrl = ToolRL()

def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    return toolrl(solution_str, ground_truth).score
"""


def test_our_verifier_passes(cli: Cli, place: Path) -> None:
    """Exit code 0, no failure, every case tried, a page written."""
    (place / "ours.py").write_text(OURS)
    found = cli.json("audit", "ours.py:score", "--limit", "0.5", "--page", "audit.html")
    assert found["counts"]["failure"] == found["counts"]["skipped"] == 0
    assert found["form"] == "trl"
    assert "Audit of ours.py:score" in (place / "audit.html").read_text()


def test_a_published_reward_fails_as_it_is_known_to(cli: Cli, place: Path) -> None:
    """ToolRL's reward pays for fifty guesses what a hand gets: format 1, names 1/50, the
    right call 1 + 3 of a possible 1 + 1 + 3, so 1 + 6 · 4.02 / 5 - 3 = 2.824; and as much
    for true as for 1."""
    (place / "published.py").write_text(PUBLISHED)
    result = cli(
        *("audit", "published.py:compute_score", "--json"),
        *("--syntax", "toolrl", "--gold-form", "text"),
    )
    assert result.code == 1
    rows: dict[str, Any] = {row["name"]: row for row in result.json()["rows"]}
    assert rows["fifty guesses, one right"]["score"] == pytest.approx(2.824)
    assert rows["true for 1"]["verdict"] == "failure"
    assert rows["a decoy among the thoughts, another call made"]["score"] == 3.0


def test_the_table_tells_what_fails(cli: Cli, place: Path) -> None:
    """Without --json each failure has a line, and the last line counts."""
    (place / "mine.py").write_text("def score(answer, gold):\n    return len(answer)\n")
    result = cli("audit", "mine.py:score")
    assert result.code == 1
    assert "ten million characters" in result.out
    assert "failures" in result.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.py:f",), "no file"),
        (("nothing",), "FILE:FUNCTION|file"),
        (("mine.py:score", "--data", "rows.jsonl"), "line 1"),
        (("mine.py:score", "--deadline", "0"), "above 0"),
    ],
)
def test_wrong_use_is_told(
    cli: Cli, place: Path, arguments: tuple[str, ...], words: str
) -> None:
    """Exit code 2 and one line."""
    (place / "mine.py").write_text("def score(answer, gold):\n    return 1.0\n")
    (place / "rows.jsonl").write_text("{}\n")
    result = cli("audit", *arguments)
    assert result.code == 2
    assert any(word in result.err for word in words.split("|"))
    assert len(result.err.splitlines()) == 1
