"""Messages between the sandbox and its worker: a JSON header and raw bytes.

Nothing is pickled in either direction, and no ``.npy`` header is parsed: arrays
travel as raw little-endian bytes whose types and shapes the JSON header names.
Only the standard library is used, for the worker imports this before its lock.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import NamedTuple

_PREFIX = struct.Struct("<IQ")
LIVE = "live"
"""State of a layer that is on; any other text is the reason why it is not."""
EXIT_MEMORY = 77
"""Exit code of a worker for which the job or the answer was too large."""
MAX_MESSAGE = 500
"""Most characters of an error."""
MAX_NAME = 100
"""Most characters of a component's name."""
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""The worker's environment beside ``LANG``."""
NO_LIMIT = 1 << 63
"""For what comes from a side that is trusted."""


class WireError(Exception):
    """The bytes are not a message."""


class Message(NamedTuple):
    """One message."""

    header: dict[str, object]
    """Small values, by name."""
    body: bytes
    """Raw numbers."""


def pack(header: Mapping[str, object], body: bytes = b"") -> bytes:
    """Return a message as bytes.

    Example:
        >>> buffer = bytearray(pack({"rows": 1}, b"12345678"))
        >>> unpack(buffer, header_limit=99, body_limit=8)
        Message(header={'rows': 1}, body=b'12345678')
    """
    text = json.dumps(dict(header)).encode("ascii")
    return _PREFIX.pack(len(text), len(body)) + text + body


def unpack(buffer: bytearray, *, header_limit: int, body_limit: int) -> Message | None:
    """Take a message off the front of a buffer, or return None until it is whole.

    Raises:
        WireError: The sizes are over the limits, or the header is not a JSON object.

    Example:
        >>> unpack(bytearray(b"half"), header_limit=99, body_limit=8) is None
        True
    """
    if len(buffer) < _PREFIX.size:
        return None
    header_size, body_size = _PREFIX.unpack_from(buffer)
    if header_size > header_limit or body_size > body_limit:
        raise WireError(
            f"a message of {header_size} + {body_size} bytes is over the limit of "
            f"{header_limit} + {body_limit}"
        )
    middle = _PREFIX.size + header_size
    if len(buffer) < middle + body_size:
        return None
    header = _parse(bytes(buffer[_PREFIX.size : middle]))
    body = bytes(buffer[middle : middle + body_size])
    del buffer[: middle + body_size]
    return Message(header, body)


def _parse(text: bytes) -> dict[str, object]:
    try:
        header = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise WireError(f"the header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise WireError("the header is not a JSON object")
    return header


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
