"""Suites: what a file may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_synth.benchmarks.bench import select
from reward_synth.benchmarks.designs import Expert, File, Sparse, Symbolic
from reward_synth.benchmarks.suite import (
    Suite,
    load_suite,
    parse_suite,
    shipped_suites,
)
from reward_synth.errors import UsageError

TEXT = """
title = "Mine"
seeds = [3, 5]
episodes = 4

[agents.small]
algorithm = "sac"
net_arch = [32, 32]

[designs.sparse]
[designs.old-expert]
kind = "expert"
env_kwargs = { reward_function_version = "v1" }
[designs.symbolic]
combine = "potential"
[designs.hand]
kind = "file"
file = "rewards/{task}.py"

[tasks."MountainCarContinuous-v0"]
steps = 100
agent = "small"
[tasks.far]
env = "CartPole-v1"
steps = 50
designs = ["sparse", "hand"]
"""


def suite(text: str = TEXT) -> Suite:
    return parse_suite("mine", text, Path("/suites"))


def test_a_suite_says_tasks_designs_agents_and_seeds() -> None:
    """Everything that the text says is in the suite; what it does not say has the
    defaults."""
    found = suite()
    assert found.seeds == (3, 5)
    assert (found.episodes, found.evaluations) == (4, 10)
    assert found.agents["small"].net_arch == (32, 32)
    assert found.designs == {
        "sparse": Sparse(),
        "old-expert": Expert({"reward_function_version": "v1"}),
        "symbolic": Symbolic(combine="potential"),
        "hand": File("/suites/rewards/{task}.py"),
    }
    first, second = found.tasks
    assert (first.env, first.agent) == ("MountainCarContinuous-v0", "small")
    assert (second.env, second.agent) == ("CartPole-v1", "default")
    assert list(found.designs_of(first)) == list(found.designs)
    assert list(found.designs_of(second)) == ["sparse", "hand"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds =", "seed =", r"does not know 'seed'.*Did you mean 'seeds'"),
        ("seeds = [3, 5]", "seeds = []", "has no seeds"),
        ("seeds = [3, 5]", "seeds = [-1]", r"from 0, one is -1"),
        ("seeds = [3, 5]", 'seeds = "two"', "list of them, is 'two'"),
        (
            "episodes = 4",
            "episodes = 0",
            "episodes must be a whole number from 1, is 0",
        ),
        ("episodes = 4", "episodes = true", "whole number from 1, is True"),
        ('algorithm = "sac"', 'algorithm = "td3"', "algorithm 'td3' is not one of"),
        ("net_arch", "layers", r"\[agents.small\] does not know 'layers'"),
        ("[designs.sparse]", "[designs.spars]", "does not know 'spars'.*'sparse'"),
        ('combine = "potential"', "candidate = 3", "'candidate'.*'candidates'"),
        ('combine = "potential"', 'combine = "sum"', "'sum'"),
        ("steps = 100", "", r"lacks steps"),
        ("steps = 100", "steps = 0", "steps .* from 1, is 0"),
        ("steps = 100", "steps = 1e3", "from 1, is 1000.0"),
        ('agent = "small"', 'agent = "big"', "Agent .* does not know 'big'"),
        ('["sparse", "hand"]', '["sparse", "nose"]', "Designs .* does not know 'nose'"),
        ("[designs.sparse]", "[designs.sparse", "not valid TOML"),
        ('title = "Mine"', "designs = 3", "TOML"),
    ],
)
def test_what_a_suite_cannot_mean_is_refused(old: str, new: str, message: str) -> None:
    """The error names the wrong word or value, and what is known in its place."""
    assert old in TEXT
    with pytest.raises(UsageError, match=message):
        suite(TEXT.replace(old, new, 1))


def test_a_suite_needs_tasks_and_designs() -> None:
    """An empty text compares nothing."""
    with pytest.raises(UsageError, match="has no tasks"):
        suite("[designs.sparse]")
    with pytest.raises(UsageError, match="has no designs"):
        suite('[tasks."CartPole-v1"]\nsteps = 3')


def test_every_shipped_suite_can_be_read() -> None:
    """Each has words about it, and agents that all belong to some task."""
    for name in shipped_suites():
        found = load_suite(name)
        assert found.about
        used = {task.agent for task in found.tasks}
        assert used >= set(found.agents) - {"default"}


def test_an_unknown_suite_is_named(tmp_path: Path) -> None:
    """The nearest shipped suite is offered; a missing file is named."""
    with pytest.raises(UsageError, match=r"'quik'.*Did you mean 'quick'"):
        load_suite("quik")
    with pytest.raises(UsageError, match=r"no suite file .*mine\.toml"):
        load_suite(str(tmp_path / "mine.toml"))


def test_the_digest_tells_what_is_compared() -> None:
    """Title and words change no result; seeds and settings do."""
    same = suite(TEXT.replace('title = "Mine"', 'title = "Yours"'))
    assert same.digest == suite().digest
    for old, new in (("[3, 5]", "[3, 6]"), ("steps = 50", "steps = 51")):
        assert suite(TEXT.replace(old, new)).digest != suite().digest


@pytest.mark.parametrize(
    ("only", "tasks", "designs"),
    [
        ((), ["MountainCarContinuous-v0", "far"], 4),
        (("far",), ["far"], 4),
        (("mountaincar*",), ["MountainCarContinuous-v0"], 4),
        (("sparse",), ["MountainCarContinuous-v0", "far"], 1),
        (("far", "hand", "sparse"), ["far"], 2),
        (("symbolic",), ["MountainCarContinuous-v0"], 1),
    ],
)
def test_only_selects(only: tuple[str, ...], tasks: list[str], designs: int) -> None:
    """Patterns name tasks, designs, or both; a task without a chosen design is out."""
    part = select(suite(), only)
    assert [task.name for task in part.tasks] == tasks
    assert len(part.designs) == designs


def test_only_refuses_what_names_nothing() -> None:
    """A misspelt pattern is an error, never an empty comparison."""
    with pytest.raises(UsageError, match=r"'nope\*' names nothing.*far.*sparse"):
        select(suite(), ["nope*"])
    with pytest.raises(UsageError, match="leaves nothing"):
        select(suite(), ["far", "symbolic"])
