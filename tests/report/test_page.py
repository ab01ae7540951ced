"""The page, as text: complete, closed to networks, and deaf to hostile texts."""

from __future__ import annotations

import html
import html.parser
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reward_synth.errors import MissingExtraError
from reward_synth.report.data import Measured, RunData, TrialData
from reward_synth.report.page import Live, render_page, served_policy, write_page
from reward_synth.report.page.sections import SECTIONS, Section, rendered
from reward_synth.report.summary import Summary
from reward_synth.report.words import MINUS, MISSING
from tests.report.example import TASKS, empty, extras, going, hostile, search, suite

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


def in_section(text: str, name: str) -> str:
    """Return the HTML of one section."""
    found = re.search(rf'<section id="{name}".*?</section>', text, re.DOTALL)
    assert found is not None, name
    return found[0]


def words_of(text: str, name: str) -> str:
    """Return what one section says, without tags."""
    bare = re.sub(r"<script.*?</script>|<svg.*?</svg>", "", in_section(text, name))
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())


def scored(trial: TrialData, success: float) -> Measured:
    """Return a last evaluation that is a little other for each seed."""
    near = success + 0.01 * (trial.seed % 3 - 1)
    at = trial.curve[-1]
    return replace(at, success_any=near, success_last=near)


@pytest.mark.parametrize("make", [suite, search, going, extras, empty, hostile])
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


def test_a_served_page_leaves_the_policy_to_its_header() -> None:
    """It names the server's style and script and its digest; the header's policy is the
    saved page's, and allows this server beside what stands in the page."""
    live = Live("/own.css", "/own.js", 'a"b')
    text = render_page(empty(), live)
    assert "Content-Security-Policy" not in text
    (script,) = [a for t, a in Outline(text).tags if t == "script" and "src" in a]
    assert script == {"src": "/own.js", "data-digest": 'a"b'}
    assert '<link rel="stylesheet" href="/own.css">' in text
    saved = re.findall(r'Policy" content="([^"]*)"', render_page(empty()))[0]
    served = served_policy()
    assert served.replace(" 'self'", "").startswith(html.unescape(saved))
    assert re.findall(r"(\S+-src)[^;]* 'self'", served) == [
        "style-src",
        "script-src",
        "connect-src",
    ]
    assert served.endswith("; connect-src 'self'; frame-ancestors 'none'")


def test_the_page_says_where_the_leader_fails_or_loses() -> None:
    """A line for each task: symbolic wins three with 90 % against 50 %, and loses the
    last with 10 % against 90 %, where it fails in most episodes."""
    run = suite(seeds=6, frames=False)
    last = run.tasks[-1].name
    reached = {"symbolic": (0.9, 0.1), "expert": (0.5, 0.9), "sparse": (0.2, 0.05)}
    trials = tuple(
        replace(row, curve=(scored(row, reached[row.design][row.task == last]),))
        for row in run.trials
    )
    text = words_of(render_page(replace(run, trials=trials)), "summary")
    assert f"symbolic has the highest success on 3; it loses on {last}." in text
    assert f"It fails in most episodes on {last}." in text
    line = rf"{last} loses fails in most episodes 10 % expert 90 % {MINUS}80 \("
    assert re.search(line, text.replace("\xa0", " "))
    assert text.count(" wins ") == 3


def test_a_missing_arm_is_explained_where_it_is_missed() -> None:
    """In the verdict, in what is compared, in the table, and at its curves."""
    text = render_page(extras())
    why = f"expert is left out on {TASKS[1]}: it has no dense reward."
    for section in ("summary", "compared", "results"):
        assert why in words_of(text, section), section
    assert "Not trained here: expert." in words_of(text, "curves")
    no_reason = replace(extras(), notes=("expert is nice.", f"{TASKS[1]}-x expert"))
    said = words_of(render_page(no_reason), "results")
    assert f"expert on {TASKS[1]}: not trained; the run does not say why." in said


def test_every_word_of_the_trade_is_explained_beside_its_use() -> None:
    """The verdict explains what it says, and nothing that it does not say."""
    run = replace(
        suite(frames=False),
        designs=(
            *suite().designs[:2],
            replace(suite().designs[2], about="By screening."),
        ),
    )
    said = re.findall(r"<dt>([^<]*)</dt> <dd>", in_section(render_page(run), "summary"))
    assert said == [
        *("success", "human-normalised score", "IQM", "points", "95 % interval"),
        *("not told apart", "seed"),
        *("dense reward", "screening"),
    ]
    first = in_section(render_page(empty()), "summary")
    assert "<dt>" not in first


def test_curves_say_what_lines_and_bands_are() -> None:
    """Beside each chart: of how many seeds the line is the mean, and what the band is."""
    curves = words_of(render_page(suite(frames=False)), "curves")
    assert curves.count("line: mean of 3 seeds; band: lowest to highest seed") == 4
    assert "is no 95 % interval" in curves
    lone = words_of(render_page(suite(seeds=1, frames=False)), "curves")
    assert "line: mean of 1 seed;" in lone
    assert "One seed has no band" in lone


def test_labels_stand_with_their_origin() -> None:
    """Who gave them, how often each, and how many were asked for in vain."""
    text = words_of(render_page(extras()), "labels")
    assert "Given by: language model (qwen3-coder-30b)." in text
    assert "second 50 50 % first 30 30 % no label 20 20 %" in text
    assert "You find gold. / You are hungry. first" in text


def test_distances_stand_as_a_shaded_table() -> None:
    """Each name from each other; the farthest has the darkest shade, unknown none."""
    text = in_section(render_page(extras()), "distances")
    assert '<td class="n s4">1</td>' in text
    assert '<td class="n s1">0.25</td>' in text
    assert f'<td class="n s0">{MISSING}</td>' in text


def test_audits_tell_failures_first() -> None:
    """Counts, then each check, those that failed on top."""
    text = words_of(render_page(extras()), "audits")
    assert "1 failed, 1 not checked, 1 passed." in text
    places = [
        text.index(name) for name in ("failed expert", "not checked s", "passed s")
    ]
    assert places == sorted(places)


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
    """A run that has just begun tells its state, its designs and its command."""
    ids = re.findall(r'<section id="([^"]+)"', render_page(empty()))
    assert ids == ["state", "summary", "compared", "reproduce"]


def test_the_sections_stand_in_order() -> None:
    """State, verdict, results, all tasks, curves, programs, lineage, cost, command."""
    ids = re.findall(r'<section id="([^"]+)"', render_page(search()))
    gone = {"frames", "labels", "distances", "audits", "notes"}
    assert ids == [item.id for item in SECTIONS if item.id not in gone]


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
