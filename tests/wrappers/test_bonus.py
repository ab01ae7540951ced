"""Exploration bonuses: equal to slow references, also where episodes of a vector end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.intrinsic import Captioner
from reward_synth.intrinsic.bonuses import (
    E3B,
    RE3,
    Captions,
    EpisodicCount,
    GlobalCount,
    Moments,
    Product,
    Shape,
    ShapedBonus,
    Sum,
    load_bonus,
    save_bonus,
)
from reward_synth.intrinsic.bonuses.inverse import ICM
from reward_synth.intrinsic.bonuses.learned import RND, NovelD
from reward_synth.wrappers.bonus import BonusReward, VectorBonusReward
from tests.wrappers.walk import Walk

LANES = 3
STEPS = 60


class Places(gym.ObservationWrapper[Any, Any, Any]):
    """Rounds the walk, so that places recur, and observes how it went too."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)

    def observation(self, observation: Any) -> Any:
        return np.round(2 * observation) / 2


class Tape:
    """Records, lane by lane, the transitions of each episode as they truly were."""

    def __init__(self, mode: AutoresetMode) -> None:
        makers = [self._maker(lane) for lane in range(LANES)]
        self.told: list[list[Any]] = [[] for _ in range(LANES)]
        self.envs = SyncVectorEnv(makers, autoreset_mode=mode)
        self.manual = mode is AutoresetMode.DISABLED

    def _maker(self, lane: int) -> Callable[[], gym.Env[Any, Any]]:
        return lambda: Recorder(Places(Walk(limit=4 + lane)), self.told, lane)


class Recorder(gym.Wrapper[Any, Any, Any, Any]):
    """Writes down what an environment does, without vectors in between."""

    def __init__(self, env: Any, told: list[list[Any]], lane: int) -> None:
        super().__init__(env)
        self.rows = told[lane]
        self.obs: Any = None

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        self.obs, info = self.env.reset(**given)
        self.rows.append(("begin", self.obs.copy()))
        return self.obs, info

    def step(self, action: Any) -> Any:
        obs, *rest = self.env.step(action)
        self.rows.append(("step", self.obs.copy(), int(action[0] > 0), obs.copy()))
        self.obs = obs
        return obs, *rest


def run(tape: Tape, bonus: Any) -> list[list[float]]:
    """Step a vector with a bonus; return what was paid for each lane's true steps."""
    envs = VectorBonusReward(tape.envs, bonus, "tell")
    rng = np.random.default_rng(4)
    envs.reset(seed=5)
    paid: list[list[float]] = [[] for _ in range(LANES)]
    counted = [0] * LANES
    for _ in range(STEPS):
        actions = rng.uniform(-1, 1, (LANES, 1))
        _, _, terminated, truncated, infos = envs.step(actions)
        for lane in range(LANES):
            steps = sum(row[0] == "step" for row in tape.told[lane])
            if steps > counted[lane]:
                paid[lane].append(float(infos["bonus"][lane]))
            else:
                assert infos["bonus"][lane] == 0.0  # a step that only resets
            counted[lane] = steps
        ended = terminated | truncated
        if tape.manual and ended.any():
            envs.reset(options={"reset_mask": ended})
    return paid


def rounds(tape: Tape) -> list[tuple[int, Any]]:
    """Return (lane, row) in the order in which a vector meets the steps.

    Only for bonuses whose memory spans lanes, and vectors without steps that reset.
    """
    rows: list[tuple[int, Any]] = []
    steps = [[row for row in told if row[0] == "step"] for told in tape.told]
    for number in range(max(map(len, steps))):
        rows += [(lane, told[number]) for lane, told in enumerate(steps)]
    return rows


def episodic_reference(told: list[Any], power: float | None) -> list[float]:
    met: Counter[tuple[float, ...]] = Counter()
    paid = []
    for row in told:
        if row[0] == "begin":
            met = Counter([tuple(row[1])])
            continue
        met[tuple(row[3])] += 1
        count = met[tuple(row[3])]
        paid.append(float(count == 1) if power is None else count**-power)
    return paid


def e3b_reference(told: list[Any], ridge: float) -> list[float]:
    """Solve with the whole matrix at each step."""
    matrix, paid = np.zeros((2, 2)), []
    for row in told:
        feature = row[1] if row[0] == "begin" else row[3]
        if row[0] == "begin":
            matrix = ridge * np.eye(2)
        else:
            paid.append(float(feature @ np.linalg.solve(matrix, feature)))
        matrix = matrix + np.outer(feature, feature)
    return paid


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small networks are ten times slower on threads that others need."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=list(AutoresetMode), ids=lambda mode: mode.name)
def tape(request: pytest.FixtureRequest) -> Tape:
    return Tape(request.param)


@pytest.mark.parametrize("power", [None, 0.5, 3.0])
def test_episodic_counts(tape: Tape, power: float | None) -> None:
    """Each lane is paid by the counts of its own episode, as counting by hand gives."""
    paid = run(tape, EpisodicCount(LANES, power=power))
    for lane in range(LANES):
        wanted = episodic_reference(tape.told[lane], power)
        np.testing.assert_allclose(paid[lane], wanted[: len(paid[lane])], atol=1e-6)
        assert len(set(paid[lane])) > 1


def test_e3b(tape: Tape) -> None:
    """The rank-one update gives what solving with the whole matrix gives, and begins
    anew with each episode of its own lane."""
    paid = run(tape, E3B(LANES, ridge=0.1))
    for lane in range(LANES):
        wanted = e3b_reference(tape.told[lane], 0.1)
        np.testing.assert_allclose(paid[lane], wanted[: len(paid[lane])], rtol=1e-6)


def test_e3b_stays_exact_over_a_long_episode() -> None:
    """After 2000 updates of 32 features the inverse is still the inverse."""
    rng = np.random.default_rng(0)
    bonus, yes = E3B(1, ridge=0.1), np.array([True])
    rows = rng.normal(size=(2001, 32))
    bonus.begin(rows[:1], yes)
    matrix = 0.1 * np.eye(32) + np.outer(rows[0], rows[0])
    for row in rows[1:]:
        wanted = row @ np.linalg.solve(matrix, row)
        paid = bonus.score(None, None, row[None], yes, learning=True)[0]
        assert paid == pytest.approx(wanted, rel=1e-6)
        matrix += np.outer(row, row)


def test_global_counts_span_lanes_and_episodes() -> None:
    """1 / sqrt(N) with one table for all, lanes in their order."""
    tape = Tape(AutoresetMode.SAME_STEP)
    paid = run(tape, GlobalCount(LANES))
    met: Counter[tuple[float, ...]] = Counter()
    wanted: list[list[float]] = [[] for _ in range(LANES)]
    for lane, row in rounds(tape):
        met[tuple(row[3])] += 1
        wanted[lane].append(met[tuple(row[3])] ** -0.5)
    np.testing.assert_allclose(paid, wanted, atol=1e-6)
    assert max(met.values()) > 3


def test_products_and_sums(tape: Tape) -> None:
    """A product pays the product of what its parts pay alone, a sum their sum."""

    def parts() -> list[Any]:
        return [EpisodicCount(LANES), GlobalCount(LANES), E3B(LANES)]

    mode = tape.envs.metadata["autoreset_mode"]
    alone = [run(Tape(mode), bonus) for bonus in parts()]
    for lane in range(LANES):
        columns = np.array([paid[lane] for paid in alone])
        together = run(Tape(mode), Product(*parts()))[lane]
        np.testing.assert_allclose(together, columns.prod(0), atol=1e-9)
        added = run(Tape(mode), Sum(*parts()))[lane]
        np.testing.assert_allclose(added, columns.sum(0), atol=1e-9)


def slow_rnd(
    tape: Tape, bonus: RND, alpha: float | None, batch: int
) -> list[list[float]]:
    """Follow RND's description step by step, with torch's own optimiser."""
    target, guess = bonus._modules["target"], bonus._modules["guess"]
    adam = torch.optim.Adam(guess.parameters(), 1e-2)
    seen: list[Any] = []
    kept: list[torch.Tensor] = []
    paid: list[list[float]] = [[] for _ in range(LANES)]

    def scaled(row: Any) -> torch.Tensor:
        mean, spread = np.zeros(2), np.ones(2)
        if seen:
            mean, spread = np.mean(seen, 0), np.std(seen, 0)
            spread = np.where(spread > 1e-8, spread, 1.0)
        return torch.tensor(np.clip((row - mean) / spread, -5, 5)).float()

    def error(row: Any) -> float:
        with torch.no_grad():
            one = scaled(row)[None]
            return float((guess(one) - target(one)).norm())

    rows = rounds(tape)
    for first in range(0, len(rows), LANES):
        several = rows[first : first + LANES]
        for lane, (_, before, _, after) in several:
            value = error(after)
            if alpha is not None:
                value = max(0.0, value - alpha * error(before))
            paid[lane].append(value)
        kept += [scaled(row[3]) for _, row in several]
        seen += [row[3] for _, row in several]
        if len(kept) >= batch:
            stack = torch.stack(kept)
            adam.zero_grad()
            ((guess(stack) - target(stack).detach()) ** 2).mean().backward()
            adam.step()
            kept = []
    return paid


@pytest.mark.parametrize("alpha", [None, 0.0, 0.5])
def test_rnd_and_noveld(alpha: float | None) -> None:
    """Scores, running scales and every step of learning follow the description."""
    settings: dict[str, Any] = {"seed": 3, "rate": 1e-2, "batch": 9, "width": 2}
    kind = RND if alpha is None else NovelD
    extra: dict[str, Any] = {} if alpha is None else {"alpha": alpha}
    tape = Tape(AutoresetMode.SAME_STEP)
    paid = run(tape, kind(LANES, **settings, **extra))
    wanted = slow_rnd(tape, RND(LANES, **settings), alpha, 9)
    np.testing.assert_allclose(paid, wanted, atol=2e-6)
    if alpha == 0.0:
        plain = run(Tape(AutoresetMode.SAME_STEP), RND(LANES, **settings))
        np.testing.assert_allclose(paid, plain, atol=1e-9)


def test_icm_learns_what_actions_do() -> None:
    """The first scores are the untrained forward model's error by hand; after training
    the bonus of what was met falls below half, and the action is told from the step."""
    bonus = ICM(32, 2, seed=1, batch=64, rate=1e-2)
    rng = np.random.default_rng(0)
    always = np.ones(32, np.bool_)

    def step() -> tuple[Any, Any, Any]:
        before = rng.normal(size=(32, 2))
        action = rng.integers(2, size=32)
        return before, action, before + np.stack([2.0 * action - 1, 0 * action], 1)

    before, action, after = step()
    paid = bonus.score(before, action, after, always, learning=False)
    nets = bonus._modules
    with torch.no_grad():
        old, new = (nets["encoder"](torch.tensor(x).float()) for x in (before, after))
        told = torch.eye(2)[torch.tensor(action)]
        guess = nets["forward"](torch.cat([old, told], 1))
        wanted = [
            float(((g - n) ** 2).sum() / 2) for g, n in zip(guess, new, strict=True)
        ]
    np.testing.assert_allclose(paid, wanted, rtol=1e-5)
    for _ in range(500):
        bonus.score(*step(), always, learning=True)
    checks = [step() for _ in range(10)]
    right = 0.0
    for old_obs, chosen, new_obs in checks:
        one, two = (torch.tensor(bonus.encode(x)).float() for x in (old_obs, new_obs))
        logits = nets["inverse"](torch.cat([one, two], 1)).argmax(1).numpy()
        right += float((logits == chosen).mean()) / 10
    assert right > 0.95
    ends = [bonus.score(*one, always, learning=False).mean() for one in checks]
    assert np.mean(ends) < 0.5 * np.mean(wanted)


def test_re3() -> None:
    """log(1 + distance to the k-th neighbour among the last states, found by sorting."""
    bonus = RE3(LANES, seed=2, size=8, k=2, memory=40)
    twin = RE3(LANES, seed=2, size=8, k=2, memory=40)
    tape = Tape(AutoresetMode.SAME_STEP)
    paid = run(tape, bonus)
    seen: list[Any] = []
    wanted: list[list[float]] = [[] for _ in range(LANES)]
    rows = rounds(tape)
    for first in range(0, len(rows), LANES):
        places = []
        for lane, row in rows[first : first + LANES]:
            place = twin.encode(row[3][None])[0]
            apart = sorted(float(np.linalg.norm(place - one)) for one in seen[-40:])
            wanted[lane].append(np.log1p(apart[1]) if len(apart) >= 2 else 0.0)
            places.append(place)
        seen += places
    np.testing.assert_allclose(paid, wanted, atol=1e-6)
    assert len(seen) > 100


@given(
    st.lists(
        st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9), min_size=1, max_size=9
    )
)
def test_moments_do_not_depend_on_batches(batches: list[list[float]]) -> None:
    """However rows are grouped, mean and deviation are those of all of them."""
    moments = Moments()
    for batch in batches:
        moments.add(np.array(batch)[:, None])
    values = np.concatenate(batches)
    assert moments.mean[0] == pytest.approx(values.mean(), abs=1e-9)
    spread = values.std()
    if spread > 1e-6:
        assert moments.deviation[0] == pytest.approx(spread, rel=1e-6)


def test_states_may_be_told_apart_by_captions() -> None:
    """A message is decayed by how often the episode brought it, however long others are;
    texts themselves are refused, as their bytes depend on the longest."""
    bonus = EpisodicCount(
        2, Captions(Captioner(lambda obs: "a" * int(obs[0]))), power=3
    )
    always = np.ones(2, np.bool_)
    bonus.begin(np.array([[0], [0]]), always)
    stream = [[1, 1], [1, 500], [1, 1]]
    paid = [
        bonus.score(None, None, np.array(row)[:, None], always, learning=True).tolist()
        for row in stream
    ]
    assert paid == [[1.0, 1.0], [1 / 8, 1.0], [pytest.approx(1 / 27), 1 / 8]]
    texts = EpisodicCount(1, lambda obs: np.array([["text"]]))
    with pytest.raises(UsageError, match="Captions"):
        texts.begin(None, np.ones(1, np.bool_))


def test_a_shape_is_applied_in_its_order() -> None:
    """Divided by the running deviation, clipped, then weighted by the schedule; steps of
    all lanes count."""
    shape = Shape(weight=2.0, normalise=True, clip=1.5, until=8, last=0.5)
    bonus = ShapedBonus(Given([[3.0, 1.0], [9.0, 1.0]]), shape)
    always = np.ones(2, np.bool_)
    first = bonus.score(None, None, None, always, learning=True)
    spread = np.std([3.0, 1.0])
    np.testing.assert_allclose(first, 2.0 * np.minimum([3 / spread, 1 / spread], 1.5))
    second = bonus.score(None, None, None, always, learning=True)
    spread, weight = np.std([3.0, 1.0, 9.0, 1.0]), 2.0 * (1 - 0.5 * 2 / 8)
    np.testing.assert_allclose(second, weight * np.array([1.5, 1 / spread]))
    assert Shape(weight=1.0, half_life=10).weight_at(20) == 0.25


class Given:
    """Pays what it is told to, row by row."""

    def __init__(self, rows: list[list[float]]) -> None:
        self.rows = [np.array(row) for row in rows]

    def begin(self, obs: Any, lanes: Any) -> None:
        """Do nothing."""

    def score(self, *_: Any, learning: bool) -> Any:
        return self.rows.pop(0)

    def state(self) -> dict[str, Any]:
        return {}

    def load(self, _: Any, /) -> None:
        """Do nothing."""


def kinds() -> dict[str, Callable[[], Any]]:
    return {
        "global": lambda: GlobalCount(2),
        "rnd": lambda: RND(2, seed=0, width=2, batch=4, rate=1e-2),
        "noveld": lambda: NovelD(2, seed=0, width=2, batch=4, rate=1e-2),
        "icm": lambda: ICM(2, 3, seed=0, batch=4, rate=1e-2),
        "re3": lambda: RE3(2, seed=0, size=4, memory=20),
        "shaped": lambda: ShapedBonus(
            Product(EpisodicCount(2), GlobalCount(2)), Shape(normalise=True, until=50)
        ),
    }


@pytest.mark.parametrize("kind", list(kinds()))
def test_saved_and_frozen(kind: str, tmp_path: Path) -> None:
    """A bonus that was saved pays on as the original does, and evaluation changes
    nothing that lasts."""
    make = kinds()[kind]
    rng = np.random.default_rng(0)
    always = np.ones(2, np.bool_)

    def steps(count: int) -> list[tuple[Any, Any, Any]]:
        return [
            (
                rng.integers(3, size=(2, 2)).astype(float),
                rng.integers(3, size=2),
                rng.integers(3, size=(2, 2)).astype(float),
            )
            for _ in range(count)
        ]

    one, two = make(), make()
    probe = steps(6)
    for bonus in (one, two):
        bonus.begin(probe[0][0], always)
        bonus.score(*probe[0], always, learning=False)
    for step in steps(15):
        one.score(*step, always, learning=True)
    before = {name: value.copy() for name, value in one.state().items()}
    one.begin(probe[0][0], always)
    paid = [one.score(*step, always, learning=False) for step in probe]
    after = one.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    save_bonus(one, tmp_path / "bonus.npz")
    load_bonus(two, tmp_path / "bonus.npz")
    two.begin(probe[0][0], always)
    again = [two.score(*step, always, learning=False) for step in probe]
    np.testing.assert_array_equal(paid, again)
    with pytest.raises(UsageError, match="another bonus"):
        load_bonus(Sum(make()), tmp_path / "bonus.npz")


def test_one_environment_is_paid_as_a_lane_of_many() -> None:
    """The wrapper for one environment pays what the vector's lane gets; `add` puts it on
    top, `replace` in place, and observations that are reused do no harm."""
    for pays, total in (("add", 1.0), ("replace", 0.0)):
        env = BonusReward(Reused(), EpisodicCount(1), pays)  # type: ignore[arg-type]
        env.reset(seed=0)
        seen = []
        for _ in range(4):
            _, reward, _, _, info = env.step(0)
            assert reward == info["sparse_reward"] * total + info["bonus"]
            seen.append(info["bonus"])
        assert seen == [1.0, 0.0, 0.0, 0.0]
        env.reset()
        assert env.step(0)[4]["bonus"] == 1.0
    with pytest.raises(UsageError, match="add, replace, tell"):
        BonusReward(Reused(), EpisodicCount(1), "give")  # type: ignore[arg-type]


class Reused(gym.Env[Any, Any]):
    """Observes 0, 1, 0, 1, … in one buffer."""

    observation_space = gym.spaces.Box(0, 9, (1,))
    action_space = gym.spaces.Discrete(2)
    buffer = np.zeros(1, np.float32)

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        self.buffer[0] = 0
        return self.buffer, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.buffer[0] = 1 - self.buffer[0]
        return self.buffer, 0.25, False, False, {}
