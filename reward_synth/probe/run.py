"""Probes a reward: every search, and what they found, compared with success."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.api.config import EnvConfig
from reward_synth.api.prepare import describe, gather, require_success, running
from reward_synth.envs import EnvRef
from reward_synth.errors import UsageError
from reward_synth.probe import tabular
from reward_synth.probe.arena import Arena, Played, can_be_placed
from reward_synth.probe.cem import CrossEntropy, best_actions, best_start
from reward_synth.probe.exploit import Exploit, Probed, Trajectory
from reward_synth.probe.recorded import recorded_loop
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction, Rollout
from reward_synth.task import TaskSpec
from reward_synth.wrappers.sources import as_reward

Given = RewardProgram | RewardFunction | str | Path
Notify = Callable[[str], None]
_LONGEST = 1000
_CLOSE = 1e-9
_WORDS = {
    "loop": "walks to the best-paid loop and stays in it",
    "policy": "the best-paid policy that takes no step which may succeed",
    "recorded loop": "repeats the best-paid loop of recorded steps",
    "actions": "the best-paid sequence of held actions that was found",
    "state": "a state that pays much, held; it may not be reachable",
}


@dataclass(frozen=True, slots=True)
class Mixed:
    """How a learner would be paid.

    Example:
        >>> Mixed(weight=0.5).combine
        'add'
    """

    combine: str = "add"
    weight: float = 1.0
    gamma: float | None = None
    """By default the task's."""


def probe(
    reward: Given,
    config: EnvConfig,
    *,
    mixed: Mixed | None = None,
    steps: int | None = None,
    settings: CrossEntropy | None = None,
    folder: str | Path | None = None,
    command: Sequence[str] = (),
    notify: Notify = lambda _: None,
) -> Probed:
    """Look for ways to earn a reward without doing the task.

    Args:
        reward: A reward program, its file or text, or a function of a transition.
        config: The environment; its task needs a success rule.
        mixed: How the reward meets the environment's own.
        steps: Of an episode; by default the task's horizon.
        settings: How long action sequences and states are searched.
        folder: Where trajectories are saved; None: nowhere.
        command: What plays a trajectory again but for its file.
        notify: Told what is done.

    Raises:
        UsageError: The task has no success rule, or an argument cannot be used.
        ProgramError: The program cannot be used.
    """
    how = Mixed() if mixed is None else mixed
    ref, task = describe(config, notify)
    require_success(task, "A probe")
    given = as_reward(reward)
    horizon = min(steps or task.horizon or _LONGEST, _LONGEST)
    gamma = task.gamma if how.gamma is None else how.gamma
    rollouts = gather(ref, task, config, notify)
    with running(ref), closing(_arena(ref, task, given, how, gamma)) as arena:
        work = _Work(arena, given, how, horizon, config.seed, rollouts)
        wins, exact = work.successes()
        tries = list(work.tries(settings or CrossEntropy()))
    best = max((item.worth(gamma) for item in wins), default=None)
    found = [_told(kind, played, gamma, best) for kind, played in tries]
    found.sort(key=lambda item: -item.worth)
    saved = tuple(_saved(found, folder, command))
    return Probed(ref.name, gamma, saved, best, exact, tuple(work.remarks))


def replay(
    reward: Given, config: EnvConfig, path: str | Path, mixed: Mixed | None = None
) -> tuple[Played, bool]:
    """Play a saved trajectory again.

    Args:
        reward: As for :func:`probe`.
        config: Likewise.
        path: The file.
        mixed: As for :func:`probe`.

    Returns:
        What was played, and whether it was paid as when it was saved.
    """
    how = Mixed() if mixed is None else mixed
    saved = Trajectory.load(path)
    ref, task = describe(config)
    require_success(task, "A probe")
    gamma = task.gamma if how.gamma is None else how.gamma
    with (
        running(ref),
        closing(_arena(ref, task, as_reward(reward), how, gamma)) as arena,
    ):
        if saved.start is not None and not can_be_placed(arena.env):
            raise UsageError(
                f"{path} begins in a state of MuJoCo, and {ref.name} cannot be set to one."
            )
        played = arena.play(saved.actions, saved.seed, saved.start)
    same = len(played.paid) == len(saved.paid) and np.allclose(played.paid, saved.paid)
    return played, bool(same)


def _arena(ref: EnvRef, task: TaskSpec, reward: Any, how: Mixed, gamma: float) -> Arena:
    return Arena(ref.make(), task, reward, how.combine, gamma, how.weight)


class _Work:
    """The searches on one environment."""

    def __init__(
        self,
        arena: Arena,
        reward: Any,
        how: Mixed,
        horizon: int,
        seed: int,
        rollouts: Sequence[Rollout],
    ) -> None:
        self.arena, self.horizon, self.seed = arena, horizon, seed
        self.rollouts = [item for item in rollouts if item.seed >= 0]
        self.replayed = [
            arena.play(item.steps.action, item.seed) for item in self.rollouts
        ]
        self.remarks: list[str] = []
        tables = getattr(arena.env.unwrapped, "tables", None)
        self.known: tabular.Known | None = None
        if tables is not None:
            self.known = tabular.known(
                tables, arena.task, reward, how.combine, how.weight
            )
        if tables is not None and how.combine not in tabular.KNOWN:
            self.remarks.append(
                f"Exact search knows {' and '.join(tabular.KNOWN)}; under "
                f"{how.combine!r} only playing tells what is paid."
            )

    def successes(self) -> tuple[list[Played], dict[str, float]]:
        """Return successes that are known, and of finite tasks exact worths."""
        played = [item for item in self.replayed if item.succeeded]
        exact: dict[str, float] = {}
        if self.known is not None:
            paid, gamma = self.known.paid, self.arena.gamma
            plain = self.known.tables.rewards if paid is None else paid
            policy, worth = tabular.succeeding(self.known, plain, gamma)
            mine = tabular.follow(self.arena, policy, self.horizon, self.seed)
            played += [mine] if mine.succeeded else []
            if paid is not None:
                _, without = tabular.avoiding(self.known, paid, gamma)
                exact = {"without": without, "success": worth}
        if not played:
            self.remarks.append(
                "No success is known to compare with; give some with --demos."
            )
        return played, exact

    def tries(self, settings: CrossEntropy) -> Iterator[tuple[str, Played]]:
        """Yield what each search found."""
        arena, horizon, seed = self.arena, self.horizon, self.seed
        found: dict[str, Played | None] = {}
        if self.known is not None and self.known.paid is not None:
            paid = self.known.paid
            found["loop"] = tabular.loop(self.known, paid, arena, horizon, seed)
            policy, _ = tabular.avoiding(self.known, paid, arena.gamma)
            found["policy"] = tabular.follow(arena, policy, horizon, seed)
        found["recorded loop"] = recorded_loop(
            arena, self.rollouts, self.replayed, horizon
        )
        found["actions"] = best_actions(arena, horizon, seed, settings)
        if can_be_placed(arena.env):
            found["state"] = best_start(arena, horizon, seed, settings)
        for kind, played in found.items():
            if played is not None and len(played.paid) and not played.succeeded:
                yield kind, played


def _told(kind: str, played: Played, gamma: float, best: float | None) -> Exploit:
    worth = played.worth(gamma)
    beats = None if best is None else worth > best + _CLOSE * max(1.0, abs(best))
    total, steps = float(played.paid.sum()), len(played.paid)
    return Exploit(
        kind, _WORDS[kind], worth, total, steps, beats, Trajectory.of(played)
    )


def _saved(
    found: Sequence[Exploit], folder: str | Path | None, command: Sequence[str]
) -> Iterator[Exploit]:
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
    for number, item in enumerate(found):
        if folder is None:
            yield item
            continue
        path = Path(folder) / f"{number + 1}_{item.kind.replace(' ', '_')}.npz"
        item.trajectory.save(path)
        yield replace(item, file=str(path), replay=(*command, "--replay", str(path)))
