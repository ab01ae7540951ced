"""Gridworlds: tables, environments and vectors say the same, and play by the rules."""

from __future__ import annotations

import time
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

import reward_synth
import reward_synth.envs.gridworld_register
from reward_synth.distance import reachable, regret
from reward_synth.envs import families, resolve
from reward_synth.envs.gridworld import GridEnv, Layout, VectorGrid, tables
from reward_synth.envs.gridworld_tasks import TASKS
from reward_synth.errors import UsageError

GAMMA = 0.9
UP, RIGHT, DOWN, LEFT = range(4)
DOOR = ("S.D", "K#G")


def play(env: GridEnv, actions: list[int]) -> list[tuple[list[float], float, bool]]:
    """Return what is observed, paid and ended by each action."""
    env.reset(seed=0)
    found = []
    for action in actions:
        obs, paid, ended, *_ = env.step(action)
        found.append((obs.tolist()[:2], paid, ended))
    return found


def test_walls_stop_and_the_goal_pays_once() -> None:
    """Up is the edge, right is floor, then the goal: 1, terminated."""
    assert play(GridEnv(rows=["S.G"]), [UP, RIGHT, RIGHT]) == [
        ([0.0, 0.0], 0.0, False),
        ([0.0, 1.0], 0.0, False),
        ([0.0, 2.0], 1.0, True),
    ]


def test_a_cliff_ends_without_pay() -> None:
    """The cliff terminates, pays 0 and is worth 0."""
    env = GridEnv(rows=["SCG", "..."])
    assert play(env, [RIGHT]) == [([0.0, 1.0], 0.0, True)]
    places = [tuple(x) for x in env.tables.observations[:, :2].tolist()]
    cliff = places.index((0.0, 1.0))
    assert env.tables.optimal_values(GAMMA)[cliff] == 0.0


def test_the_door_opens_with_the_key_alone() -> None:
    """Without the key the door is a wall; fetching it opens the way: down, up, right,
    right, down."""
    env = GridEnv(rows=DOOR)
    assert [x[0] for x in play(env, [RIGHT, RIGHT])] == [[0.0, 1.0], [0.0, 1.0]]
    path = play(env, [DOWN, UP, RIGHT, RIGHT, DOWN])
    assert path[-1] == ([1.0, 2.0], 1.0, True)
    env.reset(seed=0)
    assert env.step(DOWN)[0].tolist() == [1, 0, 1, 2, 1, 1, 0, 0, 2]


def test_optimal_values_are_counted_by_hand() -> None:
    """n steps from the goal a state is worth gamma^(n-1); with the door 5 steps."""
    line = tables(Layout(("S...G",))).optimal_values(GAMMA)
    np.testing.assert_allclose(line, [GAMMA**3, GAMMA**2, GAMMA, 1.0, 0.0])
    world = tables(Layout(DOOR))
    value = world.start @ world.optimal_values(GAMMA)
    assert value == pytest.approx(GAMMA**4)


def test_a_slip_goes_to_both_sides_alike() -> None:
    """At slip 0.2: 0.8 ahead, 0.1 to each side; what meets a wall stays."""
    world = tables(Layout(("...", ".S.", "..G"), slip=0.2))
    chance, following = world.process.probability, world.process.next
    start = int(np.argmax(world.start))
    where = {
        tuple(world.observations[s][:2].tolist()): p
        for s, p in zip(following[start, UP], chance[start, UP], strict=True)
    }
    assert where == {
        (0.0, 1.0): 0.8,
        (1.0, 2.0): pytest.approx(0.1),
        (1.0, 0.0): pytest.approx(0.1),
    }


@pytest.mark.parametrize("name", TASKS)
def test_tables_are_a_whole_process(name: str) -> None:
    """Every state can be met, terminal ones stay and pay nothing, and the best policy
    has no regret but that of its negative."""
    world = GridEnv(name).tables
    moves, paid = world.dense()
    assert reachable(moves, world.start).all()
    for state in np.flatnonzero(world.terminal):
        assert (moves[state, :, state] == 1).all()
        assert (paid[state] == 0).all()
    assert regret(paid, paid, moves, 0.99, world.start).regret == 0.0
    assert regret(-paid, paid, moves, 0.99, world.start).regret == pytest.approx(1.0)


@pytest.mark.parametrize("name", TASKS)
def test_steps_are_drawn_from_the_tables(name: str) -> None:
    """Each step of one environment and of a vector is one that the tables allow, with
    their pay and their end; shares of slips are within five deviations."""
    lanes = 256
    envs: Any = gym.make_vec(name, num_envs=lanes).unwrapped
    envs.reset(seed=1)
    rng = np.random.default_rng(0)
    world = envs.tables
    counts = np.zeros_like(world.process.probability)
    for _ in range(60):
        before, fresh = envs.states.copy(), envs._ended.copy()
        actions = rng.integers(0, 4, lanes)
        obs, paid, terminated, _, _ = envs.step(actions)
        np.testing.assert_array_equal(obs, world.observations[envs.states])
        led = world.process.next[before, actions] == envs.states[:, None]
        led &= world.process.probability[before, actions] > 0
        assert led[~fresh].any(1).all()
        k = led.argmax(1)
        ok = ~fresh
        expected = world.rewards[before, actions, k]
        np.testing.assert_array_equal(paid[ok], expected[ok])
        np.testing.assert_array_equal(terminated[ok], world.terminal[envs.states][ok])
        assert (paid[fresh] == 0).all()
        assert world.start[envs.states[fresh]].all()
        np.add.at(counts, (before[ok], actions[ok], k[ok]), 1)
    drawn = counts.sum(2, keepdims=True)
    spread = np.sqrt(
        drawn * world.process.probability * (1 - world.process.probability)
    )
    assert (np.abs(counts - drawn * world.process.probability) <= 5 * spread + 1).all()


def test_one_environment_walks_as_a_vector_of_one() -> None:
    """Without chance the same actions give the same observations and pay."""
    one, many = GridEnv("GridKeyDoor-v0"), VectorGrid(1, "GridKeyDoor-v0")
    first, _ = one.reset(seed=0)
    np.testing.assert_array_equal(many.reset(seed=0)[0][0], first)
    for action in np.random.default_rng(0).integers(0, 4, 300):
        obs, paid, ended, *_ = one.step(action)
        other, rewards, ends, *_ = many.step(np.array([action]))
        np.testing.assert_array_equal(other[0], obs)
        assert (rewards[0], ends[0]) == (paid, ended)
        if ended:
            break


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_episodes_begin_anew_as_the_mode_says(mode: AutoresetMode) -> None:
    """Two cells: the first step ends the episode. Then NEXT_STEP pays 0 for a step that
    only resets, SAME_STEP is back at once and tells the last observation, DISABLED
    stays until a reset of the masked lanes."""
    envs = VectorGrid(2, rows=["SG."], autoreset_mode=mode)
    envs.reset(seed=0)
    obs, paid, ended, _, infos = envs.step(np.array([RIGHT, UP]))
    assert (paid.tolist(), ended.tolist()) == ([1.0, 0.0], [True, False])
    assert obs[0, 1] == (0.0 if mode is AutoresetMode.SAME_STEP else 1.0)
    if mode is AutoresetMode.SAME_STEP:
        assert infos["final_obs"][0].tolist() == [0, 1, 0, 1]
        assert infos["_final_obs"].tolist() == [True, False]
    if mode is AutoresetMode.DISABLED:
        envs.reset(options={"reset_mask": np.array([True, False])})
        assert envs.states.tolist() == [0, 0]
    else:
        obs, paid, ended, _, _ = envs.step(np.array([RIGHT, UP]))
        again = mode is AutoresetMode.SAME_STEP
        assert (paid[0], ended[0]) == (float(again), again)


def test_the_clock_truncates_and_terminates_nothing() -> None:
    """At the limit an episode is truncated; reaching the goal then is no truncation."""
    envs = VectorGrid(2, rows=["S.G"], max_episode_steps=2)
    envs.reset(seed=0)
    envs.step(np.array([RIGHT, UP]))
    _, _, terminated, truncated, _ = envs.step(np.array([RIGHT, UP]))
    assert (terminated.tolist(), truncated.tolist()) == ([True, False], [False, True])


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_the_same_seed_gives_the_same_steps(seed: int) -> None:
    """Starts and slips come from the seed alone."""
    runs = []
    for _ in range(2):
        envs = VectorGrid(8, "GridCliff-v0")
        envs.reset(seed=seed)
        rng = np.random.default_rng(seed)
        runs.append([envs.step(rng.integers(0, 4, 8))[0] for _ in range(20)])
    np.testing.assert_array_equal(runs[0], runs[1])


@pytest.mark.parametrize("name", TASKS)
def test_gymnasium_and_sb3_find_nothing_wrong(name: str) -> None:
    """Both checkers pass, without a warning of Gymnasium's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(name, render_mode="ansi").unwrapped)
    env_checker = pytest.importorskip("stable_baselines3.common.env_checker")
    env_checker.check_env(gym.make(name).unwrapped, warn=False)


def test_the_map_is_drawn() -> None:
    """The walker stands on the start."""
    env = GridEnv(rows=["S.G"], render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == "@.G"


@pytest.mark.parametrize("name", TASKS)
def test_the_family_describes_and_wraps(name: str) -> None:
    """Fields are named, success is reaching the goal, and a program reads them; the id
    in our namespace pays the same."""
    ref = resolve(f"Gridworld/{name.removesuffix('-v0')}")
    assert ref.name == f"Gridworld/{name}"
    task = ref.describe(rollouts=1, max_steps=20)
    assert [field.name for field in task.fields][:2] == ["agent_pos", "goal_pos"]
    assert ("has_key" in task.parameters) == (name == "GridKeyDoor-v0")
    assert task.success is not None
    assert task.success.rule == "np.linalg.norm(agent_pos - goal_pos) < 0.5"
    assert task.sparse
    text = (
        "import numpy as np\n\n\ndef compute_reward(agent_pos, goal_pos):\n"
        "    return {'near': -np.linalg.norm(agent_pos - goal_pos)}\n"
    )
    env = gym.make(f"reward_synth/{name}", reward=text)
    env.reset(seed=0)
    info = env.step(RIGHT)[4]
    assert info["reward_components"]["near"] < 0
    envs = reward_synth.wrap(gym.make_vec(name, num_envs=3), text, task=task)
    envs.reset(seed=0)
    paid = envs.step(np.full(3, RIGHT))[1]
    assert (paid < 0).all()


def test_the_family_needs_nothing_installed() -> None:
    """It is listed, and there for everyone."""
    family = next(item for item in families() if item.name == "Gridworld")
    assert family.installed
    assert family.tasks == tuple(TASKS)


def test_ten_million_steps_a_second() -> None:
    """On one core; benchmarks/gridworld.py measures more."""
    envs = VectorGrid(16_384, "GridSlippery-v0")
    envs.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 4, 16_384)
    envs.step(actions)
    times = []
    for _ in range(20):
        start = time.process_time()
        envs.step(actions)
        times.append(time.process_time() - start)
    assert 16_384 / min(times) > 1e7


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["SG", "."], "equally long"),
        (["S?G"], r"'\?'"),
        (["S."], "exactly one goal"),
        (["S#G"], "cannot be reached"),
        (["SKG"], "one key K and one door D"),
        ([], "equally long"),
    ],
)
def test_what_is_no_map_is_refused(rows: list[str], said: str) -> None:
    """Each fault of a layout is named."""
    with pytest.raises(UsageError, match=said):
        GridEnv(rows=rows)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: GridEnv("GridFourRoms-v0"), "Did you mean 'GridFourRooms-v0'"),
        (lambda: GridEnv(rows=["SG"], slip=2.0), "slip"),
        (lambda: GridEnv(rows=["SG"]).step(7), "0 to 3"),
        (lambda: GridEnv(rows=["SG"]).reset(options={"state": 9}), "0 to 1"),
        (lambda: VectorGrid(0), "at least one"),
        (lambda: VectorGrid(2).step(np.array([0])), "2 numbers"),
        (lambda: GridEnv(rows=["SG"]).tables.optimal_values(1.0), r"\[0, 1\)"),
    ],
)
def test_misuse_is_named(make: Any, said: str) -> None:
    """Unknown tasks, numbers out of range, and actions of another shape."""
    with pytest.raises(UsageError, match=said):
        make()
