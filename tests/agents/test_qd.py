"""Quality-Diversity: laws of its parts, and a maze that pays behind its wall alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.agents.qd_descriptor import Autoencoder, Scaled, field_descriptor
from reward_synth.agents.qd_novelty import NoveltySearch, novelty
from reward_synth.agents.qd_play import FieldLook, Played, Player
from reward_synth.agents.qd_policy import VectorPolicy
from reward_synth.agents.qd_search import Explored, Method, explore, searcher_of
from reward_synth.agents.qd_serene import Serene, unbeaten
from reward_synth.errors import UsageError
from reward_synth.task import Field, TaskSpec
from tests.agents.qd_maze import Maze

points = st.lists(
    st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=12
)


@given(points, st.integers(1, 5))
def test_novelty_is_the_mean_distance_to_the_nearest(
    rows: list[tuple[int, int]], k: int
) -> None:
    """As a loop over sorted distances tells it, the point itself left out."""
    given_rows = np.array(rows, np.float64)
    got = novelty(given_rows, given_rows, k)
    for n, point in enumerate(given_rows):
        others = np.delete(given_rows, n, 0)
        nearest = sorted(np.linalg.norm(others - point, axis=1))[:k]
        assert got[n] == pytest.approx(np.mean(nearest))


@given(points)
def test_the_unbeaten_are_those_that_no_other_beats(
    rows: list[tuple[int, int]],
) -> None:
    """Compared one by one: another beats a row if it is nowhere lower and somewhere
    higher."""
    told = unbeaten(np.array(rows, np.float64)).tolist()
    beaten = [
        any(a >= x and b >= y and (a > x or b > y) for a, b in rows) for x, y in rows
    ]
    assert told == [not one for one in beaten]


def test_each_policy_acts_by_its_own_weights() -> None:
    """A network without hidden units is bias + weights, cut by tanh to the bounds of the
    actions; its numbers lie in the vector as bias, then weights, unit by unit."""
    box = gym.spaces.Box(-1.0, 1.0, (2,), np.float64)
    acted = gym.spaces.Box(np.array([0.0]), np.array([4.0]), dtype=np.float64)
    policy = VectorPolicy(box, acted, hidden=())
    params = np.array([[0.5, 1.0, -1.0], [0.0, 2.0, 0.0]])
    obs = np.array([[0.2, 0.1], [0.3, 0.9]])
    wanted = 2.0 + 2.0 * np.tanh([[0.5 + 0.2 - 0.1], [0.6]])
    assert policy(params, obs) == pytest.approx(wanted, abs=1e-6)
    with pytest.raises(UsageError, match="Discrete or Box"):
        VectorPolicy(box, gym.spaces.MultiBinary(2))


class Counter(gym.Env[Any, Any]):
    """Counts up; it pays its action, and ends when it has counted to ``end``."""

    observation_space = gym.spaces.Box(0.0, 9.0, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, end: int) -> None:
        self.end, self.time = end, 0

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        super().reset(**given)
        self.time = 0
        return np.zeros(1), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.time += 1
        ended = self.time >= self.end
        return np.array([float(self.time)]), float(action), ended, False, {}


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_one_episode_of_each_policy_counts(mode: AutoresetMode) -> None:
    """Whatever the environments do after its end, a policy's first episode alone is told:
    its last observation, and the sum of what was paid in it."""
    makers = [lambda: Counter(2), lambda: Counter(5), lambda: Counter(3)]
    envs = gym.vector.SyncVectorEnv(makers, autoreset_mode=mode)
    policy = VectorPolicy(Counter.observation_space, Counter.action_space, ())
    lazy, keen = [0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]
    # Bias of action 1 above that of action 0: it is always taken.
    player = Player(envs, policy, horizon=9)
    played = player(np.array([keen, keen, lazy, keen]))
    assert played.looks.ravel().tolist() == [2.0, 5.0, 3.0, 2.0]
    assert played.rewards.tolist() == [2.0, 5.0, 0.0, 2.0]
    assert player.steps == 2 + 5 + 3 + 2
    short = Player(envs, policy, horizon=4)(np.array([keen, keen, keen]))
    assert short.looks.ravel().tolist() == [2.0, 4.0, 3.0]


def test_behaviour_is_told_by_fields_of_the_task() -> None:
    """Fields of observations are read and scaled by their bounds; a field of the
    simulator, none at all, and one without bounds are refused."""
    parts = (
        Field("x", source="obs[0]", low=(0.0,), high=(4.0,)),
        Field("y", source="obs[1]"),
        Field("tip", source="body.tip.xpos"),
    )
    task = TaskSpec("T", "go", parts, Field("action"))
    env = gym.make("CartPole-v1")
    look = FieldLook(task, env, ["y", "x"])
    assert look(np.array([[1.0, 2.0, 0, 0]])).tolist() == [[2.0, 1.0]]
    assert field_descriptor(parts[:1])(np.array([[1.0]])).tolist() == [[0.25]]
    with pytest.raises(UsageError, match="no finite bounds"):
        field_descriptor(parts[:2])
    with pytest.raises(UsageError, match="'tip' is read from"):
        FieldLook(task, env, ["tip"])
    with pytest.raises(UsageError, match="at least one field"):
        FieldLook(task, env, [])


def test_an_autoencoder_learns_what_varies() -> None:
    """Of six numbers that two decide, the second half of a set is told from two numbers
    with a tenth of their variance as error, and what is unlike them surprises more."""
    rng = np.random.default_rng(0)
    hidden = rng.uniform(-1, 1, (400, 2))
    looks = np.tanh(hidden @ rng.normal(size=(2, 6)))
    learned = Autoencoder(6, width=2, seed=0)
    for _ in range(5):
        learned.learn(looks[:200])
    seen = learned.surprise(looks[200:])
    odd = learned.surprise(rng.permuted(looks[200:], axis=0))
    assert seen is not None
    assert odd is not None
    assert seen.mean() < 0.1
    assert odd.mean() > 3 * seen.mean()


def searched(
    method: Method,
    seed: int,
    evaluations: int,
    *,
    until_paid: bool = True,
    dim: int = 2,
    **settings: Any,
) -> tuple[Any, Explored]:
    envs = Maze(50, dim=dim)
    policy = VectorPolicy(envs.single_observation_space, envs.single_action_space)
    descriptor = Scaled([0, 0], [1, 1]) if dim == 2 else Autoencoder(dim, seed=seed)
    searcher = searcher_of(method, policy.size, descriptor, seed=seed, **settings)
    player = Player(envs, policy, horizon=80)
    return searcher, explore(searcher, player, evaluations, until_paid=until_paid)


def test_novelty_reaches_the_goal_and_chance_does_not() -> None:
    """Within 1500 policies novelty search goes round the wall for each of three seeds, and
    3000 policies drawn at random never do."""
    for seed in range(3):
        assert searched("random", seed, 3000)[1].first is None
        first = searched("novelty", seed, 1500)[1].first
        assert first is not None


def test_emitters_make_more_of_what_was_paid() -> None:
    """From the same first success on, SERENE finds more than twice the policies that
    are paid; those it keeps are at different places."""
    plain = searched("novelty", 2, 1500, until_paid=False)[1]
    serene, found = searched("serene", 2, 1500, until_paid=False, chunk=300)
    assert found.first == plain.first
    assert found.paid > 2 * plain.paid > 0
    assert 0 < serene.exploited < found.played
    assert set(serene.paid.rewards.tolist()) == {1.0}
    assert len(np.unique(serene.paid.looks, axis=0)) == len(serene.paid) > 1


@pytest.mark.parametrize("method", ["taxons", "stax"])
def test_what_tells_behaviours_apart_is_learned(method: Method) -> None:
    """From six numbers that hide the place, points are learned, by which the goal is
    reached, for a seed; the archive is told again with the last ones."""
    searcher, found = searched(method, 1, 2500, dim=6, every=10)
    assert found.first is not None
    explorer = getattr(searcher, "explorer", searcher)
    kept = found.archive
    assert len(kept) > 50
    data = explorer._archive.data()
    if explorer.generation % explorer.every:
        assert explorer.descriptor(data["look"]) == pytest.approx(data["measures"])


@pytest.mark.parametrize("method", ["novelty", "stax"])
def test_a_seed_decides_the_search(method: Method) -> None:
    """The same seed plays the same policies, another does not."""
    dim = 6 if method == "stax" else 2
    settings = {"chunk": 100, "every": 3}
    one, two, other = (
        searched(method, seed, 400, until_paid=False, dim=dim, **settings)[1]
        for seed in (0, 0, 1)
    )
    assert one.archive.params.tolist() == two.archive.params.tolist()
    assert one.archive.params.tolist() != other.archive.params.tolist()


def test_a_search_is_kept_as_numbers(tmp_path: Path) -> None:
    """The file holds the best policy and the archive, and needs no pickle."""
    found = searched("novelty", 0, 200)[1]
    found.save(tmp_path / "found.npz")
    with np.load(tmp_path / "found.npz", allow_pickle=False) as told:
        assert told["params"].tolist() == found.archive.params.tolist()
        assert told["best_reward"].tolist() == found.best.rewards.tolist()


def test_an_emitter_that_gains_nothing_ends() -> None:
    """A candidate whose later generations pay less is tried for its six generations of six
    and dropped; then exploring goes on."""
    explorer = NoveltySearch(3, Scaled([0.0], [1.0]), seed=0, population=4)
    search = Serene(explorer, seed=0, chunk=4, window=6, batch=6)
    first = search.ask()
    paid = np.array([1.0, 0.0, 0.0, 0.0])
    search.tell(Played(first, np.arange(4.0)[:, None], paid))
    search.chunk = 10_000
    for generation in range(6):
        asked = search.ask()
        assert asked.shape == (6, 3)
        search.tell(Played(asked, np.ones((6, 1)), np.full(6, 1.0 / (generation + 1))))
    assert search.emitters == []
    assert search.ask().shape == (4, 3)
    assert search.exploited == 36


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: searcher_of("novel", 3, None, seed=0), "mean 'novelty'"),  # type: ignore[arg-type]
        (lambda: searcher_of("serene", 3, None, seed=0), "needs a descriptor"),
        (lambda: Scaled([0.0], [0.0]), "in order"),
        (lambda: Autoencoder(0, seed=0), "at least 1"),
        (lambda: NoveltySearch(3, Scaled([0], [1]), seed=0, sigma=0.0), "above 0"),
        (lambda: searched("novelty", 0, 0), "evaluations must be"),
    ],
)
def test_what_cannot_be_searched_is_told(make: Any, text: str) -> None:
    """Settings that cannot be are said in a line."""
    with pytest.raises(UsageError, match=text):
        make()
