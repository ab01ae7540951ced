"""What models that learn by gradients share: examples, batches, an optimiser."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import State
from reward_synth.intrinsic.denormals import flushed
from reward_synth.intrinsic.models.inputs import Encoder, NGrams
from reward_synth.intrinsic.models.protocol import Question, Seen
from reward_synth.intrinsic.models.retrieval import data_digest


class Learned:
    """Keeps a network, and what it learned from.

    With each round of new examples the optimiser makes ``steps`` steps on random batches;
    so it does without new ones, as long as the loss is above ``enough``. From ``plenty``
    examples on it makes one (after ONI's schedule).

    Args:
        encoder: What it reads; by default words and letters.
        outputs: Numbers that the last layer gives.
        seed: Decides weights and batches.
        rate: Of learning.
        batch: Examples of a step.
        steps: Of a round.
        plenty: See above.
        enough: See above.

    Raises:
        UsageError: A number is out of range.
    """

    def __init__(
        self,
        encoder: Encoder | None,
        outputs: int,
        *,
        seed: int,
        rate: float = 1e-3,
        batch: int = 256,
        steps: int = 32,
        plenty: int = 25_000,
        enough: float = 0.05,
    ) -> None:
        if not rate > 0 or min(batch, steps, plenty) < 1 or not enough >= 0:
            raise UsageError(
                "rate must be above 0, batch, steps and plenty at least 1 and enough at "
                f"least 0; received {rate}, {batch}, {steps}, {plenty} and {enough}."
            )
        self.question: Question | None = None
        self.seed = seed
        self.rate = rate
        self.batch = batch
        self.steps = steps
        self.plenty = plenty
        self.enough = enough
        self.fitted = False
        self._rng = np.random.default_rng(seed)
        self._loss = math.inf
        self._facts: dict[bytes, float | None] = {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder: Any = NGrams() if encoder is None else encoder
            _begin_anew(self.encoder)
            self.head = nn.Linear(self.encoder.width, outputs)
        parts: dict[str, Any] = {"encoder": self.encoder, "head": self.head}
        self._module = nn.ModuleDict(parts)
        self._optimiser = torch.optim.Adam(self._module.parameters(), rate, fused=True)

    @property
    def reads_obs(self) -> bool:
        """Whether it needs observations beside captions."""
        return bool(self.encoder.reads_obs)

    def outputs(self, seen: Seen) -> Tensor:
        """Return the last layer's numbers, each different text read once."""
        if self.reads_obs:
            return self._forward(seen)
        texts = list(dict.fromkeys(seen.captions))
        place = {text: number for number, text in enumerate(texts)}
        rows = [place[text] for text in seen.captions]
        return self._forward(Seen(texts))[rows]

    def descend(self, examples: int, fresh: int, loss: Callable[[Any], Tensor]) -> int:
        """Learn from batches of examples; return how many steps were made.

        Args:
            examples: How many there are.
            fresh: How many of them are new.
            loss: Of the examples of these numbers.
        """
        due = self.steps if examples < self.plenty else 1
        if not examples or not (fresh or self._loss > self.enough):
            return 0
        with flushed():
            for rows in self._batches(examples, due):
                value = loss(rows)
                self._optimiser.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]  # torch's has no types
                nn.utils.clip_grad_norm_(self._module.parameters(), 10.0)
                self._optimiser.step()
                self._loss = float(value.detach())
        self.fitted = True
        return due

    @property
    def last_loss(self) -> float:
        """The loss at the last step; nan before the first."""
        return self._loss if self.fitted else math.nan

    def data(self) -> str:
        """Return a digest of what it learned from."""
        return data_digest(self._facts)

    def state(self) -> State:
        """Return the weights; examples and the optimiser's moments are not kept."""
        weights = self._module.state_dict().items()
        state: State = {name: value.numpy().copy() for name, value in weights}
        keys = np.frombuffer(b"".join(self._facts), np.uint8)
        worth = [np.nan if x is None else x for x in self._facts.values()]
        return {
            **state,
            "facts.keys": keys.copy(),
            "facts.worth": np.array(worth, np.float64),
            "fitted": np.array([self.fitted]),
        }

    def load(self, state: State, /) -> None:
        """Take over what :meth:`state` gave."""
        names = self._module.state_dict()
        weights = {name: torch.from_numpy(state[name].copy()) for name in names}
        self._module.load_state_dict(weights)
        keys, worth = state["facts.keys"].tobytes(), state["facts.worth"].tolist()
        size = len(keys) // len(worth) if worth else 0
        self._facts = {
            keys[n * size : (n + 1) * size]: None if math.isnan(x) else x
            for n, x in enumerate(worth)
        }
        self.fitted = bool(state["fitted"][0])

    def settings(self) -> dict[str, Any]:
        """Return what it was made with."""
        return {
            "encoder": self.encoder.kind,
            "reads": self.encoder.settings(),
            "seed": self.seed,
            "rate": self.rate,
            "batch": self.batch,
            "steps": self.steps,
            "plenty": self.plenty,
            "enough": self.enough,
        }

    def _forward(self, seen: Seen) -> Tensor:
        made: Tensor = self.head(torch.relu(self.encoder.encode(seen)))
        return made

    def _batches(self, examples: int, count: int) -> Iterator[Any]:
        for _ in range(count):
            if examples <= self.batch:
                yield np.arange(examples)
            else:
                yield self._rng.choice(examples, self.batch, replace=False)


def _begin_anew(module: Any) -> None:
    """Draw a given encoder's weights again, so that the seed decides them."""
    for part in module.modules():
        reset = getattr(part, "reset_parameters", None)
        if reset is not None:
            reset()
