"""A real HTTP server on loopback that speaks chat completions, with faults.

    with FaultServer([Status(500), Good("Hello")]) as server:
        ...  # a client of server.url

The script is a list, one behaviour a request, the last one for all that follow; or a
function from the request to a behaviour. By hand:

    python tests/llm/server.py --port 8000 --script faults.json

where the file holds for example
``[{"kind": "Status", "code": 500}, {"kind": "Good"}]``.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

USAGE = {"prompt_tokens": 7, "completion_tokens": 5}
PROGRAM = "```python\ndef compute_reward(x):\n    return {'x': x}\n```"


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    """Header names in lower case."""
    body: dict[str, Any]


class Wire:
    """What a behaviour may do with one connection."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.handler = handler

    def send(
        self,
        code: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        """Send status, headers and body; ``length`` may lie about the body."""
        all_headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body) if length is None else length),
            **(headers or {}),
        }
        self.handler.send_response(code)
        for name, value in all_headers.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)
        self.handler.wfile.flush()

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.handler.wfile.write(data)
        self.handler.wfile.flush()

    def reset(self) -> None:
        """Cut the connection with a TCP reset instead of an orderly end."""
        linger = struct.pack("ii", 1, 0)
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.handler.close_connection = True


class Behaviour(Protocol):
    """How one request is answered."""

    def answer(self, wire: Wire) -> None:
        """Send what there is to send."""


@dataclass(frozen=True)
class Body:
    """Any JSON with any status."""

    value: Any
    code: int = 200

    def answer(self, wire: Wire) -> None:
        wire.send(self.code, json.dumps(self.value).encode())


def completion(
    message: dict[str, Any],
    finish: str | None = "stop",
    usage: dict[str, int] | None = None,
) -> dict[str, Any]:
    """Return the JSON of a chat completion."""
    message = {"role": "assistant", **message}
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": "tiny",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        **({} if usage is None else {"usage": usage}),
    }


@dataclass(frozen=True)
class Good:
    """A whole answer; prose or code, as ``text`` says."""

    text: str = PROGRAM
    prompt_tokens: int = 7
    completion_tokens: int = 5
    finish: str = "stop"

    def answer(self, wire: Wire) -> None:
        usage = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }
        value = completion({"content": self.text}, self.finish, usage)
        Body(value).answer(wire)


def Prose(text: str = "I would rather write about it.") -> Good:  # noqa: N802
    """Text without code."""
    return Good(text)


def Truncated(text: str = PROGRAM[:-4]) -> Good:  # noqa: N802
    """Text cut at max_tokens."""
    return Good(text, finish="length")


def Empty(finish: str = "stop") -> Good:  # noqa: N802
    """An empty text."""
    return Good("", finish=finish)


def NullContent(reasoning: str | None = None) -> Body:  # noqa: N802
    """``content: null``, as of reasoning models that ran out of tokens."""
    thoughts = {} if reasoning is None else {"reasoning_content": reasoning}
    return Body(completion({"content": None, **thoughts}, "length"))


def NoChoices() -> Body:  # noqa: N802
    """``choices: []``."""
    return Body({"object": "chat.completion", "choices": []})


def MissingUsage(text: str = PROGRAM) -> Body:  # noqa: N802
    """A good answer that nobody counted."""
    return Body(completion({"content": text}))


def Refusal(text: str = "I must not.") -> Body:  # noqa: N802
    """A refusal in its own field."""
    return Body(completion({"content": None, "refusal": text}))


@dataclass(frozen=True)
class Status:
    """An HTTP error with an error body."""

    code: int
    retry_after: str | None = None
    message: str = "this is a test"
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    """More keys of the error, such as ``code`` and ``param``."""

    def answer(self, wire: Wire) -> None:
        wait = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        error = {"message": self.message, **self.error}
        body = json.dumps({"error": error}).encode()
        wire.send(self.code, body, {**wait, **self.headers})


@dataclass(frozen=True)
class Slow:
    """Waits, then answers."""

    seconds: float
    then: Behaviour = field(default_factory=Good)

    def answer(self, wire: Wire) -> None:
        time.sleep(self.seconds)
        self.then.answer(wire)


@dataclass(frozen=True)
class Drip:
    """One space at a time: never a long silence, never an end."""

    seconds: float
    pause: float = 0.02

    def answer(self, wire: Wire) -> None:
        wire.send(200, b"", length=1_000_000)
        ends = time.monotonic() + self.seconds
        while time.monotonic() < ends:
            wire.handler.wfile.write(b" ")
            time.sleep(self.pause)
        wire.reset()


@dataclass(frozen=True)
class DripRaw:
    """Sends some bytes at once, then one at a time for ever, as slow-loris servers do."""

    first: bytes
    byte: bytes
    seconds: float = 5.0
    pause: float = 0.02

    def answer(self, wire: Wire) -> None:
        wire.raw(self.first)
        ends = time.monotonic() + self.seconds
        while time.monotonic() < ends:
            wire.raw(self.byte)
            time.sleep(self.pause)
        wire.reset()


def SlowHeaders(seconds: float = 5.0) -> DripRaw:  # noqa: N802
    """A header line that never ends."""
    return DripRaw(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", seconds)


def SlowError(seconds: float = 5.0) -> DripRaw:  # noqa: N802
    """An error whose text never ends."""
    head = b"HTTP/1.1 500 No\r\nContent-Length: 1000000\r\n\r\n"
    return DripRaw(head, b"e", seconds)


@dataclass(frozen=True)
class Bytes:
    """Any bytes in place of an HTTP answer, then the end of the connection."""

    data: bytes

    def answer(self, wire: Wire) -> None:
        wire.raw(self.data)
        wire.handler.close_connection = True


def NoHttp() -> Bytes:  # noqa: N802
    """Another protocol answers."""
    return Bytes(b"SSH-2.0-OpenSSH_9.2\r\n")


def BrokenChunks() -> Bytes:  # noqa: N802
    """Chunked transfer whose sizes are no numbers."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return Bytes(head + b"zz\r\n{}\r\n")


@dataclass(frozen=True)
class WrongLength:
    """A good answer whose ``Content-Length`` is wrong by ``by`` bytes."""

    by: int

    def answer(self, wire: Wire) -> None:
        body = json.dumps(completion({"content": PROGRAM}, usage=USAGE)).encode()
        wire.send(200, body, length=len(body) + self.by)
        wire.handler.close_connection = True


@dataclass(frozen=True)
class Redirect:
    """Sends the client elsewhere."""

    to: str
    code: int = 307

    def answer(self, wire: Wire) -> None:
        wire.send(self.code, b"", {"Location": self.to})


@dataclass(frozen=True)
class Bomb:
    """A small compressed body that unpacks to ``megabytes``."""

    megabytes: int = 200
    code: int = 200

    def answer(self, wire: Wire) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = b"".join(packer.compress(b" " * 2**20) for _ in range(self.megabytes))
        wire.send(self.code, body + packer.flush(), {"Content-Encoding": "gzip"})


@dataclass(frozen=True)
class Close:
    """Cuts the connection in mid body, or before any answer."""

    body: bytes = b'{"choices": [{"message": {"content": "def compute'
    before_answer: bool = False

    def answer(self, wire: Wire) -> None:
        if not self.before_answer:
            wire.send(200, self.body, length=len(self.body) + 100)
            time.sleep(0.05)  # lets the client read what a reset would discard
        wire.reset()


@dataclass(frozen=True)
class Raw:
    """Any bytes with HTTP 200."""

    body: bytes
    content_type: str = "application/json"

    def answer(self, wire: Wire) -> None:
        wire.send(200, self.body, {"Content-Type": self.content_type})


def WrongJson() -> Raw:  # noqa: N802
    """JSON that breaks off."""
    return Raw(b'{"choices": [')


def Html() -> Raw:  # noqa: N802
    """A page of a proxy, with HTTP 200."""
    return Raw(b"<html><title>Sign in</title></html>", "text/html")


Script = Sequence[Behaviour] | Callable[[Received], Behaviour]


class _Http(ThreadingHTTPServer):
    """Waits for no thread, and says nothing of clients that leave."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class FaultServer:
    """Serves a script on a free port of 127.0.0.1 and keeps what it received."""

    def __init__(self, script: Script, port: int = 0) -> None:
        self.script = script
        self.received: list[Received] = []
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", port), _handler_for(self))
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def count(self) -> int:
        """How many chat completions were asked for."""
        return len(self.received)

    def take(self, received: Received) -> Behaviour:
        """Keep the request and return how to answer it."""
        with self._lock:
            self.received.append(received)
            index = len(self.received) - 1
        if callable(self.script):
            return self.script(received)
        return self.script[min(index, len(self.script) - 1)]

    def __enter__(self) -> FaultServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _handler_for(server: FaultServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            models = [{"id": "tiny", "object": "model"}]
            Body({"object": "list", "data": models}).answer(Wire(self))

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            data = self.rfile.read(length)
            if len(data) < length:  # the client left before it had asked
                self.close_connection = True
                return
            body = json.loads(data or b"{}")
            headers = {name.lower(): value for name, value in self.headers.items()}
            behaviour = server.take(Received(self.path, headers, body))
            try:
                behaviour.answer(Wire(self))
            except OSError:  # the client gave up, as some tests want it to
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay silent."""

    return Handler


def load_script(path: Path) -> list[Behaviour]:
    """Read behaviours from JSON: ``kind`` names one, other keys are its arguments."""
    kinds = (Good, Prose, Truncated, Empty, NullContent, NoChoices, MissingUsage)
    more = (Refusal, Status, Slow, Drip, Close, WrongJson, Html, SlowHeaders, SlowError)
    last = (NoHttp, BrokenChunks, WrongLength, Redirect, Bomb)
    by_name: dict[str, Callable[..., Behaviour]] = {
        kind.__name__: kind for kind in (*kinds, *more, *last)
    }
    entries = json.loads(path.read_text())
    return [by_name[entry.pop("kind")](**entry) for entry in entries]


def main() -> None:
    """Serve until interrupted; the first line on stdout is the address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    args = parser.parse_args()
    script = load_script(args.script) if args.script else [Good()]
    with FaultServer(script, args.port) as server:
        print(server.url, flush=True)  # noqa: T201 - the caller reads the address
        threading.Event().wait()


if __name__ == "__main__":
    main()
