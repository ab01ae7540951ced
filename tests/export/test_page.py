"""docs/ecosystem.md: its snippets run, its options exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reward_synth.export import read_exports, write_card

PAGE = (Path(__file__).parents[2] / "docs" / "ecosystem.md").read_text()


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_the_snippets_of_the_page_run(
    trained: Path, tmp_path: Path, minari_home: Path, code: str
) -> None:
    """Each snippet runs in a folder with a program and its task, and prints."""
    (found,) = read_exports(trained)
    write_card(found, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "MINARI_DATASETS_PATH": str(minari_home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_options_of_the_page_exist() -> None:
    """Every option that the page gives to export is one of its options."""
    from reward_synth.cli import export

    told = (Path(export.__file__)).read_text()
    lines = re.findall(r"`reward_synth export[^`]*`", PAGE)
    given = {word for item in lines for word in re.findall(r"--[a-z-]+", item)}
    assert {"--to", "--license", "--minari", "--zoo"} <= given
    assert all(f'"{option}"' in told or option == "--episodes" for option in given)
