"""Namespaces: a network of one's own, without even a loopback to talk to.

An addition, not a foundation: containers and some systems refuse them to those who
are not root, and Landlock and seccomp hold without.  Left once, by the server that
workers are forked from: making a network for each worker would take milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import sys

from reward_synth.sandbox.wire import LIVE

_NEW_UTS, _NEW_IPC, _NEW_USER, _NEW_NET = 0x04000000, 0x08000000, 0x10000000, 0x40000000


def leave() -> str:
    """Leave the host's network, message queues and name; return ``live`` or why not."""
    if sys.platform != "linux":
        return f"needs Linux; this is {sys.platform}"
    libc = ctypes.CDLL(None, use_errno=True)
    flags = _NEW_NET | _NEW_IPC | _NEW_UTS
    if libc.unshare(flags) == 0 or libc.unshare(flags | _NEW_USER) == 0:
        return LIVE
    return f"the kernel refused: {os.strerror(ctypes.get_errno())}"
