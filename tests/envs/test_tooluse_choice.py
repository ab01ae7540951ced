"""Tool use for learners of numbers: the same tasks, spaces that learners take."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.envs import resolve
from reward_synth.envs.tooluse import ToolUseEnv
from reward_synth.envs.tooluse_choice import ToolChoiceEnv
from reward_synth.envs.tooluse_generate import DOMAINS, LEVELS
from reward_synth.envs.tooluse_names import CHOICES
from reward_synth.errors import UsageError

EVERY = [(domain, level) for domain in DOMAINS for level in LEVELS]


def choices(env: ToolChoiceEnv, call: dict[str, object]) -> list[int]:
    """Return the action that makes a call: its tool, and where its values lie."""
    values = [(place.kind, place.value) for place in env.places]
    tool = env.tool_names.index(str(call["name"]))
    places = [values.index(item) for item in call["arguments"].items()]  # type: ignore[attr-defined]
    return [tool, *places, *[0] * (len(env.action_space.nvec) - 1 - len(places))]


@pytest.mark.parametrize(("domain", "level"), EVERY)
@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=12, deadline=None)
def test_every_task_can_be_fulfilled_by_choosing(
    domain: str, level: str, seed: int
) -> None:
    """Each value lies in a place before it is needed, the masks allow each right choice,
    and ending after the last call earns 1."""
    env = ToolChoiceEnv(domain, level, goals=3)
    _, info = env.reset(options={"task": seed})
    for call in info["expected"]:
        action = choices(env, call)
        parts = np.split(env.action_masks(), np.cumsum(env.action_space.nvec)[:-1])
        assert all(mask[i] for mask, i in zip(parts, action, strict=True))
        _, reward, terminated, truncated, info = env.step(np.array(action))
        assert (reward, terminated, truncated) == (0.0, False, False)
        assert not info["calls"][-1]["failed"]
    assert env.step(np.zeros(len(action), np.int64))[1:3] == (1.0, True)
    env.close()


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("level", ["single", "parallel_chain"])
def test_gymnasium_and_stable_baselines_accept_it(name: str, level: str) -> None:
    """Both checks of environments pass."""
    from stable_baselines3.common.env_checker import check_env as check_for_sb3

    env = resolve(name, {"level": level}).make()
    check_env(env.unwrapped)
    check_for_sb3(env.unwrapped)


@pytest.mark.parametrize("domain", DOMAINS)
def test_tasks_are_those_of_the_texts(domain: str) -> None:
    """One number means one task, whether an agent writes or chooses."""
    chosen, written = ToolChoiceEnv(domain, "chain"), ToolUseEnv(domain, "chain")
    for task in range(5):
        info = chosen.reset(options={"task": task})[1]
        assert info["expected"] == written.reset(options={"task": task})[1]["expected"]


def test_an_empty_place_is_a_turn_without_a_call() -> None:
    """Choosing a place without a value calls nothing, and says so."""
    env = ToolChoiceEnv("shop", max_turns=2)
    env.reset(options={"task": 3})
    _, reward, *_, truncated, info = env.step([9, 3, 3, 3])
    assert (reward, truncated, info["calls"]) == (0.0, False, ())
    assert info["turn"]["error_type"] == "empty_place"
    assert env.step([9, 0, 1, 0])[1:4] == (0.0, False, True)
    with pytest.raises(gym.error.ResetNeeded):
        env.step([0, 0, 0, 0])


@pytest.mark.parametrize("action", [[11, 0, 0, 0], [-1, 0, 0, 0], [0], "1", [0.5] * 4])
def test_what_is_no_action_is_refused(action: object) -> None:
    """Learners' mistakes are told, and are not clipped into something else."""
    env = ToolChoiceEnv("shop")
    env.reset(seed=0)
    with pytest.raises(UsageError, match="no action of MultiDiscrete"):
        env.step(action)


def test_distractors_that_are_not_offered_are_masked_and_refused() -> None:
    """With no distractors a task of one call leaves one tool, and ending."""
    env = ToolChoiceEnv("shop", distractors=0)
    env.reset(options={"task": 3})
    assert np.flatnonzero(env.action_masks()[: len(env.tool_names)]).tolist() == [0, 9]
    *_, info = env.step([1, 0, 0, 0])
    assert "no tool of this name" in info["calls"][0]["output"]


def test_found_values_take_new_places_once() -> None:
    """A lookup adds what it tells; the same lookup again adds nothing."""
    env = ToolChoiceEnv("shop", "chain")
    _, info = env.reset(options={"task": 3})
    before = len(env.places)
    look = choices(env, info["expected"][0])
    env.step(look)
    found = [place.kind for place in env.places[before:]]
    assert found == ["sku", "price"]
    assert all(place.found for place in env.places[before:])
    env.step(look)
    assert len(env.places) == before + 2


def test_the_answer_cannot_be_read_off_the_observation() -> None:
    """The numbers of the right call's places do not follow from the sentence alone: over
    tasks of one sort both orders of mention occur, so a fixed action does not solve it."""
    env = ToolChoiceEnv("calendar")
    orders = set()
    for task in range(200):
        _, info = env.reset(options={"task": task})
        if info["expected"][0]["name"] == "invite":
            orders.add(tuple(choices(env, info["expected"][0])[1:3]))
    assert orders == {(0, 1), (1, 0)}


def test_the_family_makes_it_dense() -> None:
    """``reward=`` puts the wrapper around it, and the id alone stays sparse."""
    dense = resolve("ToolChoiceFiles-v0", {"reward": "toolrl"}).make()
    plain = resolve("ToolChoiceFiles-v0").make()
    for env, pays in ((dense, True), (plain, False)):
        env.reset(seed=0)
        assert (env.step(np.zeros(3, np.int64))[1] != 0) == pays
    assert resolve("ToolChoiceFiles-v0").expert().kwargs == {"reward": "graded"}
