"""Settings of the language model of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reward_synth.errors import UsageError
from reward_synth.llm import Prices
from reward_synth.llm.secrets import check_url

_HOTTEST = 2.0
"""The largest temperature of the protocol."""
_MOST_REQUESTS = 256
"""At once; no endpoint takes more of one client."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Which language model writes programs, if any."""

    model: str | None = None
    """Its name; None: no model, programs are composed symbolically."""
    base_url: str | None = None
    """The endpoint; by default ``OPENAI_BASE_URL``, else the client's own."""
    temperature: float | None = None
    """By default the method's, else 1."""
    max_tokens: int = 4096
    repairs: int | None = None
    """How often one answer may be corrected; by default the method's, else 2."""
    manual: str | None = None
    """A folder in which a person answers: prompts and answers are files."""
    replay: str | None = None
    """A run whose recorded answers are used; no endpoint is asked."""
    timeout: float = 120.0
    """Seconds for one request."""
    prices: Prices | None = None
    """What a million tokens cost; None: costs are not told."""
    budget: float | None = None
    """The most that the run may spend: in the currency of ``prices``, else in tokens."""
    parallel: int = 4
    """Requests at once; changes no result."""

    def __post_init__(self) -> None:
        """Refuse what no endpoint would take, before anything else is done."""
        refuse_empty(
            {
                "--model": self.model,
                "--base-url": self.base_url,
                "--llm manual:": self.manual,
                "--replay": self.replay,
            }
        )
        if self.base_url is not None:
            check_url(self.base_url)
            if self.model is None and self.replay is None:
                raise UsageError(
                    "--base-url needs --model NAME, the model to ask there."
                )
        if self.manual is not None and (self.base_url or self.replay):
            raise UsageError(
                "--llm manual:DIR asks a person; leave out --base-url and --replay."
            )
        if self.temperature is not None and not 0.0 <= self.temperature <= _HOTTEST:
            raise UsageError(
                f"--temperature must lie in [0, 2], received {self.temperature}."
            )
        if self.max_tokens < 1:
            raise UsageError(
                f"--max-tokens must be at least 1, received {self.max_tokens}."
            )
        if self.repairs is not None and self.repairs < 0:
            raise UsageError(f"--repairs must be 0 or more, received {self.repairs}.")
        if not 0.0 < self.timeout < math.inf:
            raise UsageError(
                f"--timeout must be above 0 seconds, received {self.timeout}."
            )
        if not 1 <= self.parallel <= _MOST_REQUESTS:
            raise UsageError(
                f"--parallel must lie in [1, {_MOST_REQUESTS}], received {self.parallel}."
            )
        if self.budget is not None and not 0.0 < self.budget < math.inf:
            raise UsageError(
                f"--budget must be a number above 0, received {self.budget}. It counts "
                "in the currency of --prices, without them in tokens."
            )

    @property
    def asked(self) -> str | None:
        """Name of the model that is asked; None: no model is configured."""
        return self.model or (None if self.manual is None else "manual")


def refuse_empty(options: Mapping[str, str | None]) -> None:
    """Refuse options whose text has no content, which would pass for not given.

    Raises:
        UsageError: One is empty.
    """
    for name, value in options.items():
        if value is not None and not value.strip():
            raise UsageError(f"{name} is empty. Give it a value, or leave it out.")
