"""Labels survive kill -9; the server keeps count of what was paid."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from reward_synth.intrinsic.annotation import (
    AnnotationService,
    Decoding,
    LabelPrompt,
    ModelAnnotator,
)
from tests.intrinsic.conftest import caption_of, truthful
from tests.llm.server import Behaviour, FaultServer, Received, Slow

COUNT = 90
WORKERS = 4


def slowly(received: Received) -> Behaviour:
    return Slow(0.05, truthful(received))


def start(url: str, folder: Path, unsettled: str) -> subprocess.Popen[str]:
    words = [url, str(folder), str(COUNT), unsettled]
    command = [sys.executable, "-m", "tests.intrinsic.trainer_child", *words]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "started\n"
    return child


@pytest.mark.parametrize(("unsettled", "kills"), [("ask", 2), ("give up", 1)])
def test_no_label_is_lost_or_paid_twice(
    tmp_path: Path, unsettled: str, kills: int
) -> None:
    """A trainer that is killed at random moments ends with all labels right. Only what
    was in flight at a kill, at most one question a worker, can be asked again; where
    such questions are given up instead, no caption is asked about twice at all, and
    those alone have failed."""
    rng = np.random.default_rng(5)
    folder = tmp_path / "labels"
    with FaultServer(slowly) as server:
        for _ in range(kills):
            child = start(server.url, folder, unsettled)
            time.sleep(rng.uniform(0.02, 0.25))
            child.kill()
            child.wait()
        child = start(server.url, folder, unsettled)
        said, _ = child.communicate(timeout=60)
        asked = Counter(map(caption_of, server.received))
        last = server.count
        with ledger_of(server.url, folder) as service:
            captions = [f"{'key' if n % 3 else 'dark'} {n}" for n in range(COUNT)]
            labels = service.get(captions)
    again = sum(asked.values()) - len(asked)
    good = [label for label in labels if label.status == "known"]
    assert int(said) == len(good)
    assert last == server.count
    assert all(
        label.value == float("key" in caption)
        for caption, label in zip(captions, labels, strict=True)
        if label.usable
    )
    if unsettled == "ask":
        assert len(good) == COUNT
        assert again <= kills * WORKERS
    else:
        assert again == 0
        assert COUNT - kills * WORKERS <= len(good) <= COUNT


def ledger_of(url: str, folder: Path) -> AnnotationService:
    prompt, decoding = LabelPrompt("Open the door."), Decoding("tiny")
    return AnnotationService(ModelAnnotator(prompt, decoding, folder, url, "none"))
