"""Rewards of frames: the formula, stages of demonstrations, encoders, and learners."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3 import PPO as SB3PPO
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from reward_synth.agents.intrinsic_frames import (
    FRAME,
    FramedRolloutBuffer,
    KeySight,
    VecFrames,
)
from reward_synth.agents.ppo import PPO
from reward_synth.agents.ppo_config import PPOConfig
from reward_synth.agents.ppo_rollout import make_envs
from reward_synth.errors import UsageError
from reward_synth.intrinsic.models import (
    FrameBonus,
    FrameModel,
    GoalBaseline,
    Seen,
    Stages,
    TorchEncoder,
    encoded,
    frame_rewards,
    load_encoder,
    load_frame_model,
    load_model,
    save_model,
)
from reward_synth.intrinsic.models.stages import cut_stages
from reward_synth.wrappers.bonus import BonusReward

numbers = st.floats(-3.0, 3.0, allow_nan=False)
vectors = st.lists(numbers, min_size=4, max_size=4).filter(
    lambda row: math.hypot(*row) > 0.1
)


def formula(x: Any, g: Any, b: Any, alpha: float) -> float:
    """The paper's projection, with the matrix written out."""
    x, g, b = (np.array(v) / np.linalg.norm(v) for v in (x, g, b))
    d = g - b
    matrix = alpha * np.outer(d, d) / (d @ d) + (1 - alpha) * np.eye(len(d))
    return float(1.0 - 0.5 * np.linalg.norm((x - g) @ matrix) ** 2)


@given(vectors, vectors, vectors, st.floats(0.0, 1.0))
def test_the_reward_is_the_papers_formula(
    x: list[float], g: list[float], b: list[float], alpha: float
) -> None:
    """1 - |(x - g) P|² / 2 with the projection of arXiv 2310.12921, for any embeddings;
    without a baseline, the cosine."""
    same = np.linalg.norm(
        np.array(g) / np.linalg.norm(g) - np.array(b) / np.linalg.norm(b)
    )
    if same < 1e-3:
        return
    got = GoalBaseline(g, b, alpha)(np.array([x]))[0]
    assert got == pytest.approx(formula(x, g, b, alpha), abs=1e-9)
    cosine = np.dot(x, g) / np.linalg.norm(x) / np.linalg.norm(g)
    assert GoalBaseline(g)(np.array([x]))[0] == pytest.approx(cosine, abs=1e-9)


def test_what_goal_and_baseline_share_does_not_count() -> None:
    """At alpha = 1, a frame that is halfway from the baseline to the goal is paid the same
    whatever it holds beside, if it is as long; at alpha = 0 it is not."""
    goal, baseline = [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]
    rows = np.array([[0.5, 0.5, math.sqrt(0.5), 0.0], [0.6, 0.6, 0.0, math.sqrt(0.28)]])
    sharp, plain = GoalBaseline(goal, baseline, 1.0), GoalBaseline(goal, baseline, 0.0)
    assert sharp(rows)[0] == pytest.approx(sharp(rows)[1])
    assert plain(rows).tolist() == pytest.approx([0.5, 0.6])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no baseline": ({"goal": [1.0], "alpha": 0.5}, "needs a baseline"),
    "alpha": ({"goal": [1.0], "baseline": [2.0], "alpha": 2.0}, "alpha must lie"),
    "same": ({"goal": [1.0], "baseline": [2.0], "alpha": 0.5}, "the same embedding"),
    "widths": ({"goal": [1.0], "baseline": [2.0, 1.0], "alpha": 0.5}, "one encoder"),
    "nothing": ({"goal": [0.0, 0.0]}, "no length"),
    "not finite": ({"goal": [math.nan, 1.0]}, "not finite"),
}


@pytest.mark.parametrize("case", WRONG)
def test_embeddings_that_say_nothing_are_refused(case: str) -> None:
    """What cannot be a goal or a baseline is said so, with the fix."""
    settings, text = WRONG[case]
    with pytest.raises(UsageError, match=text):
        GoalBaseline(**settings)


def best_cost(rows: Any, stages: int) -> float:
    """Try every way to cut rows into stages."""
    if stages == 1:
        return float(((rows - rows.mean(0)) ** 2).sum())
    ends = range(1, len(rows) - stages + 2)
    return min(best_cost(rows[:n], 1) + best_cost(rows[n:], stages - 1) for n in ends)


@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=8), st.integers(1, 3))
def test_demonstrations_are_cut_where_it_is_best(
    rows: list[tuple[float, float]], stages: int
) -> None:
    """No other way to cut has a smaller sum of squares within the stages, and each stage
    follows the one before."""
    given_rows = np.array(rows)
    marks = cut_stages(given_rows, stages)
    cost = sum(best_cost(given_rows[marks == k], 1) for k in range(stages))
    assert cost == pytest.approx(best_cost(given_rows, stages), abs=1e-6)
    assert sorted(set(marks.tolist())) == list(range(stages))
    assert (np.diff(marks) >= 0).all()


def demonstrations(rng: np.random.Generator) -> list[Any]:
    """Three of a task with three stages: feature 3 rises at the second, feature 7 at the
    third; ten others are noise."""
    made = []
    for _ in range(3):
        rows = rng.normal(0.0, 1.0, (45, 12))
        at = np.arange(45) // 15
        rows[:, 3] = (at >= 1) + 0.05 * rng.normal(size=45)
        rows[:, 7] = (at >= 2) + 0.05 * rng.normal(size=45)
        made.append(rows)
    return made


def test_features_that_tell_a_stage_are_selected() -> None:
    """Of twelve features the last stage is told by the one that rises with it, and the
    reward of a fresh run rises from stage to stage, noise aside."""
    rng = np.random.default_rng(0)
    reward = Stages(demonstrations(rng), stages=3, features=1)
    assert reward.selected[-1].tolist() == [7]
    fresh = reward(demonstrations(rng)[0])
    start, middle, end = (fresh[n : n + 15].mean() for n in (0, 15, 30))
    assert start < 0.1
    assert start < middle < end
    assert end > 0.6


def test_later_stages_pay_more() -> None:
    """With three stages the last weighs twice the second: a frame that is surely of the
    second is paid 1/3, one of the last 2/3."""
    demo = np.repeat(np.eye(3), 5, axis=0)
    reward = Stages([demo, demo], stages=3, features=3)
    assert reward(np.eye(3)).tolist() == pytest.approx([0.0, 1 / 3, 2 / 3], abs=0.01)


@pytest.mark.parametrize(
    ("demos", "settings", "text"),
    [
        ([], {}, "at least one"),
        ([np.zeros((2, 3))], {}, "at least 3 frames"),
        ([np.zeros(5)], {}, "must be rows"),
        ([np.zeros((5, 2)), np.zeros((5, 3))], {}, "rows of 2 numbers"),
        ([np.full((5, 2), np.nan)], {}, "finite"),
        ([np.zeros((5, 2))], {"stages": 1}, "at least 2 stages"),
    ],
)
def test_demonstrations_that_teach_nothing_are_refused(
    demos: Any, settings: Any, text: str
) -> None:
    """What cannot be cut into stages is said so."""
    with pytest.raises(UsageError, match=text):
        Stages(demos, **settings)


class Lamp(gym.Env[Any, Any]):
    """A lamp that the second action lights for a step; it is seen in the frame alone."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}  # noqa: RUF012 - Gymnasium's
    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Box(0.0, 1.0, (1,), np.float32)
    render_mode = "rgb_array"

    def __init__(self, length: int = 5) -> None:
        self.length = length
        self.lit, self.time = False, 0

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        super().reset(**given)
        self.lit, self.time = False, 0
        return self._see(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.lit, self.time = bool(action), self.time + 1
        return self._see(), 0.0, False, self.time == self.length, {}

    def render(self) -> Any:
        return np.full((4, 4, 3), 255 if self.lit else 0, np.uint8)

    def _see(self) -> Any:
        return np.array([self.time / self.length], np.float32)


def lamp() -> gym.Env[Any, Any]:
    return gym.wrappers.AddRenderObservation(Lamp(), render_only=False)


def eye() -> nn.Sequential:
    """Brightness and darkness of the mean picture: a small encoder."""
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    weights = torch.tensor([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]) / 3
    net.load_state_dict({"2.weight": weights, "2.bias": torch.tensor([0.0, 1.0])})
    return net


def lit_model(encoder: Any = None) -> FrameModel:
    """Pay 1 for a lit lamp and 0 for a dark one: goal (1, 0), baseline (0, 1)."""
    scorer = GoalBaseline([1.0, 0.0], [0.0, 1.0], alpha=1.0)
    return FrameModel(scorer, encoder or TorchEncoder(eye()))


def test_our_ppo_is_paid_for_the_frame_that_each_step_led_to() -> None:
    """After a rollout, each step that lit the lamp is paid 1 and each other 0, also the
    last of an episode; all frames of the rollout are encoded in batches, none in between;
    the network does not see frames."""
    sizes: list[int] = []

    def counting(frames: Any) -> Any:
        sizes.append(len(frames))
        return TorchEncoder(eye())(frames)

    envs = make_envs([lamp] * 2)
    agent = PPO(
        envs,
        PPOConfig(rollout=16, batches=1),
        seed=0,
        sight=KeySight(envs.single_observation_space, "state"),
        rewards=frame_rewards(lit_model(counting)),
        captioner=FRAME,
    )
    assert agent.sight.width == 1
    seen: list[Any] = []
    agent.learn(64, seen.append)
    for done in seen:
        actions = np.asarray(done.rollout.actions).reshape(16, 2)
        assert done.targets.intrinsic == pytest.approx(actions.astype(float), abs=1e-6)
    assert sizes == [32] * len(seen)


def test_stable_baselines_is_paid_before_advantages() -> None:
    """Steps that lit the lamp add 0.5 to the buffer's rewards, over ends of episodes too;
    the policy sees the state alone; in a few thousand steps it lights the lamp."""
    venv = VecFrames(DummyVecEnv([lamp] * 2), lit_model())
    assert venv.observation_space == Lamp.observation_space
    agent = SB3PPO(
        "MlpPolicy",
        venv,
        n_steps=32,
        batch_size=64,
        gamma=0.5,
        learning_rate=0.01,
        seed=0,
        rollout_buffer_class=FramedRolloutBuffer,
        rollout_buffer_kwargs={"source": venv, "weight": 0.5},
        device="cpu",
    )
    agent.learn(64)  # one rollout of 32 steps of two lamps
    buffer: Any = agent.rollout_buffer
    lit = buffer.actions.reshape(2, 32).T  # SB3 has flattened them, lamp by lamp
    assert buffer.intrinsic == pytest.approx(lit, abs=1e-6)
    bare = buffer.rewards - 0.5 * lit
    # Where the clock ends episodes, SB3 adds the value of the state.
    assert bare[np.arange(32) % 5 != 4] == pytest.approx(0.0, abs=1e-6)
    agent.learn(3000)
    assert buffer.intrinsic.mean() > 0.9


def test_any_learner_is_paid_step_by_step() -> None:
    """In BonusReward the lit lamp pays 1, the dark one 0."""
    env = BonusReward(lamp(), FrameBonus(lit_model()))
    env.reset(seed=0)
    assert [float(env.step(action)[1]) for action in (1, 0, 1)] == pytest.approx(
        [1.0, 0.0, 1.0], abs=1e-6
    )


def test_encoders_come_from_local_files(tmp_path: Path) -> None:
    """Torchscript, and safetensors of the user's module, encode as the module did; sizes
    and scales are applied; a file that is neither, and none, are told."""
    frames = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    module = eye()
    expected = encoded(TorchEncoder(module), frames)
    torch.jit.script(module).save(str(tmp_path / "eye.pt"))  # type: ignore[no-untyped-call]
    assert encoded(load_encoder(tmp_path / "eye.pt"), frames) == pytest.approx(expected)
    safetensors.torch.save_file(module.state_dict(), tmp_path / "eye.safetensors")
    empty = eye()
    nn.init.zeros_(next(empty.parameters()))
    again = load_encoder(tmp_path / "eye.safetensors", empty)
    assert encoded(again, frames) == pytest.approx(expected)
    half = TorchEncoder(nn.Flatten(), size=4, mean=(1, 1, 1), deviation=(2, 2, 2))
    white = np.full((1, 8, 8, 3), 255, np.uint8)
    assert encoded(half, white) == pytest.approx(np.zeros((1, 48)), abs=1e-6)
    (tmp_path / "bad").write_text("no encoder")
    for module_ in (None, eye()):
        with pytest.raises(UsageError, match="does not hold"):
            load_encoder(tmp_path / "bad", module_)
    with pytest.raises(UsageError, match="no file"):
        load_encoder(tmp_path / "none")


def test_a_model_of_frames_is_kept_without_its_encoder(tmp_path: Path) -> None:
    """Both kinds pay the same after they were read from files, with the encoder given
    again; another kind, and another encoder, are refused."""
    frames = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 3), np.uint8)
    encoder = TorchEncoder(eye())
    demo = encoded(encoder, frames)
    for scorer in (GoalBaseline([1.0, 0.2], [0.0, 1.0], 0.5), Stages([demo])):
        model = FrameModel(scorer, encoder)
        path = tmp_path / "model.safetensors"
        save_model(model, path)
        again = load_frame_model(path, type(scorer), encoder)
        assert again.score(frames).tolist() == model.score(frames).tolist()
        other = load_frame_model(path, type(scorer), TorchEncoder(nn.Flatten()))
        with pytest.raises(UsageError, match="48 numbers a frame"):
            other.score(frames)
        with pytest.raises(UsageError, match="load_frame_model"):
            load_model(path, None)
    with pytest.raises(UsageError, match="no goal-baseline one"):
        load_frame_model(path, GoalBaseline, encoder)


@pytest.mark.parametrize(
    ("frames", "encoder", "text"),
    [
        (np.zeros((2, 4, 4, 3)), lambda x: x[:, 0, 0], "bytes of shape"),
        (np.zeros((4, 4, 3), np.uint8), lambda x: x, "bytes of shape"),
        (np.zeros((2, 4, 4, 3), np.uint8), lambda x: x, "finite rows"),
        (np.zeros((2, 4, 4, 3), np.uint8), lambda x: np.ones((1, 2)), "finite rows"),
        (np.zeros((2, 4, 4, 3), np.uint8), lambda x: np.full((2, 2), np.nan), "finite"),
        (np.zeros((2, 4, 4, 3), np.uint8), lambda x: np.zeros((2, 2)), "no length"),
    ],
)
def test_frames_and_encoders_that_do_not_fit_are_told(
    frames: Any, encoder: Any, text: str
) -> None:
    """What is no frame, and what is no embedding, is said."""
    with pytest.raises(UsageError, match=text):
        lit_model(encoder).score(frames)


def test_observations_without_frames_are_told() -> None:
    """Where the environment shows no frames, the wrapper that does is named; a policy
    that would see nothing is refused."""
    with pytest.raises(UsageError, match="AddRenderObservation"):
        lit_model().judge(Seen(["frame"], {"state": np.zeros((1, 1))}))
    with pytest.raises(UsageError, match="no 'pixels'"):
        VecFrames(DummyVecEnv([Lamp]), lit_model())
    with pytest.raises(UsageError, match="learns from no labels"):
        lit_model().fit(Seen([]), [])
