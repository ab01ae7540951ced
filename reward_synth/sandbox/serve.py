"""The worker: lock down, then read one job, run it, and answer.

The lock is on before the first byte of a job is read, so no text of a program is
ever in a process that could do harm.
"""

from __future__ import annotations

import os
import unicodedata
import warnings
from typing import cast

import numpy as np

from reward_synth.sandbox import program, wire
from reward_synth.sandbox.lockdown import lock

_CHUNK = 1 << 16
_LIMITS = {"header_limit": wire.NO_LIMIT, "body_limit": wire.NO_LIMIT}
"""The job comes from our own parent."""
_METHODS = ("sum", "mean", "min", "max", "prod", "std", "var", "all", "any", "ravel")


def main(parent: int, memory_bytes: int, cpu_seconds: int) -> None:
    """Serve one job on standard input and output, and end the process."""
    preload()
    job_in, reply_out = os.dup(0), os.dup(1)
    leave_folder()
    work(
        job_in,
        reply_out,
        parent=parent,
        memory_bytes=memory_bytes,
        cpu_seconds=cpu_seconds,
        isolated="needs a worker that was forked from a warm server",
    )


def work(
    job_in: int,
    reply_out: int,
    *,
    parent: int,
    memory_bytes: int,
    cpu_seconds: int,
    isolated: str,
) -> None:
    """Lock this process, serve one job, and end.

    Args:
        job_in: Descriptor that the job comes from.
        reply_out: Descriptor that the answer goes to.
        parent: Process whose death ends this one.
        memory_bytes: Limit of the address space.
        cpu_seconds: Processor time from here on.
        isolated: State of the namespaces that this process was born in.
    """
    close_all_but(job_in, reply_out)
    layers = lock(
        parent=parent,
        memory_bytes=memory_bytes,
        cpu_seconds=cpu_seconds,
        pipes=(job_in, reply_out),
    )
    layers["namespaces"] = isolated
    _write(reply_out, wire.pack({"layers": layers}))
    try:
        _serve(job_in, reply_out)
    except MemoryError:
        os._exit(wire.EXIT_MEMORY)
    os._exit(0)


def _serve(job_in: int, reply_out: int) -> None:
    message = _read(job_in)
    # The token shows that an answer was not merely written to a guessed
    # descriptor.  It is no secret from code that can walk this process's memory.
    token = message.header["token"]
    outcome = program.evaluate(_task(message))
    header = {"token": token, **outcome.header()}
    _write(reply_out, wire.pack(header, outcome.values.tobytes()))


def preload() -> None:
    """Touch what would be imported later, when files are out of reach."""
    unicodedata.normalize("NFKC", "")  # the compiler, at a name that is not ASCII
    for name in ("linalg", "random", "fft", "polynomial"):
        getattr(np, name)
    matrix = np.eye(2)
    np.linalg.norm(matrix @ np.linalg.inv(matrix))
    for method in _METHODS:  # NumPy's C code imports what is behind these when called
        getattr(matrix, method)()
    matrix.clip(0.0, 1.0)
    np.random.default_rng(0).random()
    repr(matrix)
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")


def close_all_but(*kept: int) -> None:
    """Point 0, 1 and 2 at nothing, and close every other descriptor but these."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    lowest = 3
    for number in sorted({*kept, os.sysconf("SC_OPEN_MAX")}):
        os.closerange(lowest, number)
        lowest = number + 1


def leave_folder() -> None:
    """Remove the empty folder that this process was started in."""
    folder = os.getcwd()
    try:
        os.rmdir(folder)
    except OSError:
        os.chdir("/")


def _read(descriptor: int) -> wire.Message:
    buffer = bytearray()
    while (message := wire.unpack(buffer, **_LIMITS)) is None:
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            os._exit(1)
        buffer += chunk
    return message


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _task(message: wire.Message) -> program.Task:
    """Rebuild the task; the job comes from our own parent, so it is believed."""
    header, offset = message.header, 0
    columns: dict[str, program.Column] = {}
    for name, dtype, shape in cast(
        "list[tuple[str, str, list[int]]]", header["columns"]
    ):
        count = int(np.prod(shape))
        flat = np.frombuffer(message.body, np.dtype(dtype), count, offset)
        columns[name] = flat.reshape(shape)
        offset += flat.nbytes
    return program.Task(
        source=str(header["source"]),
        function=str(header["function"]),
        columns=columns,
        rows=cast("int", header["rows"]),
        output_bytes=cast("int", header["output_bytes"]),
        unrestricted=bool(header["unrestricted"]),
    )
