"""Budgets under calls at once: how far does the server's bill pass the limit?

Every run has a limit, prices or none, some threads, and calls of random sizes to a
real server on loopback, which keeps the true bill: also of answers that it did not
count, that broke off, or that came too late. Threads ask until the budget stops them.

    python -m reward_synth.benchmarks.budget --runs 1000 --seed 0 --json FILE
    python -m reward_synth.benchmarks.budget --quick

Needs a checkout: the faulty server is the one of the tests.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reward_synth.errors import BudgetReachedError
from reward_synth.llm import (
    Budget,
    ChatRequest,
    Completion,
    OpenAIChat,
    Prices,
    RetryPolicy,
    Usage,
    spent_before,
)
from reward_synth.llm.budget import price

if TYPE_CHECKING:
    from tests.llm.server import Behaviour, Received

MOST_CALLS = 200
"""Of one run; far more than any limit here allows."""
_BEFORE, _UNCOUNTED, _BROKEN, _TOO_LATE = 0.1, 0.25, 0.35, 0.352
"""Up to where a draw from [0, 1) means a failure before work, and so on."""
_TIMEOUT = 2.0
_LATE = 3.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One run."""

    seed: int
    threads: int
    max_tokens: int
    prompt: int
    """Characters of a prompt."""
    calls: float
    """The limit, in calls of the largest size."""
    priced: bool
    obeys: bool
    """Whether the server keeps ``max_tokens``; else it takes up to four times it."""

    @classmethod
    def draw(cls, seed: int, *, obeys: bool) -> Setting:
        """Draw a run."""
        rng = np.random.default_rng([seed, int(obeys)])
        return cls(
            seed,
            int(rng.integers(1, 9)),
            int(rng.integers(10, 400)),
            int(rng.integers(20, 2000)),
            float(rng.uniform(0.3, 12.0)),
            bool(rng.integers(2)),
            obeys,
        )

    @property
    def prices(self) -> Prices | None:
        """A million tokens cost 1 and 4, or nothing is known of prices."""
        return Prices(1.0, 4.0) if self.priced else None

    def request(self, slot: int) -> ChatRequest:
        """Return one of the run's requests."""
        text = ("Push a cube. " * 200)[: self.prompt]
        return ChatRequest(
            "tiny", (("user", text),), max_tokens=self.max_tokens, slot=slot, seed=slot
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run came to, in the unit of its limit."""

    setting: Setting
    limit: float
    one_call: float
    """The most that one call can cost."""
    bill: float
    """What the server really took."""
    charged: float
    """What the budget charged."""
    recorded: float
    """What a resumed run reads out of the records."""
    requests: int

    @property
    def overshoot(self) -> float:
        """How far the bill passed the limit, in calls."""
        return max(0.0, self.bill - self.limit) / self.one_call


class Till:
    """A server that answers, fails, and keeps the true bill."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.begin(Setting.draw(0, obeys=True))

    def begin(self, setting: Setting) -> None:
        """Start a run with an empty bill."""
        with self._lock:
            self.setting = setting
            self.rng = np.random.default_rng([setting.seed, 7])
            self.bill = 0.0
            self.requests = 0

    def answer(self, received: Received) -> Behaviour:
        """Take a request, write it on the bill, and answer or fail."""
        from tests.llm import server as s

        with self._lock:
            self.requests += 1
            length = len(received.body["messages"][0]["content"])
            prompt = int(self.rng.integers(length // 5, length + 1))
            most = received.body["max_tokens"] * (1 if self.setting.obeys else 4)
            tokens = int(self.rng.integers(1, most + 1))
            fate = self.rng.random()
            if fate < _BEFORE:  # failed before the model worked: nothing is owed
                return s.Status(500)
            self.bill += price(Usage(prompt, tokens), self.setting.prices)
        text = "x" * tokens
        if fate < _UNCOUNTED:
            return s.MissingUsage(text)
        if fate < _BROKEN:
            return s.Close(b'{"choices": [{"message": {"content": "' + text.encode())
        if fate < _TOO_LATE:
            return s.Slow(_LATE, s.Good(text, prompt, tokens))
        return s.Good(text, prompt, tokens)


def run(setting: Setting, client: OpenAIChat, till: Till) -> Spent:
    """Ask until the budget stops every thread."""
    worst = price(Usage.worst_case(setting.request(0)), setting.prices)
    budget = Budget(worst * setting.calls, setting.prices)
    client.budget = budget
    till.begin(setting)
    asked: list[tuple[ChatRequest, Completion]] = []

    def work(slots: range) -> None:
        for slot in slots:
            request = setting.request(slot)
            try:
                asked.append((request, client.complete(request)))
            except BudgetReachedError:
                return

    with ThreadPoolExecutor(setting.threads) as pool:
        shares = [
            range(first, MOST_CALLS, setting.threads)
            for first in range(setting.threads)
        ]
        list(pool.map(work, shares))
    recorded = spent_before(asked, setting.prices)
    return Spent(
        setting, budget.limit, worst, till.bill, budget.spent, recorded, till.requests
    )


def measure(runs: int, seed: int, *, obeys: bool) -> list[Spent]:
    """Return what ``runs`` runs came to."""
    from tests.llm.server import FaultServer

    till = Till()
    with FaultServer(till.answer) as server:
        policy = RetryPolicy(
            rng=np.random.default_rng(seed),
            attempts=3,
            sleep=lambda _: None,
            breaker_calls=10**9,
        )
        client = OpenAIChat("tiny", server.url, policy=policy, timeout=_TIMEOUT)
        settings = [Setting.draw(seed + number, obeys=obeys) for number in range(runs)]
        got = [run(setting, client, till) for setting in settings]
        client.close()
    return got


def summarise(runs: list[Spent]) -> dict[str, Any]:
    """Return the figures of many runs."""
    over = [item.overshoot for item in runs]
    used = [item.charged / item.limit for item in runs if item.setting.calls >= 1]
    return {
        "runs": len(runs),
        "requests": sum(item.requests for item in runs),
        "most_threads": max(item.setting.threads for item in runs),
        "runs_over_the_limit": sum(value > 0 for value in over),
        "largest_overshoot_in_calls": round(max(over), 4),
        "runs_over_by_more_than_a_call": sum(value > 1 for value in over),
        "runs_billed_more_than_charged": sum(
            item.bill > item.charged * (1 + 1e-9) for item in runs
        ),
        "runs_recorded_less_than_billed": sum(
            item.recorded < item.bill * (1 - 1e-9) for item in runs
        ),
        "median_share_of_the_limit_used": round(float(np.median(used)), 4),
    }


def main() -> int:
    """Measure, print, and return 1 if a bill passed its limit by more than a call."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="100 runs.")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    runs = 100 if args.quick else args.runs
    began = time.monotonic()
    keeping = measure(runs, args.seed, obeys=True)
    other = measure(max(2, runs // 10), args.seed, obeys=False)
    told = {
        "seed": args.seed,
        "keeps_max_tokens": summarise(keeping),
        "takes_up_to_four_times_max_tokens": summarise(other),
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(told, indent=1))
    if args.json:
        worst = sorted(keeping, key=lambda item: -item.overshoot)[:3]
        told["worst"] = [asdict(item) for item in worst]
        args.json.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    return int(told["keeps_max_tokens"]["runs_over_by_more_than_a_call"] > 0)


if __name__ == "__main__":
    sys.exit(main())
