"""What a model is shown: each method's memory is what tells it from the others."""

from __future__ import annotations

from collections.abc import Sequence

from reward_synth.checks import Report
from reward_synth.program import RewardProgram
from reward_synth.search import Outcome, Screen
from reward_synth.search.asking import Best, Evolution, Last, Told
from reward_synth.search.method import load_method
from reward_synth.search.prompting import prompting
from reward_synth.zoo import load
from tests.checks.small import SMALL, reward


def told(slot: int, score: float | None, name: str = "") -> Told:
    """A sample whose program names itself; without a score it has errors."""
    source = reward(f'"{name or f"c{slot}"}": x')
    screen = None if score is None else Screen(score, None, None, 1.0, "")
    made = RewardProgram.of(source, SMALL)
    return Told(slot, Outcome(made, Report(made.digest, ()), screen))


ROUNDS = [
    [told(0, 0.9), told(1, 0.1)],
    [told(2, 0.5), told(3, None), told(4, 0.7)],
]


def shown(text: str) -> list[str]:
    """Return the names of the programs in a question, in their order."""
    names = [f"c{number}" for number in range(40)]
    places = [(text.index(f'"{name}"'), name) for name in names if f'"{name}"' in text]
    return [name for _, name in sorted(places)]


def question(asker: Best | Last | Evolution, slot: int = 9) -> str:
    return asker.messages(SMALL, slot, ROUNDS)[-1][1]


def test_best_shows_the_best_of_all_rounds() -> None:
    """Best first, at most as many as are asked for."""
    assert shown(question(Best(3))) == ["c0", "c4", "c2"]
    assert shown(question(Best(0))) == []


def test_last_forgets_all_but_the_last_round() -> None:
    """Eureka's memory: the best of the round before, although an older one was better."""
    assert shown(question(Last(1))) == ["c4"]
    assert prompting(load_method("eureka"), 0) == Last(1)


def test_a_program_that_was_measured_later_is_shown_once() -> None:
    """What is told again replaces what was known of the same program."""
    again = [*ROUNDS, [told(1, 0.95, "c1")]]
    text = Best(9).messages(SMALL, 0, again)[-1][1]
    assert shown(text)[0] == "c1"
    assert text.count('"c1"') == 1


def test_parents_are_of_the_childs_island() -> None:
    """Of two islands, even samples breed with even ones; broken programs never breed."""
    asker = Evolution(islands=2, mutation=0.5, seed=0)
    seen: dict[int, set[str]] = {0: set(), 1: set()}
    for slot in range(20, 60):
        seen[slot % 2] |= set(shown(question(asker, slot)))
    assert seen == {0: {"c0", "c2", "c4"}, 1: {"c1"}}


def test_mutations_have_one_parent_and_crossovers_two() -> None:
    """All mutations, none, and a share of about a half."""

    def parents(mutation: float) -> Sequence[int]:
        asker = Evolution(islands=1, mutation=mutation, seed=3)
        return [len(shown(question(asker, slot))) for slot in range(5, 105)]

    assert set(parents(1.0)) == {1}
    assert set(parents(0.0)) == {2}
    assert 30 < list(parents(0.5)).count(1) < 70  # 4 standard deviations of 100 draws
    assert "change one component alone" in question(Evolution(1, 1.0, 0))
    assert "joins the best components" in question(Evolution(1, 0.0, 0))


def test_better_parents_are_likelier() -> None:
    """Drawn with 1, 1/2, 1/3, 1/4: the best of four in 48 % of mutations."""
    asker = Evolution(islands=1, mutation=1.0, seed=1)
    drawn = [shown(question(asker, slot))[0] for slot in range(5, 405)]
    assert 152 < drawn.count("c0") < 232  # 192 expected, 4 standard deviations of 10
    assert drawn.count("c0") > drawn.count("c1")


def test_the_same_sample_asks_the_same() -> None:
    """A run that goes on asks what it had asked, so that nothing is paid twice."""
    asker = Evolution(islands=3, mutation=0.5, seed=7)
    assert question(asker, 12) == question(asker, 12)


def test_an_example_is_of_another_task() -> None:
    """The nearest one of the zoo stands before the question, its own program never."""
    car = load("mountaincarcontinuous-v0")
    asker = prompting(load_method("few-shot"), 0)
    *_, (_, text) = asker.messages(car.task, 0, ())
    assert load("acrobot-v1").program.source.strip() in text
    assert car.program.source.strip() not in text
    assert text.index("A task that is not yours") < text.index(f"Task: {car.task.id}")
    *_, (_, plain) = prompting(load_method("zero-shot"), 0).messages(car.task, 0, ())
    assert text.endswith(plain)
