"""Dense rewards of tool use: what they sum up to, and what they do not pay for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.envs.tooluse import ToolUseEnv
from reward_synth.envs.tooluse_choice import ToolChoiceEnv
from reward_synth.errors import UsageError
from reward_synth.verify import verify
from reward_synth.wrappers import DenseToolReward
from reward_synth.wrappers.tool_reward_scores import SCORES

GAMMA = 0.9
RIGHT = 'restock(sku="P684", quantity=58)'
"""What fulfils task 3 of the shop."""
HALF = 'restock(sku="P684", quantity=1)'
"""Its name and its argument names are right, and one of two values: 5/6 of a call."""
DONE = "Done."


def written(reward: str, *turns: str, **options: Any) -> list[float]:
    """Return what the turns of task 3 of the shop are paid."""
    env = DenseToolReward(ToolUseEnv("shop"), reward, gamma=GAMMA, **options)
    env.reset(options={"task": 3})
    return [float(env.step(turn)[1]) for turn in turns]


def random_episode(reward: str, seed: int, **options: Any) -> tuple[list[float], Any]:
    """Return the dense part of each step of an episode at random, and the last info."""
    rng = np.random.default_rng(seed)
    inner = ToolChoiceEnv("files", "parallel_chain", max_turns=8, distractors=1)
    env = DenseToolReward(inner, reward, gamma=GAMMA, **options)
    env.reset(options={"task": seed})
    paid, over = [], False
    while not over:
        action = (
            rng.integers((2, 1, 1)) if rng.random() < 0.1 else rng.integers((10, 6, 6))
        )
        _, total, terminated, truncated, info = env.step(action)
        paid.append(float(total) - info["sparse_reward"])
        over = terminated or truncated
    return paid, {**info, "terminated": terminated}


def coverage(info: Any) -> float:
    """Return the matched share of the calls that an episode made."""
    calls = [{"name": c["name"], "arguments": c["arguments"]} for c in info["calls"]]
    return verify(calls, info["expected"]).components["coverage"]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_potential_telescopes(seed: int) -> None:
    """Discounted shaping sums up to gamma^T Phi(s_T) - Phi(s_0), where Phi(s_0) = 0: at a
    terminated state Phi is 0 as well, so that the whole is 0; at a truncated one not."""
    paid, info = random_episode("potential", seed)
    total = sum(GAMMA**t * value for t, value in enumerate(paid))
    end = 0.0 if info["terminated"] else GAMMA ** len(paid) * coverage(info)
    assert total == pytest.approx(end, abs=1e-12)


@given(seed=st.integers(0, 10_000), weight=st.sampled_from([0.5, 2.0]))
@settings(max_examples=40, deadline=None)
def test_graded_sums_up_to_the_verifiers_score(seed: int, weight: float) -> None:
    """However the calls came about, an episode's sum is the weighted score of all."""
    paid, info = random_episode("graded", seed, weight=weight)
    calls = [{"name": c["name"], "arguments": c["arguments"]} for c in info["calls"]]
    score = verify(calls, info["expected"]).score
    assert sum(paid) == pytest.approx(weight * score, abs=1e-9)
    assert info["reward_synth"]["components"]["graded"] == pytest.approx(sum(paid))


def test_a_right_episode_by_hand() -> None:
    """One call, then the end. Graded: 1 + success. Potential: gamma, then -1 + success.
    ToolRL: 3, then nothing is expected: 0. FTRL: 2*1/(1+1), then 0.5 since all is solved."""
    assert written("graded", RIGHT, DONE) == [1.0, 1.0]
    assert written("potential", RIGHT, DONE) == [pytest.approx(GAMMA), 0.0]
    assert written("toolrl", RIGHT, DONE) == [3.0, 1.0]
    assert written("ftrl", RIGHT, DONE) == [1.0, 1.5]


def test_a_wrong_value_by_hand() -> None:
    """ToolRL: names 1, keys 1, one of two values: 3 of 4, so 6 * 3/4 - 3; ending with the
    call open: -3. FTRL: the store's number is another, so nothing is solved. Graded: two
    thirds and half of the last, (1+2) * 5/6 / (2+1)."""
    assert written("toolrl", HALF, DONE) == [1.5, -3.0]
    assert written("ftrl", HALF, DONE) == [0.0, 0.0]
    assert written("graded", HALF) == [pytest.approx(5 / 6)]
    assert written("potential", HALF, DONE) == pytest.approx([GAMMA * 5 / 6, -5 / 6])


def test_doing_nothing_and_noise_by_hand() -> None:
    """An answer without a call changes neither score nor potential; ToolRL gives its
    least, FTRL nothing; what cannot be read: -3, and FTRL's -0.3."""
    assert written("graded", DONE) == written("potential", DONE) == [0.0]
    assert written("toolrl", DONE) == [-3.0]
    assert written("ftrl", DONE) == [0.0]
    noise = "<tool_call>{"
    assert written("graded", noise) == written("potential", noise) == [0.0]
    assert written("toolrl", noise) == [-3.0]
    assert written("ftrl", noise) == [-0.3]


def test_repeating_a_call_earns_nothing() -> None:
    """A second right call lowers the graded sum, and leaves the potential where it was."""
    assert written("graded", RIGHT, RIGHT)[1] < 0
    assert written("potential", RIGHT, RIGHT)[1] == pytest.approx(GAMMA - 1)
    assert written("ftrl", RIGHT, RIGHT)[1] == 0.0


def test_made_up_outputs_earn_nothing() -> None:
    """An agent that writes what the tool would say is not paid by any of them."""
    forged = '<tool_response>{"result": "in the store of P684: 89"}</tool_response>'
    for reward in SCORES:
        assert written(reward, forged)[0] <= 0


def test_own_scores_weights_and_refusals() -> None:
    """An object may score; weights scale; what cannot be is refused by name."""

    class Calls:
        def begin(self, info: Any) -> None:
            self.before = 0

        def __call__(self, info: Any, *, terminated: bool) -> float:
            return float(len(info["calls"]))

    env = DenseToolReward(ToolUseEnv("shop"), Calls(), weight=0.5)
    env.reset(options={"task": 3})
    *_, info = env.step(RIGHT)
    assert info["reward_components"] == {"Calls": 0.5}
    with pytest.raises(UsageError, match=r"'toolr'.*'toolrl'"):
        DenseToolReward(ToolUseEnv("shop"), "toolr")
    with pytest.raises(UsageError, match="gamma"):
        DenseToolReward(ToolUseEnv("shop"), gamma=0.0)


def test_other_environments_are_refused() -> None:
    """An environment that tells no expected calls is told so at its reset."""
    import gymnasium as gym

    env = DenseToolReward(gym.make("CartPole-v1"))
    with pytest.raises(UsageError, match="no 'expected'"):
        env.reset(seed=0)


def test_masks_pass_through_and_the_stack_is_made_again() -> None:
    """The wrapper has the environment's masks, and its spec makes the same stack."""
    import gymnasium as gym

    from reward_synth.envs import resolve

    env = resolve("ToolChoiceShop-v0", {"reward": "potential", "gamma": 0.5}).make()
    env.reset(seed=0)
    masks = env.get_wrapper_attr("action_masks")()
    assert masks.shape == (int(env.action_space.nvec.sum()),)  # type: ignore[attr-defined]
    assert env.spec is not None
    again = gym.make(env.spec)
    assert again.get_wrapper_attr("gamma") == 0.5


def test_the_adapter_for_gymnasium_grades_the_same_environment() -> None:
    """``GradedToolCalls`` reads what is expected where these environments tell it."""
    from reward_synth.verify.adapters import GradedToolCalls

    env = GradedToolCalls(ToolUseEnv("shop"))
    env.reset(options={"task": 3})
    assert env.step(RIGHT)[1] == 1.0
