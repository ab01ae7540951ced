"""Budgets: reserved before, settled after, kept by calls at once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reward_synth.errors import BudgetReachedError, UsageError
from reward_synth.llm import Budget, ChatRequest, Prices, Usage, spent_before
from reward_synth.llm.answer import Answer
from tests.llm import server as fake
from tests.llm.conftest import Connect
from tests.llm.server import FaultServer

ASK = ChatRequest("tiny", (("user", "x" * 36),), max_tokens=100)
"""At most 36 + 64 tokens of prompt and 100 of answer: 200 in all."""
COUNTED = Answer("ok", "Hi", "stop", 10, 20, http_status=200)


def test_a_call_that_could_pass_the_limit_is_not_made(connect: Connect) -> None:
    """With 30 of 229 spent, 199 are left, but a call can take 200."""
    with FaultServer([fake.Good(prompt_tokens=10, completion_tokens=20)]) as server:
        client = connect(server)
        client.budget = Budget(229.0)
        client.complete(ASK)
        with pytest.raises(BudgetReachedError, match="30 are spent") as caught:
            client.complete(ASK)
        assert server.count == 1
    assert caught.value.exit_code == 4
    assert "larger budget" in str(caught.value)


def test_money() -> None:
    """10 prompt tokens at 2 and 20 of an answer at 5 a million cost 0.00012."""
    budget = Budget(1.0, Prices(2.0, 5.0))
    with budget.attempt(ASK) as payment:
        payment.answer = COUNTED
    assert budget.spent == pytest.approx((10 * 2.0 + 20 * 5.0) / 1e6)


@pytest.mark.parametrize(
    ("behaviour", "charged"),
    [
        (fake.Good(prompt_tokens=10, completion_tokens=20), 30),
        (fake.MissingUsage("Hello"), 200),
        (fake.Close(), 200),
        (fake.Close(before_answer=True), 200),
        (fake.Slow(1.0), 200),
        (fake.Html(), 200),
        (fake.Status(500), 0),
        (fake.Status(429), 0),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "answer") else None,
)
def test_what_nobody_counted_is_charged_in_full(
    behaviour: fake.Behaviour, charged: int, connect: Connect
) -> None:
    """Also a resumed run, which reads the records, knows of no less."""
    with FaultServer([behaviour]) as server:
        client = connect(server, attempts=1, timeout=0.4)
        client.budget = Budget(1000.0)
        got = client.complete(ASK)
    assert client.budget.spent == charged
    assert spent_before([(ASK, got)], None) >= charged


def test_nobody_listening_costs_nothing(connect: Connect) -> None:
    """A connection that was refused reached no model."""
    client = connect("http://127.0.0.1:9/v1", attempts=1)
    client.budget = Budget(1000.0)
    assert client.complete(ASK).status == "connection"
    assert client.budget.spent == 0


def test_repeating_stops_at_the_limit(connect: Connect) -> None:
    """What was tried is the outcome; the next call is the one that is refused."""
    with FaultServer([fake.MissingUsage(" ")]) as server:
        client = connect(server)
        client.budget = Budget(399.0)
        assert client.complete(ASK).status == "empty"
        with pytest.raises(BudgetReachedError):
            client.complete(ASK)
    with FaultServer([fake.Close()]) as server:
        client = connect(server, attempts=5)
        client.budget = Budget(399.0)
        assert client.complete(ASK).attempts == server.count == 1


def test_calls_in_flight_count() -> None:
    """While one holds 200 of 399, another waits; it goes on once that is settled."""
    budget = Budget(399.0)
    order: list[str] = []

    def second() -> None:
        with budget.attempt(ASK) as payment:
            order.append("second")
            payment.answer = COUNTED

    with budget.attempt(ASK) as payment:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        order.append("first")
        payment.answer = COUNTED
    thread.join(10.0)
    assert order == ["first", "second"]
    assert budget.spent == 60


def test_a_server_that_takes_more_is_reserved_more() -> None:
    """After 800 for a call of 200, the next one is taken for 800 too."""
    budget = Budget(1599.0)
    greedy = Answer("ok", "Hi", "stop", 100, 700, http_status=200)
    with budget.attempt(ASK) as payment:
        payment.answer = greedy
    with pytest.raises(BudgetReachedError, match="can cost 800"), budget.attempt(ASK):
        pass


def test_what_was_spent_before_counts() -> None:
    """A run that goes on starts where it stopped."""
    with pytest.raises(BudgetReachedError), Budget(300.0, spent=101.0).attempt(ASK):
        pass
    with Budget(300.0, spent=100.0).attempt(ASK):
        pass


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_limits_that_are_none(limit: float) -> None:
    """A budget is a number above 0."""
    with pytest.raises(UsageError, match="above 0"):
        Budget(limit)


def test_a_schema_is_part_of_the_prompt() -> None:
    """Servers put it there, so its bytes are reserved."""
    hinted = ChatRequest("tiny", (("user", "x"),), max_tokens=9, schema='{"a": 1}')
    assert Usage.worst_case(hinted).prompt_tokens == 1 + 8 + 64


def test_the_measurement(tmp_path: Path) -> None:
    """Four runs by the benchmark: no bill passes its limit or what was charged."""
    file = tmp_path / "budget.json"
    command = [sys.executable, "-m", "reward_synth.benchmarks.budget"]
    subprocess.run([*command, "--runs", "4", "--json", file], check=True)
    told = json.loads(file.read_text())["keeps_max_tokens"]
    assert told["runs"] == 4
    assert told["runs_over_the_limit"] == 0
    assert told["runs_billed_more_than_charged"] == 0
