"""Runs calls on the nodes of a Ray cluster; each in a killable process there."""

from __future__ import annotations

import os
import pickle
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from reward_synth.engine.local import LocalEngine, told
from reward_synth.engine.packing import fetched, packed_folder
from reward_synth.engine.ray_connection import connected, load_ray, require_listener
from reward_synth.engine.types import Call, CallResult
from reward_synth.errors import NotAvailableError, UsageError

_POLL = 0.5
"""Seconds between two calls of ``tick``."""
_MARK = ".here"
"""File by which a node sees whether it shares the caller's folders."""
_THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True, slots=True)
class Resources:
    """What a call is given on its node."""

    cpus: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no node can give."""
        if not self.cpus > 0.0 or not self.gpus >= 0.0:
            raise UsageError(
                f"A training needs more than 0 CPUs and no fewer than 0 GPUs, received "
                f"{self.cpus:g} and {self.gpus:g}."
            )


@dataclass(frozen=True, slots=True)
class Parcel:
    """A call on its way to a node."""

    key: str
    call: bytes
    folder: str
    """The folder that the call writes, or empty."""
    token: str
    """What stands in the folder's mark where the node shares it."""
    threads: str | None
    """Of numerical libraries at the caller's; results depend on them."""


class RayEngine:
    """Calls on the nodes of a Ray cluster.

    On its node a call runs in a process of its own, as with
    :class:`~reward_synth.engine.local.LocalEngine`, so that crashes, limits of time and
    results are the same. A node that is lost takes no call with it: the call is begun
    again elsewhere. Folders that nodes share with the caller are written in place; from
    others they are brought back when the call has ended.

    Args:
        address: Of the cluster, such as ``10.0.0.1:6379`` or ``auto``; None: a cluster
            of this machine alone, for as long as the engine runs.
        jobs: How many calls run at once; None: as many as the cluster has room for.
        resources: Of each call.
        retries: How often a call is begun again after its node was lost.
        stopping: Asked before a call is begun; True: no further one is.

    Raises:
        MissingExtraError: Ray is not installed.
        NotAvailableError: Nobody listens at the address.
        UsageError: A number means nothing, or the address is none.

    Example:
        >>> RayEngine("127.0.0.1:6379", jobs=0)
        Traceback (most recent call last):
        reward_synth.errors.UsageError: jobs must be at least 1, received 0.
    """

    def __init__(
        self,
        address: str | None = None,
        jobs: int | None = None,
        resources: Resources = Resources(),
        retries: int = 3,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        if jobs is not None and jobs < 1:
            raise UsageError(f"jobs must be at least 1, received {jobs}.")
        load_ray()
        require_listener(address)
        self.address = address
        self.jobs = jobs
        self.resources = resources
        self.retries = retries
        self.stopping = stopping

    def run(
        self, calls: Sequence[Call], tick: Callable[[], None] = lambda: None
    ) -> Iterator[CallResult]:
        """Yield one result a call, in the order in which they end.

        Leaving the loop early, an exception or Ctrl-C kills what still runs.

        Args:
            calls: The work.
            tick: Called about twice a second while calls run, for progress.

        Raises:
            NotAvailableError: No cluster answers at the address, or none of its nodes
                has what a call needs.
        """
        if not calls:
            return
        ray = load_ray()
        ours = connected(ray, self.address)
        running: dict[Any, Call] = {}
        try:
            room = self._room(ray)
            waiting = list(reversed(calls))
            while waiting or running:
                while waiting and len(running) < room and not self.stopping():
                    call = waiting.pop()
                    try:
                        running[self._start(ray, call)] = call
                    except Exception as cause:  # whatever pickling raises
                        yield _failed(call, cause)
                if self.stopping():
                    waiting.clear()
                if running:
                    done, _ = ray.wait(list(running), timeout=_POLL)
                    tick()
                    for reference in done:
                        yield _result(ray, running.pop(reference), reference)
        finally:
            for reference in running:
                with suppress(Exception):  # a cluster that is gone runs nothing
                    ray.cancel(reference, force=True)
            if ours:
                ray.shutdown()

    def _room(self, ray: ModuleType) -> int:
        """Return how many calls fit into the cluster at once.

        Raises:
            NotAvailableError: Not one.
        """
        need = {"CPU": self.resources.cpus, "GPU": self.resources.gpus}
        room = sum(
            _fitting(node["Resources"], need) for node in ray.nodes() if node["Alive"]
        )
        if not room:
            raise NotAvailableError(
                f"No node of the Ray cluster has {self.resources.cpus:g} CPUs and "
                f"{self.resources.gpus:g} GPUs for a training. Ask for less with "
                "--ray-resources."
            )
        return min(self.jobs or room, room)

    def _start(self, ray: ModuleType, call: Call) -> Any:
        token = secrets.token_hex(8)
        if call.folder:
            Path(call.folder).mkdir(parents=True, exist_ok=True)
            Path(call.folder, _MARK).write_text(token)
        parcel = Parcel(
            call.key, pickle.dumps(call), call.folder, token, os.environ.get(_THREADS)
        )
        task = ray.remote(
            num_cpus=self.resources.cpus,
            num_gpus=self.resources.gpus,
            max_retries=self.retries,
            max_calls=1,
        )(carried_out)
        return task.remote(parcel)


def carried_out(parcel: Parcel) -> tuple[bytes, bytes]:
    """Run a call on this node; what Ray's processes execute.

    Returns:
        The packed :class:`CallResult`, and the packed folder, empty where it is shared.
    """
    os.environ.pop(_THREADS, None)  # Ray's own choice
    if parcel.threads is not None:
        os.environ[_THREADS] = parcel.threads
    try:
        call: Call = pickle.loads(parcel.call)
    except Exception as cause:  # arguments that cannot be made again here
        return pickle.dumps(CallResult(parcel.key, "failed", error=told(cause))), b""
    if not parcel.folder or _shared(parcel):
        return _alone(call), b""
    with packed_folder() as (place, packed):
        moved = [place if item == call.folder else item for item in call.arguments]
        result = _alone(replace(call, arguments=tuple(moved), folder=place))
        return result, packed()


def _alone(call: Call) -> bytes:
    (result,) = LocalEngine(1).run([call])
    return pickle.dumps(result)


def _shared(parcel: Parcel) -> bool:
    try:
        return Path(parcel.folder, _MARK).read_text() == parcel.token
    except OSError:
        return False


def _result(ray: ModuleType, call: Call, reference: Any) -> CallResult:
    try:
        result, folder = ray.get(reference)
    except Exception as cause:  # the node, or what was on the way
        lost = isinstance(cause, ray.exceptions.RayError)
        return (
            CallResult(call.key, "crashed", error=told(cause))
            if lost
            else _failed(call, cause)
        )
    finally:
        if call.folder:
            Path(call.folder, _MARK).unlink(missing_ok=True)
    if folder:
        fetched(folder, Path(call.folder))
    found: CallResult = pickle.loads(result)
    return found


def _failed(call: Call, cause: BaseException) -> CallResult:
    return CallResult(call.key, "failed", error=told(cause))


def _fitting(has: dict[str, float], need: dict[str, float]) -> int:
    """Return how many of one need fit into what a node has.

    Example:
        >>> _fitting({"CPU": 7.0}, {"CPU": 2.0, "GPU": 0.0})
        3
    """
    return min(int(has.get(name, 0.0) / size) for name, size in need.items() if size)
