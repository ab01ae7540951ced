"""Pictures of rewards as files, from Python and from the command line."""

from __future__ import annotations

import html
import html.parser
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_synth.report.plots_data import (
    Axis,
    Made,
    Map,
    RewardPlots,
    Story,
)
from reward_synth.report.plots_draw import as_png
from reward_synth.report.plots_files import write_plots
from tests.cli.tools import CAR, CAR_PROGRAM, Cli
from tests.report.browser import Opened, chromium

NEAR = """import numpy as np


def compute_reward(agent_pos, goal_pos):
    return {"near": -np.linalg.norm(agent_pos - goal_pos)}
"""
SIGNATURE = b"\x89PNG\r\n\x1a\n"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


def png_size(path: Path) -> tuple[int, int]:
    """Return width and height as the file's header tells them."""
    data = path.read_bytes()
    assert data[:8] == SIGNATURE
    assert data[12:16] == b"IHDR"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def made() -> RewardPlots:
    """Return small pictures with hostile names."""
    xs, flat = np.arange(2.0), np.array([[0.0, 1.0], [2.0, np.nan]])
    one = Map(EVIL, xs, xs, flat, np.nan_to_num(np.gradient(flat)))
    story = Story(
        "held", 3, True, (EVIL, "b"), np.ones((2, 4)), np.zeros(4), np.ones(4)
    )
    axes = (Axis(EVIL, 0.0, 1.0), Axis("y", 0.0, 1.0, "m"))
    maps = (one, one, one)
    held = {"z": [1.0, 2.0]}
    return RewardPlots(
        EVIL, "E-v0", "add", *axes, held, maps, flat > 0, maps, story, (EVIL,)
    )


class Reader(html.parser.HTMLParser):
    """Collects every address that a page names, and its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "srcset", "xlink:href"):
                self.addresses.append(value or "")
            if name.startswith("on") or name == "style":
                self.inline.append(name)


def test_our_images_are_png_files(tmp_path: Path) -> None:
    """Matplotlib reads back, pixel for pixel, what the page's encoder writes."""
    image = pytest.importorskip("matplotlib.image")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 4)).astype(np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(as_png(pixels))
    assert png_size(path) == (5, 3)
    assert (
        np.rint(255 * image.imread(path)).astype(np.uint8).tolist() == pixels.tolist()
    )


def test_a_png_has_a_panel_for_each_picture(tmp_path: Path) -> None:
    """Three maps, three of blending and two along an episode: three rows of three panels
    of 4.6 x 3.6 inches and 0.4 for the title, at 150 dots an inch."""
    pytest.importorskip("matplotlib")
    write_plots(made(), tmp_path / "a.png")
    assert png_size(tmp_path / "a.png") == (2070, 1680)


def test_a_page_loads_nothing_and_escapes_everything(tmp_path: Path) -> None:
    """Every address is within the page or is data; hostile names stay texts; the same
    data gives the same page; the policy forbids all else."""
    how = Made(f"reward_synth plot {EVIL}", 0.0, {"python": "3"})
    write_plots(made(), tmp_path / "a.html", how)
    write_plots(made(), tmp_path / "b.html", how)
    text = (tmp_path / "a.html").read_text()
    assert text == (tmp_path / "b.html").read_text()
    assert EVIL not in text
    read = Reader(text)
    assert read.tags.count("script") == 1
    assert read.inline == []
    assert read.tags.count("image") == 12  # a picture and its colours, six times
    assert all(re.match(r"#|data:", address) for address in read.addresses)
    assert "default-src 'none'" in html.unescape(text)


def test_a_browser_shows_the_page(tmp_path: Path) -> None:
    """Chromium complains of nothing and asks for nothing, light and dark; each map's
    image is drawn."""
    write_plots(made(), tmp_path / "a.html", Made("reward_synth plot x"))
    address = (tmp_path / "a.html").as_uri()
    with chromium() as browser:
        for scheme in ("light", "dark"):
            with Opened(browser, address, color_scheme=scheme) as opened:
                assert opened.page.locator("svg.map").count() == 6
                assert opened.said == []
                asked = [x for x in opened.asked if not x.startswith("data:")]
                assert asked == [address]


def test_a_program_is_drawn_from_the_command_line(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is written where it was asked for, under the combiner that was asked for;
    the JSON tells the numbers."""
    monkeypatch.chdir(tmp_path)
    Path("reward.py").write_text(CAR_PROGRAM)
    base = ("plot", "reward.py", "--env", CAR, "--fields")
    told = cli.json(*base, "position,velocity", "--combine", "replace")
    assert told["file"] == "plot.html"
    assert [item["title"] for item in told["maps"]] == [
        "the reward alone",
        "place",
        "speed",
    ]
    story: dict[str, Any] = told["story"]
    sums = np.array(story["parts"]).sum(axis=0)
    assert story["combined"] == pytest.approx(sums.tolist())
    text = Path("plot.html").read_text()
    assert "combined by replace" in text
    assert "reward.py on MountainCarContinuous-v0" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--fields", "position"), "A map needs two fields, such as position,velocity"),
        (("--fields", "position,velocty"), "Did you mean 'velocity'"),
        (("--fields", "position,action"), "action has shape (1,)"),
        (("--fields", "position,velocity", "--out", "a.gif"), ".png or .html"),
        (("--fields", "position,velocity", "--at", "velocity"), "--at velocity=0.01"),
        (
            ("--fields", "position,velocity", "--at", "velocity=1"),
            "cannot be held at 1",
        ),
        (("--fields", "position,velocity", "--combine", "ad"), "Did you mean 'add'"),
        (("--fields", "position,velocity", "--combine", "stratified"), "acts on group"),
        (("--fields", "position,velocity", "--combine", "potential"), "potential"),
        (("--fields", "position,velocity", "--episode", "99"), "received episode 99"),
        (("--fields", "position,velocity", "--step", "-1"), "received step -1"),
    ],
)
def test_wrong_input_is_one_clear_line(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    """Each mistake ends with exit code 2 and one line that names it."""
    path = tmp_path / "reward.py"
    path.write_text(CAR_PROGRAM)
    asked = words if "--out" in words else (*words, "--out", tmp_path / "a.html")
    result = cli("plot", path, "--env", CAR, *asked)
    assert result.code == 2
    assert told in result.err
    last = result.err.strip().splitlines()[-1]
    assert told in last
    assert "Traceback" not in result.err
    assert not list(tmp_path.glob("a.*"))


def test_a_comparison_is_drawn(cli: Cli, tmp_path: Path) -> None:
    """The page holds distances, the map and as many states as were asked for; what is
    printed is as without it."""
    path, page = tmp_path / "near.py", tmp_path / "a.html"
    path.write_text(NEAR)
    base = ("compare", path, "--env", "Gridworld/GridFourRooms", "--top", 2)
    plain = cli.json(*base)
    assert cli.json(*base, "--page", page) == plain
    text = page.read_text()
    assert "gap of sparse and near" in text
    assert text.count("goal_pos [11 11]") == 2
    assert all(re.match(r"#|data:", address) for address in Reader(text).addresses)
    cli.json(
        *base, "--page", tmp_path / "a.png", "--fields", "agent_pos[0],agent_pos[1]"
    )
    assert png_size(tmp_path / "a.png") == (690, 600)
    result = cli(*base, "--fields", "agent_pos[0],agent_pos[1]")
    assert (result.code, "give --page FILE too" in result.err) == (2, True)
