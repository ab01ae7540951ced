"""Rewards of ManiSkill's own batches equal those of its scenes one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

from reward_synth import wrap
from reward_synth.envs import describe_any
from reward_synth.envs.maniskill import make
from reward_synth.envs.maniskill_render import load_simulator, rendering
from reward_synth.errors import NotAvailableError, UsageError
from reward_synth.wrappers import (
    BatchedDenseReward,
    VectorDenseReward,
)
from tests.envs.by_hand import (
    CASES,
    PROGRAM,
    TASK,
    Reward,
    Sums,
    by_function,
    compare,
)
from tests.envs.live import NAME, SideBySide, check, check_on_gpu, vector_of, wrapped
from tests.envs.scenes import Recorded, Replay

pytestmark = [
    pytest.mark.maniskill,
    pytest.mark.usefixtures("_installed"),
]
HORIZON = 4
each_case = pytest.mark.parametrize(
    ("reward", "combine"), CASES, ids=["add", "replace", "potential", "function"]
)


@pytest.fixture(scope="module")
def _installed() -> None:
    pytest.importorskip("mani_skill")


class Seeded(gym.Wrapper[Any, Any, Any, Any]):
    """Gives the episodes after a seeded one the seeds that follow."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.seed = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.seed = self.seed + 1 if seed is None else seed
        return self.env.reset(seed=self.seed, options=options)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Any, Any]]:
    """The same scene as a plain environment and as a batch of one."""
    made = [
        Seeded(
            make(NAME, batched=how, max_episode_steps=HORIZON, exact_reset=True),
        )
        for how in (False, True)
    ]
    yield made[0], made[1]
    for env in made:
        env.close()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def live() -> Iterator[SideBySide]:
    env = SideBySide(3)
    yield env
    env.close()


@each_case
def test_one_scene_in_a_vector_is_scored_as_the_plain_one(
    pair: tuple[Any, Any], reward: Reward, combine: str
) -> None:
    """Real episodes give the same rewards, components and summaries, whether they are
    reset by hand or by ManiSkill's vector environment."""
    alone = wrapped(pair[0], reward, combine)
    vector = wrapped(vector_of(pair[1]), reward, combine)
    assert isinstance(vector, VectorDenseReward)
    obs, seen = alone.reset(seed=5)[0], vector.reset(seed=5)[0]
    rng = np.random.default_rng(1)
    for step in range(2 * HORIZON + 2):
        np.testing.assert_array_equal(seen[0].numpy(), obs)
        action = rng.uniform(-1.0, 1.0, 4).astype(np.float32)
        obs, paid, *ended, info = alone.step(action)
        seen, rewards, *flags, infos = vector.step(action[None])
        assert [bool(flag) for flag in flags] == ended
        assert ended[1] == (step % HORIZON == HORIZON - 1)
        np.testing.assert_allclose(rewards.numpy(), [paid], rtol=1e-6, atol=1e-6)
        for name, value in info["reward_components"].items():
            assert infos["reward_components"][name] == pytest.approx([value], abs=1e-9)
        if any(ended):
            compare_summaries(infos["reward_synth"], info["reward_synth"])
            obs = alone.reset()[0]


def compare_summaries(found: Any, alone: Any) -> None:
    for name in ("sparse_return", "dense_return", "faults"):
        assert found[name] == pytest.approx([alone[name]], abs=1e-8)
    for name, value in alone["components"].items():
        assert found["components"][name] == pytest.approx([value], abs=1e-8)


def test_a_vector_of_one_scene_is_described_by_itself(pair: tuple[Any, Any]) -> None:
    """Without task=, wrap finds the description that gives the same rewards."""
    with_task, without = (
        wrap(vector_of(pair[1]), PROGRAM, "replace", task=task) for task in (TASK, None)
    )
    assert without.rewards.task.id == TASK.id
    action = np.full((1, 4), 0.5, np.float32)
    rewards = []
    for vector in (with_task, without):
        vector.reset(seed=3)
        rewards.append([float(vector.step(action)[1]) for _ in range(HORIZON)])
    assert rewards[0] == rewards[1]


@each_case
def test_recorded_scenes_are_scored_as_by_hand(reward: Reward, combine: str) -> None:
    """Four real scenes as one batch of tensors, whose success is a bool tensor, earn
    what the reference gives each of them, across partial resets by number."""
    import torch

    env = wrapped(Replay(), reward, combine)
    assert isinstance(env, BatchedDenseReward)
    env.reset(seed=0)
    sums, ends = Sums(4), np.zeros((2, 4))
    for row in Recorded().rows():
        _, found, terminated, truncated, info = env.step(torch.as_tensor(row.action))
        compare(row, found, info, (reward, combine), sums, 1e-6)
        ends += [row.terminated, row.truncated]
        ended = terminated | truncated
        if ended.any():
            env.reset(options={"env_idx": torch.nonzero(ended)[:, 0]})
    assert ends.tolist() == [[2, 2, 0, 0], [0, 0, 2, 2]]


@each_case
def test_recorded_scenes_in_a_vector_are_scored_as_by_hand(
    reward: Reward, combine: str
) -> None:
    """ManiSkill's vector environment resets single scenes of a batch in the same step;
    their last steps are scored on what was there before."""
    import torch

    env = wrapped(vector_of(Replay()), reward, combine)
    assert isinstance(env, VectorDenseReward)
    env.reset(seed=0)
    sums = Sums(4)
    for row in Recorded().rows():
        _, found, *_, info = env.step(torch.as_tensor(row.action))
        compare(row, found, info, (reward, combine), sums, 1e-6)


@pytest.mark.parametrize("auto_reset", [True, False])
def test_scenes_of_a_vector_may_be_reset_by_number(auto_reset: bool) -> None:
    """A partial reset begins the sums of those scenes alone; with auto_reset=False the
    user makes all resets so."""
    import torch

    env = wrapped(vector_of(Replay(), auto_reset=auto_reset), PROGRAM, "potential")
    env.reset(seed=0)
    sums = Sums(4)
    for row in Recorded().rows():
        _, found, terminated, truncated, info = env.step(torch.as_tensor(row.action))
        compare(row, found, info, (PROGRAM, "potential"), sums, 1e-6)
        ended = terminated | truncated
        if ended.any():
            # a scene that was just reset may be reset again: nothing is lost
            env.reset(options={"env_idx": torch.nonzero(ended)[:, 0]})


@pytest.mark.parametrize("vector", [False, True], ids=["raw", "vector"])
def test_live_scenes_are_scored_as_watched(live: SideBySide, vector: bool) -> None:
    """Real scenes that are stepped as one batch on the CPU earn what the reference makes
    of each simulator, also where some are reset early."""
    check(live, vector, atol=1e-6)


@pytest.mark.parametrize("vector", [False, True], ids=["raw", "vector"])
def test_real_scenes_on_a_gpu_are_scored_as_watched(vector: bool) -> None:
    """Eight scenes that are simulated on a GPU earn what the reference makes of each."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("scenes that are simulated at once need an NVIDIA GPU")
    # PhysX moves to the GPU only in a process that has not used it yet
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(check_on_gpu, 8, vector).result()


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"num_envs": 0}, UsageError, "num_envs .* received 0"),
        ({"num_envs": -4}, UsageError, "num_envs .* received -4"),
        ({"num_envs": "4"}, UsageError, "num_envs .* received '4'"),
        ({"num_envs": True}, UsageError, "num_envs .* received True"),
        (
            {"batched": True, "ignore_terminations": True},
            UsageError,
            "ignore_terminations .* ManiSkillVectorEnv",
        ),
    ],
)
def test_a_batch_that_cannot_be_is_refused(
    settings: dict[str, Any], error: type[Exception], words: str
) -> None:
    """Wrong numbers of scenes, and what batches cannot do, are named."""
    with pytest.raises(error, match=words):
        make(NAME, **settings)


def test_many_scenes_without_a_gpu_name_the_way() -> None:
    """Where there is no GPU, the error gives a call that steps as many scenes."""
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(NotAvailableError, match=r"num_envs=4 needs") as caught:
        make(NAME, num_envs=4)
    call = f"gymnasium.vector.AsyncVectorEnv([lambda: reward_synth.make('{NAME}')] * 4)"
    assert call in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: wrap(Replay(), by_function),
        lambda: wrap(vector_of(Replay()), by_function),
        lambda: describe_any(Replay(EnvSpec("ManiSkill/PlaceSphere-v1"))),
    ],
    ids=["batch", "vector", "description"],
)
def test_unknown_scenes_need_a_task(call: Callable[[], Any]) -> None:
    """Several scenes of a task that nothing describes ask for its description."""
    with pytest.raises(UsageError, match=r"Give task=.*--save FILE"):
        call()


def test_the_time_limit_of_a_raw_environment_is_found() -> None:
    """ManiSkill hides its limit, 50 steps, in a wrapper of its own."""
    load_simulator(rendering())
    raw: Any = gym.make(
        "PickCube-v1",
        num_envs=1,
        obs_mode="state",
        reward_mode="sparse",
        sim_backend="physx_cpu",
        render_backend="none",
    )
    assert describe_any(raw, rollouts=0).horizon == 50
    raw.close()
