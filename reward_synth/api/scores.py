"""Scores of stored transitions, read in the observations where they lie."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reward_synth.api.buffers import Mask, Stored
from reward_synth.errors import FieldMismatchError, UsageError
from reward_synth.graph import Entry
from reward_synth.kernels import Population, native
from reward_synth.kernels.emit import Layout
from reward_synth.reward import Array
from reward_synth.task import ACTION, PREVIOUS, Field, Roots, Source, TaskSpec
from reward_synth.wrappers import NonFiniteRewardWarning

_SHAPING = "shaping"


@dataclass(frozen=True, slots=True)
class Relabelled:
    """New rewards, as a sequence of one array a program.

    Example:
        >>> new = Relabelled(np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones(2, bool), ())
        >>> len(new), new[1].tolist()
        (2, [3.0, 4.0])
    """

    rewards: Array
    """Shape ``(programs, *shape)``, where ``shape`` is that of the stored rewards: \
``(steps, n_envs)`` for buffers, ``(steps of all episodes,)`` for data sets."""
    known: Mask
    """False where the state after the step is not stored and the reward was kept."""
    components: tuple[dict[str, Array], ...]
    """Of each program, if they were asked for; 0 where the reward was kept."""

    def __getitem__(self, program: int) -> Array:
        """Return the rewards under one program."""
        rewards: Array = self.rewards[program]
        return rewards

    def __len__(self) -> int:
        """Number of programs."""
        return len(self.rewards)

    def __iter__(self) -> Iterator[Array]:
        """Iterate over the programs' rewards."""
        return iter(self.rewards)


class Scores:
    """What programs pay for stored transitions.

    Args:
        stored: The transitions.
        population: The programs' functions.
        task: Says where their parameters lie in observations.
        missing: Whether to ``refuse`` or ``keep`` steps whose next state is missing.
    """

    def __init__(
        self, stored: Stored, population: Population, task: TaskSpec, missing: str
    ) -> None:
        self.stored = stored
        self.population = population
        self.task = task
        self.missing = missing

    def scored(self, combine: str, weight: float, *, components: bool) -> Relabelled:
        """Return the programs' sums, alone or added to the stored rewards."""
        names = [name for name in self.population.sizes if name != ACTION]
        late = [name for name in names if not name.startswith(PREVIOUS)]
        early = [name for name in names if name.startswith(PREVIOUS)]
        known = self._known(late)
        roots = Roots(self._observed(late)), Roots(self._observed(early))
        arrays = roots[0].read(self.stored.after, {})
        arrays += roots[1].read(self.stored.before, {})
        rows = self._run(roots, arrays, totals=not components)
        parts = self.population.split(rows) if components else []
        dense = np.stack([part[-1] for part in parts]) if components else rows
        _settle(dense, parts, known)
        named = tuple(
            dict(zip(function.outputs, part, strict=False))  # the sum is left
            for function, part in zip(self.population.functions, parts, strict=False)
        )
        kept = self._paid()
        if combine == "add":
            dense *= weight
            dense += kept
        elif known is not None:
            dense[:, ~known] = kept[~known]
        return self._result(dense, known, named)

    def shaped(self, gamma: float, weight: float, *, components: bool) -> Relabelled:
        """Return the stored rewards and gamma * phi(after) - phi(before)."""
        names = list(self.population.sizes)
        known = self._known(names)
        roots = Roots(self._observed(names)), Roots([])
        now = self._run(roots, roots[0].read(self.stored.before, {}), totals=True)
        dense = self._run(roots, roots[0].read(self.stored.after, {}), totals=True)
        dense[:, self.stored.terminated] = 0.0
        dense *= gamma
        dense -= now
        _settle(dense, [], known)
        dense *= weight
        named = tuple({_SHAPING: row.copy()} for row in dense) if components else ()
        dense += self._paid()
        return self._result(dense, known, named)

    def _paid(self) -> Array:
        """Return the stored rewards, 0 where one is not finite, as wrappers take it."""
        paid: Array = self.stored.rewards.reshape(-1)
        good = np.isfinite(paid)
        return paid if good.all() else np.where(good, paid, 0.0)

    def _run(
        self, roots: tuple[Roots, Roots], arrays: Sequence[Array], *, totals: bool
    ) -> Array:
        read = [*arrays]
        if ACTION in self.population.sizes:
            read.append(self.stored.act())
        layout = self._layout(roots, read)
        flat = [np.ascontiguousarray(native(array)) for array in read]
        return self.population.run(layout, flat, self.stored.count, totals=totals)

    def _layout(self, roots: tuple[Roots, Roots], arrays: Sequence[Array]) -> Layout:
        """Tell where each entry lies in the observations and the action."""
        places: list[tuple[Entry, tuple[int, int]]] = []
        count, first = self.stored.count, len(roots[0])
        for name, size in self.population.sizes.items():
            if name == ACTION:
                number, columns = len(arrays) - 1, self._action(arrays[-1], size)
            elif name.startswith(PREVIOUS):
                field = name.removeprefix(PREVIOUS)
                number, columns = roots[1].columns(field, arrays[first:], count)
                number += first
            else:
                number, columns = roots[0].columns(name, arrays[:first], count)
            places += [
                ((name, entry), (number, column))
                for entry, column in enumerate(columns)
            ]
        widths = tuple(array.size // count for array in arrays)
        return Layout(widths, tuple(places))

    def _action(self, array: Array, size: int) -> tuple[int, ...]:
        if array.size != size * self.stored.count:
            raise FieldMismatchError(
                f"The action is described with shape {self.task.action.shape}, but the "
                f"stored actions have shape {array.shape[1:]}. Correct the task."
            )
        return tuple(range(size))

    def _observed(self, names: Sequence[str]) -> list[Field]:
        """Return the fields, each with the place in the observation that holds it."""
        chosen = [self.task.field(name.removeprefix(PREVIOUS)) for name in names]
        places = [
            (item, [text for text in (item.source, item.check) if self._holds(text)])
            for item in chosen
        ]
        lost = [f"{item.name} ({item.source})" for item, seen in places if not seen]
        if lost:
            raise FieldMismatchError(
                f"Only observations are stored, so {', '.join(lost)} of "
                f"{self.task.id!r} cannot be read. Use programs of observed fields, put "
                "the fields into the observation before collecting, or wrap the "
                "environment and collect anew."
            )
        return [replace(item, source=seen[0], check="") for item, seen in places]

    def _holds(self, text: str) -> bool:
        """Tell whether the stored observations have this place."""
        if not text or Source.parse(text).kind != "obs":
            return False
        value = self.stored.before
        for key in Source.parse(text).path:
            if not isinstance(value, Mapping) or key not in value:
                return False
            value = value[key]
        return not isinstance(value, Mapping)

    def _known(self, late: Sequence[str]) -> Mask | None:
        """Return where the states that ``late`` parameters need are stored."""
        known = self.stored.known
        if known is None or not late or known.all():
            return None
        if self.missing == "refuse":
            raise UsageError(
                f"{int((~known).sum())} of {known.size} stored steps lack the state "
                f"after them, where an episode or the buffer ends, and the programs read "
                f"{', '.join(late)} there. Give missing='keep' to keep their stored "
                "reward, or use a ReplayBuffer that stores next observations."
            )
        return known

    def _result(
        self, dense: Array, known: Mask | None, parts: tuple[dict[str, Array], ...]
    ) -> Relabelled:
        shape = self.stored.rewards.shape
        mask = np.ones(self.stored.count, np.bool_) if known is None else known
        shaped = tuple(
            {name: row.reshape(shape) for name, row in part.items()} for part in parts
        )
        return Relabelled(dense.reshape(-1, *shape), mask.reshape(shape), shaped)


def _settle(dense: Array, parts: Sequence[Array], known: Mask | None) -> None:
    """Set what cannot be paid to 0: where the next state is unknown, or not finite."""
    if known is not None:
        for block in (dense, *parts):
            block[:, ~known] = 0.0
    finite = np.isfinite(dense)
    if finite.all():
        return
    count = int((~finite).any(axis=0).sum())
    warnings.warn(
        f"The new reward of {count} stored step(s) is not finite; they are scored "
        "without it.",
        NonFiniteRewardWarning,
        stacklevel=4,
    )
    dense[~finite] = 0.0
    for part, good in zip(parts, finite, strict=False):
        part[:, ~good] = 0.0
