"""A model on loopback that answers by rule, fails as it is told, and keeps account.

An answer depends on the question only, so that a search which was broken and gone on
with must end as the unbroken one does. Every request is written to a log: who asked
(the API key), what (a digest of the question), and whether an answer was sent.

    python -m reward_synth.benchmarks.loopback --log requests.jsonl --faults 0.3
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BUSY = ("500", "503", "429", "html")
BROKEN = ("cut", "reset", "half")
"""Answers that may have cost money: clients ask once more only."""
_MOST_FAULTS = 2
"""In a row for one question: fewer than a client tries, so that every one is answered."""
_REMARK = "The place is paid, and speed in either direction. "


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of the log."""

    who: str
    """The API key."""
    question: str
    """Digest of seed and messages."""
    sent: str
    """``answer``, or the fault."""
    beside: int = 1
    """Requests that were being served, this one included."""


def question_digest(seed: int | None, messages: Sequence[Sequence[str]]) -> str:
    """Return what makes two requests the same question.

    Example:
        >>> question_digest(0, [("user", "Hi")])[:8]
        'adef7211'
    """
    text = json.dumps([seed, [list(item) for item in messages]])
    return hashlib.sha256(text.encode()).hexdigest()


def answer(seed: int, length: int = 0) -> str:
    """Return the program of one sample, after ``length`` characters of prose."""
    prose = _REMARK * (length // len(_REMARK))
    return (
        f"{prose}\n```python\nimport numpy as np\n\n\n"
        "def compute_reward(position, velocity):\n"
        f'    return {{"place": position, "speed": {seed + 1}.0 * np.abs(velocity)}}\n'
        "```"
    )


_SAID = {
    "You examine": "PASS",
    "You read": "It rolls back at the slope; pay for height.",
    "You describe": "* fingertip_to_target should stay at 0 m.\n* Effort matters a little.",
}
"""What a critic, an analyst, and who describes a motion say."""


def terms(seed: int) -> str:
    """Return the terms of a motion of Gymnasium's Reacher, as one sample says them.

    Example:
        >>> "reach" in terms(0), terms(0) == terms(1)
        (True, False)
    """
    reach = {"kind": "reach", "of": "fingertip_to_target", "to": [0, 0]}
    effort = {"kind": "effort", "weight": 0.001 * (seed + 1)}
    said = {"motion": "Go there.", "terms": [{**reach, "weight": 1.0}, effort]}
    return f"```json\n{json.dumps(said)}\n```"


class Account:
    """Decides what is sent, and writes it down."""

    def __init__(self, log: Path, faults: float, seed: int, pause: float) -> None:
        self.file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.faults = faults
        self.pause = pause
        self.rng = random.Random(seed)
        self._turns: Counter[tuple[str, str]] = Counter()
        self._serving = 0
        self._lock = threading.Lock()

    @contextmanager
    def served(self) -> Iterator[None]:
        """Count a request while it is served."""
        with self._lock:
            self._serving += 1
        try:
            yield
        finally:
            with self._lock:
                self._serving -= 1

    def decide(self, who: str, question: str) -> str:
        """Return ``answer`` or a fault, and log it before anything is sent."""
        with self._lock:
            turn = self._turns[who, question]
            self._turns[who, question] += 1
            fault = turn < _MOST_FAULTS and self.rng.random() < self.faults
            kinds = BUSY if turn else BUSY + BROKEN
            sent = self.rng.choice(kinds) if fault else "answer"
            line = {"who": who, "question": question, "sent": sent}
            text = json.dumps({**line, "beside": self._serving})
            os.write(self.file, text.encode() + b"\n")
            return sent


def read_log(path: Path, offset: int = 0) -> tuple[list[Asked], int]:
    """Return what was asked since ``offset``, and the offset for the next time."""
    with open(path, "rb") as file:
        file.seek(offset)
        data = file.read()
    whole = data[: data.rfind(b"\n") + 1]
    rows = [Asked(**json.loads(line)) for line in whole.splitlines()]
    return rows, offset + len(whole)


@contextmanager
def serving(
    log: Path, faults: float = 0.0, seed: int = 0, pause: float = 0.0
) -> Iterator[str]:
    """Run the server in a process of its own while the block runs; give its address."""
    log.touch()
    command = [sys.executable, "-m", __spec__.name, "--log", str(log)]
    command += ["--faults", str(faults), "--seed", str(seed), "--pause", str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            if child.stdout is None:
                raise RuntimeError("The server's output is not connected.")
            yield child.stdout.readline().strip()
        finally:
            child.kill()


class Server(ThreadingHTTPServer):
    """Says nothing of clients that are gone; takes many at once."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell of what is no broken connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # its own


def _handler(account: Account) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            with account.served():
                self._serve()

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            data = self.rfile.read(length)
            if len(data) < length:  # the client was killed
                self.close_connection = True
                return
            body = json.loads(data)
            who = str(self.headers.get("Authorization", "")).removeprefix("Bearer ")
            messages = [(item["role"], item["content"]) for item in body["messages"]]
            sent = account.decide(who, question_digest(body.get("seed"), messages))
            if account.pause:
                threading.Event().wait(account.pause)
            try:
                _send(self, sent, body)
            except OSError:  # the client was killed
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay silent."""

    return Handler


def _send(handler: BaseHTTPRequestHandler, sent: str, body: Mapping[str, Any]) -> None:
    if sent == "reset":
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.close_connection = True
        return
    if sent in {"500", "503", "429"}:
        error = json.dumps({"error": {"message": "busy"}}).encode()
        _reply(handler, int(sent), error, retry_after="0.01")
        return
    if sent == "html":
        _reply(handler, 502, b"<html>bad gateway</html>")
        return
    data = json.dumps(_completion(body)).encode()
    if sent == "answer":
        _reply(handler, 200, data)
        return
    cut = data[: len(data) // 2]  # "cut": fewer bytes than promised; "half": bad JSON
    _reply(handler, 200, cut, length=len(data) if sent == "cut" else len(cut))
    handler.close_connection = True


def _reply(
    handler: BaseHTTPRequestHandler,
    code: int,
    body: bytes,
    *,
    retry_after: str = "",
    length: int | None = None,
) -> None:
    handler.send_response(code)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    if retry_after:
        handler.send_header("Retry-After", retry_after)
    handler.end_headers()
    handler.wfile.write(body)
    handler.wfile.flush()


def label(question: str) -> str:
    """Return a label of a caption, which the question decides.

    Example:
        >>> label("a key"), label("a rat")
        ('{"label": "helpful"}', '{"label": "unhelpful"}')
    """
    odd = hashlib.sha256(question.encode()).digest()[0] % 2
    return json.dumps({"label": "helpful" if odd else "unhelpful"})


def _completion(body: Mapping[str, Any]) -> dict[str, Any]:
    seed = int(body.get("seed") or 0)
    # every third answer is long, so that it is kept as a blob
    text = answer(seed, 40_000 if seed % 3 == 0 else 0)
    messages = body["messages"]
    role = messages[0]["content"]
    if '{"label"' in role:
        text = label(messages[1]["content"])
    text = next((said for who, said in _SAID.items() if role.startswith(who)), text)
    if role.startswith("You turn"):
        text = terms(seed)
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", "tiny"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
    }


def main() -> None:
    """Serve until killed; the first line of the output is the address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--faults", type=float, default=0.0, help="Share, from 0 to 1.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0.0, help="Before an answer.")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    account = Account(given.log, given.faults, given.seed, given.pause)
    server = Server(("127.0.0.1", given.port), _handler(account))
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
