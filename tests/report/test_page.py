"""The page, as text: complete, closed to networks, and deaf to hostile texts."""

from __future__ import annotations

import html.parser
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reward_synth.errors import MissingExtraError
from reward_synth.report.data import RunData
from reward_synth.report.page import render_page, write_page
from reward_synth.report.page.sections import SECTIONS, Section, rendered
from reward_synth.report.summary import Summary
from tests.report.example import empty, going, hostile, search, suite

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Outline(html.parser.HTMLParser):
    """Reads tags, and whether each that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("make", [suite, search, going, empty, hostile])
def test_every_tag_is_closed_and_every_name_is_unique(make: object) -> None:
    """Whatever the run holds, the page is well formed, and no id stands twice."""
    assert callable(make)
    outline = Outline(render_page(make()))
    assert outline.open == []
    names = [str(attrs["id"]) for _, attrs in outline.tags if "id" in attrs]
    assert len(names) == len(set(names))
    targets = {str(a["href"])[1:] for t, a in outline.tags if t == "a" and "href" in a}
    assert targets <= set(names)


@pytest.mark.parametrize("make", [suite, hostile])
def test_nothing_is_fetched_and_nothing_inline_runs(make: object) -> None:
    """No tag names another place, and none carries a handler or a style."""
    assert callable(make)
    for tag, attrs in Outline(render_page(make())).tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs)
        for name in ("src", "href"):
            value = attrs.get(name)
            assert value is None or value.startswith(("#", "data:image/", "data:,")), (
                tag
            )


def test_the_policy_forbids_everything_that_is_not_ours() -> None:
    """Scripts and styles run by their fingerprint alone; no connection is allowed."""
    (policy,) = re.findall(
        r'Content-Security-Policy" content="([^"]*)"', render_page(empty())
    )
    assert policy.startswith("default-src &#39;none&#39;")
    assert "unsafe" not in policy
    assert "connect-src" not in policy
    assert policy.count("sha256-") == 5


def test_equal_runs_give_equal_pages() -> None:
    """A page depends on its run alone, so a live page can tell what changed."""
    assert render_page(suite(frames=False)) == render_page(suite(frames=False))


def test_a_changed_note_changes_one_section() -> None:
    """Only the part that tells of a thing changes with it."""
    run = suite(frames=False)
    before = {part.id: part.digest for part in rendered(run, Summary())}
    run = replace(run, notes=("Another note.",))
    after = {part.id: part.digest for part in rendered(run, Summary())}
    assert {name for name in after if after[name] != before[name]} == {"notes"}


def test_a_new_section_is_a_function_and_a_line() -> None:
    """What a section returns stands in the page; None leaves it out."""

    def labels(run: RunData, _: Summary) -> str | None:
        return f"<p>{len(run.tasks)} labels</p>" if run.tasks else None

    sections = (*SECTIONS, Section("labels", "Labels", labels))
    assert rendered(suite(), Summary(), sections)[-1].html == "<p>4 labels</p>"
    assert rendered(empty(), Summary(), sections)[-1].id != "labels"


def test_what_does_not_apply_is_left_out() -> None:
    """A run that has just begun tells its state and its command, and no more."""
    ids = re.findall(r'<section id="([^"]+)"', render_page(empty()))
    assert ids == ["state", "summary", "reproduce"]


def test_the_sections_stand_in_order() -> None:
    """State, verdict, results, all tasks, curves, programs, lineage, cost, command."""
    ids = re.findall(r'<section id="([^"]+)"', render_page(search()))
    assert ids == [item.id for item in SECTIONS if item.id not in {"frames", "notes"}]


def test_failures_are_told() -> None:
    """A training that went wrong stands with its error, and is in no estimate."""
    text = render_page(going())
    assert "3 trainings failed" in text
    assert "loss became NaN" in text


def test_the_winner_has_no_program() -> None:
    """Where the environment's own reward leads, the page says so beside other code."""
    run = suite(frames=False)
    trials = tuple(
        replace(row, status="failed", curve=()) if row.design == "symbolic" else row
        for row in run.trials
    )
    text = render_page(replace(run, trials=trials))
    assert "expert is ahead and has no program" in text


def test_the_leader_of_many_stands_first_and_has_a_colour() -> None:
    """Of twenty designs the best seven have colours and show; the others are grey."""
    text = render_page(search())
    boxes = re.findall(r'name="design"[^>]*?( checked)?>', text)
    assert (boxes.count(" checked"), len(boxes)) == (8, 20)


def test_twice_the_same_name_is_no_trouble() -> None:
    """Unlisted tasks, designs and parents are survived."""
    run = suite(tasks=1, frames=False)
    odd = replace(run.trials[0], task="gone", design="gone")
    ring = [replace(item, parents=(item.digest, "gone")) for item in run.programs]
    render_page(replace(run, trials=(*run.trials, odd), programs=(*ring, *ring)))


def test_the_file_is_the_text(tmp_path: Path) -> None:
    """write_page writes what render_page returns, in UTF-8, also of strange texts."""
    run = replace(hostile(), designs=hostile().designs, title="\u00e9 \ud800")
    write_page(run, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8") == render_page(run)


def test_without_the_extra_the_error_says_what_to_install() -> None:
    """A missing template engine is named with the extra that brings it."""
    code = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from reward_synth.report.page import render_page\n"
        "from tests.report.example import empty\n"
        "render_page(empty())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert MissingExtraError.__name__ in done.stderr
    assert "reward-synth[report]" in done.stderr


def test_importing_loads_neither_templates_nor_charts() -> None:
    """The package and the data of reports load no template engine and no plots."""
    code = (
        "import sys, reward_synth, reward_synth.report\n"
        "print([n for n in ('jinja2', 'matplotlib', 'pygments', 'scipy') "
        "if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_vendored_library_keeps_its_licence() -> None:
    """uPlot stands with its licence and is the file that its release holds."""
    import reward_synth.report.page as package

    folder = Path(str(package.__file__)).parent / "assets/vendor/uplot"
    assert "Leon Sorokin" in (folder / "LICENSE").read_text()
    assert "leeoniya/uPlot (v1.6.32)" in (folder / "uPlot.iife.min.js").read_text()


def test_own_scripts_stay_small() -> None:
    """The page's own scripts are at most 300 lines, without a build step."""
    import reward_synth.report.page as package

    folder = Path(str(package.__file__)).parent / "assets"
    lines = [len(file.read_text().splitlines()) for file in folder.glob("*.js")]
    assert sum(lines) <= 300


def test_frames_do_not_make_the_page_large() -> None:
    """One strip a task and design is shown, as far as a few megabytes reach."""
    run = suite(frames=False)
    strip = "data:image/png;base64," + "A" * 1_000_000
    trials = tuple(replace(row, frames=strip) for row in run.trials)
    text = render_page(replace(run, trials=trials))
    assert text.count("<img ") == 5
    assert "7 strips more were left out" in text
    assert len(text) < 15_000_000


def test_frames_that_are_no_pictures_are_not_shown() -> None:
    """Only addresses that hold a picture become one."""
    assert "<img" not in re.sub(r"&lt;img", "", render_page(hostile()))
