"""Finite tasks: what can be earned without success, exactly, and how."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.api.comparison import scored
from reward_synth.distance import optimal_actions, optimal_values
from reward_synth.language.success import SuccessTest
from reward_synth.probe.arena import Arena, Played
from reward_synth.probe.loops import best_cycle
from reward_synth.reward import Fields, Step
from reward_synth.task import Roots, TaskSpec

Values = npt.NDArray[np.float64]
Policy = npt.NDArray[np.int64]
KNOWN = ("add", "replace")
"""Combiners whose pay depends on a step alone."""


@dataclass(frozen=True, slots=True)
class Known:
    """A finite task with its pay; ``(S, A, K)`` as its tables."""

    tables: Any
    paid: Values | None
    """None under combiners whose pay depends on more than a step."""
    success: npt.NDArray[np.bool_]
    """Which steps do the task."""


def known(
    tables: Any, task: TaskSpec, reward: Any, combine: str, weight: float
) -> Known:
    """Score every step of a finite task.

    Args:
        tables: Of the environment.
        task: Its description.
        reward: The dense reward.
        combine: The combiner's name.
        weight: Factor of the dense part.
    """
    steps = _steps(tables, task)
    paid = None
    if combine in KNOWN:
        dense = weight * scored(reward, "the reward", task, steps)
        flat = dense + (steps.sparse if combine == "add" else 0.0)
        state = next(iter(tables.transitions()))
        # a task that is over pays nothing
        paid = tables.spread(flat * ~tables.terminal[state])
    test = SuccessTest(task)
    done = [
        test({n: v[i : i + 1] for n, v in steps.after.items()}, {}, steps.sparse[i])
        for i in range(steps.num_envs)
    ]
    success = tables.spread(np.array(done, np.float64)) > 0
    return Known(tables, paid, success & ~tables.terminal[:, None, None])


def avoiding(task: Known, paid: Values, gamma: float) -> tuple[Policy, float]:
    """Return the best-paid policy that takes no step which may succeed, and its worth.

    Where every action may succeed, the least likely to is taken.

    Args:
        task: The task.
        paid: What its steps pay, ``(S, A, K)``.
        gamma: The discount.
    """
    risk = (task.tables.process.probability * task.success).sum(2)
    return _best(task, paid, gamma, risk <= risk.min(1, keepdims=True))


def succeeding(task: Known, paid: Values, gamma: float) -> tuple[Policy, float]:
    """Return the best-paid policy of those that succeed soonest, and its worth.

    Args:
        task: The task.
        paid: As for :func:`avoiding`.
        gamma: The discount.
    """
    process = task.tables.process
    wanted = (process.probability * task.success).sum(2)
    return _best(task, paid, gamma, optimal_actions(wanted, process, gamma))


def _best(
    task: Known, paid: Values, gamma: float, allowed: Any
) -> tuple[Policy, float]:
    process = task.tables.process
    expected = (process.probability * paid).sum(2)
    values = optimal_values(expected, process, gamma, allowed)
    gain = np.where(allowed, expected + gamma * process.ahead(values), -np.inf)
    return np.argmax(gain, 1), float(task.tables.start @ values)


def follow(arena: Arena, policy: Policy, horizon: int, seed: int) -> Played:
    """Play a policy, then its actions again, which earn the same."""
    env: Any = arena.env
    env.reset(seed=seed)
    actions = []
    for _ in range(horizon):
        actions.append(int(policy[env.unwrapped.state]))
        _, _, terminated, truncated, _ = env.step(actions[-1])
        if terminated or truncated:
            break
    return arena.play(np.array(actions), seed)


def loop(
    task: Known, paid: Values, arena: Arena, horizon: int, seed: int
) -> Played | None:
    """Play the way to the best-paid loop without success, and the loop to the end.

    Only of tasks without chance; None where no loop pays, or none can be come to.

    Args:
        task: The task.
        paid: As for :func:`avoiding`.
        arena: Plays actions.
        horizon: The most steps.
        seed: Of the reset.
    """
    process = task.tables.process
    if (process.probability.max(2) < 1.0).any():
        return None
    sure = process.probability.argmax(2)
    s, a = np.indices(sure.shape)
    after = process.next[s, a, sure]
    going = ~task.success[s, a, sure] & ~task.tables.terminal[after]
    tail, action, head = s[going], a[going], after[going]
    found = best_cycle(tail, head, paid[s, a, sure][going])
    if found is None or found.mean <= 0:
        return None
    arena.env.reset(seed=seed)
    base: Any = arena.env.unwrapped
    edges = list(found.edges)
    way = _way(tail, head, base.state, int(tail[edges[0]]))
    if way is None:
        return None
    rounds = horizon // len(edges) + 1
    return arena.play(action[(way + edges * rounds)[:horizon]], seed)


def _way(tail: Any, head: Any, first: int, last: int) -> list[int] | None:
    """Return the edges of a shortest way."""
    out: dict[int, list[int]] = {}
    for edge, place in enumerate(tail.tolist()):
        out.setdefault(place, []).append(edge)
    came: dict[int, int] = {first: -1}
    waiting = deque([first])
    while waiting and last not in came:
        for edge in out.get(waiting.popleft(), []):
            if int(head[edge]) not in came:
                came[int(head[edge])] = edge
                waiting.append(int(head[edge]))
    if last not in came:
        return None
    way: list[int] = []
    while (edge := came[last]) >= 0:
        way.append(edge)
        last = int(tail[edge])
    return way[::-1]


def _steps(tables: Any, task: TaskSpec) -> Step:
    """Return every transition as a step of a lane of its own."""
    state, action, after = tables.transitions()
    roots, no = Roots(task.fields), np.zeros(len(state), np.bool_)

    def fields(states: Any) -> Fields:
        seen = roots.read(tables.observations[states], {})
        return roots.fields(seen, len(state))

    used = tables.process.probability > 0
    return Step(
        fields(state),
        action,
        fields(after),
        tables.rewards[used],
        tables.terminal[after],
        no,
        ~no,
    )
