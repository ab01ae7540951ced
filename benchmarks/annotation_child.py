"""Services, a trainer to be killed, and a server that drips, for ``annotation.py``.

python -m reward_synth.benchmarks.annotation_child URL FOLDER COUNT
"""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reward_synth.intrinsic.annotation import (
    AnnotationService,
    Asking,
    Decoding,
    LabelPrompt,
    ModelAnnotator,
)

WORKERS = 8
_DRIP = 0.5
"""Seconds from byte to byte."""


def service(
    url: str, folder: Path, visible: Any = "at_once", timeout: float = 5.0
) -> AnnotationService:
    """Return a service that asks a server on loopback."""
    prompt, decoding = LabelPrompt("Open the door."), Decoding("tiny")
    asking = Asking(timeout=timeout)
    annotator = ModelAnnotator(prompt, decoding, folder, url, asking=asking)
    return AnnotationService(
        annotator, workers=WORKERS, visible=visible, on_death="go_on"
    )


def start(url: str, folder: Path, count: int) -> subprocess.Popen[str]:
    """Start a trainer that submits captions until all have labels."""
    words = [url, str(folder), str(count)]
    running = subprocess.Popen(
        [sys.executable, "-m", __spec__.name, *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    if running.stdout is None or running.stdout.readline() != "started\n":
        raise RuntimeError("The trainer did not start.")
    return running


@contextmanager
def dripping() -> Iterator[str]:
    """Run a server that sends one byte of its answer each half second, and never ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                threading.Thread(
                    target=_drip, args=(connection, ended), daemon=True
                ).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        ended.set()
        listener.close()


def _drip(connection: socket.socket, ended: threading.Event) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    with suppress(OSError), connection:
        connection.recv(65536)
        connection.sendall(head)
        while not ended.wait(_DRIP):
            connection.sendall(b" ")


def expected(caption: str) -> float:
    """Return what the server's label of a caption is worth."""
    odd = hashlib.sha256(json.dumps(caption).encode()).digest()[0] % 2
    return float(odd)


def main(arguments: Sequence[str]) -> None:
    """Ask until all captions have labels; print what is missing or wrong."""
    url, folder, count = arguments
    captions = [f"state {number}" for number in range(int(count))]
    with service(url, Path(folder)) as asked:
        print("started", flush=True)
        asked.submit(captions)
        while any(label.status == "pending" for label in asked.get(captions)):
            time.sleep(0.005)
        labels = asked.get(captions)
    pairs = list(zip(captions, labels, strict=True))
    told = {
        "labels missing": sum(not label.usable for label in labels),
        "labels wrong": sum(label.value != expected(text) for text, label in pairs),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
