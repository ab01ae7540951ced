"""The gradient of what a training ends with, with respect to what it was trained on.

A training ends at theta*, where the gradient of its own (inner) objective F(theta, phi) is
zero. By the implicit function theorem, with K = - d2F/dtheta2,

    dJ/dphi = dJ/dphi (direct) + (K^-1 dJ/dtheta) . d2F/(dtheta dphi)

and K^-1 v is the Neumann series eta * sum_i (I - eta K)^i v, of which each term costs one
product of K with a vector and no matrix. After BARFI (Gupta et al., "Behavior Alignment
via Reward Function Optimization", arXiv 2310.19007).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import grad

from reward_synth.errors import UsageError

Product = Callable[[Tensor], Tensor]
_NOTHING = 1e-30


@dataclass(frozen=True, slots=True)
class Neumann:
    """How K^-1 v is calculated.

    Raises:
        UsageError: A setting is out of range.

    Example:
        >>> Neumann(terms=5).rate is None
        True
    """

    terms: int = 20
    """Of the series; few make it a gradient in a space that K bends less."""
    rate: float | None = None
    """Eta; the series needs one below 2 over K's largest eigenvalue. None: 1 over it."""
    damping: float = 0.0
    """Added to K's diagonal; the same as a price of half its size on theta's squares."""
    probes: int = 10
    """Products that the largest eigenvalue is estimated with."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be used."""
        if self.terms < 1 or self.probes < 1 or self.damping < 0:
            raise UsageError(
                f"Neumann needs terms and probes of at least 1 and damping of at least 0; "
                f"received {self}."
            )
        if self.rate is not None and not self.rate > 0:
            raise UsageError(f"The rate must be above 0, received {self.rate!r}.")


@dataclass(frozen=True, slots=True)
class Solved:
    """An estimate of K^-1 v."""

    solution: Tensor
    residual: float
    """Length of K x - v as a share of v's: 0 exact, above 1 diverged."""
    rate: float
    """The eta that was used."""


@dataclass(frozen=True, slots=True)
class Implicit:
    """A gradient through a training."""

    gradients: tuple[Tensor, ...]
    """Of the outer objective; one for each tensor of phi."""
    residual: float
    """As of :class:`Solved`."""


def neumann(product: Product, vector: Tensor, settings: Neumann) -> Solved:
    """Return K^-1 v by Neumann's series.

    Args:
        product: Multiplies a vector with K, which is symmetric.
        vector: v.
        settings: How.

    Example:
        >>> twice = lambda v: 2.0 * v
        >>> neumann(twice, torch.ones(2), Neumann(terms=1)).solution
        tensor([0.5000, 0.5000])
    """

    def damped(v: Tensor) -> Tensor:
        return product(v) + settings.damping * v

    size = float(vector.norm())
    if size < _NOTHING:
        return Solved(torch.zeros_like(vector), 0.0, settings.rate or 0.0)
    rate = settings.rate or 1.0 / _largest(damped, vector, settings.probes)
    term, total = vector, vector
    for _ in range(settings.terms - 1):
        term = term - rate * damped(term)
        total = total + term
    solution = rate * total
    # K x - v is what the next term would be: -(I - eta K)^terms v
    residual = float((damped(solution) - vector).norm()) / size
    return Solved(solution, residual, rate)


def _largest(product: Product, start: Tensor, probes: int) -> float:
    """Return the size of the largest eigenvalue, by power iteration."""
    vector, size = start / start.norm(), 0.0
    for _ in range(probes):
        moved = product(vector)
        size = float(moved.norm())
        if size < _NOTHING:
            return 1.0
        vector = moved / size
    return size


def implicit_gradient(
    outer: Tensor,
    inner: Tensor,
    theta: Sequence[Tensor],
    phi: Sequence[Tensor],
    settings: Neumann,
    mixed: Tensor | None = None,
) -> Implicit:
    """Return the gradient of ``outer`` with respect to phi, at the end of a training.

    Args:
        outer: J(theta, phi), a number.
        inner: F(theta, phi), which the training makes as large as it can; a number.
        theta: What is trained.
        phi: What the training depends on.
        settings: How K^-1 v is calculated.
        mixed: What d2F/(dtheta dphi) is taken of; by default ``inner``. In expectation
            they are equal; in samples one with a baseline varies less.

    Example:
        >>> phi = torch.tensor([3.0], requires_grad=True)
        >>> theta = torch.tensor([6.0], requires_grad=True)  # the best of F below
        >>> F, J = -((theta - 2 * phi) ** 2).sum(), (theta**2).sum()
        >>> implicit_gradient(J, F, [theta], [phi], Neumann()).gradients  # d(2 phi)^2
        (tensor([24.]),)
    """
    slope = _flat(grad(inner, theta, create_graph=True), theta)
    other = (
        slope if mixed is None else _flat(grad(mixed, theta, create_graph=True), theta)
    )

    def product(vector: Tensor) -> Tensor:
        told = grad(slope @ vector, theta, retain_graph=True, allow_unused=True)
        return -_flat(told, theta)

    wish = grad(outer, theta, retain_graph=True, allow_unused=True)
    solved = neumann(product, _flat(wish, theta).detach(), settings)
    direct = _direct(outer, phi)
    through = grad(
        other @ solved.solution.detach(), phi, retain_graph=True, allow_unused=True
    )
    both = zip(phi, direct, through, strict=True)
    return Implicit(
        tuple(_or_zero(a, x) + _or_zero(b, x) for x, a, b in both), solved.residual
    )


def _direct(outer: Tensor, phi: Sequence[Tensor]) -> Sequence[Tensor | None]:
    return grad(outer, phi, retain_graph=True, allow_unused=True)


def _flat(parts: Sequence[Tensor | None], like: Sequence[Tensor]) -> Tensor:
    filled = [_or_zero(a, x).reshape(-1) for a, x in zip(parts, like, strict=True)]
    return torch.cat(filled)


def _or_zero(value: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if value is None else value
