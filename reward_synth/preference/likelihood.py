"""How likely each answer to "which is better?" is, given by how much it is better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from reward_synth.errors import UsageError, did_you_mean

Ties = Literal["half", "davidson", "rao_kupper"]


def logsigmoid(x: Tensor) -> Tensor:
    """Return log(sigmoid(x)).

    PyTorch's own wakes every thread for each number, which takes milliseconds on a busy
    machine.

    Example:
        >>> logsigmoid(torch.tensor([0.0, -50.0])).exp().tolist()[0]
        0.5
    """
    return -softplus(-x)


class BradleyTerry(nn.Module):
    """P(first) = sigmoid(gap); a tie is half an answer for each (Bradley and Terry 1952).

    Example:
        >>> made = BradleyTerry()
        >>> made(torch.zeros(1), torch.tensor([0.5])).exp().item()
        0.5
    """

    def forward(self, gap: Tensor, label: Tensor) -> Tensor:
        """Return the log-likelihood of labels, shape ``(P,)``."""
        return label * logsigmoid(gap) + (1.0 - label) * logsigmoid(-gap)

    @property
    def width(self) -> float:
        """How large a gap may be where a tie is as likely as an answer: none."""
        return 0.0


class _WithTies(nn.Module, ABC):
    """Base of likelihoods that give a tie a chance of its own, which is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.zeros(()))

    def forward(self, gap: Tensor, label: Tensor) -> Tensor:
        """Return the log-likelihood of labels 1, ½ and 0, shape ``(P,)``."""
        which = (2.0 * (1.0 - label)).long()  # first, tie, second
        return self.chances(gap).gather(1, which[:, None])[:, 0]

    @abstractmethod
    def chances(self, gap: Tensor) -> Tensor:
        """Return log-chances of first, tie and second, shape ``(P, 3)``."""


class Davidson(_WithTies):
    """Ties as likely as a factor times the geometric mean of both answers (Davidson 1970).

    Example:
        >>> (3 * Davidson().chances(torch.zeros(1)).exp()).round().tolist()
        [[1.0, 1.0, 1.0]]
    """

    def chances(self, gap: Tensor) -> Tensor:
        """Return log-chances of first, tie and second, shape ``(P, 3)``."""
        tie = self.raw.expand_as(gap)
        return torch.stack([gap / 2, tie, -gap / 2], 1).log_softmax(1)

    @property
    def width(self) -> float:
        """The gap at which a tie is as likely as the likelier answer."""
        return float(2.0 * self.raw.detach())


class RaoKupper(_WithTies):
    """Ties where the gap is below what can be told apart (Rao and Kupper 1967).

    Example:
        >>> made = RaoKupper().chances(torch.tensor([1.0])).exp().sum()
        >>> round(made.item(), 6)
        1.0
    """

    def chances(self, gap: Tensor) -> Tensor:
        """Return log-chances of first, tie and second, shape ``(P, 3)``."""
        least = softplus(self.raw)
        first, second = logsigmoid(gap - least), logsigmoid(-gap - least)
        # 1 - first - second, without the difference of what is nearly equal
        tie = first + second + torch.log(torch.expm1(2.0 * least))
        return torch.stack([first, tie, second], 1)

    @property
    def width(self) -> float:
        """The gap that is needed for an answer as likely as not."""
        return float(softplus(self.raw).detach())


KNOWN = {"half": BradleyTerry, "davidson": Davidson, "rao_kupper": RaoKupper}


def likelihood(ties: str, label: Tensor) -> BradleyTerry | Davidson | RaoKupper:
    """Return a likelihood by name.

    Args:
        ties: ``half``, ``davidson`` or ``rao_kupper``.
        label: What it is to explain.

    Raises:
        UsageError: There is no such name, or labels are probabilities and not answers.

    Example:
        >>> type(likelihood("davidson", torch.tensor([0.5]))).__name__
        'Davidson'
    """
    if ties not in KNOWN:
        raise UsageError(
            f"ties={ties!r} is not known; expected {', '.join(KNOWN)}."
            f"{did_you_mean(ties, KNOWN)}"
        )
    odd = label[(2.0 * label) != (2.0 * label).round()]
    if ties != "half" and len(odd):
        raise UsageError(
            f"ties={ties!r} explains labels 0, 0.5 and 1; received {float(odd[0]):.4g}. "
            "Use ties='half' for probabilities."
        )
    made: BradleyTerry | Davidson | RaoKupper = KNOWN[ties]()
    return made
