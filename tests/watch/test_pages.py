"""What the pages tell, and what they tell of runs that cannot be read."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from pathlib import Path

import pytest

from reward_synth.errors import UsageError
from reward_synth.report import RunData
from reward_synth.report.runs import PLAN
from reward_synth.store import RunStore
from reward_synth.watch import live, pages, server
from reward_synth.watch.pages import Page
from reward_synth.watch.watched import Watched
from tests.watch.tools import Visitor, begin, end, go_on, serving

ROW = re.compile(r"<tr><th scope=\"row\">.*?</tr>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")


def rows(visitor: Visitor) -> list[str]:
    """Return the text of each line of the list."""
    found = ROW.findall(visitor.ask("/").text)
    return [" ".join(TAG.sub(" ", item).split()) for item in found]


def told(visitor: Visitor, path: str) -> str:
    return " ".join(TAG.sub(" ", visitor.ask(path).text).split())


def test_the_list_tells_every_run_the_newest_first(visitor: Visitor) -> None:
    """Name, title, state, progress, start and the best so far; a run that cannot be read
    is there with the reason; folders that hold no run are not."""
    new, old, broken = rows(visitor)
    assert new == (
        "new-0001 Run new-0001 running 1 of 4, 1 failed "
        "2004-11-09 11:33 UTC sparse: 50 % success"
    )
    assert old == (
        "old-0001 Run old-0001 finished 2 of 2 2001-09-09 01:46 UTC hand: 75 % success"
    )
    assert broken.startswith("broken-0001 ")
    assert "no run file, or it is damaged" in broken


def test_a_run_has_the_page_of_its_report(visitor: Visitor) -> None:
    """The page is the report's own, with the state of every training."""
    text = told(visitor, "/runs/new-0001")
    for said in ("Run new-0001", "1 of 4 trainings finished", "1 crashed", "Lineage"):
        assert (said in text) is (said != "Lineage"), said
    assert visitor.ask("/runs/new-0001", "HEAD").body == b""


@pytest.mark.parametrize("path", ["/", "/runs/new-0001"])
def test_an_unchanged_page_is_not_sent_again(visitor: Visitor, path: str) -> None:
    """Who names the page it has gets 304 and nothing else; another name gets the page."""
    tag = visitor.ask(path).headers["ETag"]
    same = visitor.ask(path, If_None_Match=tag)
    assert (same.status, same.body) == (304, b"")
    assert visitor.ask(path, If_None_Match='"other"').status == 200


def test_scripts_and_styles_have_their_types(visitor: Visitor) -> None:
    """Browsers take scripts and styles only under their own types."""
    for path, kind in {
        "/live.js": "text/javascript",
        "/page.js": "text/javascript",
        "/page.css": "text/css",
        "/watch.css": "text/css",
    }.items():
        answer = visitor.ask(path)
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.text


def test_changes_are_seen_at_once(tmp_path: Path) -> None:
    """A finished training, a step of a running one and the end of the process each
    change the page, the list and their names; a new run appears in the list."""
    folder = tmp_path / "a-0001"
    store = begin(folder, trainings=2)
    with serving(root=tmp_path) as address:
        visitor = Visitor(address).come_in()
        seen = set()

        def changed() -> None:
            for path in ("/", "/runs/a-0001"):
                tag = visitor.ask(path).headers["ETag"]
                assert (path, tag) not in seen
                seen.add((path, tag))

        changed()
        end(store, "t0", 0.5)
        changed()
        assert "1 of 2 trainings finished" in told(visitor, "/runs/a-0001")
        go_on(folder, "t1", 1.0)
        changed()
        assert "1 running" in told(visitor, "/runs/a-0001")
        assert "hand: 100 % success" in rows(visitor)[0]
        store.close()
        changed()
        assert "stopped" in rows(visitor)[0]
        begin(tmp_path / "b-0002", at=2e9).close()
        assert [row.split()[0] for row in rows(visitor)] == ["b-0002", "a-0001"]


def test_without_runs_the_list_waits_for_them(tmp_path: Path) -> None:
    """A root that is not there yet is no error."""
    with serving(root=tmp_path / "later") as address:
        visitor = Visitor(address).come_in()
        assert "No run in" in told(visitor, "/")
        begin(tmp_path / "later" / "a").close()
        assert len(rows(visitor)) == 1


def test_a_run_that_vanishes_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A folder that goes and comes back takes neither the server nor the page along."""
    for name in ("a", "b"):
        begin(tmp_path / name).close()
    with serving(tmp_path / "a") as address:
        visitor = Visitor(address).come_in()
        tag = visitor.ask("/runs/a").headers["ETag"]
        (tmp_path / "a").rename(tmp_path / "away")
        gone = visitor.ask("/runs/a", If_None_Match=tag)
        assert gone.status == 503
        assert f"{tmp_path / 'a'} holds no run" in gone.text
        assert "holds no run" in rows(visitor)[0]
        (tmp_path / "away").rename(tmp_path / "a")
        assert visitor.ask("/runs/a").status == 200
    with serving(root=tmp_path) as address:
        visitor = Visitor(address).come_in()
        assert visitor.ask("/runs/b").status == 200
        shutil.rmtree(tmp_path / "b")
        assert visitor.ask("/runs/b").status == 404
        assert "There is no run" in told(visitor, "/runs/b")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (PLAN, '{"title": "half a pl'),
        (PLAN, "[1]"),
        ("run.sqlite", "no database"),
        ("run.sqlite", ""),
        ("trials/t0/evaluations.jsonl", "{no JSON}\n"),
        ("trials/t0/progress.json", "{}"),
        ("trials/t0/failed.json", "{}"),
    ],
)
def test_damaged_files_are_told_in_a_sentence(
    tmp_path: Path, name: str, text: str
) -> None:
    """Whatever a file holds, the server answers: with the page or with what is wrong,
    and with the page again once the file is whole."""
    whole, spoilt = tmp_path / "whole", tmp_path / "spoilt"
    begin(whole).close()
    go_on(whole, "t0", 0.5)
    shutil.copytree(whole, spoilt)
    (spoilt / "lock").write_text(f"{os.getpid()}\n")  # it is going on
    file = spoilt / name
    before = file.read_bytes() if file.exists() else None
    file.write_text(text)
    with serving(root=tmp_path) as address:
        visitor = Visitor(address).come_in()
        answer = visitor.ask("/runs/spoilt")
        # A training's own file may also be passed over.
        assert answer.status in {503, 200 if "/" in name else 503}
        assert ('id="trouble"' in answer.text) is (answer.status == 503)
        assert len(rows(visitor)) == 2
        assert visitor.ask("/runs/whole").status == 200
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)
        assert visitor.ask("/runs/spoilt").status == 200


def test_names_and_titles_are_text(tmp_path: Path) -> None:
    """A folder's name and a run's title are neither code nor addresses of others."""
    name = "<img src=x onerror=alert(1)>?a#b%20 \u00e9"
    begin(tmp_path / name).close()
    with serving(tmp_path / name) as address:
        visitor = Visitor(address)
        assert visitor.path.startswith("/runs/%3Cimg")
        answer = visitor.ask(f"{visitor.path}?token={visitor.token}")
        assert answer.headers["Location"] == visitor.path
        visitor.come_in()
        assert "<img" not in visitor.ask(visitor.path).text
        assert "<img" not in visitor.ask("/").text


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Folders of one name in two places get two ids; a folder given twice is one run."""
    folders = [tmp_path / place / "run" for place in "ab"]
    for folder in folders:
        begin(folder).close()
    watched = Watched([*folders, folders[0]])
    assert {name: run.folder for name, run in watched.runs().items()} == {
        "run": folders[0],
        "run-2": folders[1],
    }


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    """A misspelled run is told before anything is served."""
    with pytest.raises(UsageError, match="holds no run"):
        Watched([tmp_path / "missing"])


def test_a_large_page_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the page of 200 programs is made, other pages come; it is made once."""
    titles: list[str] = []

    def counted(run: RunData, digest: str) -> Page:
        titles.append(run.title)
        return pages.run_page(run, digest)

    monkeypatch.setattr(live, "run_page", counted)
    begin(tmp_path / "large", programs=200).close()
    begin(tmp_path / "small").close()
    with serving(root=tmp_path) as address:
        visitor = Visitor(address).come_in()
        visitor.ask("/runs/small")
        made = threading.Event()

        def ask() -> None:
            visitor.ask("/runs/large")
            made.set()

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.02)
        assert visitor.ask("/runs/small").status == 200
        assert not made.is_set()
        thread.join()
        assert visitor.ask("/runs/large").text.count("Pays little.") >= 200
        assert titles == ["Run small", "Run large"]


def test_a_page_that_cannot_be_made_is_told_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Faults of ours end neither the server nor other pages, and print no traceback."""

    def broken(*_: object) -> Page:
        raise ZeroDivisionError("no\nnumber")

    begin(tmp_path / "a").close()
    begin(tmp_path / "b").close()
    with serving(root=tmp_path) as address:
        visitor = Visitor(address).come_in()
        tag = visitor.ask("/runs/a").headers["ETag"]
        with monkeypatch.context() as patch:
            patch.setattr(live, "run_page", broken)
            answer = visitor.ask("/runs/b")
            assert answer.status == 503
            assert "cannot be read now (ZeroDivisionError: no number)." in answer.text
            patch.setattr(server, "list_page", broken)
            answer = visitor.ask("/")
            assert answer.status == 500
            assert answer.text == "ZeroDivisionError: no number\n"
            assert visitor.ask("/runs/a", If_None_Match=tag).status == 304
        assert visitor.ask("/").status == visitor.ask("/runs/b").status == 200
    assert capfd.readouterr() == ("", "")


def test_reading_disturbs_no_writer(tmp_path: Path) -> None:
    """While pages are asked for again and again, a run records all that it measures, and
    every page is whole."""
    store = begin(tmp_path / "a", trainings=40)
    with serving(root=tmp_path) as address:
        visitor = Visitor(address).come_in()
        over = threading.Event()
        statuses: list[int] = []

        def ask() -> None:
            while not over.is_set():
                statuses.append(visitor.ask("/runs/a").status)

        thread = threading.Thread(target=ask)
        thread.start()
        for number in range(40):
            go_on(tmp_path / "a", f"t{number}", 0.5)
            end(store, f"t{number}", 0.5)
        over.set()
        thread.join()
        assert set(statuses) == {200}
        store.close()
        assert "All is done: 40 of 40 trainings" in told(visitor, "/runs/a")
    with RunStore.open(tmp_path / "a", {}) as store:
        assert len(list(store.trials())) == 40
