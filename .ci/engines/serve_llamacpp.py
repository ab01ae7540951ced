"""Serves a GGUF file with llama.cpp's own server until it is killed."""

from __future__ import annotations

import sys
import threading

import xllamacpp


def serve(path: str, port: int) -> None:
    """Serve ``path`` at 127.0.0.1."""
    settings = xllamacpp.CommonParams()
    settings.model.path = path
    settings.n_ctx = 16384
    settings.n_parallel = 2
    settings.cpuparams.n_threads = 1  # threads would wait for each other, spinning
    settings.cpuparams_batch.n_threads = 1
    settings.port = port
    settings.hostnames = ["127.0.0.1"]
    settings.warmup = False
    server = xllamacpp.Server(settings)
    threading.Event().wait()
    del server


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
