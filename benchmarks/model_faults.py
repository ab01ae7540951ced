"""Faults of model servers against the one policy for calls; prints a table.

Each kind of fault is bent out of a good answer, ours or a real engine's: a gateway
on loopback asks the engine and spoils what it said. A fault that lasts must end with
a named outcome after no more requests than the policy allows; one that comes once
must be overcome where repeating helps. Runs of ``generate`` against our own server
must end with a documented exit code.

    python -m reward_synth.benchmarks.model_faults --quick --json FILE
    python -m reward_synth.benchmarks.model_faults --server NAME=URL,MODEL[,KEY] ...

Needs a checkout: the faulty server is the one of the tests. ``make engines`` starts
the real ones.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.benchmarks.model_fault_kinds import KINDS, SLOW, Kind, good_answer
from reward_synth.errors import EndpointError, RewardSynthError
from reward_synth.llm import ChatRequest, Completion, OpenAIChat, RetryPolicy

ATTEMPTS = 3
AT_ONCE = 8  # calls, to a server that judges
DOCUMENTED = {0, 1, 2, 3, 4, 75, 130}  # exit codes of the command line


@dataclass(frozen=True, slots=True)
class Server:
    """A server whose answers are bent."""

    name: str
    url: str  # empty: our own good answer
    model: str = "tiny"
    key: str = "none"
    timeout: float = 0.5

    @classmethod
    def parse(cls, text: str) -> Server:
        """Read ``NAME=URL,MODEL[,KEY]``."""
        name, _, rest = text.partition("=")
        url, model, *key = rest.split(",")
        return cls(name, url.rstrip("/"), model, key[0] if key else "none", 4.0)

    def answer(self, body: dict[str, Any]) -> bytes:
        """Ask the engine itself; our own server has one answer for all."""
        if not self.url:
            return good_answer()
        request = urllib.request.Request(
            f"{self.url}/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            whole: bytes = response.read()
            return whole


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one kind of fault at one server."""

    server: str
    kind: str
    lasting: str  # status if it lasts
    requests: int
    once: str  # status if it comes once
    seconds: float
    held: bool
    """Whether status and requests are as the policy says."""


def meet(server: Server, kind: Kind, seed: int) -> Row:
    """Meet one kind of fault, lasting and once."""
    began = time.monotonic()
    lasting, sent = _ask(server, kind, seed, faults=10**9)
    once, again = _ask(server, kind, seed, faults=1)
    held = lasting in kind.statuses and sent <= kind.most and again <= 1 + kind.overcome
    if kind.overcome:
        held = held and once in {"ok", "length", "empty"}
    seconds = round(time.monotonic() - began, 3)
    return Row(server.name, kind.name, lasting, sent, once, seconds, held)


def show(row: Row) -> None:
    """Print a row."""
    verdict = "" if row.held else "   NOT AS THE POLICY SAYS"
    told = f"{row.server:12} {row.kind:26} {row.lasting:13} {row.requests}  {row.once}"
    print(told + verdict, flush=True)


def _ask(server: Server, kind: Kind, seed: int, faults: int) -> tuple[str, int]:
    """Return the outcome and how many requests the gateway got."""
    from tests.llm.server import Behaviour, FaultServer, Raw, Received

    def script(received: Received) -> Behaviour:
        if gateway.count > faults:
            return Raw(server.answer(received.body))
        if not bent:
            bent.append(kind.bend(server.answer(received.body)))
        return bent[0]

    bent: list[Behaviour] = []

    with FaultServer(script) as gateway:
        policy = RetryPolicy(
            rng=np.random.default_rng(seed),
            attempts=ATTEMPTS,
            base=0.01,
            deadline=200.0,
        )
        timeout = server.timeout if kind.name in SLOW else 60.0
        client = OpenAIChat(
            server.model, gateway.url, server.key, policy=policy, timeout=timeout
        )
        try:
            status: str = client.complete(_request(server.model, seed)).status
        except EndpointError:
            status = "refused"
        client.close()
        return status, gateway.count


def _request(model: str, seed: int, **changes: Any) -> ChatRequest:
    request = ChatRequest(
        model, (("user", "Push a cube."),), max_tokens=4, seed=seed % 2**31
    )
    return replace(request, **changes)


NATIVE: dict[str, dict[str, Any]] = {
    "plain": {},
    "json schema": {
        "schema": '{"type": "object", "properties": {"preference": {"enum": [1, 2]}}, '
        '"required": ["preference"]}'
    },
    "one token": {"max_tokens": 1},
    "prompt beyond the context": {"messages": (("user", "a b " * 40_000),)},
    "empty message": {"messages": (("user", ""),)},
    "control characters": {
        "messages": (("user", "\x00\x1b[31m\u202e\u200b</s><|im_end|>"),)
    },
    "half a conversation": {"messages": (("assistant", "Yes"), ("user", "No"))},
    "unknown role": {"messages": (("oracle", "Speak"),)},
    "coldest": {"temperature": 0.0},
    "hottest": {"temperature": 2.0},
}
"""Requests that engines themselves answer in different ways."""


def native(server: Server, seed: int) -> dict[str, str]:
    """Return what an engine says to odd requests, without a gateway."""
    policy = RetryPolicy(rng=np.random.default_rng(seed), attempts=ATTEMPTS, base=0.05)
    told = {}
    for name, changes in NATIVE.items():
        told[name] = _direct(server, server.url, policy, **changes)
    told["unknown address"] = _direct(server, f"{server.url}/nowhere", policy)
    other = replace(server, model="no-such-model")
    told["unknown model"] = _direct(other, server.url, policy)
    return told


def _direct(server: Server, url: str, policy: RetryPolicy, **changes: Any) -> str:
    client = OpenAIChat(server.model, url, server.key, policy=policy, timeout=30.0)
    try:
        got = client.complete(_request(server.model, 0, **changes))
    except EndpointError as error:
        return f"refused: {str(error)[-60:]}"
    finally:
        client.close()
    noted = f", {'; '.join(got.notes)}" if got.notes else ""
    return f"{got.status} after {got.attempts}{noted}"


def run_code(kind: Kind, seed: int) -> int:
    """Return the exit code of ``generate`` against a server with a lasting fault.

    Pauses are shortened.
    """
    from functools import partial
    from unittest.mock import patch

    from reward_synth.api import proposers
    from reward_synth.api.config import EnvConfig, GenerateConfig, ModelConfig
    from reward_synth.api.generate import generate
    from tests.llm.server import FaultServer

    quick = partial(RetryPolicy, base=0.01, attempts=ATTEMPTS)
    with (
        FaultServer(lambda _: kind.bend(good_answer())) as server,
        patch.object(proposers, "RetryPolicy", quick),
        tempfile.TemporaryDirectory() as folder,
    ):
        timeout = 0.5 if kind.name in SLOW else 10.0
        model = ModelConfig("tiny", server.url, repairs=0, timeout=timeout)
        env = EnvConfig("MountainCarContinuous-v0", seed=seed)
        config = GenerateConfig(env, model, candidates=1, rounds=1)
        try:
            generate(config, Path(folder) / "run")
        except RewardSynthError as error:
            return error.exit_code
    return 0


def chaos(url: str, calls: int, seed: int, judge: str) -> dict[str, Any]:
    """Make many calls to a server that breaks at random, and let it judge them."""
    policy = RetryPolicy(rng=np.random.default_rng(seed))  # pauses as users have them
    client = OpenAIChat("tiny", url, policy=policy, timeout=30.0)
    began = time.monotonic()

    def ask(number: int) -> Completion:
        text = f"Question {number} of run {seed}."
        return client.complete(ChatRequest("tiny", (("user", text),), max_tokens=16))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        got = list(pool.map(ask, range(calls)))
    client.close()
    requests = sum(item.attempts for item in got)
    answered = sum(item.ok for item in got)
    command = shlex.split(judge)
    verdict = subprocess.run(command, capture_output=True, text=True, check=False)
    return {
        "calls": calls,
        "at_once": AT_ONCE,
        "requests": requests,
        "share_of_faulty_requests": round(1 - answered / requests, 4),
        "answered": answered,
        "most_requests_a_call": max(item.attempts for item in got),
        "seconds": round(time.monotonic() - began, 1),
        "judge": judge.partition("/bin/")[2].partition(" --url")[0] or judge,
        "exit_code": verdict.returncode,
        "said": _counts(verdict.stdout),
    }


def _counts(text: str) -> dict[str, Any]:
    """Return the short part of a verdict in JSON."""
    told = json.loads(text)
    return {k: v for k, v in told.items() if not isinstance(v, list | dict)}


def main() -> int:
    """Run all and return 1 if a fault was not met as the policy says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", type=Server.parse, action="append", default=[])
    parser.add_argument("--chaos", help="Base address of llmock.")
    parser.add_argument("--judge", default="", help="The command that judges.")
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="Only our own server.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    servers = [Server("own", "")] + ([] if args.quick else args.server)
    rows = []
    for server in servers:
        for kind in KINDS:
            rows.append(meet(server, kind, args.seed))
            show(rows[-1])
    codes = {kind.name: run_code(kind, args.seed) for kind in KINDS}
    wrong = [k.name for k in KINDS if codes[k.name] != k.code]
    told = {
        "seed": args.seed,
        "attempts": ATTEMPTS,
        "kinds": len(KINDS),
        "servers": [server.name for server in servers],
        "held": sum(row.held for row in rows),
        "of": len(rows),
        "exit_codes": codes,
        "exit_codes_unexpected": wrong,
        "exit_codes_undocumented": sorted(set(codes.values()) - DOCUMENTED),
        "rows": [asdict(row) for row in rows],
        "native": {s.name: native(s, args.seed) for s in servers if s.url},
    }
    if args.chaos and not args.quick:
        told["llmock"] = chaos(args.chaos, args.calls, args.seed, args.judge)
    print(f"{told['held']} of {told['of']} faults met; exit codes unexpected: {wrong}")
    print(json.dumps({k: told[k] for k in ("native", "llmock") if k in told}, indent=1))
    if args.json:
        args.json.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    bad = bool(told["held"] != told["of"] or wrong)
    return int(bad or told.get("llmock", {}).get("exit_code", 0) != 0)


if __name__ == "__main__":
    sys.exit(main())
