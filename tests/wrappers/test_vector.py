"""Batches are scored as their environments are one by one, whatever resets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList

from reward_synth import RewardProgram, wrap
from reward_synth.errors import FieldMismatchError, ProgramError, UsageError
from reward_synth.reward import Transition
from reward_synth.task import Field, TaskSpec
from reward_synth.wrappers import (
    DenseReward,
    NonFiniteRewardWarning,
    PublishFields,
    VectorDenseReward,
)
from tests.wrappers.walk import Walk, task

LANES, STEPS = 5, 60
PROGRAM = RewardProgram("""
def compute_reward(x, prev_x, speed, action):
    return {"gain": abs(x) - abs(prev_x), "effort": -0.1 * action[0] ** 2 + 0.01 * speed}

def compute_potential(x, speed):
    return abs(x) + 0.5 * speed
""")
WINDY = RewardProgram("""
def compute_reward(x, wind, prev_wind, pace):
    return {"windy": x * wind, "gust": wind - prev_wind, "pace": pace}

def compute_potential(x, wind):
    return abs(x) + wind
""")


def by_function(t: Transition) -> dict[str, float]:
    return {
        "gain": float(t.after["x"] - t.before["x"]),
        "end": float(t.terminated) + 2.0 * float(t.truncated) + float(t.action[0]),
    }


Reward = RewardProgram | Callable[[Transition], dict[str, float]]
CASES: list[tuple[Reward, str]] = [
    (PROGRAM, "add"),
    (PROGRAM, "replace"),
    (PROGRAM, "potential"),
    (WINDY, "add"),
    (WINDY, "potential"),
    (by_function, "add"),
    (by_function, "replace"),
]
MODES = list(AutoresetMode)


def singles(reward: Reward, combine: str, keys: bool) -> list[Callable[[], Any]]:
    """Return makers of environments that are each wrapped alone: the expectation."""
    spec = task(keys=keys)

    def one(limit: int) -> DenseReward:
        return DenseReward(Walk(limit, keys=keys), reward, spec, combine, 0.9)

    return [partial(one, limit) for limit in range(4, 4 + LANES)]


def plain(keys: bool) -> list[Callable[[], Any]]:
    spec = task(keys=keys)

    def one(limit: int) -> PublishFields:
        return PublishFields(Walk(limit, keys=keys), spec)

    return [partial(one, limit) for limit in range(4, 4 + LANES)]


def played(envs: Any, mode: AutoresetMode) -> Iterator[tuple[Any, ...]]:
    """Yield what the steps gave; where nothing resets by itself, reset what ended."""
    rng = np.random.default_rng(3)
    envs.reset(seed=7)
    ended = np.zeros(LANES, np.bool_)
    for _ in range(STEPS):
        if mode is AutoresetMode.DISABLED and ended.any():
            envs.reset(options={"reset_mask": ended})
        result = envs.step(rng.uniform(-1, 1, (LANES, 1)))
        reset_only = ended if mode is AutoresetMode.NEXT_STEP else np.zeros_like(ended)
        ended = result[2] | result[3]
        yield (*result[1:], reset_only, ended)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize(("reward", "combine"), CASES)
@pytest.mark.parametrize("keys", [False, True], ids=["box", "dict"])
def test_a_vector_is_scored_as_its_environments_are(
    mode: AutoresetMode, reward: Reward, combine: str, keys: bool
) -> None:
    """Rewards, components and sums equal those of environments that are wrapped one by
    one, in every autoreset mode: nothing leaks from one episode into the next."""
    spec = task(keys=keys)
    one_by_one = SyncVectorEnv(singles(reward, combine, keys), autoreset_mode=mode)
    vector = SyncVectorEnv(plain(keys), autoreset_mode=mode)
    together = VectorDenseReward(vector, reward, spec, combine, 0.9)
    episodes = 0
    for alone, batch in zip(
        played(one_by_one, mode), played(together, mode), strict=True
    ):
        *_, reset_only, ended = alone
        np.testing.assert_allclose(batch[0], alone[0], atol=1e-12)
        compare(alone[3], batch[3], ended, ~reset_only, mode)
        episodes += int(ended.sum())
    assert episodes > LANES


def compare(
    alone: Any, batch: Any, ended: Any, valid: Any, mode: AutoresetMode
) -> None:
    same_step = mode is AutoresetMode.SAME_STEP
    where = [(alone, valid & ~ended if same_step else valid)]
    if same_step and ended.any():
        where.append((alone["final_info"], ended))
    for info, lanes in where:
        if not lanes.any():
            continue
        for name, values in info["reward_components"].items():
            if not name.startswith("_"):
                found = batch["reward_components"][name]
                np.testing.assert_allclose(found[lanes], values[lanes], atol=1e-12)
    if ended.any():
        last = (alone["final_info"] if same_step else alone)["reward_synth"]
        for name in ("sparse_return", "dense_return", "faults"):
            found = batch["reward_synth"][name]
            np.testing.assert_allclose(found[ended], last[name][ended], atol=1e-9)


def test_infos_follow_gymnasium() -> None:
    """Gymnasium's own wrapper turns the infos into a list of dicts, so masks are right."""
    vector = VectorDenseReward(SyncVectorEnv(plain(False)), PROGRAM, task())
    envs = DictInfoToList(vector)
    envs.reset(seed=0)
    seen = 0
    for _ in range(8):
        infos = envs.step(np.zeros((LANES, 1)))[4]
        assert all(
            set(info["reward_components"]) == {"gain", "effort"} for info in infos
        )
        seen += sum("reward_synth" in info for info in infos)
    assert seen >= LANES - 1


def test_other_processes_tell_their_fields() -> None:
    """What only a simulator knows comes from environments in other processes, too."""
    expected = SyncVectorEnv(singles(WINDY, "add", False))
    envs = VectorDenseReward(AsyncVectorEnv(plain(False)), WINDY, task())
    mode = AutoresetMode.NEXT_STEP
    for alone, batch in zip(played(expected, mode), played(envs, mode), strict=True):
        np.testing.assert_allclose(batch[0], alone[0], atol=1e-12)
    envs.close()


def test_unpublished_fields_are_refused_by_name() -> None:
    """A field that no observation holds is named, with what makes it known."""
    envs = VectorDenseReward(SyncVectorEnv([Walk] * 2), WINDY, task())
    with pytest.raises(FieldMismatchError, match=r"^wind of 'Walk'.*PublishFields"):
        envs.reset(seed=0)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_all_may_end_at_once(mode: AutoresetMode) -> None:
    """Where every episode ends in the same step, nothing that a reset does not tell is
    missed, and the last step is still scored."""

    def one() -> DenseReward:
        return DenseReward(Walk(3), WINDY, task())

    alone = SyncVectorEnv([one] * LANES, autoreset_mode=mode)
    inner = SyncVectorEnv(
        [lambda: PublishFields(Walk(3), task())] * LANES, autoreset_mode=mode
    )
    together = VectorDenseReward(inner, WINDY, task())
    for first, second in zip(played(alone, mode), played(together, mode), strict=True):
        np.testing.assert_allclose(second[0], first[0], atol=1e-12)


def test_a_reset_within_an_episode_begins_new_sums() -> None:
    """Sums count from the reset that the user asked for, in the lanes of its mask."""
    mode = AutoresetMode.DISABLED
    still = np.zeros((2, 1))
    makers = [lambda: PublishFields(Walk(4), task())] * 2
    inner = SyncVectorEnv(makers, autoreset_mode=mode)
    envs = VectorDenseReward(inner, lambda t: {"one": 1.0}, task(), "replace")
    envs.reset(seed=0)
    for _ in range(2):
        envs.step(still)
    envs.reset(options={"reset_mask": np.array([True, False])})
    for _ in range(2):
        infos = envs.step(still)[4]
    np.testing.assert_array_equal(infos["_reward_synth"], [False, True])
    assert infos["reward_synth"]["dense_return"].tolist() == [2.0, 4.0]


def test_what_is_not_finite_stays_in_its_lane() -> None:
    """A NaN in one environment is left out there and counted; the others are scored."""

    def reward(t: Transition) -> float:
        return float("nan") if t.after["x"] > 0 else 1.0

    envs = VectorDenseReward(SyncVectorEnv(plain(False)), reward, task(), "replace")
    obs, _ = envs.reset(seed=1)
    with pytest.warns(NonFiniteRewardWarning, match="environments is not finite"):
        obs, rewards, *_ = envs.step(np.zeros((LANES, 1)))
    np.testing.assert_array_equal(rewards, np.where(obs[:, 0] > 0, 0.0, 1.0))


class AsTensors(gym.vector.VectorWrapper):
    """Behaves as ManiSkill's vector environment: tensors, and whole final batches."""

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        torch = pytest.importorskip("torch")
        obs, _ = self.env.reset(**kwargs)
        return torch.as_tensor(obs), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        torch = pytest.importorskip("torch")
        obs, paid, ended, cut, infos = self.env.step(actions.numpy())
        told = {}
        if (ended | cut).any():
            final = np.array(obs)
            for lane in np.flatnonzero(ended | cut):
                final[lane] = infos["final_obs"][lane]
            told["final_observation"] = torch.as_tensor(final)
        numbers = torch.as_tensor(paid, dtype=torch.float32)
        return torch.as_tensor(obs), numbers, *map(torch.as_tensor, (ended, cut)), told


def test_tensors_come_and_go() -> None:
    """A batch of tensors is scored as one of arrays, and its rewards are tensors."""
    torch = pytest.importorskip("torch")
    mode = AutoresetMode.SAME_STEP
    makers = [partial(Walk, limit) for limit in range(4, 4 + LANES)]
    arrays = VectorDenseReward(
        SyncVectorEnv(makers, autoreset_mode=mode), PROGRAM, task()
    )
    tensors = VectorDenseReward(
        AsTensors(SyncVectorEnv(makers, autoreset_mode=mode)), PROGRAM, task()
    )
    arrays.reset(seed=2)
    tensors.reset(seed=2)
    rng = np.random.default_rng(0)
    for _ in range(20):
        actions = rng.uniform(-1, 1, (LANES, 1))
        expected = arrays.step(actions)[1]
        found = tensors.step(torch.as_tensor(actions))[1]
        assert found.dtype == torch.float32
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-6)


class Batch(gym.Env[Any, Any]):
    """A simulator of many scenes, as ManiSkill's on a GPU: tensors, partial resets."""

    def __init__(self) -> None:
        self.walks = [Walk(limit) for limit in range(4, 4 + LANES)]
        self.num_envs = LANES
        self.observation_space = self.walks[0].observation_space
        self.action_space = self.walks[0].action_space
        self.obs = np.zeros((LANES, 2))

    @property
    def wind(self) -> Any:
        torch = pytest.importorskip("torch")
        winds = [walk.wind for walk in self.walks]
        return torch.as_tensor(winds, dtype=torch.float64)

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        torch = pytest.importorskip("torch")
        chosen = (given.get("options") or {}).get("env_idx", range(LANES))
        for lane in map(int, chosen):
            seed = given.get("seed")
            self.obs[lane], _ = self.walks[lane].reset(
                seed=None if seed is None else seed + lane
            )
        return torch.as_tensor(self.obs), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        torch = pytest.importorskip("torch")
        told = [
            walk.step(action)
            for walk, action in zip(self.walks, actions.numpy(), strict=True)
        ]
        self.obs = np.stack([item[0] for item in told])
        paid = torch.as_tensor([item[1] for item in told], dtype=torch.float64)
        ended, cut = (torch.as_tensor([item[k] for item in told]) for k in (2, 3))
        paces = [item[4]["pace"] for item in told]
        pace = torch.as_tensor(paces, dtype=torch.float64)
        return torch.as_tensor(self.obs), paid, ended, cut, {"pace": pace}


@pytest.mark.parametrize(("reward", "combine"), CASES)
def test_a_batched_simulator_is_scored_as_single_ones(
    reward: Reward, combine: str
) -> None:
    """Tensors in, tensors out; scenes that are reset by number begin anew, and what only
    the simulator knows is read from it."""
    torch = pytest.importorskip("torch")
    mode = AutoresetMode.DISABLED
    alone = SyncVectorEnv(singles(reward, combine, False), autoreset_mode=mode)
    batch: Any = wrap(Batch(), reward, combine, task=task(), gamma=0.9)
    batch.reset(seed=7)
    rng = np.random.default_rng(3)
    ended = torch.zeros(LANES, dtype=torch.bool)
    for expected in played(alone, mode):
        if ended.any():
            batch.reset(options={"env_idx": torch.nonzero(ended)[:, 0]})
        actions = torch.as_tensor(rng.uniform(-1, 1, (LANES, 1)))
        _, rewards, terminated, truncated, info = batch.step(actions)
        ended = terminated | truncated
        np.testing.assert_allclose(rewards.numpy(), expected[0], atol=1e-12)
        if ended.any():
            lanes = ended.numpy()
            found = info["reward_synth"]["dense_return"][lanes]
            told = expected[3]["reward_synth"]["dense_return"][lanes]
            np.testing.assert_allclose(found, told, atol=1e-9)


def test_a_batch_needs_a_description() -> None:
    """A batched simulator is not described from its batch; the error says what helps."""
    with pytest.raises(
        UsageError, match=r"Batch cannot be described one by one.*--save"
    ):
        wrap(Batch(), by_function)


class Deep(Walk):
    """Observes dicts in dicts of half floats."""

    def __init__(self, limit: int = 4) -> None:
        super().__init__(limit)
        box = gym.spaces.Box(-9.0, 9.0, (2,), np.float16)
        self.observation_space = gym.spaces.Dict(a=gym.spaces.Dict(b=box))

    def _obs(self) -> Any:
        return {"a": {"b": np.array([self.x, self.speed], np.float16)}}


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_nested_and_half_observations_are_read(mode: AutoresetMode) -> None:
    """Dicts in dicts are scored on final observations, too, and types that machine code
    does not know are converted."""
    spec = TaskSpec(
        "Deep", "go", (Field("x", source="obs.a.b[0]"),), Field("action", (1,))
    )
    program = RewardProgram(
        "def compute_reward(x, prev_x):\n    return {'gain': x - prev_x}\n"
    )

    def one() -> DenseReward:
        return DenseReward(Deep(), program, spec)

    alone = SyncVectorEnv([one] * LANES, autoreset_mode=mode)
    inner = SyncVectorEnv([Deep] * LANES, autoreset_mode=mode)
    together = VectorDenseReward(inner, program, spec)
    for first, second in zip(played(alone, mode), played(together, mode), strict=True):
        np.testing.assert_allclose(second[0], first[0], atol=1e-12)


@pytest.mark.parametrize("how", ["sync", "async", "vector_entry_point"])
def test_wrap_describes_what_make_vec_made(how: str) -> None:
    """Environments that cannot be seen from here are described by one of their kind."""
    envs = gym.make_vec("CartPole-v1", 2, vectorization_mode=how)
    wrapped = wrap(envs, lambda t: {"upright": 2.0})
    wrapped.reset(seed=0)
    rewards = wrapped.step(np.zeros(2, np.int64))[1]
    np.testing.assert_array_equal(rewards, [3.0, 3.0])
    envs.close()


def test_wrap_takes_a_vector() -> None:
    """``wrap`` gives a vector environment its own wrapper."""
    envs = gym.make_vec("CartPole-v1", 3, vectorization_mode="sync")
    wrapped = wrap(envs, lambda t: {"upright": 2.0})
    assert isinstance(wrapped, VectorDenseReward)
    wrapped.reset(seed=0)
    rewards = wrapped.step(np.zeros(3, np.int64))[1]
    np.testing.assert_array_equal(rewards, [3.0, 3.0, 3.0])


def test_a_function_is_no_potential() -> None:
    """Shaping by a function of transitions is refused before anything runs."""
    with pytest.raises(UsageError, match="compute_potential"):
        VectorDenseReward(SyncVectorEnv([Walk]), by_function, task(), "potential")


def test_a_program_must_have_what_is_asked_for() -> None:
    """A program without a potential cannot shape."""
    program = RewardProgram("def compute_reward(x):\n    return {'x': x}\n")
    with pytest.raises(ProgramError, match="compute_potential"):
        VectorDenseReward(SyncVectorEnv([Walk]), program, task(), "potential")
