"""How far rewards are from each other, and from what an environment pays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.api.comparison import Comparison, Disagreement, joined, scored
from reward_synth.api.config import EnvConfig
from reward_synth.api.prepare import describe, running
from reward_synth.distance import (
    Batch,
    Kind,
    as_process,
    regret,
    standardised_sampled,
    starc_matrix,
    starc_sampled,
)
from reward_synth.distance.canonical import expected
from reward_synth.distance.starc import standardised
from reward_synth.envs import EnvRef, collect_many
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.reward import (
    Fields,
    RewardFunction,
    Step,
)
from reward_synth.task import Roots, TaskSpec
from reward_synth.wrappers.sources import as_reward

Values = npt.NDArray[np.float64]
Given = RewardProgram | RewardFunction | str | Path
SPARSE = "sparse"
"""The name of what the environment itself pays."""
_BIG = 64
"""Fields with more numbers, such as images, are left out of learned values."""


def compare(
    rewards: Sequence[Given],
    config: EnvConfig,
    *,
    kind: Kind = "value",
    gamma: float | None = None,
    episodes: int = 10,
    top: int = 5,
    names: Sequence[str] | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Compare rewards with each other and with what the environment pays.

    Where the environment has ``tables`` (gridworlds), everything is exact. Elsewhere
    distances are estimated from episodes of simple policies.

    Args:
        rewards: Reward programs, their files or texts, or functions of a transition.
        config: The environment.
        kind: The canonical form; estimates know ``value`` alone.
        gamma: The discount; by default the task's.
        episodes: Of each of the two policies, random and held actions.
        top: How many states to tell that the two rewards furthest apart judge most
            differently.
        names: One for each reward; by default the files' names.
        notify: Told what is assumed.

    Raises:
        UsageError: There is no reward, or an argument or a reward cannot be used.
        ProgramError: A program does not define ``compute_reward``.

    Example:
        >>> found = compare([lambda t: t.sparse], EnvConfig("Gridworld/GridCliff"),
        ...                 episodes=1)
        >>> found.distances.round(6).tolist(), found.exact
        ([[0.0, 0.0], [0.0, 0.0]], True)
    """
    if not rewards or episodes < 1 or top < 0:
        raise UsageError(
            "compare takes one or more rewards, at least one episode and top of at least "
            f"0; received {len(rewards)} rewards, episodes={episodes}, top={top}."
        )
    given = [as_reward(item) for item in rewards]
    called = (SPARSE, *_names(rewards, names))
    ref, task = describe(config, notify)
    discount = task.gamma if gamma is None else gamma
    with running(ref), closing(_Closing(ref)) as env:
        played = collect_many(env.made, task, episodes=episodes, seed=config.seed)
        tables = getattr(env.made.unwrapped, "tables", None)
    steps = joined(played)
    paid = [
        steps.sparse,
        *(scored(x, n, task, steps) for x, n in _pairs(given, called)),
    ]
    base = Comparison(
        ref.name,
        called,
        tables is not None,
        steps.num_envs,
        kind,
        discount,
        np.zeros((0, 0)),
        _correlations(paid),
        {},
        (),
        _remarks(called, paid),
    )
    if tables is not None:
        return _exact(base, tables, given, task, top)
    return _sampled(base, steps, paid, top)


class _Closing:
    """An environment that ``closing`` can close; Gymnasium's has no types."""

    def __init__(self, ref: EnvRef) -> None:
        self.made = ref.make()

    def close(self) -> None:
        self.made.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types


def _names(rewards: Sequence[Given], names: Sequence[str] | None) -> list[str]:
    """Return a name for each reward, all different."""
    if names is not None:
        found = list(names)
    else:
        paths = [str(x) if isinstance(x, (str, Path)) else "" for x in rewards]
        stems = [Path(x).stem if x and "\n" not in x else "" for x in paths]
        found = [
            (stem if stems.count(stem) == 1 else path) or f"reward {number + 1}"
            for number, (stem, path) in enumerate(zip(stems, paths, strict=True))
        ]
    twice = [name for name in (SPARSE, *found) if [SPARSE, *found].count(name) > 1]
    if len(found) != len(rewards) or twice:
        raise UsageError(
            f"Rewards need names of their own; received {found}, and {SPARSE!r} is the "
            "environment's own reward."
        )
    return found


def _pairs(given: Sequence[Any], called: Sequence[str]) -> list[tuple[Any, str]]:
    return list(zip(given, called[1:], strict=True))


def _correlations(paid: Sequence[Values]) -> Values:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.atleast_2d(np.corrcoef(np.array(paid)))


def _remarks(called: Sequence[str], paid: Sequence[Values]) -> tuple[str, ...]:
    return tuple(
        f"{name} was {values[0]:g} in every step that was played, so it correlates with "
        "nothing."
        for name, values in zip(called, paid, strict=True)
        if np.ptp(values) == 0.0
    )


def _exact(
    base: Comparison, tables: Any, given: Sequence[Any], task: TaskSpec, top: int
) -> Comparison:
    """Compare on all transitions of a finite task."""
    state, action, after = tables.transitions()
    steps = _all_steps(tables, task, state, action, after)
    alive = ~tables.terminal[state]  # a task that is over pays nothing
    flat = [
        steps.sparse,
        *(scored(x, n, task, steps) * alive for x, n in _pairs(given, base.names)),
    ]
    forms = [tables.dense(tables.spread(x))[1] for x in flat]
    moves = tables.dense()[0]
    process = as_process(moves)
    kind: Any = base.kind
    units = np.array(
        [
            expected(standardised(x, process, base.gamma, kind), process).reshape(-1)
            for x in forms
        ]
    ).T
    places = [np.unravel_index(i, moves.shape[:2]) for i in range(len(units))]
    seen = Roots(task.fields).read(tables.observations, {})
    fields = Roots(task.fields).fields(seen, tables.states)
    regrets = {
        name: _told(regret(x, forms[0], process, base.gamma, tables.start))
        for name, x in zip(base.names, forms, strict=True)
    }
    found = replace(
        base,
        transitions=len(state),
        distances=starc_matrix(forms, process, base.gamma, kind),
        regrets=regrets,
    )
    rows = [({n: v[s] for n, v in fields.items()}, int(a)) for s, a in places]
    return replace(found, disagreements=_disagreements(found, units, rows, top))


def _all_steps(
    tables: Any, task: TaskSpec, state: Any, action: Any, after: Any
) -> Step:
    """Return every transition as a step of a lane of its own."""
    roots, count = Roots(task.fields), len(state)

    def fields(states: Any) -> Fields:
        return roots.fields(roots.read(tables.observations[states], {}), count)

    used = tables.process.probability > 0
    no = np.zeros(count, np.bool_)
    return Step(
        fields(state),
        action,
        fields(after),
        tables.rewards[used],
        tables.terminal[after],
        no,
        ~no,
    )


def _told(found: Any) -> dict[str, float]:
    return {"regret": found.regret, "least": found.least, **asdict(found)}


def _sampled(
    base: Comparison, steps: Step, paid: Sequence[Values], top: int
) -> Comparison:
    """Compare on the transitions that were played."""
    if base.kind != "value":
        raise UsageError(
            f"kind={base.kind!r} needs every transition, and {base.env} tells none. Leave "
            "--kind out, or compare on a task of the family Gridworld."
        )
    names = [
        name
        for name, value in steps.before.items()
        if name in steps.after and value[0].size <= _BIG
    ]
    before, after = (
        np.concatenate([_flat(part[name]) for name in names], 1)
        for part in (steps.before, steps.after)
    )
    batch = Batch(before, _flat(steps.action), after, steps.terminated)
    found = replace(base, distances=starc_sampled(paid, batch, base.gamma))
    units = standardised_sampled(paid, batch, base.gamma)
    rows = _Rows(steps)
    return replace(found, disagreements=_disagreements(found, units, rows, top))


class _Rows(Sequence[Any]):
    """The states and actions of steps, read when they are asked for."""

    def __init__(self, steps: Step) -> None:
        self._steps = steps

    def __len__(self) -> int:
        return self._steps.num_envs

    def __getitem__(self, place: Any) -> Any:
        state = {
            n: v[place] for n, v in self._steps.before.items() if v[0].size <= _BIG
        }
        return state, self._steps.action[place].tolist()


def _flat(values: npt.NDArray[Any]) -> Values:
    return values.reshape(len(values), -1).astype(np.float64)


def _disagreements(
    found: Comparison, units: Values, rows: Sequence[Any], top: int
) -> tuple[Disagreement, ...]:
    """Return where the two rewards that are furthest apart differ most."""
    size = np.sqrt((units**2).mean(0))
    units = units / np.where(size > 0, size, 1.0)
    first, second = np.unravel_index(np.argmax(found.distances), found.distances.shape)
    pair = (found.names[int(first)], found.names[int(second)])
    if pair[0] == pair[1]:
        return ()
    gap = units[:, first] - units[:, second]
    told = []
    for place in np.argsort(-np.abs(gap), kind="stable")[:top]:
        state, action = rows[int(place)]
        plain = {name: np.asarray(value).tolist() for name, value in state.items()}
        told.append(Disagreement(pair, plain, action, float(gap[place])))
    return tuple(told)
