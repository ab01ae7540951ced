"""Reads pages: their blocks of code, the commands in them, and what runs those.

A block's first line may be a comment with a file's name, ``# mine.toml``: the block is
then that file. A comment of HTML before a block says what a reader should know of it:

    <!-- checked, not run: trainings of minutes -->
    <!-- needs mani_skill -->
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from reward_synth.cli.main import run

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
NOT_RUN = "checked, not run: "
_NEEDS = "needs "
_BLOCK = re.compile(
    r"^(?:<!-- (?P<remark>[^\n]*) -->\n)?```(?P<language>\S*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_FILE = re.compile(r"# ([\w./-]+\.\w+)\n")
_URL = re.compile(r"http://127\.0\.0\.1:\d+/v1")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page."""

    place: str
    """``page:line``, for messages."""
    language: str
    text: str
    remark: str
    """What the page says of it in a comment."""

    @property
    def file(self) -> str:
        """The file that it is, or ``""``."""
        named = _FILE.match(self.text)
        return named[1] if named else ""

    @property
    def runs(self) -> bool:
        """Whether it is to be written, or run, here."""
        missing = self.remark.startswith(_NEEDS) and not find_spec(
            self.remark.removeprefix(_NEEDS)
        )
        return not missing and not self.remark.startswith(NOT_RUN)

    def lines(self) -> list[str]:
        """Return its lines, continued ones joined."""
        return self.text.replace("\\\n", " ").splitlines()


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            f"{page}:{text[: found.start('text')].count(chr(10)) + 1}",
            found["language"],
            found["text"],
            found["remark"] or "",
        )
        for found in _BLOCK.finditer(text)
    ]


def commands(page: str) -> Iterator[tuple[Block, list[str]]]:
    """Yield each command of ours in the page's blocks: its block, and its words."""
    for block in blocks(page):
        for line in block.lines():
            if line.startswith("reward_synth"):
                yield block, words(line)


def words(line: str) -> list[str]:
    """Return the arguments of a command.

    Example:
        >>> words("reward_synth bench --only 'Meta*'  # a part")
        ['bench', '--only', 'Meta*']
    """
    return shlex.split(line, comments=True)[1:]


def inline(page: str) -> list[str]:
    """Return what stands between backticks outside of blocks."""
    text = _BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
    return [" ".join(item.split()) for item in re.findall(r"`([^`]+)`", text)]


def play(page: str, folder: Path, url: str) -> list[str]:
    """Do in a folder what a page says, from top to bottom.

    Args:
        page: The page.
        folder: The current folder, where its files are written.
        url: The server that plays every model server of the page.

    Returns:
        What each block of Python printed.
    """
    printed = []
    for number, block in enumerate(blocks(page)):
        if not block.runs:
            continue
        path = folder / (block.file or f"block_{number}.py")
        if block.file or block.language == "python":
            path.write_text(block.text, encoding="utf-8")
        if block.language == "python":
            printed.append(_python(path, block))
        elif block.language == "sh":
            for line in block.lines():
                if line.startswith("reward_synth"):
                    code = run(words(_URL.sub(url, line)))
                    assert code == 0, f"{block.place}: {line}"
    return printed


def _python(path: Path, block: Block) -> str:
    """Run a file as a reader would."""
    done = subprocess.run(
        [sys.executable, path.name],
        capture_output=True,
        text=True,
        cwd=path.parent,
        check=False,
    )
    assert done.returncode == 0, f"{block.place}: {done.stderr}"
    if "print(" in block.text:
        assert done.stdout.strip(), f"{block.place} prints nothing"
    return done.stdout


def verbs() -> dict[str, Any]:
    """Return the commands of the command line by name."""
    import typer

    from reward_synth.cli.app import app

    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def options(verb: Any) -> set[str]:
    """Return the options of a command."""
    return {"--help", *(name for item in verb.params for name in item.opts)}
