"""The implicit gradient, against inner problems that are solved again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from reward_synth.agents.barfi_gradient import (  # noqa: E402
    Neumann,
    implicit_gradient,
    neumann,
)
from reward_synth.errors import UsageError  # noqa: E402
from reward_synth.preference.training import one_thread  # noqa: E402

STATES, ACTIONS, GAMMA = 3, 2, 0.9
ENOUGH = Neumann(terms=300)
Objective = Callable[[Tensor, Tensor], Tensor]


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    """Small tensors wait longer for other threads than they work."""
    with one_thread():
        yield


@pytest.fixture(scope="module")
def process() -> dict[str, Tensor]:
    """A random decision process with a true reward and a harmful one."""
    source = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        made: Tensor = torch.rand(*shape, generator=source, dtype=torch.float64)
        return made

    moves = drawn(STATES, ACTIONS, STATES) ** 3
    true = drawn(STATES, ACTIONS)
    return {
        "moves": moves / moves.sum(2, keepdim=True),
        "true": true,
        "aux": -true + 0.3 * drawn(STATES, ACTIONS),
    }


def value(
    process: dict[str, Tensor], theta: Tensor, reward: Tensor, gamma: Tensor
) -> Tensor:
    """Return the exact value of the softmax policy, started anywhere."""
    policy = theta.reshape(STATES, ACTIONS).softmax(1)
    moved = torch.einsum("sa,sat->st", policy, process["moves"])
    paid = (policy * reward).sum(1)
    eye = torch.eye(STATES, dtype=torch.float64)
    made: Tensor = torch.linalg.solve(eye - gamma * moved, paid).mean()
    return made


def objectives(process: dict[str, Tensor]) -> tuple[Objective, Objective]:
    """Return what the training maximises under phi, and what is wanted.

    phi holds the three blends of each state and, as a logit, the learned discount.
    """

    def inner(theta: Tensor, phi: Tensor) -> Tensor:
        blend, gamma = phi[:-1].reshape(STATES, 3, 1), torch.sigmoid(phi[-1])
        reward = (
            blend[:, 0] + blend[:, 1] * process["true"] + blend[:, 2] * process["aux"]
        )
        return value(process, theta, reward, gamma) - 0.05 * (theta**2).sum()

    def outer(theta: Tensor, phi: Tensor) -> Tensor:
        true = value(process, theta, process["true"], torch.tensor(GAMMA).double())
        made: Tensor = true - 0.1 * torch.sigmoid(phi[-1])
        return made

    return inner, outer


def solved(inner: Objective, phi: Tensor, start: Tensor) -> Tensor:
    """Return the theta that maximises the inner objective, by Newton's method."""
    theta = start.detach().clone()
    for _ in range(60):
        theta.requires_grad_(True)
        slope = torch.autograd.functional.jacobian(lambda x: inner(x, phi), theta)
        if float(slope.norm()) < 1e-13:
            break
        bend = torch.autograd.functional.hessian(lambda x: inner(x, phi), theta)
        theta = (theta - torch.linalg.solve(bend, slope)).detach()
    assert float(slope.norm()) < 1e-10
    return theta.detach().requires_grad_(True)


def by_differences(inner: Objective, outer: Objective, phi: Tensor, h: float) -> Tensor:
    """Return the central difference of what is wanted, the inner problem solved again."""
    base = solved(inner, phi, torch.zeros(STATES * ACTIONS, dtype=torch.float64))
    parts = []
    for index in range(len(phi)):
        ends = []
        for sign in (1, -1):
            moved = phi.clone()
            moved[index] += sign * h
            ends.append(outer(solved(inner, moved, base), moved).detach())
        parts.append((ends[0] - ends[1]) / (2 * h))
    made: Tensor = torch.stack(parts)
    return made


def test_it_is_the_difference_of_the_problem_solved_again(
    process: dict[str, Tensor],
) -> None:
    """On an exactly solved process all derivatives, also by the learned discount, equal
    central differences to 1e-3 of the largest; they are no small numbers."""
    inner, outer = objectives(process)
    phi = torch.ones(3 * STATES + 1, dtype=torch.float64, requires_grad=True)
    start = torch.zeros(STATES * ACTIONS, dtype=torch.float64)
    theta = solved(inner, phi.detach(), start)
    found = implicit_gradient(
        outer(theta, phi), inner(theta, phi), [theta], [phi], ENOUGH
    )
    expected = by_differences(inner, outer, phi.detach(), 1e-4)
    size = float(expected.abs().max())
    assert size > 1e-3
    assert found.residual < 1e-6
    assert float((found.gradients[0] - expected).abs().max()) < 1e-3 * size


def test_few_terms_err_as_their_residual_says(process: dict[str, Tensor]) -> None:
    """More terms, less residual, and less error of the gradient."""
    inner, outer = objectives(process)
    phi = torch.ones(3 * STATES + 1, dtype=torch.float64, requires_grad=True)
    start = torch.zeros(STATES * ACTIONS, dtype=torch.float64)
    theta = solved(inner, phi.detach(), start)

    def at(terms: int) -> tuple[float, Tensor]:
        found = implicit_gradient(
            outer(theta, phi), inner(theta, phi), [theta], [phi], Neumann(terms)
        )
        return found.residual, found.gradients[0]

    (most, exact), (middle, near), (least, far) = at(300), at(8), at(2)
    assert most < middle < least < 1
    assert (near - exact).norm() < (far - exact).norm()


def test_the_series_is_the_inverse() -> None:
    """For a symmetric positive K the series converges to the solution; damping adds to
    the diagonal, and one term is eta v."""
    source = torch.Generator().manual_seed(1)
    root = torch.randn(6, 6, generator=source, dtype=torch.float64)
    matrix = root @ root.T + torch.eye(6, dtype=torch.float64)
    vector = torch.randn(6, generator=source, dtype=torch.float64)
    found = neumann(lambda v: matrix @ v, vector, Neumann(terms=800, damping=0.5))
    damped = matrix + 0.5 * torch.eye(6, dtype=torch.float64)
    assert torch.allclose(found.solution, torch.linalg.solve(damped, vector))
    one = neumann(lambda v: matrix @ v, vector, Neumann(terms=1, rate=0.01))
    assert torch.allclose(one.solution, 0.01 * vector)


def test_a_series_that_diverges_says_so() -> None:
    """Where K is negative, which is no maximum, the residual exceeds 1; a zero wish is
    solved by zero."""
    bad = neumann(lambda v: -v, torch.ones(2), Neumann(terms=10, rate=0.5))
    assert bad.residual > 1
    none = neumann(lambda v: v, torch.zeros(2), Neumann())
    assert none.solution.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "change", [{"terms": 0}, {"damping": -1.0}, {"rate": 0.0}, {"probes": 0}]
)
def test_settings_out_of_range_are_refused(change: dict[str, float]) -> None:
    """The message shows what was received."""
    with pytest.raises(UsageError, match="received"):
        Neumann(**change)  # type: ignore[arg-type]
