"""A process that submits captions until it is killed, or until all have labels.

python -m tests.intrinsic.trainer_child URL FOLDER COUNT UNSETTLED
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from reward_synth.intrinsic.annotation import (
    AnnotationService,
    Asking,
    Decoding,
    LabelPrompt,
    ModelAnnotator,
)
from reward_synth.llm import RetryPolicy


def main() -> None:
    """Train, so to say."""
    url, folder, count, unsettled = sys.argv[1:]
    policy = RetryPolicy(rng=np.random.default_rng(), base=0.01, cap=0.05)
    annotator = ModelAnnotator(
        LabelPrompt("Open the door."),
        Decoding("tiny"),
        Path(folder),
        url,
        "none",
        asking=Asking(policy=policy, timeout=30.0, unsettled=unsettled == "ask"),
    )
    captions = [f"{'key' if n % 3 else 'dark'} {n}" for n in range(int(count))]
    with AnnotationService(annotator, workers=4) as service:
        print("started", flush=True)  # noqa: T201 - the parent waits for it
        service.submit(captions)
        while any(label.status == "pending" for label in service.get(captions)):
            time.sleep(0.005)
        print(service.metrics().known, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
