"""NetHack and MiniHack: the rules of Gymnasium, which they break by themselves."""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from reward_synth.envs import resolve
from reward_synth.envs.nethack_tasks import MINIHACK

pytest.importorskip("nle")
pytest.importorskip("minihack")

KEYROOM = "MiniHack-KeyRoom-S5-v0"
STAIRS = "NetHackStaircase-v0"
ONI = (
    "NetHackONI-Score-v0",
    "NetHackONI-Oracle-v0",
    "NetHackONI-OracleSober-v0",
    "NetHackONI-StaircaseLvl3-v0",
    "NetHackONI-StaircaseLvl4-v0",
    "NetHackONI-RewardFree-v0",
)


@pytest.fixture
def keyroom() -> Iterator[Any]:
    env: Any = resolve(KEYROOM).make()
    yield env
    env.close()


def played(env: Any, seed: int | None, steps: int) -> list[Any]:
    """Play without drawing anything, and return all that was observed and paid."""
    obs, _ = env.reset(seed=seed)
    seen: list[Any] = [obs["glyphs"]]
    for number in range(steps):
        obs, reward, terminated, truncated, _ = env.step(
            number * 7 % env.action_space.n
        )
        seen += [obs["glyphs"], obs["message"], obs["blstats"], reward]
        if terminated or truncated:
            obs, _ = env.reset()
            seen.append(obs["glyphs"])
    return seen


def same(first: list[Any], second: list[Any]) -> bool:
    pairs = zip(first, second, strict=False)
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", [KEYROOM, *ONI, "NetHackGold-v0"])
def test_gymnasium_accepts_it(name: str) -> None:
    """Gymnasium's own checker passes, which fails for NLE's classes."""
    env = resolve(name).make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(env, skip_render_check=True)


def test_what_was_observed_stays(keyroom: Any) -> None:
    """A kept observation does not change with the next step, as NLE's own do."""
    first, _ = keyroom.reset(seed=0)
    kept = {name: value.copy() for name, value in first.items()}
    for action in (0, 1, 2, 3):
        after, *_ = keyroom.step(action)
        assert not any(np.shares_memory(first[key], after[key]) for key in first)
    for name, value in kept.items():
        np.testing.assert_array_equal(first[name], value)


@pytest.mark.parametrize("name", [KEYROOM, STAIRS, "NetHackONI-Score-v0"])
def test_a_seed_decides_all_games_after_it(name: str) -> None:
    """One seed gives the same games twice over several episodes, another seed others;
    without a seed two environments differ."""
    one, two = (resolve(name).make(max_episode_steps=60) for _ in range(2))
    first = played(one, 7, 200)
    assert same(first, played(two, 7, 200))
    assert same(first, played(one, 7, 200))
    assert not same(first, played(two, 8, 200))
    assert not same(played(one, None, 20), played(two, None, 20))


@pytest.mark.parametrize("name", MINIHACK)
def test_every_listed_task_is_seeded(name: str) -> None:
    """Each task can be played, and a seed decides its levels, MiniGrid's too."""
    if name.startswith(("MiniHack-MultiRoom", "MiniHack-LavaCrossingS")):
        pytest.importorskip("minigrid")
    one, two = (resolve(name).make(max_episode_steps=15) for _ in range(2))
    first = played(one, 3, 40)
    assert same(first, played(two, 3, 40))
    assert not same(first, played(two, 4, 40))


def test_a_seed_decides_among_given_levels() -> None:
    """MiniHack's list of level seeds is drawn from by our seed, not by Python's."""
    env = resolve(KEYROOM, {"seeds": [1, 2, 3, 4, 5]}).make()
    drawn = []
    for _ in range(2):
        env.reset(seed=3)
        drawn.append([env.reset()[1]["nethack_seeds"][0] for _ in range(20)])
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) <= {1, 2, 3, 4, 5}
    assert len(set(drawn[0])) > 1


def test_a_time_limit_truncates_and_keeps_the_last_observation() -> None:
    """At the limit the episode is cut, not ended, nothing is paid for it, and what is
    observed is the game: NLE returns the empty screen of a game that was quit."""
    env = resolve(KEYROOM, {"reward_lose": -5}).make(max_episode_steps=12)
    env.reset(seed=0)
    for number in range(12):
        obs, reward, terminated, truncated, info = env.step(0)
        assert not terminated
        assert truncated == (number == 11)
    assert float(reward) > -1
    assert obs["blstats"][11] > 0
    assert info["success"] is False
    obs, _ = env.reset()
    assert obs["blstats"][20] == 1


def test_success_ends_the_episode_with_its_own_observation() -> None:
    """Whoever stands on the stairs has ended the episode and still sees them."""
    env = resolve("MiniHack/MiniHack-Room-5x5-v0").make()
    obs, _ = env.reset(seed=1)
    (row,), (column,) = (axis.tolist() for axis in np.nonzero(obs["chars"] == ord(">")))
    moves = {(-1, 0): 0, (0, 1): 1, (1, 0): 2, (0, -1): 3, (-1, 1): 4, (1, 1): 5}
    moves |= {(1, -1): 6, (-1, -1): 7}
    terminated = False
    reward: Any = 0.0
    info: dict[str, Any] = {}
    for _ in range(10):
        x, y = obs["blstats"][:2].tolist()
        step = int(np.sign(row - y)), int(np.sign(column - x))
        obs, reward, terminated, truncated, info = env.step(moves[step])
        assert not truncated
        if terminated:
            break
    assert terminated
    assert info["success"] is True
    assert float(reward) == 1.0
    assert obs["blstats"][:2].tolist() == [column, row]


def test_oni_pays_success_only_where_the_paper_does() -> None:
    """Depth 3 ends the staircase task with 50; the Oracle beside a hero who hallucinates
    is none, and the reward-free task pays nothing."""
    from reward_synth.envs import nethack_oni

    stats = np.zeros(27, np.int64)
    glyphs = np.zeros((21, 79), np.int16)
    stairs: Any = resolve(ONI[3]).make().unwrapped
    sober: Any = resolve(ONI[2]).make().unwrapped
    drunk: Any = resolve(ONI[1]).make().unwrapped
    keys = sober._observation_keys
    seen: list[Any] = [np.zeros(9, np.int32) for _ in keys]
    seen[sober._blstats_index], seen[sober._glyph_index] = stats, glyphs
    status = stairs.StepStatus
    for depth, reached in ((1, False), (2, False), (3, True), (4, True)):
        stats[12] = depth
        assert stairs.reached(seen) is reached
    stats[:2] = 10, 10
    assert not sober.reached(seen)
    glyphs[9, 11] = sober._oracle
    assert sober.reached(seen)
    stats[25] = 512
    assert not sober.reached(seen)
    assert drunk.reached(seen)
    won = status.TASK_SUCCESSFUL
    assert stairs._reward_fn(seen, 0, seen, won) == pytest.approx(50 - 0.01)
    free = resolve(ONI[5]).make()
    free.reset(seed=0)
    assert {float(free.step(n % 8)[1]) for n in range(30)} == {0.0}
    assert len(nethack_oni.ACTIONS) == 23 + 5


def test_describing_names_the_bottom_line() -> None:
    """Fields have the names of the bottom line's numbers, and the task its words."""
    task = resolve(KEYROOM).describe(rollouts=1, max_steps=20)
    names = {item.name for item in task.fields}
    assert {"hp", "depth", "hero_x", "turn", "message"} <= names
    assert task.horizon == 200
    assert task.sparse
    assert "key" in task.instruction
    assert task.success is not None


def test_minihack_needs_no_pkg_resources() -> None:
    """MiniHack is imported where setuptools no longer has pkg_resources, and whoever
    has it keeps theirs."""
    code = (
        "import sys\n"
        "class Gone:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'pkg_resources': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "from reward_synth.envs import resolve\n"
        f"env = resolve({KEYROOM!r}).make(); env.reset(seed=0)\n"
        "print('pkg_resources' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("keys", [("glyphs", "blstats", "message"), None])
def test_the_adapter_costs_little(keys: tuple[str, ...] | None) -> None:
    """At least 0.7 of raw NLE's steps a second, turn by turn in one process (0.85 is
    what it has on a quiet machine)."""
    import gymnasium as gym

    given: dict[str, Any] = {} if keys is None else {"observation_keys": keys}
    ours = resolve("NetHackScore-v0", dict(given)).make()
    raw = gym.make("NetHackScore-v0", disable_env_checker=True, **given).unwrapped
    shares = []
    for env in (ours, raw):
        env.reset()
    for _ in range(7):
        spent = [_seconds(env, 700) for env in (ours, raw)]
        shares.append(spent[1] / spent[0])
    assert np.median(shares) > 0.7


def _seconds(env: Any, steps: int) -> float:
    actions = np.random.default_rng(0).integers(env.action_space.n, size=steps).tolist()
    spent = 0.0
    for action in actions:
        began = time.perf_counter()
        _, _, terminated, truncated, _ = env.step(action)
        spent += time.perf_counter() - began
        if terminated or truncated:
            env.reset()
    return spent
