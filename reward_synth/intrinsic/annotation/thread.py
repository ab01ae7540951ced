"""The annotator's own thread: one event loop, some workers, a heartbeat."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Protocol

from reward_synth.errors import BudgetReachedError, RewardSynthError
from reward_synth.intrinsic.annotation.label import Annotator, Label
from reward_synth.intrinsic.annotation.waiting import Waiting

_BEAT = 0.05
"""Seconds between heartbeats."""
_SILENT = 5.0
"""Seconds of silence after which a thread that runs counts as dead: it hangs. One that
ended is dead at once."""
_IDLE = 0.1
"""Seconds after which an idle worker looks for itself, should it miss a nudge."""


class Desk(Protocol):
    """Where workers fetch captions and deliver labels; safe for several threads."""

    def take(self) -> tuple[str, Waiting] | None:
        """Return the next caption, None: none waits."""

    def deliver(self, caption: str, item: Waiting, label: Label | None) -> None:
        """Take a label; None puts the caption back."""


class AnnotatorThread:
    """Runs an annotator beside the training, and never holds it up.

    Args:
        annotator: Judges captions.
        desk: Where captions come from and labels go.
        workers: Captions that are judged at once.
        clock: Seconds; for the heartbeat.
    """

    def __init__(
        self,
        annotator: Annotator,
        desk: Desk,
        workers: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.annotator = annotator
        self.desk = desk
        self.workers = workers
        self.death: BaseException | None = None
        """Why it ended by itself; None: it did not."""
        self.budget = ""
        """Why nothing more is asked; empty: more is."""
        self._clock = clock
        self._beat = clock()
        self._stopping = threading.Event()
        self._jobs: list[Callable[[], None]] = []
        self._jobs_lock = threading.Lock()
        self._hungry = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._thread = threading.Thread(
            target=self._run, name="reward_synth annotator", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._beat = self._clock()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it runs, and its heart has beaten of late."""
        if self.death is not None or not self._thread.is_alive():
            return False
        return self._clock() - self._beat < _SILENT

    def nudge(self) -> None:
        """Say that a caption waits; costs nothing while workers are busy."""
        if self._hungry:
            self._hungry = False
            self._call()

    def write(self, job: Callable[[], None]) -> None:
        """Let the thread write something down, in the order of asking."""
        with self._jobs_lock:
            self._jobs.append(job)
        self._call()

    def stop(self, seconds: float = 10.0) -> bool:
        """End it, waiting at most ``seconds``; False: it did not end in time."""
        self._stopping.set()
        self._call()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _call(self) -> None:
        loop, wake = self._loop, self._wake
        if loop is None or wake is None:
            return
        try:
            loop.call_soon_threadsafe(wake.set)
        except RuntimeError:  # the loop has ended
            return

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as cause:
            self.death = cause

    async def _main(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        tasks = [asyncio.create_task(self._work()) for _ in range(self.workers)]
        tasks.append(asyncio.create_task(self._live()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what ended it
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._write()
            await self.annotator.leave()

    async def _live(self) -> None:
        """Beat, write what is to be written, and end when asked to."""
        while not self._stopping.is_set():
            self._beat = self._clock()
            self._write()
            await asyncio.sleep(_BEAT)

    def _write(self) -> None:
        with self._jobs_lock:
            jobs, self._jobs = self._jobs, []
        for job in jobs:
            job()

    async def _work(self) -> None:
        while True:
            taken = None if self.budget else self.desk.take()
            if taken is None:
                await self._rest()
                continue
            caption, item = taken
            label: Label | None = None
            try:
                label = await self.annotator.judge(caption)
            except BudgetReachedError as reached:
                self.budget = str(reached)
            except RewardSynthError:
                raise  # no question to this annotator can succeed
            except Exception as cause:
                label = Label("failed", origin=f"{type(cause).__name__}: {cause}")
            finally:
                self.desk.deliver(caption, item, label)

    async def _rest(self) -> None:
        """Wait until something waits; one that was missed costs a tenth of a second."""
        wake = self._wake
        if wake is None:
            return
        wake.clear()
        self._hungry = True
        try:
            await asyncio.wait_for(wake.wait(), _IDLE)
        except TimeoutError:
            return
