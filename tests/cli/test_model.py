"""``generate`` with a language model: real HTTP, every fault, and nothing paid twice."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from reward_synth.program import RewardProgram
from reward_synth.store import RunStore
from tests.cli.tools import CAR, KEY, Cli, Result, reward_bytes, start, wait_until
from tests.llm.server import (
    Behaviour,
    Close,
    Empty,
    FaultServer,
    Good,
    Prose,
    Received,
    Slow,
    Status,
    Truncated,
    WrongJson,
)

GIVE_UP = Status(503, retry_after="100000")
"""Asks for a longer pause than any call lasts, so that it ends at once."""


def answer(slot: int) -> str:
    """Return a program that no other slot gets."""
    return (
        "```python\nimport numpy as np\n\n\n"
        "def compute_reward(position, velocity):\n"
        f'    return {{"place": position, "speed": {slot + 1}.0 * np.abs(velocity)}}\n```'
    )


FORBIDDEN = (
    "```python\nimport os\n\n\ndef compute_reward(position):\n"
    '    return {"x": position * len(os.getcwd())}\n```'
)
BROKEN = answer(0)[:-12]


def slot_of(received: Received) -> int:
    """Return the sample that a request is for: seed 0 is sent with the slot added."""
    return int(received.body["seed"])


def turn_of(received: Received) -> int:
    """Return how many corrections came before."""
    return sum(item["role"] == "assistant" for item in received.body["messages"])


def identity(received: Received) -> str:
    """Return what makes two HTTP requests the same question."""
    return json.dumps([received.body["seed"], received.body["messages"]])


def by_slot(plan: dict[int, Sequence[Behaviour]]) -> Callable[[Received], Behaviour]:
    """Play one list of behaviours a slot, the good answer after its end."""
    seen: Counter[int] = Counter()

    def script(received: Received) -> Behaviour:
        slot = slot_of(received)
        number = seen[slot]
        seen[slot] += 1
        left = plan.get(slot, ())
        return left[number] if number < len(left) else Good(answer(slot))

    return script


def ask(url: str, n: int, *more: object) -> tuple[object, ...]:
    """Return the command that asks for ``n`` programs in one round."""
    endpoint = ("--model", "tiny", "--base-url", url)
    return ("generate", "--env", CAR, *endpoint, "--n", n, "--rounds", 1, *more)


def recorded(folder: object) -> list[dict[str, Any]]:
    """Return every completion of a run."""
    with RunStore.read(str(folder)) as store:
        return [payload for _, payload in store.calls.completions()]


def one_line(result: Result) -> str:
    """Return the only error line of a command that printed remarks before it."""
    lines = result.err.splitlines()
    assert [line for line in lines if not line.startswith("· ")] == lines[-1:]
    assert lines[-1].startswith("error: ")
    return lines[-1]


@pytest.mark.parametrize(
    ("behaviours", "requests"),
    [
        ([], 1),
        ([Prose()], 2),
        ([Truncated(BROKEN)], 2),
        ([Good(FORBIDDEN)], 2),
        ([Status(429, retry_after="0.2")], 2),
        ([Status(500)], 2),
        ([Slow(2.0)], 2),
        ([Close()], 2),
        ([Close(before_answer=True)], 2),
        ([WrongJson()], 2),
    ],
    ids=[
        "good",
        "prose",
        "truncated",
        "forbidden",
        "429",
        "500",
        "slow",
        "closed",
        "reset",
        "wrong-json",
    ],
)
def test_one_fault_is_overcome(
    cli: Cli, behaviours: list[Behaviour], requests: int
) -> None:
    """A fault costs one more request: a repetition or a correction; the run succeeds."""
    with FaultServer(by_slot({0: behaviours})) as server:
        data = cli.json(*ask(server.url, 1, "--timeout", 1))
        assert server.count == requests
    program = RewardProgram.load(data["reward"])
    assert program.source.strip() in answer(0)
    assert (data["proposer"], program.provenance.model) == ("llm", "tiny")
    assert sum(item["attempts"] for item in recorded(data["run"])) == requests


def test_a_mixture_of_faults_loses_nothing(cli: Cli) -> None:
    """Good answers survive bad ones, and all that was paid for is in the run's file."""
    plan: dict[int, Sequence[Behaviour]] = {
        1: [Prose()],
        2: [Truncated(BROKEN)],
        3: [Good(FORBIDDEN)] * 3,
        4: [Empty()],
        5: [Status(429, retry_after="0.2", message=f"bad key {KEY}")],
        6: [Status(500, message=KEY)],
        7: [Close()],
    }
    served: list[str] = []
    play = by_slot(plan)

    def script(received: Received) -> Behaviour:
        behaviour = play(received)
        if isinstance(behaviour, Good) and behaviour.text:
            served.append(behaviour.text)
        return behaviour

    with FaultServer(script) as server:
        data = cli.json(*ask(server.url, 8))
    usable = {item["digest"] for item in data["candidates"] if item["ok"]}
    sources = {slot: answer(slot).split("\n", 1)[1][:-3] for slot in range(8)}
    with RunStore.read(data["run"]) as store:
        kept = {row.digest: row.source for row in store.programs}
        requests = [payload for _, payload in store.calls.requests()]
        completions = dict(store.calls.completions())
        assert store.calls.unsettled() == []
    expected = {sources[slot].strip() for slot in (0, 1, 2, 5, 6, 7)}
    assert {kept[digest].strip() for digest in usable} == expected
    assert len(data["lost"]) == 1
    assert "empty" in data["lost"][0]

    asked = {identity(item) for item in server.received}
    in_file = {
        json.dumps(
            [item["seed"], [{"role": r, "content": c} for r, c in item["messages"]]]
        )
        for item in requests
    }
    assert in_file == asked
    assert sum(item["attempts"] for item in completions.values()) == server.count
    texts = [item["text"] for item in completions.values() if item["text"]]
    assert Counter(texts) == Counter(served)
    for received in server.received:
        assert "n" not in received.body
        assert received.headers["authorization"] == f"Bearer {KEY}"
    for path in Path(data["run"]).rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    "behaviour", [Prose(), Good(FORBIDDEN), Empty(), WrongJson()], ids=str
)
def test_bad_answers_alone_are_nothing_usable(cli: Cli, behaviour: Behaviour) -> None:
    """Exit code 1 and one line, which names the report."""
    with FaultServer([behaviour]) as server:
        result = cli(*ask(server.url, 2, "--run", "mine"))
    assert result.code == 1
    assert result.out == ""
    assert "mine/report.md" in one_line(result)
    assert not Path("mine/reward.py").exists()


def test_a_refused_key_is_an_endpoint_that_is_not_available(cli: Cli) -> None:
    """401 ends the run with exit code 3, one line, and without further requests."""
    with FaultServer([Status(401)]) as server:
        result = cli(*ask(server.url, 1))
        assert server.count == 1
    assert result.code == 3
    assert "401" in one_line(result)
    assert KEY not in result.err


def test_an_endpoint_that_is_down_is_asked_again_later(cli: Cli) -> None:
    """Exit code 75; the same command goes on when the server is back."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ask(f"http://127.0.0.1:{port}/v1", 1, "--run", "mine")
    down = cli(*command)
    assert down.code == 75
    assert "--run mine" in one_line(down)
    with FaultServer(by_slot({}), port) as server:
        assert cli(*command).code == 0
        assert server.count == 1
        assert cli(*command).code == 0
        assert server.count == 1


def test_only_what_was_not_answered_is_asked_again(cli: Cli) -> None:
    """After outages the run asks for lost answers only, also after the second one."""
    plan: dict[int, Sequence[Behaviour]] = {
        0: [Good(FORBIDDEN)] * 3,
        1: [GIVE_UP] * 2,
        2: [Prose(), GIVE_UP],  # an outage in the middle of a correction
    }
    with FaultServer(by_slot(plan)) as server:
        command = ask(server.url, 3, "--run", "mine")
        first = cli(*command)
        assert first.code == 75
        assert "2 of 6 requests" in one_line(first)
        seen = Counter(slot_of(item) for item in server.received)
        assert seen == {0: 3, 1: 1, 2: 2}
        # slot 2 is answered now, slot 1 is not, which is no obstacle any more
        assert cli(*command).code == 0
        seen = Counter(slot_of(item) for item in server.received)
        assert seen == {0: 3, 1: 2, 2: 3}
    with RunStore.read("mine") as store:
        assert store.finished


def test_outages_may_follow_one_another(cli: Cli) -> None:
    """Every outage leaves the run as it can go on from."""
    with FaultServer([GIVE_UP, GIVE_UP, GIVE_UP, Good(answer(0))]) as server:
        command = ask(server.url, 1, "--run", "mine")
        assert [cli(*command).code for _ in range(4)] == [75, 75, 75, 0]
        assert server.count == 4


def test_a_killed_run_goes_on_and_ends_the_same(cli: Cli) -> None:
    """After SIGKILL only unanswered requests are asked; the result is the unbroken one."""
    slow = {2, 3}

    def script(received: Received) -> Behaviour:
        slot = slot_of(received)
        return Slow(30.0) if slot in slow else Good(answer(slot))

    with FaultServer(script) as server:
        command = ask(server.url, 4, "--json", "--run")
        child = start(*command, "broken")

        def answered() -> bool:
            if not Path("broken/run.sqlite").exists():
                return False
            return server.count == 4 and len(recorded("broken")) == 2

        wait_until(answered, "two answers")
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        before = len(server.received)
        slow.clear()
        broken = cli(*command, "broken")
        assert broken.code == 0, broken.err
        again = Counter(slot_of(item) for item in server.received[before:])
        assert again == {2: 1, 3: 1}
        whole = cli(*command, "whole")
    assert reward_bytes(broken.json()) == reward_bytes(whole.json())
    same = ("digest", "candidates", "prompt_tokens", "completion_tokens")
    assert {k: broken.json()[k] for k in same} == {k: whole.json()[k] for k in same}


def test_interrupting_a_run_keeps_its_answers(cli: Cli) -> None:
    """Ctrl-C while the server thinks: exit code 130, one line, and the run goes on."""
    with FaultServer(lambda r: Slow(1.0, Good(answer(slot_of(r))))) as server:
        command = ask(server.url, 1, "--run", "mine")
        child = start(*command)
        wait_until(lambda: server.count == 1, "a request")
        os.kill(child.pid, signal.SIGINT)
        _, err = child.communicate(timeout=60)
        assert child.returncode == 130
        assert "Traceback" not in err
        assert "--run" in err.splitlines()[-1]
        answered = len(recorded("mine"))
        assert cli(*command).code == 0
        assert server.count == 2 - answered


def test_a_replay_needs_no_server(cli: Cli) -> None:
    """--replay gives the recorded run's reward.py byte for byte, repairs included."""
    with FaultServer(by_slot({1: [Prose()]})) as server:
        two_rounds = ("generate", "--env", CAR, "--model", "tiny", "--n", 4)
        first = cli.json(*two_rounds, "--base-url", server.url)
    command = ("generate", "--env", CAR, "--n", 4, "--replay", first["run"])
    replayed = cli.json(*command)
    assert reward_bytes(replayed) == reward_bytes(first)
    assert replayed["candidates"] == first["candidates"]
    assert sorted(map(str, recorded(replayed["run"]))) == sorted(
        map(str, recorded(first["run"]))
    )
    again = cli.json("generate", "--env", CAR, "--n", 4, "--replay", replayed["run"])
    assert reward_bytes(again) == reward_bytes(first)


def test_a_replay_of_other_questions_names_the_request(cli: Cli) -> None:
    """Another seed or a larger n asks what was never answered: exit code 2."""
    with FaultServer(by_slot({})) as server:
        run = cli.json(*ask(server.url, 1))["run"]
    folders = sorted(Path("runs").iterdir())
    known = ("generate", "--env", CAR, "--replay", run, "--rounds", 1)
    for other in (("--n", 1, "--seed", 1), ("--n", 2)):
        result = cli(*known, *other)
        assert result.code == 2
        digest = one_line(result).partition("request ")[2].split()[0]
        assert len(digest) == 64
        assert int(digest, 16)
    assert sorted(Path("runs").iterdir()) == folders


def test_a_run_without_a_model_cannot_be_replayed(cli: Cli) -> None:
    """There are no answers in it: exit code 2, one line, nothing written."""
    run = cli.json("generate", "--env", CAR, "--n", 1)["run"]
    result = cli("generate", "--env", CAR, "--n", 1, "--replay", run)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "without a model" in result.err
    assert [item.name for item in Path("runs").iterdir()] == [Path(run).name]


def test_a_dry_run_asks_nothing(cli: Cli, place: Path) -> None:
    """--dry-run prints the prompt and its tokens; server and folder stay untouched."""
    with FaultServer([Good()]) as server:
        plain = cli(*ask(server.url, 3, "--dry-run"))
        plan = cli.json(*ask(server.url, 3, "--dry-run", "--max-tokens", 100))
        assert server.count == 0
    assert list(place.iterdir()) == []
    assert plain.code == 0
    assert "prompt tokens" in plain.out
    assert plan["completion_tokens_at_most"] == 3 * 100
    one = plan["prompt_tokens"] / 3
    assert one == pytest.approx(sum(len(t) for _, t in plan["messages"]) / 4, rel=0.05)


def test_a_second_round_is_told_of_the_first(cli: Cli) -> None:
    """What the first program's components did is in the second round's prompt."""
    with FaultServer(by_slot({})) as server:
        endpoint = ("--model", "tiny", "--base-url", server.url)
        data = cli.json("generate", "--env", CAR, *endpoint, "--n", 2)
        first, second = server.received
    assert [slot_of(first), slot_of(second)] == [0, 1]
    line = answer(0).splitlines()[5].strip()
    assert line not in first.body["messages"][-1]["content"]
    assert line in second.body["messages"][-1]["content"]
    assert len(data["candidates"]) == 2


def test_a_budget_stops_the_run_and_a_larger_one_goes_on(cli: Cli) -> None:
    """Exit code 4 before the budget is passed; the answers that came are kept, and the
    same command with a larger budget asks only for the rest."""
    limit = 30_000

    def script(received: Received) -> Behaviour:
        return Good(answer(slot_of(received)), 5000, 2000)  # 7,000 tokens each

    with FaultServer(script) as server:
        command = ask(server.url, 8, "--max-tokens", 2000, "--run", "mine")
        result = cli(*command, "--budget", limit)
        assert (result.code, "budget of 30000" in one_line(result)) == (4, True)
        first = server.count
        spent = sum(
            item["prompt_tokens"] + item["completion_tokens"]
            for item in recorded("mine")
        )
        assert 0 < first <= 4
        assert spent == first * 7000 <= limit
        cli.json(*command, "--budget", 10_000_000)
        assert server.count == 8


@pytest.mark.parametrize("budget", ["0", "-1", "nan", "inf"])
def test_a_budget_is_a_positive_number(cli: Cli, budget: str) -> None:
    """A budget that nothing or everything fits into is refused before anything is asked."""
    result = cli(*ask("http://127.0.0.1:9/v1", 1, f"--budget={budget}"))
    assert (result.code, "--budget" in one_line(result)) == (2, True)


def test_a_password_in_the_address_is_not_told(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is asked is printed without what only the server may know."""
    monkeypatch.setenv(
        "OPENAI_BASE_URL", "http://me:hidden@127.0.0.1:9/v1?token=hidden"
    )
    result = cli("generate", "--env", CAR, "--model", "tiny", "--dry-run")
    assert result.code == 0
    assert "http://127.0.0.1:9/v1" in result.out
    assert "hidden" not in result.out + result.err
