"""Ctrl-C once finishes the current step, twice stops now; SIGTERM counts as once."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from reward_synth.cli import signals
from reward_synth.cli.signals import Interrupts
from reward_synth.store import RunStore
from tests.cli.test_model import answer, ask, identity, recorded, slot_of
from tests.cli.tools import Cli, reward_bytes, start, wait_until
from tests.llm.server import Behaviour, FaultServer, Good, Received, Slow


class Clock:
    """Time that passes as a test says."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def interrupts(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Interrupts:
    monkeypatch.setattr(signals, "_leave_soon", lambda: None)
    return Interrupts(clock)


def send(interrupts: Interrupts, number: int = signal.SIGINT) -> bool:
    """Return whether the signal stops the command at once."""
    try:
        interrupts(number, None)
    except KeyboardInterrupt:
        return True
    return False


class TestRules:
    """What a signal does, by what was before it."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_without_steps_once_is_now(
        self, interrupts: Interrupts, number: int
    ) -> None:
        """A command that makes no steps is stopped by the first signal."""
        assert send(interrupts, number)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_the_first_waits_for_the_step(
        self, interrupts: Interrupts, number: int
    ) -> None:
        """Within steps the first signal is answered by the next checkpoint."""
        with interrupts.steps():
            interrupts.checkpoint()
            assert not send(interrupts, number)
            assert interrupts.asked
            with pytest.raises(KeyboardInterrupt):
                interrupts.checkpoint()

    def test_the_second_ctrl_c_is_now(
        self, interrupts: Interrupts, clock: Clock
    ) -> None:
        """Ctrl-C again stops in the middle of the step."""
        with interrupts.steps():
            assert not send(interrupts)
            clock.now += 1.0
            assert send(interrupts)

    def test_an_echo_is_no_second_one(
        self, interrupts: Interrupts, clock: Clock
    ) -> None:
        """A signal that a shell or a supervisor sends on at once is the same one."""
        with interrupts.steps():
            assert not send(interrupts)
            clock.now += 0.1
            assert not send(interrupts)

    def test_sigterm_is_never_the_second_one(
        self, interrupts: Interrupts, clock: Clock
    ) -> None:
        """However often it comes, SIGTERM counts as once."""
        with interrupts.steps():
            for _ in range(5):
                assert not send(interrupts, signal.SIGTERM)
                clock.now += 10.0

    def test_cleaning_up_is_left_alone_for_a_while(
        self, interrupts: Interrupts, clock: Clock
    ) -> None:
        """After it stops, signals within five seconds change nothing; later ones do."""
        assert send(interrupts)
        clock.now += 4.0
        assert not send(interrupts)
        clock.now += 4.0
        assert send(interrupts)


def slowly(
    seconds: Callable[[Received], float],
) -> Callable[[Received], Behaviour]:
    return lambda received: Slow(seconds(received), Good(answer(slot_of(received))))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_asked_is_waited_for_and_kept(cli: Cli, number: int) -> None:
    """One signal to the whole group, as terminals send it, while the model thinks.

    The answers in flight are kept, no further request is sent, the exit code is 130, and
    the message says how to go on; then nothing is asked twice, and the reward is that of
    an unbroken run.
    """
    with FaultServer(slowly(lambda _: 1.5)) as server:
        command = (*ask(server.url, 6), "--json", "--run")
        child = start(*command, "broken")
        wait_until(lambda: server.count == 4, "four requests")
        os.killpg(child.pid, number)
        _, err = child.communicate(timeout=60)
        assert child.returncode == 130
        assert "Ctrl-C again stops now" in err
        assert err.splitlines()[-1].endswith("--run broken")
        assert "Traceback" not in err
        assert (server.count, len(recorded("broken"))) == (4, 4)
        broken = cli(*command, "broken")
        assert broken.code == 0, broken.err
        assert set(Counter(map(identity, server.received)).values()) == {1}
        whole = cli(*command, "whole")
    assert reward_bytes(broken.json()) == reward_bytes(whole.json())


def test_twice_stops_in_the_middle(cli: Cli) -> None:
    """The second Ctrl-C does not wait for a model that thinks for a minute."""
    waits = [60.0]
    with FaultServer(slowly(lambda _: waits[0])) as server:
        command = ask(server.url, 1, "--run", "mine")
        child = start(*command)
        wait_until(lambda: server.count == 1, "a request")
        os.kill(child.pid, signal.SIGINT)
        time.sleep(0.8)  # less would be an echo
        began = time.monotonic()
        os.kill(child.pid, signal.SIGINT)
        _, err = child.communicate(timeout=60)
        assert time.monotonic() - began < 20
        assert child.returncode == 130
        assert err.splitlines()[-1].startswith("error: Interrupted.")
        assert recorded("mine") == []
        waits[0] = 0.0
        assert cli(*command).code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("good")
def test_a_training_is_finished_and_no_other_begun(cli: Cli) -> None:
    """Ctrl-C while the first of two trainings runs: its result is kept, then it stops."""
    pytest.importorskip("stable_baselines3")
    command = ("train", "--env", "MountainCarContinuous-v0", "--reward", "good.py")
    short = ("--train-steps", 100, "--episodes", 1, "--jobs", 1, "--run", "mine")
    child = start(*command, *short)
    wait_until(lambda: any(Path("mine/trials").glob("*/*")), "a training")
    os.killpg(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=400)
    assert child.returncode == 130, err
    with RunStore.read("mine") as store:
        assert len(list(store.trials())) == 1
        assert not store.finished
    assert cli(*command, *short).code == 0
    with RunStore.read("mine") as store:
        assert len(list(store.trials())) == 2
        assert store.finished
