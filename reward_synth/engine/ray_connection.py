"""Loads Ray and connects to a cluster, with errors that say what to do."""

from __future__ import annotations

import os
import socket
from types import ModuleType
from typing import Any

from reward_synth.engine.local import told
from reward_synth.errors import MissingExtraError, NotAvailableError, UsageError

_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""No reports to Ray's makers, and no warning about GPUs."""
_LISTENING = 5.0
"""Seconds in which a cluster must take a connection."""


def load_ray() -> ModuleType:
    """Return Ray's module, told to report to nobody.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    os.environ.update({k: v for k, v in _QUIET.items() if k not in os.environ})
    try:
        import ray  # noqa: PLC0415 - an extra, and slow to load
        import ray.exceptions  # noqa: PLC0415 - as above
    except ImportError as cause:
        raise MissingExtraError("ray", "ray") from cause
    module: ModuleType = ray
    return module


def require_listener(address: str | None) -> None:
    """Refuse within seconds what Ray would try to reach for minutes.

    Raises:
        NotAvailableError: Nobody listens at a numerical or named address.
        UsageError: It is no address.
    """
    if address in (None, "auto", "local") or "://" in str(address):
        return
    host, _, port = str(address).rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(
            f"{address!r} is no address of a Ray cluster; it looks like 10.0.0.1:6379, as "
            "`ray start --head` prints it, or is auto."
        )
    try:
        socket.create_connection((host, int(port)), _LISTENING).close()
    except (OSError, OverflowError) as cause:
        raise NotAvailableError(
            f"No Ray cluster answers at {address} ({told(cause)}). Start one with "
            "`ray start --head` and give the address that it prints."
        ) from cause


def connected(ray: ModuleType, address: str | None) -> bool:
    """Connect to a cluster unless that is done; return whether it is ours to leave.

    Raises:
        NotAvailableError: None answers.
    """
    if ray.is_initialized():
        return False
    options: dict[str, Any] = {} if address else {"include_dashboard": False}
    host = "127.0.0.1" if address is None else address.partition(":")[0]
    if host.startswith("127."):
        options["_node_ip_address"] = host  # else Ray takes one that others reach
    try:
        ray.init(
            address=address or "local",
            log_to_driver=False,
            logging_level="ERROR",
            **options,
        )
    except Exception as cause:
        raise NotAvailableError(
            f"No Ray cluster can be used at {address or 'this machine'} "
            f"({told(cause)}). Start one with `ray start --head` and give its address "
            "with --ray-address, with the same versions of Python and Ray."
        ) from cause
    return True
