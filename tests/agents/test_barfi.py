"""BARFI: a harmful dense reward is unlearned, and what was learned is of use elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import reward_synth
from reward_synth.agents.barfi_blend import BlendWeights, LearnedBlend, Sight
from reward_synth.distance import regret
from reward_synth.envs.gridworld import VectorGrid
from reward_synth.errors import UsageError
from reward_synth.preference import Network
from reward_synth.task import Field, TaskSpec

torch = pytest.importorskip("torch")

from reward_synth.agents.barfi import Barfi, Blend, Trained, train  # noqa: E402
from reward_synth.agents.barfi_gradient import (  # noqa: E402
    Neumann,
    implicit_gradient,
)
from reward_synth.agents.barfi_model import (  # noqa: E402
    BlendNetwork,
    Policy,
    greedy,
    returns,
    surrogates,
)
from reward_synth.agents.barfi_play import Episodes  # noqa: E402
from reward_synth.preference.training import one_thread  # noqa: E402

HORIZON = 40
ROWS = ("S......", "...#...", "...#...", "...#..G", ".......")
LURE = """import numpy as np


def compute_reward(agent_pos):
    return {"lure": 0.3 * (np.abs(agent_pos[0] - 4.0) + np.abs(agent_pos[1]) < 1.5)}
"""
"""Pays for loitering in the corner below the start; the goal is far to the right."""
TASK = TaskSpec(
    "Grid",
    "Walk to the goal.",
    (
        Field("agent_pos", (2,), source="obs[0:2]"),
        Field("goal_pos", (2,), source="obs[2:4]"),
    ),
    Field("action", dtype="int"),
    horizon=HORIZON,
)


def world(lanes: int = 48) -> Any:
    """Return the grid with its harmful dense reward."""
    envs = VectorGrid(lanes, rows=ROWS, max_episode_steps=HORIZON)
    return reward_synth.wrap(envs, LURE, task=TASK)


def learned(blend: Blend, updates: int = 70, seed: int = 2) -> Trained:
    return train(
        world(), Barfi(updates=updates, horizon=HORIZON, blend=blend, seed=seed)
    )


def reached(trained: Trained) -> float:
    """Return the share of episodes in which the greedy policy comes to the goal."""
    envs, act = world(16), greedy(trained.policy, trained.weights.sight)
    obs, _ = envs.reset(seed=99)
    won = np.zeros(16, bool)
    for _ in range(HORIZON):
        obs, _, terminated, _, _ = envs.step(act(obs))
        won |= terminated
    return float(won.mean())


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    """Small tensors wait longer for other threads than they work."""
    with one_thread():
        yield


@pytest.fixture(scope="module")
def trained() -> Trained:
    return learned("learned")


def test_a_harmful_reward_is_unlearned(trained: Trained) -> None:
    """With a reward for loitering, plain addition never comes to the goal; BARFI comes
    there as often as without that reward."""
    assert reached(learned("add")) == 0.0
    sparse = reached(learned("sparse"))
    assert sparse == 1.0
    assert reached(trained) >= sparse
    (corner,) = trained.weights.factors(np.array([[4.0, 0, 3, 6]]))
    assert corner[2] < 0.5, "the lure is believed where it harms"


def test_an_exact_planner_loses_nothing_by_the_learned_blend(trained: Trained) -> None:
    """Every policy that is optimal under the learned blend is optimal by the
    environment's reward; every one that is under the plain sum loses all there is."""
    tables = VectorGrid(1, rows=ROWS).tables
    state, _, after = tables.transitions()
    alive = ~tables.terminal[state]
    seen = tables.observations
    near = np.abs(seen[after][:, 0] - 4.0) + np.abs(seen[after][:, 1]) < 1.5
    sparse = tables.rewards[tables.process.probability > 0]
    parts = {"lure": 0.3 * near}
    blended = trained.weights.rewards(seen[state], sparse, parts)
    moves, truth = tables.dense()

    def lost(paid: Any) -> float:
        reward = tables.dense(tables.spread(paid * alive))[1]
        return regret(reward, truth, moves, 0.99, tables.start).regret

    assert lost(sparse + parts["lure"]) == pytest.approx(1.0)
    assert lost(blended) == pytest.approx(0.0, abs=1e-9)


def test_the_same_seed_learns_the_same() -> None:
    """Curves and blends are equal bit by bit."""
    first, second = (learned("learned", updates=3) for _ in range(2))
    assert first.curve[:1] + first.curve[1:2] != first.curve[1:3]
    assert [(p.sparse, p.dense, p.gamma) for p in first.curve] == [
        (p.sparse, p.dense, p.gamma) for p in second.curve
    ]
    obs = np.random.default_rng(0).uniform(0, 5, (4, 4))
    assert np.array_equal(first.weights.factors(obs), second.weights.factors(obs))


def test_the_blend_is_of_use_to_other_agents(trained: Trained, tmp_path: Path) -> None:
    """From its file the blend pays any environment with the same dense reward: bias plus
    factors times rewards, in the state before the action."""
    path = tmp_path / "blend.safetensors"
    trained.weights.save(path)
    found = BlendWeights.load(path)
    assert found.gamma == trained.weights.gamma
    import reward_synth.envs.gridworld_register

    inner = gym.make("GridFourRooms-v0", rows=ROWS)
    env = found.wrap(reward_synth.wrap(inner, LURE, task=TASK))
    assert isinstance(env, LearnedBlend)
    before, _ = env.reset(seed=0)
    for action in (2, 2, 2, 2, 1):
        after, paid, _, _, info = env.step(action)
        bias, sparse, lure = trained.weights.factors(before[None])[0]
        parts = info["reward_components"]
        expected = bias + sparse * info["sparse_reward"] + lure * parts["lure"]
        assert paid == pytest.approx(expected)
        before = after
    assert parts["lure"] == pytest.approx(0.3)


def test_a_blend_begins_as_the_sum() -> None:
    """Before anything is learned each step pays what ``add`` pays."""
    begun = train(world(4), Barfi(updates=1, horizon=3, warm_up=9)).weights
    obs = np.random.default_rng(0).uniform(0, 5, (3, 4))
    assert begun.factors(obs) == pytest.approx(np.array([[0.0, 1.0, 1.0]] * 3))
    assert begun.gamma == pytest.approx(0.99)


def test_continuous_actions_are_learned_too() -> None:
    """A Gaussian policy on a Box: one update of the policy and of the blend changes both
    and stays finite."""
    envs = gym.make_vec(
        "MountainCarContinuous-v0", num_envs=4, vectorization_mode="sync"
    )
    text = "def compute_reward(velocity):\n    return {'speed': abs(velocity)}\n"
    wrapped = reward_synth.wrap(envs, text)
    made = train(wrapped, Barfi(updates=2, horizon=20, hidden=(8,)))
    assert all(np.isfinite([p.sparse, p.dense]).all() for p in made.curve)
    assert made.weights.components == ("speed",)
    factors = made.weights.factors(np.zeros((1, 2)))
    assert np.isfinite(factors).all()
    assert not np.allclose(factors, [[0.0, 1.0, 1.0]])


def test_the_recorded_objectives_give_the_difference_of_the_problem_solved_again() -> (
    None
):
    """On recorded episodes the implicit gradient of BARFI's own objectives equals, to
    1e-3 of the largest, central differences with the policy solved for again."""
    batch, price = recorded(), 0.3
    policy = Policy(3, gym.spaces.Discrete(2), ()).double()
    blend = BlendNetwork(3, 1, gamma=0.9, factor=2.0, bias=0.5, hidden=()).double()
    last: Any = blend.layers[-1]
    phi = [last.bias, blend.raw]

    def objectives() -> Any:
        return surrogates(
            policy, batch, blend(batch), blend.gamma, true_gamma=0.9, entropy=0.0
        )

    def inner() -> Any:
        theta = torch.cat([x.reshape(-1) for x in policy.parameters()])
        return objectives()[1] - price / 2 * (theta**2).sum()

    def solve() -> float:
        theta = [x for x in policy.parameters() if x.numel()]
        descent = torch.optim.LBFGS(
            theta,
            max_iter=100,
            tolerance_grad=1e-12,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Any:
            descent.zero_grad()
            loss = -inner()
            loss.backward()
            return loss

        descent.step(closure)
        return float(objectives()[0].detach())

    solve()
    found = implicit_gradient(
        objectives()[0],
        inner(),
        [x for x in policy.parameters() if x.numel()],
        phi,
        Neumann(terms=500),
    )
    expected = []
    for parameter in phi:
        flat = parameter.data.reshape(-1)
        for index in range(len(flat)):
            ends = []
            for h in (1e-4, -2e-4):
                flat[index] += h
                ends.append(solve())
            flat[index] += 1e-4
            expected.append((ends[0] - ends[1]) / 2e-4)
    given = torch.cat([x.reshape(-1) for x in found.gradients]).numpy()
    assert found.residual < 1e-6
    assert np.abs(expected).max() > 1e-3
    assert given == pytest.approx(np.array(expected), abs=1e-3 * np.abs(expected).max())


def recorded() -> Episodes:
    """Return three episodes of unlike lengths in three states with two choices."""
    source = torch.Generator().manual_seed(0)
    states = torch.randint(3, (5, 3), generator=source)
    alive = torch.ones(5, 3, dtype=torch.float64)
    alive[3:, 0] = 0
    choices = torch.randint(2, (5, 3), generator=source)
    paid = torch.rand(2, 5, 3, generator=source, dtype=torch.float64) * alive
    rows = torch.nn.functional.one_hot(states, 3).double()
    return Episodes(rows, choices, paid[0], paid[1][..., None], alive, ("dense",))


def test_returns_are_discounted_sums() -> None:
    """Each step's return is its pay plus gamma times the next one's return."""
    paid = torch.rand(6, 2, generator=torch.Generator().manual_seed(0))
    found = returns(paid, torch.tensor(0.8))
    assert torch.allclose(found[:-1], paid[:-1] + 0.8 * found[1:])
    assert torch.allclose(found[-1], paid[-1])


def test_what_cannot_be_learned_from_is_refused(tmp_path: Path) -> None:
    """Without components, of other spaces, with odd settings, from other files."""
    with pytest.raises(UsageError, match=r"reward_synth\.wrap"):
        train(VectorGrid(2, rows=ROWS), Barfi(updates=1, horizon=2))
    with pytest.raises(UsageError, match="Box and Discrete spaces"):
        Policy(2, gym.spaces.MultiBinary(2), ())
    for change in (
        {"gamma": 1.0},
        {"updates": 0},
        {"blend": "plain"},
        {"most_factor": 1.0},
    ):
        with pytest.raises(UsageError, match="received"):
            Barfi(**change)
    net = Network((np.zeros((1, 3)),), (np.zeros(3),))
    blend = BlendWeights(net, np.ones(3), Sight(), ("near",), 0.9)
    with pytest.raises(UsageError, match="needs the component 'near'"):
        blend.rewards(np.zeros((1, 1)), np.zeros(1), {"far": np.zeros(1)})
    path = tmp_path / "other"
    path.write_bytes(b"nothing")
    with pytest.raises(UsageError, match="no learned blend"):
        BlendWeights.load(path)
