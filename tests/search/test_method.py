"""Methods are readable files: what they may hold, and what they come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_synth.errors import UsageError
from reward_synth.search.method import (
    Rung,
    ladder,
    load_method,
    method_names,
    method_text,
    parse_method,
)


@pytest.mark.parametrize("name", method_names())
def test_every_shipped_method_says_where_it_is_from(name: str) -> None:
    """Each can be loaded, and its text tells the source or why it is so."""
    method = load_method(name)
    assert method.name == name
    assert len(method.about.split()) > 15
    assert method.title


def test_published_settings() -> None:
    """Eureka: 16 x 5, five searches, every one trained, best retrained with 5 seeds.

    REvolve: 16 x 7 on 13 islands, half mutations. CARD: one program, three generations.
    (Ma et al. 2024; Hazra et al. 2025; Sun et al. 2025.)
    """
    eureka, revolve, card = map(load_method, ("eureka", "revolve", "card"))
    assert (eureka.samples, eureka.rounds, eureka.restarts) == (16, 5, 5)
    assert eureka.each_round == (Rung(16),)
    assert (eureka.final[-1].keep, eureka.final[-1].seeds) == (1, 5)
    assert (eureka.history, eureka.shown) == ("last", 1)
    assert (revolve.samples, revolve.rounds, revolve.islands) == (16, 7, 13)
    assert revolve.mutation == 0.5
    assert (card.samples, card.rounds) == (1, 3)


def test_each_step_of_a_ladder_has_fresh_seeds() -> None:
    """Seeds count on over all steps, so that no step is judged by seeds that chose it."""
    steps = ladder([Rung(8, 0.1), Rung(4, 0.5, 2), Rung(1, 1.0, 3)])
    used = [set(range(step.first, step.first + step.seeds)) for step in steps]
    assert used == [{0}, {1, 2}, {3, 4, 5}]
    assert [step.last for step in steps] == [False, False, True]


def test_trainings_of_rounds_and_at_the_end_share_one_count() -> None:
    """The seeds at the end are not those that rounds were trained with."""
    each, final = load_method("eureka").rungs()
    assert (each[0].first, each[0].last) == (0, False)
    assert (final[0].first, final[0].last) == (1, True)


def test_a_users_own_method(tmp_path: Path) -> None:
    """A shipped file, changed and saved under another name, is a method."""
    text = method_text("halving").replace("samples = 8", "samples = 6")
    path = tmp_path / "mine.toml"
    path.write_text(text)
    method = load_method(str(path))
    assert (method.name, method.samples, len(method.final)) == ("mine", 6, 3)


BAD = {
    "rounds = 0": "rounds must be 1 or more, received 0",
    "sample = 3": "unknown key: 'sample'. Did you mean 'samples'",
    "samples = true": "samples must be of type int, received True",
    "temperature = nan": "temperature must be of type float, received nan",
    'history = "all"': "history must be one of none, best, last, evolution",
    'proposer = "me"': "proposer must be one of any, llm, symbolic",
    "mutation = 2": "mutation must be from 0 to 1, received 2",
    "final = []": "final must be at least one step of trainings",
    "final = 3": "final must be tables",
    "[[final]]\nseeds = 2": "a step of final lacks keep",
    "[[final]]\nkeep = 0": "keep must be 1 or more, received 0",
    "[[final]]\nkeep = 1\nshare = 1.5": "share must be above 0 and at most 1",
    "[[final]]\nkeep = 1\nsteps = 5": "unknown key in final: 'steps'",
    "samples = ": "is not valid TOML",
}


@pytest.mark.parametrize(("text", "says"), BAD.items())
def test_what_is_no_method_is_refused(text: str, says: str) -> None:
    """One line that names the method, the key, the value, and what is allowed."""
    with pytest.raises(UsageError) as refused:
        parse_method("mine", text)
    assert says in str(refused.value)
    assert "mine" in str(refused.value)


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    """The message lists all; a file that is not there is told by its name."""
    with pytest.raises(UsageError, match=r"Did you mean 'eureka'.*zero-shot"):
        load_method("eurka")
    with pytest.raises(UsageError, match=r"nowhere\.toml cannot be read"):
        load_method(str(tmp_path / "nowhere.toml"))
