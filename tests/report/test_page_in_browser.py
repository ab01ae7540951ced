"""The page in a real browser: what people see, press and hear."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reward_synth.report.data import (
    DesignData,
    Measured,
    RunData,
    TaskData,
    TrialData,
)
from reward_synth.report.page import render_page, write_page
from tests.report.browser import Opened, chromium
from tests.report.example import extras, going, hostile, search, suite

CONTRAST = """() => {
  const lit = (rgb) => rgb.map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const read = (text) => text.match(/[\\d.]+/g).map(Number);
  const below = (at) => {
    for (; at; at = at.parentElement) {
      const found = read(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  for (const at of document.querySelectorAll("body *")) {
    const own = [...at.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || at.namespaceURI.includes("svg") || !at.checkVisibility()) continue;
    const pair = [lit(read(getComputedStyle(at).color).slice(0, 3)), lit(below(at))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) poor.add(`${at.tagName}.${at.className} ${ratio.toFixed(2)}`);
  }
  return [...poor];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {make.__name__: folder / f"{make.__name__}.html" for make in MAKERS}
    for make in MAKERS:
        write_page(make(), made[make.__name__])
    return made


MAKERS = (suite, search, going, extras, hostile)


@pytest.mark.parametrize("name", [make.__name__ for make in MAKERS])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_opens_quietly(
    browser: Any, files: dict[str, Path], name: str, width: int
) -> None:
    """No errors, no requests but the file, and nothing wider than the window."""
    with Opened(
        browser, files[name].as_uri(), viewport={"width": width, "height": 800}
    ) as it:
        it.page.evaluate("document.querySelector('#curves').scrollIntoView()")
        it.drawn()
        assert it.said == []
        assert [url for url in it.asked if not url.startswith("data:")] == [
            files[name].as_uri()
        ]
        assert it.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["suite", "search", "extras"])
def test_the_tables_of_results_need_no_scrolling(
    browser: Any, files: dict[str, Path], name: str
) -> None:
    """Verdict, tasks and both tables of results fit into the window, from a telephone's
    width on; nothing is cut off."""
    ends = (
        "(all) => all.map((t) => [t.getBoundingClientRect(), !!t.closest('.scroll')])"
        ".map(([b, scrolls]) => [b.left, b.right, scrolls])"
    )
    with Opened(browser, files[name].as_uri()) as it:
        for width in (400, 800, 1024, 1280):
            it.page.set_viewport_size({"width": width, "height": 800})
            tables = it.page.locator(".standings, .tasks, .results")
            found = tables.evaluate_all(ends)
            assert len(found) == 4
            for left, right, scrolls in found:
                assert 0 <= left < right <= width, width
                assert not scrolls


def test_tables_stay_tables_for_a_screen_reader(
    browser: Any, files: dict[str, Path]
) -> None:
    """Where narrow rows are laid out as blocks, rows and heads are still announced."""
    with Opened(
        browser, files["suite"].as_uri(), viewport={"width": 400, "height": 800}
    ) as it:
        told = it.page.locator("table.standings").aria_snapshot()
        assert '- columnheader "Best other design"' in told
        assert '- rowheader "FetchReach-v4"' in told


def test_hostile_texts_do_nothing(browser: Any, files: dict[str, Path]) -> None:
    """Texts of others are shown, and neither run nor make elements."""
    with Opened(browser, files["hostile"].as_uri()) as it:
        it.page.evaluate(
            "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
        )
        it.page.evaluate("document.querySelector('#curves').scrollIntoView()")
        it.drawn()
        assert it.page.evaluate("typeof window.hacked") == "undefined"
        assert it.page.locator("main img, main a[href^='javascript']").count() == 0
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert it.page.evaluate(wide) == 0
        assert it.page.title().startswith("</script></pre></title>")
        assert "{{ 7*7 }}" in it.page.inner_text("h1")


def test_a_script_that_slips_in_does_not_run(
    browser: Any, files: dict[str, Path], tmp_path: Path
) -> None:
    """Even unescaped, a script that is not ours is stopped by the page's policy."""
    path = tmp_path / "slipped.html"
    text = files["suite"].read_text()
    path.write_text(text.replace("<h1>", "<script>window.hacked = 1</script><h1>"))
    with Opened(browser, path.as_uri()) as it:
        assert it.page.evaluate("typeof window.hacked") == "undefined"
        assert any("Content Security Policy" in text for text in it.said)


def test_a_large_run_opens_soon(
    browser: Any, files: dict[str, Path], record_property: Any
) -> None:
    """200 programs and 60 trainings: under 15 MB, and the browser works for less than two
    seconds until the curves are drawn. Its own time counts: others may use the machine."""
    size = files["search"].stat().st_size
    assert size < 15_000_000
    with Opened(browser, "about:blank") as it:
        meter = it.context.new_cdp_session(it.page)
        meter.send("Performance.enable", {"timeDomain": "threadTicks"})
        it.page.goto(files["search"].as_uri())
        it.page.evaluate("document.querySelector('#curves').scrollIntoView()")
        it.drawn()
        found = meter.send("Performance.getMetrics")["metrics"]
        took = {item["name"]: item["value"] for item in found}["ThreadTime"]
        assert it.said == []
    told = f"{size / 1e6:.2f} MB, {1000 * took:.0f} ms"
    record_property("opened", told)
    sys.stderr.write(told + "\n")
    assert 0 < took < 2.0


def test_a_million_points_keep_their_extremes_in_the_page(
    browser: Any, tmp_path: Path
) -> None:
    """Four trainings of 250,000 evaluations: the one at 100 % and the one at 0 % are in
    the data of the band and of the seed, the page is small, and it opens quietly."""
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.2, 0.8, (4, 250_000))
    rates[1, 123_457], rates[2, 77_777] = 1.0, 0.0
    trials = tuple(
        TrialData("T", "a", "sac", seed, 250_000, "ok", curve=curve_of(row))
        for seed, row in enumerate(rates)
    )
    designs = (DesignData("a"),)
    run = RunData("m", "", "c", 0.0, "finished", (TaskData("T"),), designs, trials)
    write_page(run, tmp_path / "million.html")
    assert (tmp_path / "million.html").stat().st_size < 1_000_000
    with Opened(browser, (tmp_path / "million.html").as_uri()) as it:
        it.page.evaluate("document.querySelector('#curves').scrollIntoView()")
        it.drawn()
        assert it.said == []
        data = json.loads(it.page.locator(".plot script").first.text_content())
    found = data["metrics"]["success_any"]
    (band,) = found["bands"]
    assert (max(band["high"]), min(band["low"])) == (1, 0)
    assert (max(found["seeds"][1]["y"]), min(found["seeds"][2]["y"])) == (1, 0)


def curve_of(rates: NDArray[np.float64]) -> tuple[Measured, ...]:
    return tuple(
        Measured(step, rate, rate, 0.0) for step, rate in enumerate(rates.tolist())
    )


def test_the_theme_turns(browser: Any, files: dict[str, Path]) -> None:
    """The button goes from the system's theme to light, dark, and back; it is kept."""
    with Opened(browser, files["suite"].as_uri(), color_scheme="dark") as it:
        page = it.page

        def ground() -> str:
            return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

        assert ground() == "rgb(20, 23, 28)"
        page.click("#theme")
        assert ground() == "rgb(255, 255, 255)"
        assert page.inner_text("#theme") == "Theme: light"
        page.click("#theme")
        assert ground() == "rgb(20, 23, 28)"
        page.reload()
        assert page.inner_text("#theme") == "Theme: dark"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["suite", "going", "search", "extras"])
def test_every_text_can_be_read(
    browser: Any, files: dict[str, Path], name: str, scheme: str
) -> None:
    """Text has at least the contrast 4.5 to what lies below it, in both themes."""
    with Opened(browser, files[name].as_uri(), color_scheme=scheme) as it:
        assert it.page.evaluate(CONTRAST) == []


def test_the_measure_can_be_chosen(browser: Any, files: dict[str, Path]) -> None:
    """Another measure changes what the readout, and the printed chart, says."""
    with Opened(browser, files["suite"].as_uri()) as it:
        curves = it.page.locator(".curves").first
        curves.scroll_into_view_if_needed()
        it.drawn()
        before = curves.locator(".readout").inner_text()
        assert before.startswith("At 200 k steps:")
        assert before.count("%") == 3
        it.page.check("#metric-env_return")
        assert "%" not in curves.locator(".readout").inner_text()
        shown = curves.locator(".static:not([hidden])")
        assert shown.get_attribute("data-metric") == "env_return"


def test_designs_and_seeds_can_be_switched(
    browser: Any, files: dict[str, Path]
) -> None:
    """A design that is switched off leaves chart, readout and print; seeds can show."""
    with Opened(browser, files["suite"].as_uri()) as it:
        page, curves = it.page, it.page.locator(".curves").first
        curves.scroll_into_view_if_needed()
        it.drawn()
        with_all = inked(curves)
        page.uncheck("#design-1")
        assert "expert" not in curves.locator(".readout").inner_text()
        assert "off" in str(
            curves.locator("g[data-design='1']").first.get_attribute("class")
        )
        assert inked(curves) < with_all
        page.check("#design-1")
        page.check("#seeds")
        assert inked(curves) > with_all


def inked(curves: Any) -> int:
    """Count the pixels of a chart that are not empty, once it has been drawn."""
    curves.page.wait_for_timeout(100)
    return int(
        curves.locator("canvas").evaluate(
            "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
            ".reduce((sum, v, i) => sum + (i % 4 === 3 ? v : 0), 0)"
        )
    )


def test_hovering_reads_values(browser: Any, files: dict[str, Path]) -> None:
    """Where the pointer is, the readout tells step and values."""
    with Opened(browser, files["suite"].as_uri()) as it:
        curves = it.page.locator(".curves").first
        curves.scroll_into_view_if_needed()
        it.drawn()
        box = curves.locator(".u-over").bounding_box()
        it.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
        it.page.wait_for_timeout(100)
        assert curves.locator(".readout").inner_text().startswith("At 97.4 k steps:")


def test_everything_works_by_keyboard(browser: Any, files: dict[str, Path]) -> None:
    """Tab reaches the skip link first, then theme, links, choices, charts, programs."""
    with Opened(browser, files["suite"].as_uri()) as it:
        page = it.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        seen = []
        for _ in range(90):
            page.keyboard.press("Tab")
            seen.append(
                page.evaluate(
                    "document.activeElement.id || document.activeElement.tagName"
                )
            )
        wanted = [
            "theme",
            "metric-success_any",
            "design-0",
            "seeds",
            "plot-0",
            "plot-3",
        ]
        places = [seen.index(name) for name in wanted]
        assert places == sorted(places)
        assert "SUMMARY" in seen
        page.focus("#plot-0")
        page.keyboard.press("Home")
        readout = page.locator(".readout").first
        assert readout.inner_text().startswith("At 0 steps:")
        page.keyboard.press("ArrowRight")
        assert not readout.inner_text().startswith("At 0 steps:")


def test_a_screen_reader_hears_the_structure(
    browser: Any, files: dict[str, Path]
) -> None:
    """Landmarks, one first heading, no skipped level, named charts, captioned tables."""
    with Opened(browser, files["suite"].as_uri()) as it:
        page = it.page
        assert page.locator("header, nav, main").count() == 3
        assert (
            page.locator("nav[aria-label], main section[aria-labelledby]").count() > 5
        )
        levels = page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1])"
        )
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b - a <= 1 for a, b in pairwise(levels))
        for svg in page.locator("svg.chart").all():
            assert svg.get_attribute("role") == "img"
            assert svg.get_attribute("aria-label")
        tables = page.locator("table").count()
        assert page.locator("table > caption").count() == tables
        figures = page.locator("#curves figure").count()
        assert page.locator("#curves figure details table").count() == 3 * figures


def test_print_shows_every_section(browser: Any, files: dict[str, Path]) -> None:
    """On paper all sections stand, in light colours, with charts that scale."""
    with Opened(browser, files["suite"].as_uri(), color_scheme="dark") as it:
        page = it.page
        page.locator("#curves").scroll_into_view_if_needed()
        it.drawn()
        page.emulate_media(media="print")
        for section in page.locator("main > section").all():
            assert section.is_visible()
        assert page.locator("#curves .static:not([hidden]) svg").first.is_visible()
        assert not page.locator("canvas").first.is_visible()
        assert not page.locator("nav").is_visible()
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"


def test_on_paper_designs_are_named_and_chosen_programs_unfolded(
    browser: Any, files: dict[str, Path]
) -> None:
    """Each chart has its own key, as switches and readouts are not printed; programs that
    were chosen are unfolded while printing, and folded again after it."""
    with Opened(browser, files["suite"].as_uri()) as it:
        page = it.page
        key = page.locator("#curves .printed").first
        code = page.locator("#programs pre")
        shown = "(all) => all.filter((item) => item.checkVisibility()).length"
        assert not key.is_visible()
        assert code.evaluate_all(shown) == 1
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert key.inner_text().split() == ["sparse", "expert", "symbolic"]
        assert code.evaluate_all(shown) == len(suite().programs)
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert code.evaluate_all(shown) == 1


def test_copying_gives_the_program(browser: Any, files: dict[str, Path]) -> None:
    """The copied text is the program's own, without numbers or findings."""
    rights = ["clipboard-read", "clipboard-write"]
    with Opened(browser, files["suite"].as_uri(), permissions=rights) as it:
        button = it.page.locator("#programs button.copy").first
        button.click()
        it.page.locator("#said", has_text="Copied").wait_for(state="attached")
        text = it.page.evaluate("navigator.clipboard.readText()")
    sources = [item.source.rstrip("\n") for item in suite(frames=False).programs]
    assert text in sources


def test_a_link_opens_what_it_leads_to(browser: Any, files: dict[str, Path]) -> None:
    """A program in folded parts opens when the lineage's link is followed."""
    with Opened(browser, files["search"].as_uri()) as it:
        link = it.page.locator("#lineage ol.line a").first
        name = str(link.get_attribute("href"))
        assert not it.page.locator(name).is_visible()
        link.click()
        it.page.locator(f"{name}[open]").wait_for()
        assert it.page.locator(f"{name} pre").first.is_visible()


def test_without_scripts_the_charts_stand(browser: Any, files: dict[str, Path]) -> None:
    """Where scripts are off, curves, tables and programs are there all the same."""
    with Opened(browser, files["suite"].as_uri(), java_script_enabled=False) as it:
        assert it.page.locator("#curves .static:not([hidden]) svg").first.is_visible()
        assert it.page.locator("#programs pre").first.is_visible()


def test_refreshing_keeps_what_the_reader_does(
    browser: Any, files: dict[str, Path]
) -> None:
    """A newer page replaces changed sections; folds, choices, focus and place stay."""
    newer = replace(suite(), notes=("Newer.",), title="Newer title")
    trial = replace(newer.trials[0], curve=newer.trials[0].curve[:20])
    newer = replace(newer, trials=(trial, *newer.trials[1:]))
    with Opened(
        browser, files["suite"].as_uri(), viewport={"width": 1200, "height": 700}
    ) as it:
        page = it.page
        page.locator("#curves").scroll_into_view_if_needed()
        it.drawn()
        page.check("#metric-success_last")
        page.uncheck("#design-0")
        page.locator("#curves details summary").first.click()
        page.focus("#seeds")
        page.evaluate("window.kept = document.querySelector('#programs')")
        before = page.locator("#curves").bounding_box()["y"]
        changed = page.evaluate(f"report.refresh({json.dumps(render_page(newer))})")
        it.drawn()
        assert {"curves", "notes", "results"} <= set(changed)
        assert "reproduce" not in changed
        assert page.evaluate("window.kept.isConnected")
        assert page.evaluate("document.activeElement.id") == "seeds"
        assert page.is_checked("#metric-success_last")
        assert not page.is_checked("#design-0")
        assert page.locator("#curves details").first.get_attribute("open") is not None
        assert abs(page.locator("#curves").bounding_box()["y"] - before) < 2
        assert page.title() == "Newer title"
        assert page.inner_text("#notes li") == "Newer."
        assert it.said == []


def test_refreshing_adds_and_removes_sections(
    browser: Any, files: dict[str, Path]
) -> None:
    """Sections that come or go take their place in page and contents."""
    run = suite()
    with Opened(browser, files["suite"].as_uri()) as it:
        page = it.page
        ids = "[...document.querySelectorAll('main > section')].map((s) => s.id)"
        before = page.evaluate(ids)
        fewer = render_page(replace(run, notes=(), programs=()))
        page.evaluate(f"report.refresh({json.dumps(fewer)})")
        assert page.evaluate(ids) == [
            x for x in before if x not in {"notes", "programs"}
        ]
        assert page.locator("nav a").count() == len(before) - 2
        page.evaluate(f"report.refresh({json.dumps(render_page(run))})")
        assert page.evaluate(ids) == before
