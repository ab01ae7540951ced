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


class TwoPartsError(Exception):
    """Cannot be made again from its message, as many exceptions cannot."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


class Trap:
    """Can be sent, but not received."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[object, ...]:
        return (int, ("no number",))


def double(number: int) -> int:
    return 2 * number


def fail(text: str) -> None:
    raise ValueError(text)


def fail_in_two_parts() -> None:
    raise TwoPartsError("this", "that")


def give_a_trap() -> object:
    return Trap(1)


def outlive(mark: str) -> str:
    """Tell our parent and wait for the end; begun again, return at once."""
    place = Path(mark)
    if place.exists():
        return "again"
    place.write_text(f"{os.getpid()} {os.getppid()}")
    time.sleep(90)
    return "never ended"


def write_a_file(folder: str, text: str) -> str:
    Path(folder, "deep").mkdir(parents=True, exist_ok=True)
    Path(folder, "deep", "file.txt").write_text(text)
    Path(folder, "link").symlink_to("/etc/passwd")
    return folder


def wait_a_little(number: int) -> int:
    time.sleep(0.5)
    return number


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
