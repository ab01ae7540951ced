"""Canonical forms of rewards: what is left when shaping is taken away.

Two rewards with equal canonical forms, up to a positive factor, order policies alike.
R is the reward, gamma the discount, T the transitions, A and S' are drawn uniformly
where nothing else is said, and V is the value of the uniform policy.

| kind | canonical form |
|---|---|
| ``value`` | E over s' of R + gamma V(s') - V(s) (VAL of STARC) |
| ``value_potential`` | R + gamma V(s') - V(s) |
| ``epic`` | R + gamma m(s') - m(s) - gamma E m(S), m(x) = E R(x, A, S') |
| ``dard`` | as EPIC, with S' and S'' drawn from T |
| ``minimal`` | the shortest (L2) reward that differs by shaping and redistribution |
| ``minimal_potential`` | the shortest (L2) reward that differs by shaping |

Only ``value`` and ``minimal`` also take away how a reward is spread over s'.
STARC: Skalse et al., "STARC: A General Framework For Quantifying Differences Between
Reward Functions", ICLR 2024. EPIC: Gleave et al., ICLR 2021. DARD: Wulfe et al., ICLR 2022.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from reward_synth.distance.process import Dense, Process, Successors, Values, as_process
from reward_synth.distance.solve import least_squares
from reward_synth.errors import UsageError, did_you_mean

Kind = Literal[
    "value", "value_potential", "epic", "dard", "minimal", "minimal_potential"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
_Form: TypeAlias = Callable[[Values, Process, float], Values]
_NEEDS_DISCOUNT = ("value", "value_potential")


def canonicalise(
    reward: Any, transitions: Any, gamma: float, kind: Kind = "value"
) -> Values:
    """Return the canonical form of a reward.

    Args:
        reward: Shape ``(S, A, S)``; ``(S, A)`` where s' does not matter.
        transitions: Probabilities, shape ``(S, A, S)``, or one of the sparse forms of
            :func:`~reward_synth.distance.as_process`.
        gamma: The discount, in [0, 1]; below 1 for the kinds that solve for V.
        kind: One of the table above.

    Returns:
        Shape ``(S, A, S)``. In sparse form ``(S, A, K)``, and ``(S, A)`` for ``value``,
        which is the same for all s'.

    Raises:
        UsageError: Shapes do not fit, numbers are not finite, or gamma or the kind
            cannot be used.

    Example:
        >>> stay = np.eye(2)[:, None, :]
        >>> form = canonicalise(np.ones((2, 1, 2)), stay, 0.5)
        >>> np.abs(form).max() < 1e-12  # one action: nothing to prefer
        np.True_
    """
    process = as_process(transitions)
    form = known_kind(kind)
    check_discount(gamma, kind)
    return form(process.reward(reward, "reward"), process, gamma)


def known_kind(kind: str) -> _Form:
    """Return the function of a kind, or refuse it with the nearest names."""
    if kind not in _FORMS:
        raise UsageError(
            f"kind={kind!r} is not one of {', '.join(KINDS)}.{did_you_mean(kind, KINDS)}"
        )
    return _FORMS[kind]


def check_discount(gamma: float, kind: str) -> None:
    """Refuse a discount that a kind cannot use.

    Example:
        >>> check_discount(1.0, "epic")
    """
    if not 0.0 <= gamma <= 1.0:
        raise UsageError(f"gamma must lie in [0, 1], received {gamma!r}.")
    if gamma == 1.0 and kind in _NEEDS_DISCOUNT:
        raise UsageError(
            f"kind={kind!r} solves for the values of a policy, which need not exist at "
            "gamma=1. Give a gamma below 1, or kind='epic', 'dard' or 'minimal'."
        )


def uniform_values(reward: Values, process: Process, gamma: float) -> Values:
    """Return the values of the policy that takes each action alike, shape ``(S,)``."""
    policy = np.full((process.states, process.actions), 1.0 / process.actions)
    return process.policy_values(policy, expected(reward, process), gamma)


def expected(reward: Values, process: Process) -> Values:
    """Return the expected reward of each state and action, shape ``(S, A)``."""
    made: Values = np.einsum("sat,sat->sa", process.weights, reward)
    return made


def _value(reward: Values, process: Process, gamma: float) -> Values:
    values = uniform_values(reward, process, gamma)
    gain = expected(reward, process) + gamma * process.ahead(values) - values[:, None]
    if isinstance(process, Dense):
        return gain[:, :, None] + np.zeros(process.states)
    return gain


def _value_potential(reward: Values, process: Process, gamma: float) -> Values:
    return process.shaped(reward, uniform_values(reward, process, gamma), gamma)


def _epic(reward: Values, process: Process, gamma: float) -> Values:
    _require_dense(process, "epic")
    means = reward.mean((1, 2))
    made: Values = process.shaped(reward, means, gamma) - gamma * means.mean()
    return made


def _dard(reward: Values, process: Process, gamma: float) -> Values:
    _require_dense(process, "dard")
    means = expected(reward, process).mean(1)
    led = np.zeros((process.states, process.states))
    for action in range(process.actions):  # the same action leads to S' and to S''
        moves = process.weights[:, action]
        led += moves @ reward[:, action] @ moves.T / process.actions
    return process.shaped(reward, means, gamma) - gamma * led[:, None, :]


def _minimal_potential(reward: Values, process: Process, gamma: float) -> Values:
    if isinstance(process, Successors):
        return process.shaped(reward, _shortest(reward, process, gamma), gamma)
    # The normal equations are A [S (1 + gamma^2) I - 2 gamma J] phi = pull: J, all ones,
    # changes the mean alone, so that mean and rest are solved one by one.
    count = process.states * process.actions
    pull: Values = reward.sum((1, 2)) - gamma * reward.sum((0, 1))
    mean = pull.mean()
    phi: Values = (pull - mean) / (count * (1 + gamma**2))
    if gamma < 1.0:
        phi = phi + mean / (count * (1 - gamma) ** 2)
    return process.shaped(reward, phi, gamma)


def _shortest(reward: Values, process: Successors, gamma: float) -> Values:
    """Return the potential that leaves the shortest reward on possible transitions."""
    used = (process.probability > 0).astype(np.float64)
    into, size = process.next.reshape(-1), process.states

    def apply(phi: Values) -> Values:
        led: Values = used * (gamma * phi[process.next] - phi[:, None, None])
        return led.reshape(-1)

    def adjoint(rows: Values) -> Values:
        given = used * rows.reshape(used.shape)
        come: Values = np.bincount(into, given.reshape(-1), size).astype(np.float64)
        made: Values = gamma * come - given.sum((1, 2))
        return made

    return least_squares(apply, adjoint, -reward.reshape(-1))


def _minimal(reward: Values, process: Process, gamma: float) -> Values:
    """Spread what is expected of a state and action as short as can be.

    Under the constraint sum T R' = b the shortest R' is b T / |T|^2, of length b / |T|.
    So the potential minimises the sum of (b / |T|)^2, a linear least-squares problem.
    """
    square = (process.weights**2).sum(2)
    scale = 1.0 / np.sqrt(square)
    paid = expected(reward, process)
    size = process.states

    def apply(phi: Values) -> Values:
        moved: Values = scale * (gamma * process.ahead(phi) - phi[:, None])
        return moved.reshape(-1)

    def adjoint(rows: Values) -> Values:
        given = scale * rows.reshape(scale.shape)
        made: Values = gamma * _back(process, given, size) - given.sum(1)
        return made

    phi = _solved(process, gamma, scale, paid, apply, adjoint)
    left = paid + gamma * process.ahead(phi) - phi[:, None]
    made: Values = (left / square)[:, :, None] * process.weights
    return made


def _solved(
    process: Process,
    gamma: float,
    scale: Values,
    paid: Values,
    apply: Callable[[Values], Values],
    adjoint: Callable[[Values], Values],
) -> Values:
    right: Values = -(scale * paid).reshape(-1)
    if isinstance(process, Successors):
        return least_squares(apply, adjoint, right)
    moved = gamma * process.weights - np.eye(process.states)[:, None, :]
    matrix = (scale[:, :, None] * moved).reshape(-1, process.states)
    return np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0], np.float64)


def _back(process: Process, given: Values, size: int) -> Values:
    flow = given[:, :, None] * process.weights
    if isinstance(process, Successors):
        come = np.bincount(process.next.reshape(-1), flow.reshape(-1), size)
        return come.astype(np.float64)
    total: Values = flow.sum((0, 1))
    return total


def _require_dense(process: Process, kind: str) -> None:
    """Refuse sparse forms: EPIC and DARD pay for transitions that cannot happen."""
    if isinstance(process, Successors):
        raise UsageError(
            f"kind={kind!r} asks for rewards of transitions that cannot happen, which "
            "lists of successors do not hold. Give arrays of (states, actions, states), "
            f"kind='value', or reward_synth.distance.{kind} on sampled transitions."
        )


_FORMS: dict[str, _Form] = {
    "value": _value,
    "value_potential": _value_potential,
    "epic": _epic,
    "dard": _dard,
    "minimal": _minimal,
    "minimal_potential": _minimal_potential,
}
