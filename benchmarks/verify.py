"""How many answers a second are verified, beside ToolRL's reward, and the slowest answers.

python -m reward_synth.benchmarks.verify [--quick] --json FILE
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reward_synth.verify import Expected, Policy, ToolCallVerifier, expect
from reward_synth.verify.audit import Writer, built_in, corpus
from reward_synth.verify.compat import ToolRL

Row = dict[str, Any]
Call = dict[str, Any]
_TOOLS = ("book_room", "pay", "find_flights", "weather", "send_mail", "set_alarm")
_ARGUMENTS = ("day", "city", "seats", "price", "to", "body", "urgent")
_VALUES: tuple[Any, ...] = (
    1,
    250,
    2.5,
    True,
    "Mon",
    "Paris",
    "a text of several words",
    ["tea", "cake"],
)
_LIMIT_MS = 50.0
_SHOWN = 12


def sample(rng: random.Random) -> list[Call]:
    """Return two calls of different tools, with one to three arguments each."""
    return [
        {
            "name": name,
            "arguments": {
                key: rng.choice(_VALUES)
                for key in rng.sample(_ARGUMENTS, rng.randint(1, 3))
            },
        }
        for name in rng.sample(_TOOLS, 2)
    ]


def response(calls: Sequence[Call], key: str = "arguments") -> str:
    """Return calls in ToolRL's format, which both rewards read."""
    lines = [json.dumps({"name": c["name"], key: c["arguments"]}) for c in calls]
    block = "\n".join(lines)
    thought = "The user wants two things, so I call two tools."
    return f"<think>\n{thought}\n</think>\n<tool_call>\n{block}\n</tool_call>"


def _wrong_value(calls: list[Call], rng: random.Random) -> list[Call]:
    spoilt: list[Call] = json.loads(json.dumps(calls))
    arguments = rng.choice(spoilt)["arguments"]
    arguments[rng.choice(list(arguments))] = "something else"
    return spoilt


_KINDS: dict[str, Callable[[list[Call], random.Random], list[Call]]] = {
    "right": lambda calls, _: calls,
    "other order": lambda calls, _: calls[::-1],
    "wrong value": _wrong_value,
    "missing call": lambda calls, _: calls[:1],
    "wrong tool": lambda calls, _: [calls[0], {"name": "rm", "arguments": {}}],
}


def speed(count: int, repeats: int, seed: int) -> list[Row]:
    """Time both rewards in turn on the same answers; processor time of the best repeat."""
    verifier, toolrl = ToolCallVerifier(), ToolRL()
    rows = []
    for kind, spoil in _KINDS.items():
        rng = random.Random(seed)
        golds = [sample(rng) for _ in range(count)]
        answers = [spoil(gold, rng) for gold in golds]
        ours = [
            (response(answer), expect(gold))
            for answer, gold in zip(answers, golds, strict=True)
        ]
        theirs = [
            (response(answer, "parameters"), response(gold, "parameters"))
            for answer, gold in zip(answers, golds, strict=True)
        ]
        took, compared = [], []
        for _ in range(repeats):
            took.append(_verified(verifier, ours))
            compared.append(_compared(toolrl, theirs))
        rows.append(
            {
                "kind": kind,
                "microseconds": round(1e6 * min(took) / count, 2),
                "per_second": round(count / min(took)),
                "toolrl_microseconds": round(1e6 * min(compared) / count, 2),
                "of_toolrl": round(min(took) / min(compared), 3),
            }
        )
    return rows


def _verified(
    verifier: ToolCallVerifier, rows: Sequence[tuple[str, Expected]]
) -> float:
    begun = time.process_time()
    for answer, gold in rows:
        verifier(answer, gold)
    return time.process_time() - begun


def _compared(toolrl: ToolRL, rows: Sequence[tuple[str, str]]) -> float:
    begun = time.process_time()
    for answer, gold in rows:
        toolrl(answer, gold)
    return time.process_time() - begun


def worst(repeats: int) -> list[Row]:
    """Time every case of the audit's corpus on each of its rows; slowest first."""
    verifier, writer = ToolCallVerifier(policy=Policy()), Writer()
    slowest: dict[str, Row] = {}
    for number, row in enumerate(built_in(writer)):
        gold = expect(list(row.calls))
        for case in corpus().values():
            if number and case.group == "resources":
                continue  # they hardly depend on the row
            answer = case.build(row, writer)
            if answer is None:
                continue
            took = min(_once(verifier, answer, gold) for _ in range(repeats))
            known = slowest.get(case.name)
            if known is None or took > known["ms"]:
                slowest[case.name] = {
                    "case": case.name,
                    "group": case.group,
                    "ms": took,
                }
    ordered = sorted(slowest.values(), key=lambda row: -row["ms"])
    return [{**row, "ms": round(row["ms"], 3)} for row in ordered]


def _once(verifier: ToolCallVerifier, answer: Any, gold: Expected) -> float:
    begun = time.process_time()
    verifier(answer, gold)
    return 1e3 * (time.process_time() - begun)


def measure(*, quick: bool, seed: int) -> Row:
    """Return everything that this benchmark shows."""
    rows = speed(500 if quick else 5_000, 5 if quick else 15, seed)
    cases = worst(1 if quick else 3)
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "speed": rows,
        "least_per_second": min(row["per_second"] for row in rows),
        "corpus_cases": len(cases),
        "slowest_ms": cases[0]["ms"],
        "beyond_limit": sum(row["ms"] > _LIMIT_MS for row in cases),
        "limit_ms": _LIMIT_MS,
        "slowest": cases[:_SHOWN],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer answers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    found = measure(quick=given.quick, seed=given.seed)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
