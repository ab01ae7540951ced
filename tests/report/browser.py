"""A real browser for tests of pages, where there is one.

The one place that starts a browser: reports and the live view are tested with it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 90
"""Longest wait for anything; far above what is needed."""
LIBRARY_MISSING = "playwright is not installed (pip install playwright)"
BROWSER_MISSING = f"no Chromium on this machine (looked for {', '.join(_NAMES)})"


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the browser; skip the test, saying why, where that cannot be."""
    sync_api = pytest.importorskip("playwright.sync_api", reason=LIBRARY_MISSING)
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(BROWSER_MISSING)
    # As root in a container the browser's own sandbox cannot start.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=root)
        yield browser
        browser.close()


class Opened:
    """A page in the browser, and everything that it complained of or asked for.

    Args:
        browser: What :func:`chromium` gives.
        address: What to open.
        settings: Of the browser's context: ``viewport``, ``color_scheme`` …
    """

    def __init__(self, browser: Any, address: str, **settings: Any) -> None:
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.page.set_default_timeout(1000 * SECONDS)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def drawn(self) -> None:
        """Wait until a chart near the window is drawn."""
        self.page.locator(".plot.live").first.wait_for()

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
