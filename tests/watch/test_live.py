"""Pages in a real browser: they follow the run, and the reader loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.watch.browser import Tab, browser
from tests.watch.tools import Visitor, begin, end, go_on, serving

LIVE = "document.getElementById('live')?.textContent"
BODY = "document.body.innerText"


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with browser() as tab:
        yield tab


@pytest.fixture(autouse=True)
def quiet_page(tab: Tab) -> Iterator[None]:
    """No page does what its policy forbids, and none has an error."""
    yield
    assert tab.run("window.wrong") == []


def test_a_training_that_ends_changes_the_table(tab: Tab, tmp_path: Path) -> None:
    """The page changes without a reload; what the reader opened and focused stays so,
    and the charts of the newer page are drawn."""
    store = begin(tmp_path / "a", programs=3)
    end(store, "t0", 0.25)
    with serving(tmp_path / "a") as address:
        tab.open(address)
        tab.wait(f"{LIVE} === 'live'")
        assert urlsplit(tab.run("location.href")).query == ""
        tab.run("window.mark = 'kept'")
        fold = "document.querySelector('details[data-key=\"others\"]')"
        tab.run(f"{fold}.open = true; {fold}.querySelector('summary').focus()")
        tab.run("document.getElementById('curves').scrollIntoView()")
        tab.wait("document.querySelector('.plot.live canvas')")
        assert "1 of 4 trainings" in tab.run(BODY)
        table = "document.querySelector('.results').innerText"
        assert "88 %" not in tab.run(table)

        end(store, "t1", 0.875)
        go_on(tmp_path / "a", "t2", 0.5)
        tab.wait(f"{table}.includes('88 %')")
        assert "2 of 4 trainings" in tab.run(BODY)
        assert tab.run("window.mark") == "kept"
        assert tab.run(f"{fold}.open") is True
        assert tab.run(f"document.activeElement === {fold}.querySelector('summary')")
        tab.wait("document.querySelector('.plot.live canvas')")
    store.close()


def test_a_page_stops_asking_once_the_run_is_finished(tab: Tab, tmp_path: Path) -> None:
    """When the last training ends the page says finished and asks no more."""
    store = begin(tmp_path / "a", trainings=1)
    with serving(tmp_path / "a") as address:
        tab.open(address)
        tab.wait(f"{LIVE} === 'live'")
        end(store, "t0", 0.5)
        store.close()
        tab.wait(f"{LIVE} === 'finished'")
        asked = "performance.getEntriesByType('resource').length"
        before = tab.run(asked)
        tab.sleep(3)
        assert tab.run(asked) == before
    assert tab.run(LIVE) == "finished"


def test_a_page_outlives_the_server(tab: Tab, tmp_path: Path) -> None:
    """Without the server the page stays and says disconnected; it says why when a new
    server does not know it, and goes on once the new address was opened."""
    store = begin(tmp_path / "a")
    with serving(tmp_path / "a") as address:
        port = Visitor(address).port
        tab.open(address)
        tab.wait(f"{LIVE} === 'live'")
        tab.run("window.mark = 'kept'")
    tab.wait(f"{LIVE}.startsWith('disconnected')")
    assert "0 of 4 trainings" in tab.run(BODY)
    end(store, "t0", 0.5)
    with serving(tmp_path / "a", port=port) as address:
        tab.wait(f"{LIVE}.includes('started anew')")
        assert "0 of 4 trainings" in tab.run(BODY)
        tab.run(f"fetch('/?token={Visitor(address).token}') && 0")
        tab.wait(f"{LIVE} === 'live' && {BODY}.includes('1 of 4 trainings')")
        assert tab.run("window.mark") == "kept"
    store.close()


def test_a_page_outlives_its_folder(tab: Tab, tmp_path: Path) -> None:
    """A run that cannot be read leaves what was told and adds the reason; a page that
    began with the reason becomes the run's once it can be read."""
    begin(tmp_path / "a").close()
    with serving(tmp_path / "a") as address:
        tab.open(address)
        tab.wait(f"{LIVE} === 'live'")
        (tmp_path / "a").rename(tmp_path / "away")
        tab.wait(f"{LIVE}.includes('holds no run')")
        assert "0 of 4 trainings" in tab.run(BODY)
        tab.run("location.reload()")
        tab.wait(f"document.getElementById('trouble') && {LIVE} === 'not readable'")
        (tmp_path / "away").rename(tmp_path / "a")
        tab.wait(f"{LIVE} === 'live' && {BODY}.includes('0 of 4 trainings')")


def test_the_list_follows_its_runs(tab: Tab, tmp_path: Path) -> None:
    """New runs and new results appear in the list without a reload; a line leads to the
    run's page, and that one back."""
    store = begin(tmp_path / "a-0001")
    with serving(root=tmp_path) as address:
        tab.open(address)
        tab.wait("document.querySelectorAll('.runs tbody tr').length === 1")
        tab.run("window.mark = 'kept'")
        end(store, "t0", 0.5)
        begin(tmp_path / "b-0002", at=2e9).close()
        tab.wait("document.querySelectorAll('.runs tbody tr').length === 2")
        first = "document.querySelector('.runs tbody tr').innerText"
        assert "b-0002" in tab.run(first)
        tab.wait(f"{BODY}.includes('1 of 4')")
        assert tab.run("window.mark") == "kept"
        tab.run("document.querySelector('a[href=\"/runs/a-0001\"]').click()")
        tab.wait(
            "location.pathname === '/runs/a-0001' && document.querySelector('.home')"
        )
        tab.run("document.querySelector('.home').click()")
        tab.wait("location.pathname === '/' && document.querySelector('.runs')")
    store.close()
