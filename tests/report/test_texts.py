"""Reports in other forms: Markdown, JSON, a picture, and the words in all of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.report.data import FindingData, ProgramData, RunData
from reward_synth.report.image import write_png
from reward_synth.report.page.lineage import chart, lineage
from reward_synth.report.page.programs import changes, coloured, listing
from reward_synth.report.page.shares import all_shares
from reward_synth.report.page.svg import ticks
from reward_synth.report.page.tree import nested
from reward_synth.report.plain import plain
from reward_synth.report.texts import as_json, as_markdown, fenced
from tests.report.example import empty, extras, going, hostile, search, suite

PNG = b"\x89PNG\r\n"
DIGESTS = st.sampled_from("abcdefgh")


def test_markdown_tells_verdict_table_program_and_command() -> None:
    """A reader of the Markdown has the same five answers as one of the page."""
    run = suite(frames=False)
    text = as_markdown(run)
    assert "is ahead, but not surely" in text
    assert "Of 4 tasks, expert has the highest success on" in text
    assert "| PickCube-v1 | symbolic | 3 |" in text
    assert run.programs[0].source.rstrip() in text
    assert run.command in text
    assert "- torch: 2.8.0" in text


def test_markdown_of_hostile_texts_holds_no_markup() -> None:
    """Outside of blocks of code no tag opens."""
    blocks = as_markdown(hostile()).split("```")
    assert len(blocks) > 2
    assert "<script" not in "".join(blocks[::2])


def test_a_fence_is_longer_than_those_within() -> None:
    """Code that holds a fence does not end its block."""
    assert fenced("a\n````\nb", "").splitlines()[0] == "`````"


@pytest.mark.parametrize("make", [suite, going, empty, hostile])
def test_json_holds_the_run_and_what_it_comes_to(make: object) -> None:
    """The run can be made again from the JSON, which every reader of JSON accepts."""
    assert callable(make)
    text = as_json(make())
    data = json.loads(text, parse_constant=pytest.fail)
    assert data["run"]["command"] == make().command
    assert len(data["summary"]["cells"]) == len(
        {(x.task, x.design) for x in make().trials}
    )


def test_a_run_comes_back_from_json() -> None:
    """What JSON holds is the run itself, where all numbers are finite."""
    run = suite(tasks=1, frames=False)
    assert RunData.from_dict(json.loads(as_json(run))["run"]) == run


def test_labels_distances_and_audits_come_back_from_json() -> None:
    """Unknown distances too; JSON that was written without them has none."""
    data = json.loads(as_json(extras()))["run"]
    back = RunData.from_dict(data)
    assert (back.labels, back.audits) == (extras().labels, extras().audits)
    assert str(back.distances) == str(extras().distances)  # NaN equals nothing
    for name in ("labels", "distances", "audits"):
        del data[name]
    assert RunData.from_dict(data).audits == ()


@pytest.mark.parametrize("make", [suite, search, empty, hostile])
def test_the_picture_is_drawn(make: object, tmp_path: Path) -> None:
    """Any run gives a picture, also without a task or with strange names."""
    assert callable(make)
    write_png(make(), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(PNG)


def test_the_picture_has_a_chart_a_task_and_names_each_design() -> None:
    """Four tasks are four charts, and the legend names every design once."""
    from reward_synth.report.image import drawn

    figure = drawn(suite(frames=False), "success_any")
    assert [axes.get_visible() for axes in figure.axes] == [True] * 4
    (legend,) = figure.legends
    assert [item.get_text() for item in legend.get_texts()] == [
        "sparse",
        "expert",
        "symbolic",
    ]
    (many,) = drawn(search(), "success_any").legends
    colours = [line.get_color() for line in many.get_lines()]
    assert len(colours) == len(set(colours)) == 8
    odd = drawn(suite(tasks=5, frames=False), "env_return")
    assert [axes.get_visible() for axes in odd.axes] == [True] * 5 + [False]


@given(st.lists(st.tuples(DIGESTS, st.lists(DIGESTS, max_size=3)), max_size=8))
def test_every_program_stands_once_in_its_lineage(
    rows: list[tuple[str, list[str]]],
) -> None:
    """Rings, lost parents and doubles included, each digest is there once."""
    programs = [
        ProgramData(a, "", parents=tuple(b), scores={"s": 1.0}) for a, b in rows
    ]
    nodes = lineage(programs)
    assert sorted(node.program.digest for node in nodes) == sorted({a for a, _ in rows})
    text = nested(nodes)
    assert text.count("<li>") == text.count("</li>") == len(nodes)
    assert text.count("<ul>") == text.count("</ul>")
    assert (chart(nodes) is None) == (not rows)


def test_a_long_line_of_descent_is_survived() -> None:
    """A thousand generations nest no deeper than a browser can hold."""
    chain = [ProgramData(str(i), "", parents=(str(i - 1),)) for i in range(1000)]
    text = nested(lineage(chain))
    assert text.count("<li>") == 1000
    assert text.count("<ul>") < 100


@given(st.text())
def test_colours_change_no_program(source: str) -> None:
    """Without its markup, a coloured program is the program."""
    got = "\n".join(line.striptags() for line in coloured("x"))
    assert got == "x"
    lines = [line.unescape() for line in coloured(plain(source))]
    bare = "\n".join(_without_spans(line) for line in lines)
    assert bare == plain(source)


def _without_spans(text: str) -> str:
    import re

    return re.sub(r'<span class="t[cskntfb]">|</span>', "", text)


@given(st.text(), st.text())
def test_a_change_counts_its_lines(old: str, new: str) -> None:
    """As many lines are added less removed as the child is longer than its parent."""
    known = {"a": ProgramData("a", old), "b": ProgramData("b", new, parents=("a",))}
    (change,) = changes(known["b"], known)
    grown = len(new.splitlines()) - len(old.splitlines())
    assert change.added - change.cut == grown


@given(st.text())
def test_plain_text_hides_nothing(text: str) -> None:
    """Nothing turns the direction or is invisible; plain text stays as it is."""
    got = plain(text)
    assert not set(got) & set("\x00\u202e\u2066\u200b\ufeff")
    assert plain(got) == got
    if text.isascii() and text.isprintable():
        assert got == text


def test_findings_stand_at_their_lines() -> None:
    """A finding of line 2 stands beside line 2."""
    found = (FindingData("error", "no", 2), FindingData("note", "all"))
    rows = listing(ProgramData("a", "x = 1\ny = 2", findings=found))
    assert [[item.text for item in row.findings] for row in rows] == [[], ["no"]]


def test_shares_add_up() -> None:
    """At every step the components' shares are the whole, or nothing was paid."""
    for item in all_shares(suite(frames=False)):
        assert all(abs(total - 1.0) < 1e-9 for total in item.parts.sum(axis=0))
    silent = replace(suite(tasks=1, designs=1, frames=False))
    assert all_shares(silent) == []


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_few_and_within(low: float, width: float) -> None:
    """Gridlines stand within the chart, and never in a crowd."""
    got = ticks(low, low + width)
    assert len(got) <= 7
    room = 1e-6 * max(abs(low), width) + 1e-9
    assert all(low - room <= tick <= low + width + room for tick in got)
