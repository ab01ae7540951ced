"""The script that a training process runs; it takes its job from standard input.

The job comes from the process that started this one and is believed: it is the way back
on which nothing is unpickled.  Only the standard library is imported before Python is set
up as it is in the parent.
"""

from __future__ import annotations

import os
import pickle
import sys
from multiprocessing import process, spawn


def main(parent: int | None = None) -> None:
    """Set up variables and imports as a spawned process has them, and do the job.

    Args:
        parent: The process that forked this one; None for a new program.
    """
    source = sys.stdin.buffer
    # As multiprocessing does: a script that starts processes as soon as it is imported
    # is told of its missing `if __name__ == "__main__"`, and starts none.
    here = process.current_process()
    here._inheriting = True  # type: ignore[attr-defined]
    try:
        variables = pickle.load(source)
        if variables != dict(os.environ):
            os.environ.clear()
            os.environ.update(variables)
        spawn.prepare(pickle.load(source))
        job = pickle.load(source)
    finally:
        del here._inheriting  # type: ignore[attr-defined]
    job.run(parent)


if __name__ == "__main__":
    main()
