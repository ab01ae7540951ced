"""Learning from returns of episodes: what the decoder finds, and who sees what."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3 import A2C, PPO, SAC

from reward_synth.agents import lare, run_trial
from reward_synth.agents.lare_decoder import (
    Decoder,
    Episode,
    Lare,
    Refitting,
    decomposition_loss,
)
from reward_synth.agents.warm_trainers import SHARED
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.task import Field, TaskSpec
from tests.agents.test_trial import TASK as CAR
from tests.agents.test_trial import spec

TASK = TaskSpec(
    "Pay",
    "Go to the middle.",
    (Field("x", source="obs[0]"), Field("noise", source="obs[1]")),
    Field("action", (1,)),
)
FACTORS = RewardProgram.of(
    'def compute_reward(x, noise):\n    return {"place": x, "noise": noise}\n', TASK
)
SMALL = Lare(hidden=(32, 32), rate=3e-3, episodes=16)


class Pay(gym.Env[Any, Any]):
    """Pays 1 - 3x for the place x, every step, or the sum at the end of 10 steps.

    Args:
        late: Pay at the end alone.
    """

    def __init__(self, late: bool = False) -> None:
        self.observation_space = gym.spaces.Box(-2, 2, (2,), np.float64)
        self.action_space = gym.spaces.Box(-1, 1, (1,), np.float64)
        self.late = late

    def _obs(self) -> Any:
        return np.array([self.x, self.np_random.uniform(-1, 1)])

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=given.get("seed"))
        self.x, self.count, self.sum = float(self.np_random.uniform(-1, 1)), 0, 0.0
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.x = float(np.clip(self.x + 0.5 * action[0], -1, 1))
        self.count += 1
        paid = 1.0 - 3.0 * self.x
        self.sum += paid
        over = self.count == 10
        reward = (self.sum if over else 0.0) if self.late else paid
        return self._obs(), reward, False, over, {}


def agent(env: lare.LatentReward, **more: Any) -> SAC:
    options: dict[str, Any] = {
        "policy_kwargs": {"net_arch": [16]},
        "learning_starts": 40,
        "seed": 0,
    }
    return lare.attach(SAC("MlpPolicy", env, batch_size=32, **options | more), env)


@given(
    st.lists(st.floats(-3, 3), min_size=3, max_size=6),
    st.integers(2, 5),
    st.floats(-5, 5),
)
def test_drawing_steps_changes_the_loss_by_nothing_on_average(
    values: list[float], count: int, total: float
) -> None:
    """Over all draws the mean loss is the squared error of the whole episode's mean."""
    length = len(values)
    draws = list(combinations(values, min(count, length)))
    whole = (sum(values) - total) ** 2 / length**2
    losses = [
        float(
            decomposition_loss(
                torch.tensor(draw, dtype=torch.float64),
                [len(draw)],
                [length],
                [total],
                unbiased=True,
            )
        )
        for draw in draws
    ]
    assert np.mean(losses) == pytest.approx(whole, abs=1e-9)


def test_without_the_correction_drawing_costs() -> None:
    """Two of 0, 3, 6 with return 9: means 1.5, 3, 4.5 miss 3 by 2.25, 0, 2.25."""
    draws = [(0.0, 3.0), (0.0, 6.0), (3.0, 6.0)]
    losses = [
        float(decomposition_loss(torch.tensor(draw), [2], [3], [9.0], unbiased=False))
        for draw in draws
    ]
    assert losses == [2.25, 0.0, 2.25]


def test_a_linear_decoder_finds_the_weights_from_returns_alone() -> None:
    """Returns of 2a - 3b + 0.5 a step have one linear explanation, these weights."""
    rng = np.random.default_rng(0)
    fit = Refitting(("a", "b"), Lare(hidden=(), rate=0.02, drawn=8, episodes=16))
    for _ in range(300):
        rows = rng.uniform(-1, 1, (int(rng.integers(5, 15)), 2)).astype(np.float32)
        fit.add(Episode(rows, float((2 * rows[:, 0] - 3 * rows[:, 1] + 0.5).sum())))
    for _ in range(900):
        fit.step()
    layer: Any = fit.decoder.layers[0]
    found = [*layer.weight[0].tolist(), layer.bias[0].item()]
    assert found == pytest.approx([2.0, -3.0, 0.5], abs=0.1)


def test_a_network_recovers_what_each_step_paid() -> None:
    """An agent's training fits the decoder: places are worth 1 - 3x, noise nothing."""
    env = lare.latent(Pay(), FACTORS, TASK, SMALL)
    agent(env).learn(900)
    rng = np.random.default_rng(1)
    rows = rng.uniform(-1, 1, (200, 2))
    found, true = env.fit.decoder.rewards(rows), 1.0 - 3.0 * rows[:, 0]
    assert np.corrcoef(found, true)[0, 1] > 0.98
    assert np.abs(found - true).mean() < 0.35


def test_the_agent_never_sees_what_a_step_paid() -> None:
    """Rewards that are spread otherwise over equal returns train the same, bit by bit."""
    weights = []
    for late in (False, True):
        env = lare.latent(Pay(late), FACTORS, TASK, SMALL)
        made = agent(env)
        made.learn(150)
        weights.append(made.policy.state_dict())
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_rewards_are_decoded_when_they_are_drawn() -> None:
    """Old transitions get the decoder's newest word, and each draw refits it once."""
    env = lare.latent(Pay(), FACTORS, TASK, SMALL)
    made = agent(env)
    made.learn(100)
    buffer: Any = made.replay_buffer
    updates = env.fit.updates
    expected = env.fit.decoder.rewards(buffer.kept[:100])
    found = buffer._get_samples(np.arange(100)).rewards[:, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(buffer.rewards[:100, 0] - found).max() > 0.05  # as they were paid
    assert env.fit.updates == updates + 1
    assert updates == made._n_updates


def test_ppo_refits_as_often_as_it_learns() -> None:
    """64 steps in 2 passes over 2 batches are 4 steps of the agent, and of the decoder."""
    env = lare.latent(Pay(), FACTORS, TASK, SMALL)
    made = PPO("MlpPolicy", env, n_steps=64, batch_size=32, n_epochs=2, seed=0)
    lare.attach(made, env).learn(64)
    assert env.every == 16.0
    # nothing is known in the first nine steps: the first episode has ten
    assert env.fit.updates == (64 - 9) // 16


def test_a_reward_of_nan_does_not_reach_the_decoder() -> None:
    """A step whose factors fail counts as zeros, as the wrapper below does."""
    text = "import numpy as np\ndef compute_reward(x):\n    return {'a': np.log(x)}\n"
    env = lare.latent(Pay(), RewardProgram.of(text, TASK), TASK, SMALL)
    env.reset(seed=1)
    with pytest.warns(UserWarning, match="not finite"):
        infos = [env.step(np.array([-1.0]))[4] for _ in range(10)]
    assert np.isfinite(env.fit.episodes[0].factors).all()
    assert infos[-1]["factors"].tolist() == [0.0]


def test_the_oldest_episodes_are_forgotten() -> None:
    """At most ``remembered`` steps are kept, and the newest episode always."""
    fit = Refitting(("a",), Lare(remembered=5))
    for number in range(4):
        fit.add(Episode(np.zeros((2, 1), np.float32), float(number)))
    assert [item.total for item in fit.episodes] == [2.0, 3.0]
    fit.add(Episode(np.zeros((9, 1), np.float32), 9.0))
    assert [item.total for item in fit.episodes] == [9.0]


def test_a_saved_decoder_pays_the_same(tmp_path: Path) -> None:
    """Loaded again it gives equal rewards; of other factors it is refused."""
    decoder = Decoder(("place", "noise"), (8,))
    decoder.save(tmp_path / "d.safetensors")
    env = lare.decoded(Pay(), FACTORS, tmp_path / "d.safetensors", TASK)
    obs, _ = env.reset(seed=0)
    obs, paid, *_ = env.step(np.zeros(1))
    assert paid == pytest.approx(decoder.rewards(obs[None])[0])
    Decoder(("other",), (8,)).save(tmp_path / "o.safetensors")
    with pytest.raises(UsageError, match="of the factors other; the program has place"):
        lare.decoded(Pay(), FACTORS, tmp_path / "o.safetensors", TASK)


def test_what_is_no_decoder_is_refused(tmp_path: Path) -> None:
    """Missing, junk, and numbers that are not finite: one sentence each."""
    path = tmp_path / "d.safetensors"
    with pytest.raises(UsageError, match="is no decoder"):
        Decoder.load(path)
    path.write_bytes(b"\x80\x04 not safetensors")
    with pytest.raises(UsageError, match="is no decoder"):
        Decoder.load(path)
    made = Decoder(("a",), (2,))
    with torch.no_grad():
        made.layers[0].bias[0] = torch.nan  # type: ignore[operator]
    made.save(path)
    with pytest.raises(UsageError, match="is not finite"):
        Decoder.load(path)


def test_settings_and_agents_that_cannot_be_used() -> None:
    """Counts of 0, a rate of 0, functions, and agents of other kinds are refused."""
    with pytest.raises(UsageError, match="at least 1"):
        Lare(drawn=0)
    with pytest.raises(UsageError, match="rate above 0"):
        Lare(rate=0.0)
    with pytest.raises(UsageError, match="come from a RewardProgram"):
        lare.latent(Pay(), lambda t: 1.0, TASK)  # type: ignore[arg-type]
    env = lare.latent(Pay(), FACTORS, TASK, SMALL)
    with pytest.raises(UsageError, match="replay buffer, and PPO"):
        lare.attach(A2C("MlpPolicy", env), env)


def test_a_confined_trial_leaves_its_decoder(tmp_path: Path) -> None:
    """The training process is the one of every trial; its decoder is kept beside it."""
    text = "def compute_reward(position, velocity):\n    return {'a': position, 'b': velocity}\n"
    trial = spec("dense", program=RewardProgram.of(text, CAR), combine="decoded")
    result = run_trial(trial, str(tmp_path / "t"), None, SHARED.address())
    assert result["step"] == 120
    decoder = Decoder.load(tmp_path / "t" / "decoder.safetensors")
    assert decoder.names == ("a", "b")
    fresh = Refitting(("a", "b"), Lare(seed=trial.seed)).decoder
    assert not torch.equal(decoder.layers[0].weight, fresh.layers[0].weight)  # type: ignore[arg-type]
