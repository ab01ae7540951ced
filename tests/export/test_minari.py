"""Reading and writing run through the command line; see tests/envs too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from reward_synth.cli.main import run
from reward_synth.errors import MissingExtraError
from reward_synth.export import read_exports, to_minari


def test_a_run_is_played_into_a_data_set(trained: Path, minari_home: Path) -> None:
    """export --minari plays with the run's reward; infos hold its components."""
    import minari

    arguments = ["--minari", "car/held-v0", "--episodes", "2", "--policy", "random"]
    assert run(["export", str(trained), *arguments]) == 0
    episodes = list(minari.load_dataset("car/held-v0").iterate_episodes())
    assert len(episodes) == 2
    infos = episodes[0].infos
    assert set(infos["reward_components"]) == {"place", "speed"}
    total = sum(part[1:] for part in infos["reward_components"].values())
    assert infos["dense_reward"][1:] == pytest.approx(total + episodes[0].rewards)


@pytest.mark.parametrize(
    ("name", "says"),
    [("bad name!", "Names are like"), ("../up-v0", "Names are like"), ("", "is empty")],
)
def test_names_that_minari_refuses(
    trained: Path,
    minari_home: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    says: str,
) -> None:
    """A name that cannot be used is refused before anything is played or written."""
    assert run(["export", str(trained), "--minari", name]) == 2
    assert says in capsys.readouterr().err
    assert not minari_home.exists() or not list(minari_home.iterdir())


def test_a_taken_name(
    trained: Path, minari_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A data set is never overwritten."""
    arguments = ["export", str(trained), "--minari", "car-v0", "--episodes", "1"]
    assert run(arguments) == 0
    assert run(arguments) == 2
    assert "minari delete car-v0" in capsys.readouterr().err


def test_no_demonstrations(
    trained: Path, minari_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A family without solutions says which policies there are."""
    arguments = ["--minari", "car-v0", "--policy", "demonstrations"]
    assert run(["export", str(trained), *arguments]) == 2
    assert "--policy held or random" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["minari", "h5py"])
def test_missing_packages(
    trained: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """Without Minari, or what it writes with, the extra is named."""
    monkeypatch.setitem(sys.modules, package, None)
    (found,) = read_exports(trained)
    with pytest.raises(MissingExtraError, match="data"):
        to_minari([], "car-v0", found.task)
