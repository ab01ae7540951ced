"""Tools that answer, raise, hang and die; in a module, so that processes find them."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any


def hangs_in_c() -> None:
    re.match(r"(a+)+$", "a" * 60 + "b")


def hangs_and_catches() -> None:
    while True:
        try:
            time.sleep(0.001)
        except BaseException:
            continue


def dies() -> None:
    os._exit(3)


def starts_another() -> None:
    """Wait for a program of its own, as tools do that run code."""
    subprocess.run(["sleep", "4242.5"], check=False)


def unlike_json() -> object:
    return object()


def shop(stock: Any) -> Mapping[str, Callable[..., Any]]:
    """Return tools of a shop; ``stock`` is the sample's own."""

    def sell(name: str, quantity: int = 1) -> int:
        stock[name] -= quantity
        left: int = stock[name]
        return left

    tools = (sell, hangs_in_c, hangs_and_catches, starts_another, dies, unlike_json)
    return {tool.__name__: tool for tool in tools}
