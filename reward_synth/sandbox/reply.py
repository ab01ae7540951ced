"""Read a worker's answer, which may be forged, into an Execution.

Everything is checked: keys, types, sizes, names.  Text is made printable, for it
ends in logs and terminals.
"""

from __future__ import annotations

import hmac
import math
import signal
from typing import Final, cast, get_args

import numpy as np

from reward_synth.sandbox import wire
from reward_synth.sandbox.job import Execution, Job, Limits, Status
from reward_synth.sandbox.wire import EXIT_MEMORY, MAX_MESSAGE, MAX_NAME

_KEYS: Final = frozenset(
    {"token", "status", "names", "error", "line", "seconds_per_call"}
)
_FROM_PARENT: Final = ("timeout", "crashed")
_ALLOWED: Final = frozenset(get_args(Status)) - frozenset(_FROM_PARENT)


def encode(job: Job, limits: Limits, token: str) -> bytes:
    """Return a job as a message; only the columns that are arguments travel."""
    columns = {name: job.inputs[name] for name in job.arguments}
    little = {
        name: np.ascontiguousarray(column, column.dtype.newbyteorder("<"))
        for name, column in columns.items()
    }
    header = {
        "token": token,
        "source": job.source,
        "function": job.function,
        "rows": job.rows,
        "unrestricted": job.unrestricted,
        "output_bytes": limits.output_bytes,
        "columns": [
            (name, column.dtype.str, column.shape) for name, column in little.items()
        ],
    }
    return wire.pack(header, b"".join(column.tobytes() for column in little.values()))


def decode(message: wire.Message, job: Job, token: str) -> Execution:
    """Return what the worker says, or ``crashed`` where that makes no sense."""
    try:
        return _decode(message, job, token)
    except wire.WireError as error:
        return unreadable(error, job)


def unreadable(error: wire.WireError, job: Job) -> Execution:
    """Return the outcome of an answer that is not one."""
    sentence = printable(f"the worker's answer could not be read: {error}")
    return Execution.failed("crashed", sentence, rows=job.rows)


def died(code: int, job: Job, limits: Limits) -> Execution:
    """Return the outcome of a worker that ended without an answer.

    Args:
        code: Exit code, or minus the number of the signal.
        job: What it was running.
        limits: What it was allowed.
    """
    if code == EXIT_MEMORY:
        return Execution.failed("memory", "out of memory", rows=job.rows)
    if code == -signal.SIGXCPU:
        sentence = f"used more than {limits.cpu_seconds} s of processor time"
        return Execution.failed("timeout", sentence, rows=job.rows)
    how = f"exit code {code}" if code >= 0 else f"signal {_signal_name(-code)}"
    sentence = f"the worker ended without an answer, by {how}"
    return Execution.failed("crashed", sentence, rows=job.rows)


def printable(text: str) -> str:
    r"""Return text without control characters, halves of pairs, or excess length.

    Example:
        >>> printable("red: \x1b[31m")
        'red:  [31m'
    """
    return "".join(c if c.isprintable() else " " for c in text[:MAX_MESSAGE])


def _decode(message: wire.Message, job: Job, token: str) -> Execution:
    header = message.header
    if frozenset(header) != _KEYS:
        raise wire.WireError("its header has other keys than an answer has")
    if not hmac.compare_digest(_text(header, "token").encode(), token.encode()):
        raise wire.WireError("it does not carry the token of this job")
    status = _text(header, "status")
    if status not in _ALLOWED:
        raise wire.WireError("its status is not one that a worker can give")
    names = _names(header["names"]) if status == "ok" else ()
    return Execution(
        status=cast("Status", status),
        names=names,
        values=_values(message.body, job.rows, len(names)),
        error=printable(_text(header, "error")),
        line=_line(header["line"]),
        seconds=0.0,
        seconds_per_call=_seconds(header["seconds_per_call"]),
        layers=(),
    )


def _text(header: dict[str, object], key: str) -> str:
    value = header[key]
    if not isinstance(value, str):
        raise wire.WireError(f"its {key} is not text")
    return value


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise wire.WireError("its names are not a list of names")
    names = [name for name in value if isinstance(name, str) and name.isprintable()]
    if len(names) != len(value) or len(set(names)) != len(names):
        raise wire.WireError("its names are not distinct printable texts")
    if not all(0 < len(name) <= MAX_NAME for name in names):
        raise wire.WireError(f"one of its names is not 1 to {MAX_NAME} characters")
    return tuple(names)


def _values(
    body: bytes, rows: int, columns: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    if len(body) != 8 * rows * columns:
        raise wire.WireError(f"it has {len(body)} bytes for {rows} x {columns} values")
    values = np.frombuffer(body, dtype="<f8").astype(np.float64)
    return values.reshape(rows, columns)


def _line(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 1 << 31:
        raise wire.WireError("its line is not a number of a line")
    return value


def _seconds(value: object) -> float:
    if type(value) is not float or not (math.isfinite(value) and value >= 0):
        raise wire.WireError("its time is not a number of seconds")
    return value


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
