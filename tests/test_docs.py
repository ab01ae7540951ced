"""Every command and snippet in the documentation works, and the site can be built."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from reward_synth.kernels import RewardKernel
from reward_synth.language import evaluate, parse
from tests.docs.pages import (
    PAGES,
    ROOT,
    blocks,
    commands,
    inline,
    options,
    play,
    verbs,
)
from tests.llm.server import Behaviour, FaultServer, Good, Received
from tests.programs import TASK, random_values

KEY = "sk-secret-0123456789abcdef"
TESTED_ELSEWHERE = {
    "docs/language.md": "below",
    "docs/statistics.md": "tests/statistics/test_page.py",
    "docs/ecosystem.md": "tests/export/test_page.py",
}
"""Pages whose Python needs a task, names or files of its own, and who runs it."""
PRINTS = {
    "README.md": r"'speed'",
    "docs/kernels.md": r"(?s)(0\.0.*){16}",
    "docs/environments.md": r"Robotics/PointMaze_UMaze-v3",
    "docs/first-reward.md": r"\{'",
}
"""What the Python of a page prints; of the kernels' page eight rewards, twice."""


def answer(received: Received) -> Behaviour:
    """Play a model: another program for each sample."""
    seed = int(received.body["seed"])
    return Good(
        "```python\nimport numpy as np\n\n\n"
        "def compute_reward(position, velocity):\n"
        f'    return {{"place": position, "speed": {seed + 1}.0 * np.abs(velocity)}}\n```'
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(set(PAGES) - set(TESTED_ELSEWHERE)))
def test_a_page_can_be_followed(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an empty folder all Python and all commands of a page run, one after another.

    Model servers are played by one on loopback, which is asked only where the page
    names a model, and gets the key in the header alone.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(sys, "path", [*sys.path])
    with FaultServer(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        printed = "".join(play(page, tmp_path, server.url))
    assert re.search(PRINTS.get(page, ""), printed), printed
    asks = [
        words
        for block, words in commands(page)
        if block.runs and "--model" in words and "--dry-run" not in words
    ]
    assert bool(server.received) == bool(asks)
    for received in server.received:
        assert received.headers["authorization"] == f"Bearer {KEY}"
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("source", [x.text for x in blocks("docs/language.md")])
def test_every_example_of_the_language_compiles(source: str) -> None:
    """Each block on the language page is accepted, and kernel equals reference."""
    parsed = parse(source, TASK)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    function = parsed.ir.reward or parsed.ir.potential
    assert function is not None
    values = random_values(seed=0)
    compiled = RewardKernel(function).one(values)
    expected = evaluate(function, values)
    assert compiled.keys() == expected.keys()
    np.testing.assert_allclose(
        list(compiled.values()), list(expected.values()), rtol=1e-12, atol=1e-12
    )


def test_the_program_of_the_readme_is_in_the_language() -> None:
    """The README's reward program is accepted as it stands."""
    (program,) = (x.text for x in blocks("README.md") if "compute_reward" in x.text)
    assert parse(program, TASK).ir is not None


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one(page: str) -> None:
    """The command line takes each command of a page's blocks, word by word; options
    that the text names exist."""
    known = verbs()
    for block, (verb, *words) in commands(page):
        assert verb in known, block.place
        try:
            known[verb].make_context(verb, list(words))
        except Exception as error:
            pytest.fail(f"{block.place}: reward_synth {verb} {words}: {error}")
    every = set.union(*map(options, known.values()))
    for text in inline(page):
        named = text.split()
        allowed = every
        if named[0] == "reward_synth" and len(named) > 1:
            assert named[1] in known, f"{page}: `{text}`"
            allowed = options(known[named[1]])
        elif not text.startswith("-"):
            continue
        for option in re.findall(r"(?<!\S)--[a-z][\w-]*", text):
            assert option in allowed, f"{page}: `{text}`"


@pytest.mark.parametrize("page", PAGES)
def test_installing_works_as_told(page: str) -> None:
    """Extras and targets of make that a page names exist, and so do its files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / page).read_text()
    for extras in re.findall(r"(?:reward-synth|\.)\[([a-z,]+)\]", text):
        assert set(extras.split(",")) <= set(project["optional-dependencies"]), extras
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    for target in re.findall(r"^make (\w+)", text, re.M):
        assert target in targets
    for name in re.findall(r"(?:benchmarks|constraints)/[\w./-]+\w", text):
        assert (ROOT / name).exists(), name


def test_what_the_pages_count_is_there() -> None:
    """The README's numbers of tasks are those of the families; the page on benchmarks
    has a row for each shipped suite, with its designs."""
    from reward_synth.benchmarks.suite import load_suite, shipped_suites
    from reward_synth.envs import families

    sizes = {family.name: len(family.tasks) for family in families()}
    readme = (ROOT / "README.md").read_text()
    told = re.search(r"(\d+) tasks of ManiSkill 3, (\d+) of .*?, (\d+) of Meta", readme)
    assert told is not None
    assert [int(text) for text in told.groups()] == [
        sizes[name] for name in ("ManiSkill", "Robotics", "MetaWorld")
    ]
    page = (ROOT / "docs/benchmarks.md").read_text()
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*?) \|", page, re.M))
    assert set(shipped_suites()) <= set(rows)
    for name in shipped_suites():
        suite = load_suite(name)
        if suite.measure == "training":
            kinds = {design.kind for design in suite.designs.values()}
            said = r"sparse|expert|symbolic|labels|bonus"
            assert kinds == set(re.findall(said, rows[name]))


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Links between pages lead somewhere, every page is in the list of contents, and
    no page loads anything from elsewhere."""
    for name in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(name)
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [*build, ROOT / "docs", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = {path.name for path in tmp_path.glob("*.html")}
    assert {f"{Path(page).stem}.html" for page in PAGES} - made == {"README.html"}
    for path in tmp_path.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"([^\"]+)", text)
        assert not [x for x in loaded if x.startswith(("http", "//"))], path.name


def test_the_figures_of_the_readme_are_the_committed_ones() -> None:
    """Every figure in the README comes from a file under benchmarks/results."""
    from reward_synth.benchmarks.tables import updated, updated_kernels

    text = (ROOT / "README.md").read_text()
    assert updated(text) == text
    page = (ROOT / "docs/kernels.md").read_text()
    assert updated_kernels(page) == page
