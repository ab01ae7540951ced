"""Learned reward models, without what learned them: NumPy alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from reward_synth.errors import MissingExtraError, UsageError
from reward_synth.preference.features import Inputs, Values
from reward_synth.reward import Components, Step, Transition

Kind = Literal["scalar", "general"]
"""``scalar``: each step has a worth. ``general``: worth depends on what it is compared
with, so that preferences may run in circles."""
_FORMAT = "reward_synth.preference/1"
_META = "reward_synth"


@dataclass(frozen=True, slots=True)
class Network:
    """A perceptron with tanh between its layers.

    Example:
        >>> Network((np.full((2, 1), 3.0),), (np.zeros(1),))(np.ones((1, 2)))
        array([[6.]])
    """

    weights: tuple[Values, ...]
    """Of each layer, shape ``(inputs, outputs)``."""
    biases: tuple[Values, ...]

    def __call__(self, rows: Values) -> Values:
        """Return outputs, shape ``(N, outputs)``."""
        values = rows @ self.weights[0] + self.biases[0]
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            values = np.tanh(values) @ weight + bias
        return values


@dataclass(frozen=True, slots=True)
class RewardModel:
    """Scores steps; a reward that :func:`reward_synth.wrap` takes.

    Several members, trained on unlike pairs, are components of their own, for combiners
    such as ``uncertain`` and ``worst``.

    Example:
        >>> net = Network((np.array([[2.0]]),), (np.zeros(1),))
        >>> model = RewardModel((net,), np.zeros(1), np.ones(1), inputs=Inputs(("x",)))
        >>> model(Transition({}, np.zeros(1), {"x": np.array([3.0])}, 0.0, False, False))
        {'preference': 6.0}
    """

    members: tuple[Network, ...]
    mean: Values
    """Of what is seen, taken away from it; shape ``(D,)``."""
    scale: Values
    """What is then divided by; shape ``(D,)``."""
    kind: Kind = "scalar"
    averaged: bool = False
    """Whether segments are judged by the mean over their steps instead of the sum."""
    references: tuple[Values, ...] = ()
    """Of a ``general`` model, for each member: what steps are compared with."""
    inputs: Inputs | None = None
    """What it sees of a step; needed to score steps."""

    pure = True

    def begin(self, fields: Any, lanes: npt.NDArray[np.bool_]) -> None:
        """Do nothing: a model keeps no state."""

    @overload
    def __call__(self, given: Transition) -> Mapping[str, float]: ...

    @overload
    def __call__(self, given: Step) -> Components: ...

    def __call__(self, given: Step | Transition) -> Mapping[str, Any]:
        """Return a component for each member: numbers, or arrays for a batch.

        Raises:
            UsageError: What the model sees is not told, or does not fit.
        """
        if self.inputs is None:
            raise UsageError(
                "The model does not know which fields it sees. Tell it with "
                "model.seeing(Inputs(after=('field', ...)))."
            )
        if isinstance(given, Step):
            return dict(
                zip(self.names, self.scores(self.inputs.rows(given)), strict=True)
            )
        found = self.scores(self.inputs.row(given))[:, 0].tolist()
        return dict(zip(self.names, found, strict=True))

    @property
    def names(self) -> tuple[str, ...]:
        """The components' names."""
        if len(self.members) == 1:
            return ("preference",)
        return tuple(f"preference_{k + 1}" for k in range(len(self.members)))

    def seeing(self, inputs: Inputs) -> RewardModel:
        """Return the model, told what it sees of a step."""
        return replace(self, inputs=inputs)

    def embed(self, rows: Values) -> list[Values]:
        """Return each member's outputs for rows of shape ``(N, D)``."""
        if rows.ndim != 2 or rows.shape[1] != len(self.mean):  # noqa: PLR2004 - a table
            raise UsageError(
                f"The model sees {len(self.mean)} numbers a step; received rows of shape "
                f"{rows.shape}."
            )
        seen = (rows - self.mean) / self.scale
        return [member(seen) for member in self.members]

    def scores(self, rows: Values) -> Values:
        """Return each member's reward of each row, shape ``(members, N)``."""
        found = self.embed(rows)
        if self.kind == "scalar":
            return np.array([x[:, 0] for x in found])
        against = zip(found, self.references, strict=True)
        return np.array([contest(x, reference[None]) for x, reference in against])

    def preferred(self, first: Values, second: Values) -> float:
        """Return how likely the first segment is preferred, ties left out.

        Args:
            first: Rows of shape ``(T, D)``.
            second: Likewise.
        """
        tables = (self._judged(np.atleast_2d(x)) for x in (first, second))
        gaps = [
            a - b if self.kind == "scalar" else contest(a, b)
            for a, b in zip(*tables, strict=True)
        ]
        chance = 0.5 * (1.0 + np.tanh(0.5 * np.array(gaps)))  # the sigmoid, stable
        return float(chance.mean())

    def _judged(self, rows: Values) -> list[Values]:
        outputs = self.embed(rows)
        return [x.mean(0) if self.averaged else x.sum(0) for x in outputs]

    def save(self, path: str | Path) -> None:
        """Write a safetensors file: names, shapes and numbers, nothing that runs."""
        tensors: dict[str, Any] = {"mean": self.mean, "scale": self.scale}
        for k, member in enumerate(self.members):
            tensors |= _named(f"{k}.weight", member.weights)
            tensors |= _named(f"{k}.bias", member.biases)
        tensors |= _named("reference", self.references)
        about = {
            "format": _FORMAT,
            "kind": self.kind,
            "averaged": self.averaged,
            "layers": [len(member.weights) for member in self.members],
            "inputs": None if self.inputs is None else asdict(self.inputs),
        }
        data = _safetensors().numpy.save(tensors, {_META: json.dumps(about)})
        Path(path).write_bytes(data)

    @classmethod
    def load(cls, path: str | Path) -> RewardModel:
        """Read what :meth:`save` wrote.

        Raises:
            UsageError: It is no such file.
        """
        try:
            with _safetensors().safe_open(str(path), framework="numpy") as file:
                about = json.loads((file.metadata() or {})[_META])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return _read(about, tensors)
        except (OSError, KeyError, ValueError, _safetensors().SafetensorError) as cause:
            raise UsageError(f"{path} is no reward model: {cause!r}.") from cause


def contest(first: Values, second: Values) -> Values:
    """Return the score of the first against the second; swapped it is negated.

    Entries are taken two by two: a b' - b a' (after Zhang et al., "Beyond Bradley-Terry
    Models", arXiv 2410.02197).

    Args:
        first: Shape ``(..., 2 k)``.
        second: Likewise.

    Example:
        >>> float(contest(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
        1.0
    """
    forth = first[..., 0::2] * second[..., 1::2]
    back = first[..., 1::2] * second[..., 0::2]
    made: Values = (forth - back).sum(-1)
    return made


def _read(about: Any, tensors: Mapping[str, Values]) -> RewardModel:
    if about.get("format") != _FORMAT:
        raise ValueError(f"its format is {about.get('format')!r}, not {_FORMAT!r}")
    bad = [name for name, value in tensors.items() if not np.isfinite(value).all()]
    if bad:
        raise ValueError(f"{bad[0]} holds numbers that are not finite")
    members = tuple(
        Network(
            tuple(tensors[f"{k}.weight.{n}"] for n in range(layers)),
            tuple(tensors[f"{k}.bias.{n}"] for n in range(layers)),
        )
        for k, layers in enumerate(about["layers"])
    )
    general = about["kind"] == "general"
    seen = about["inputs"]
    return RewardModel(
        members,
        tensors["mean"],
        tensors["scale"],
        "general" if general else "scalar",
        bool(about["averaged"]),
        tuple(tensors[f"reference.{k}"] for k in range(len(members) * general)),
        None if seen is None else _inputs(seen),
    )


def _inputs(seen: Mapping[str, Any]) -> Inputs:
    return Inputs(
        tuple(seen["after"]), tuple(seen["before"]), seen["action"], seen["choices"]
    )


def _named(what: str, arrays: Sequence[Values]) -> dict[str, Values]:
    return {f"{what}.{n}": np.ascontiguousarray(x) for n, x in enumerate(arrays)}


def _safetensors() -> Any:
    try:
        import safetensors.numpy  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as cause:
        raise MissingExtraError("safetensors", "train") from cause
    return safetensors
