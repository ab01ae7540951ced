"""Writes the tables of the README and the docs from the committed results.

    python -m reward_synth.benchmarks.tables

A test keeps README and results equal, so that no figure is ever typed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.benchmarks.kernels import ratio_lines, table
from reward_synth.benchmarks.oni_keyroom import table as study_table
from reward_synth.benchmarks.security_tables import security_tables
from reward_synth.report import RunData
from reward_synth.report.summary import SEED, summarise, summary_table, verdict
from reward_synth.report.texts import table as markdown_table

ROOT = Path(__file__).resolve().parents[1]  # the package shows it through a link
RESULTS = ROOT / "benchmarks" / "results"
README = ROOT / "README.md"
KERNELS = ROOT / "docs" / "kernels.md"
BENCHES = ROOT / "docs" / "benchmarks.md"
SECURITY = ROOT / "docs" / "security.md"
LABELS = ROOT / "docs" / "intrinsic-learning.md"
BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"
_LABELS = {
    "sparse": "success alone (sparse)",
    "dense": "generated, chosen",
    "expert": "the environment's own dense reward",
}


def load_results(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """Return the rows of every training study, in the order of the file names."""
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob("training_*.json")):
        rows += json.loads(path.read_text())["rows"]
    return rows


def training_summary(rows: Sequence[dict[str, Any]]) -> str:
    """Return one line an environment and arm: success of each training.

    Of the generated candidates only the chosen ones count; all are in the files.

    Example:
        >>> row = {"env": "E", "arm": "sparse", "chosen": False, "status": "ok",
        ...        "success_any": 0.0, "success_last": 0.0, "steps": 9, "episodes": 20,
        ...        "seconds": 5.0}
        >>> print(training_summary([row]).splitlines()[-1])
        | E | success alone (sparse) | 9 | 0% | 0% | 0 of 1 |
    """
    lines = [
        "| environment | reward | steps | success in each training "
        "| mean at the last step | trainings of at least 90% |",
        "|---|---|---|---|---|---|",
    ]
    for env in dict.fromkeys(row["env"] for row in rows):
        for arm, label in _LABELS.items():
            group = [row for row in rows if row["env"] == env and _counts(row, arm)]
            if group:
                lines.append(_line(env, label, group))
    return "\n".join(lines)


def _counts(row: dict[str, Any], arm: str) -> bool:
    if row["status"] != "ok" or row["arm"] != arm:
        return False
    return arm != "dense" or bool(row["chosen"])


def _line(env: str, label: str, group: Sequence[dict[str, Any]]) -> str:
    rates = [row["success_any"] for row in group]
    last = sum(row["success_last"] for row in group) / len(group)
    good = sum(rate >= 0.9 for rate in rates)  # noqa: PLR2004 - the column's own name
    each = ", ".join(f"{rate:.0%}" for rate in rates)
    steps = f"{group[0]['steps']:,}"
    return (
        f"| {env} | {label} | {steps} | {each} | {last:.0%} | {good} of {len(group)} |"
    )


def section(paths: Iterable[Path]) -> str:
    """Return the README's section of measured figures."""
    files = [json.loads(path.read_text()) for path in paths]
    rows = [row for file in files for row in file["rows"]]
    if not rows:
        return f"{BEGIN}\n{END}"
    commands = "\n".join(f"{file['command']} --json FILE" for file in files)
    episodes = rows[0]["episodes"]
    return "\n".join(
        [
            BEGIN,
            "Rewards composed without a language model, trained with SAC on two CPU cores.",
            f"Success is the share of {episodes} evaluation episodes in which the task's",
            "own rule held; candidates were chosen on other episodes. Every training,",
            "also of candidates that were not chosen, is in `benchmarks/results/`.",
            "",
            training_summary(rows),
            "",
            "```",
            commands,
            "```",
            END,
        ]
    )


def kernel_section(path: Path) -> str:
    """Return the section of the page on kernels: ratios, costs, and all times."""
    data = json.loads(path.read_text())
    lines = [
        f"- {row['program']}: {row['cold_s']:.2f} s, from the cache "
        f"{row['cached_s'] * 1e3:.0f} ms, of which "
        f"{row.get('cached_read_s', 0.0) * 1e3:.0f} reading the text"
        for row in data["compile"]
    ]
    memory = ", ".join(
        f"{row['rss_mib']:.0f} MiB after {row['programs']}" for row in data["memory"]
    )
    return "\n".join(
        [
            BEGIN,
            *ratio_lines(data["rows"]),
            "",
            "Time from a program's text to its first batch:",
            "",
            *lines,
            "",
            f"Memory of a process that compiles programs as a search does: {memory}.",
            "",
            *population_lines(data["population"]),
            "",
            "Nanoseconds a state; float32 where nothing else is said:",
            "",
            table(data["rows"]),
            END,
        ]
    )


def population_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a table of one pass over many programs beside a pass each.

    Example:
        >>> row = {"program": "p", "dtype": "float32", "kin": "siblings", "n": 1000,
        ...        "outputs": "totals", "programs": 16, "population_s": 0.5,
        ...        "separate_s": 1.0, "ratio": 0.5}
        >>> population_lines([row])[-1]
        '| p | siblings | float32 | totals | 1,000 | 16 | 0.500 | 1.000 | 0.50 |'
    """
    head = (
        "| program | kin | type | written | N | programs | one pass, s | separate passes, s "
        "| ratio |"
    )
    start = (
        "Programs of the same terms in one pass; siblings differ from their parent in "
        "two numbers each, the retuned in all:"
    )
    return [
        start,
        "",
        head,
        "|---" * 9 + "|",
        *(
            f"| {row['program']} | {row['kin']} | {row['dtype']} "
            f"| {row['outputs']} | {row['n']:,} "
            f"| {row['programs']} | {row['population_s']:.3f} "
            f"| {row['separate_s']:.3f} | {row['ratio']:.2f} |"
            for row in rows
        ),
    ]


def updated(text: str) -> str:
    """Return the README's text with the current section."""
    return _replaced(text, section(sorted(RESULTS.glob("training_*.json"))))


def updated_kernels(text: str) -> str:
    """Return the text of the page on kernels with the current section."""
    return _replaced(text, kernel_section(RESULTS / "kernels.json"))


def bench_section(paths: Iterable[Path]) -> str:
    """Return verdict and table of every suite whose report is committed."""
    parts = [_bench(path) for path in paths]
    return "\n\n".join([BEGIN, *parts, END])


def _bench(path: Path) -> str:
    run = RunData.from_dict(json.loads(path.read_text())["run"])
    summary = summarise(run, np.random.default_rng(SEED))
    head, rows = summary_table(summary)
    said = [*verdict(summary), *(f"> {text}" for text in summary.warnings)]
    trained = f"{len(run.trials)} trainings, {run.cost.steps:,} environment steps"
    packages = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    return "\n\n".join(
        [
            f"### {run.title}",
            f"`{run.command}` made `{path.relative_to(ROOT)}`: {trained}.",
            *said,
            markdown_table(head, rows),
            f"With {packages}.",
        ]
    )


def updated_benches(text: str) -> str:
    """Return the text of the page on benchmarks with the current section."""
    return _replaced(text, bench_section(sorted(RESULTS.glob("bench_*.json"))))


def updated_security(text: str) -> str:
    """Return the text of the page on security with the current section."""
    return _replaced(text, "\n\n".join([BEGIN, security_tables(RESULTS), END]))


def study_section(path: Path) -> str:
    """Return the table of the study of labels, and what made it."""
    data = json.loads(path.read_text())
    packages = ", ".join(
        f"{name} {number}" for name, number in data["versions"].items()
    )
    said = (
        f"`{data['command']}` made `{path.relative_to(ROOT)}`: {len(data['rows'])} "
        f"trainings of {data['steps']:,} steps, with {packages}. Intervals of 95 %."
    )
    lines = study_table(data["summary"])
    return "\n".join([BEGIN, "", said, "", *lines, "", END])


def updated_study(text: str) -> str:
    """Return the text of the page on learning from labels with the current section."""
    return _replaced(text, study_section(RESULTS / "oni_keyroom.json"))


def _replaced(text: str, new: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + new + after


def main() -> None:
    """Write the README and the page on kernels."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="the same; it is quick")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    README.write_text(updated(README.read_text()))
    KERNELS.write_text(updated_kernels(KERNELS.read_text()))
    BENCHES.write_text(updated_benches(BENCHES.read_text()))
    SECURITY.write_text(updated_security(SECURITY.read_text()))
    LABELS.write_text(updated_study(LABELS.read_text()))
    if given.json:
        given.json.write_text(json.dumps(load_results(), indent=1) + "\n")


if __name__ == "__main__":
    main()
