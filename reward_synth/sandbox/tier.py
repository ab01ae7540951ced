"""What each layer stops, in words, and which mode a platform can keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from reward_synth.errors import NotAvailableError
from reward_synth.sandbox.process import Mode, live_layers, missing_layers

STOPS: Final[Mapping[str, str]] = {
    "process": "crashes and hangs of a program reach the caller",
    "environment": "keys and tokens in environment variables are inherited",
    "descriptors": "open files, sockets and terminals are inherited",
    "single_thread": "a second thread stays outside the layers below",
    "capabilities": "root's rights: owners, modes, mounts, modules, raw sockets",
    "parent_death": "a worker outlives a killed caller",
    "not_dumpable": "other processes of the user read the worker, or it leaves a core",
    "no_new_privs": "set-user-id programs give rights back",
    "landlock_files": "files and folders are opened, made, renamed, removed",
    "landlock_network": "TCP connections are made or listened for",
    "landlock_scope": "signals and abstract sockets reach other processes",
    "rlimits": "memory, processor time, files and processes without end",
    "seccomp": "every system call but arithmetic's: also chmod, chown, xattr, UDP",
    "namespaces": "the host's network, even its loopback, is there at all",
}
"""Layer to what could happen without it."""


class Tier(NamedTuple):
    """The mode that programs run under."""

    mode: Mode
    missing: dict[str, str]
    """Layers that ``strict`` needs and this platform lacks, with the reasons."""

    @property
    def remark(self) -> str:
        """What a user should read about it; empty where nothing is missing.

        Example:
            >>> Tier("reduced", {"seccomp": "needs Linux; this is darwin"}).remark
            'The sandbox is reduced: seccomp (needs Linux; this is darwin).'
        """
        if not self.missing:
            return ""
        return f"The sandbox is reduced: {named(self.missing)}."


def named(missing: Mapping[str, str]) -> str:
    """Return layers with their reasons, in one line.

    Example:
        >>> named({"rlimits": "refused", "seccomp": "none"})
        'rlimits (refused); seccomp (none)'
    """
    return "; ".join(f"{name} ({why})" for name, why in missing.items())


def choose(asked: Mode | None = None) -> Tier:
    """Return the mode to run under.

    Args:
        asked: What the user wants; None: ``strict`` where every layer is live.

    Raises:
        NotAvailableError: ``strict`` is asked for and a layer is missing.

    Example:
        >>> choose("reduced").mode
        'reduced'
    """
    missing = missing_layers(live_layers())
    if asked == "strict" and missing:
        raise NotAvailableError(
            f"--sandbox strict cannot hold here: {named(missing)}. "
            "`reward_synth doctor` lists all layers; --sandbox reduced goes on without."
        )
    return Tier(asked or ("reduced" if missing else "strict"), missing)
