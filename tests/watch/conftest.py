"""A root with runs, and a server of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.watch.tools import Visitor, begin, end, fail, go_on, serving


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A going run with one training of each state, an older finished one, a broken one."""
    root = tmp_path_factory.mktemp("root")
    with begin(root / "old-0001", trainings=2, at=1e9) as store:
        end(store, "t0", 0.25)
        end(store, "t1", 0.75)
    broken = root / "broken-0001"
    broken.mkdir()
    (broken / "run.sqlite").write_text("no database")
    (root / "no-run").mkdir()
    going = begin(root / "new-0001", trainings=4, at=1.1e9)
    end(going, "t0", 0.5)
    go_on(root / "new-0001", "t1", 0.125)
    fail(root / "new-0001", "t2")
    yield root
    going.close()


@pytest.fixture(scope="module")
def address(root: Path) -> Iterator[str]:
    with serving(root=root) as address:
        yield address


@pytest.fixture
def stranger(address: str) -> Visitor:
    """A visitor that has not shown the token."""
    return Visitor(address)


@pytest.fixture
def visitor(address: str) -> Visitor:
    """A visitor that has shown the token."""
    return Visitor(address).come_in()
