"""What the tests of engines have done in other processes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


class Stubborn:
    """Cannot be sent to another process."""

    def __reduce__(self) -> str:
        raise TypeError("this stays here")


def double(number: int) -> int:
    return 2 * number


def fail(text: str) -> None:
    raise ValueError(text)


def miss_a_deadline() -> None:
    raise TimeoutError("the database did not answer")


def leave(code: int) -> None:
    sys.exit(code)


def die(code: int) -> None:
    os._exit(code)


def hang(mark: str) -> None:
    Path(mark).write_text(str(os.getpid()))
    time.sleep(600)


def give_what_cannot_travel() -> object:
    return Stubborn()


def my_process() -> int:
    return os.getpid()
