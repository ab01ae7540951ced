"""Pages in a real browser: they follow the run, and the reader loses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.report.browser import Opened, chromium
from tests.watch.tools import Visitor, begin, end, go_on, serving

FOLD = 'details[data-key="others"]'
LOST = "Failed to load resource"
"""What a browser says of a server that went, or of an answer that is an error."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@contextmanager
def opened(browser: Any, address: str) -> Iterator[Any]:
    """Open a page, which does nothing that its policy forbids and has no error."""
    with Opened(browser, address) as it:
        yield it.page
        assert [text for text in it.said if not text.startswith(LOST)] == []


def live(page: Any, said: str) -> None:
    """Wait until the page says so of its connection."""
    page.locator("#live", has_text=re.compile(said)).wait_for()


def told(page: Any, text: str) -> None:
    """Wait until the page holds a text."""
    page.locator("body", has_text=text).wait_for()


def marked(page: Any) -> bool:
    """Whether the page is the one that :func:`mark` was called on, without a reload."""
    return bool(page.evaluate("window.mark === 'kept'"))


def mark(page: Any) -> None:
    page.evaluate("window.mark = 'kept'")


def test_a_training_that_ends_changes_the_table(browser: Any, tmp_path: Path) -> None:
    """The page changes without a reload; what the reader opened and focused stays so,
    and the charts of the newer page are drawn."""
    store = begin(tmp_path / "a", programs=3)
    end(store, "t0", 0.25)
    with serving(tmp_path / "a") as address, opened(browser, address) as page:
        live(page, "^live$")
        assert urlsplit(page.url).query == ""
        mark(page)
        page.locator(f"{FOLD} > summary").click()
        page.focus(f"{FOLD} > summary")
        page.evaluate("document.getElementById('curves').scrollIntoView()")
        page.locator(".plot.live canvas").first.wait_for()
        told(page, "1 of 4 trainings")
        assert "88 %" not in page.locator(".results").first.inner_text()

        end(store, "t1", 0.875)
        go_on(tmp_path / "a", "t2", 0.5)
        page.locator(".results", has_text="88 %").first.wait_for()
        told(page, "2 of 4 trainings")
        assert marked(page)
        assert page.locator(FOLD).get_attribute("open") is not None
        at = "document.activeElement.parentElement.dataset.key"
        assert page.evaluate(at) == "others"
        page.locator(".plot.live canvas").first.wait_for()
    store.close()


def test_a_page_stops_asking_once_the_run_is_finished(
    browser: Any, tmp_path: Path
) -> None:
    """When the last training ends the page says finished and asks no more."""
    store = begin(tmp_path / "a", trainings=1)
    with serving(tmp_path / "a") as address, opened(browser, address) as page:
        live(page, "^live$")
        end(store, "t0", 0.5)
        store.close()
        live(page, "^finished$")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(3000)  # a page that asks does so every two seconds
        assert asked == []
        live(page, "^finished$")


def test_a_page_outlives_the_server(browser: Any, tmp_path: Path) -> None:
    """Without the server the page stays and says disconnected; it says why when a new
    server does not know it, and goes on once the new address was opened."""
    store = begin(tmp_path / "a")
    with ExitStack() as first:
        address = first.enter_context(serving(tmp_path / "a"))
        port = Visitor(address).port
        with opened(browser, address) as page:
            live(page, "^live$")
            mark(page)
            first.close()
            live(page, "^disconnected")
            told(page, "0 of 4 trainings")
            end(store, "t0", 0.5)
            with serving(tmp_path / "a", port=port) as address:
                live(page, "started anew")
                told(page, "0 of 4 trainings")
                token = Visitor(address).token
                page.evaluate(f"fetch('/?token={token}').then(() => 0)")
                live(page, "^live$")
                told(page, "1 of 4 trainings")
                assert marked(page)
    store.close()


def test_a_page_outlives_its_folder(browser: Any, tmp_path: Path) -> None:
    """A run that cannot be read leaves what was told and adds the reason; a page that
    began with the reason becomes the run's once it can be read."""
    begin(tmp_path / "a").close()
    with serving(tmp_path / "a") as address, opened(browser, address) as page:
        live(page, "^live$")
        (tmp_path / "a").rename(tmp_path / "away")
        live(page, "holds no run")
        told(page, "0 of 4 trainings")
        page.reload()
        page.locator("#trouble").wait_for()
        live(page, "^not readable$")
        (tmp_path / "away").rename(tmp_path / "a")
        live(page, "^live$")
        told(page, "0 of 4 trainings")


def test_the_list_follows_its_runs(browser: Any, tmp_path: Path) -> None:
    """New runs and new results appear in the list without a reload; a line leads to the
    run's page, and that one back."""
    store = begin(tmp_path / "a-0001")
    with serving(root=tmp_path) as address, opened(browser, address) as page:
        rows = page.locator(".runs tbody tr")
        rows.nth(0).wait_for()
        assert rows.count() == 1
        mark(page)
        end(store, "t0", 0.5)
        begin(tmp_path / "b-0002", at=2e9).close()
        rows.nth(1).wait_for()
        assert "b-0002" in rows.first.inner_text()
        told(page, "1 of 4")
        assert marked(page)
        page.locator("a[href='/runs/a-0001']").click()
        page.locator(".home").click()
        rows.nth(1).wait_for()
        assert urlsplit(page.url).path == "/"
    store.close()
