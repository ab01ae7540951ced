"""The training process of a period: a policy for each program, one replay buffer for all."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import torch
from safetensors.torch import load_file
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.logger import configure
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from reward_synth.agents import sb3
from reward_synth.agents.lares import Lares, SharedReplay, Thompson
from reward_synth.agents.lares_spec import (
    FRESH,
    GIVEN,
    REPLAY,
    PeriodSpec,
    policy_file,
)
from reward_synth.agents.lares_steps import (
    Transitions,
    read_steps,
    shapes,
    write_steps,
)
from reward_synth.agents.progress import WEIGHTS
from reward_synth.agents.schedule import weights_file
from reward_synth.agents.weights import write_weights
from reward_synth.errors import UsageError
from reward_synth.kernels import Population
from reward_synth.task import ACTION, PREVIOUS, FieldReader
from reward_synth.wrappers.sources import program_function
from reward_synth.wrappers.sparse import IS_SUCCESS

if TYPE_CHECKING:
    from reward_synth.agents.trainer import Tell
    from reward_synth.agents.trial_spec import TrialSpec

_FEWEST = 1
_OBSERVED = 1.0
"""Seconds between two words of progress."""


class _View(ReplayBuffer):
    """What one program's policy sees of the shared buffer: its own rewards."""

    def __init__(self, shared: SharedReplay, row: int, agent: SAC, seed: int) -> None:
        super().__init__(_FEWEST, agent.observation_space, agent.action_space, "cpu")
        self.shared, self.row = shared, row
        self.rng = np.random.default_rng([seed, row])

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Draw steps of all policies, with this program's rewards."""
        del env
        steps, rewards = self.shared.rows()
        picks = self.rng.integers(len(steps), size=batch_size)
        columns = (steps.observations, steps.actions, steps.following)
        seen, acts, then = (torch.as_tensor(x[picks]).float() for x in columns)
        ended = torch.as_tensor(steps.terminated[picks, None]).float()
        paid = torch.as_tensor(rewards[self.row, picks, None]).float()
        shape = (batch_size, *self.obs_shape)
        return ReplayBufferSamples(
            seen.reshape(shape), acts, then.reshape(shape), ended, paid
        )


class Period:
    """The state of a period's training.

    Args:
        spec: The period.
        given: Folder with copies of what it begins with; None: it is the first.
        settings: How.
    """

    def __init__(
        self, spec: PeriodSpec, given: Path | None, settings: Lares | None = None
    ) -> None:
        self.spec, self.settings = spec, settings or Lares()
        self.env = spec.build_for_measurement()
        self._reader = FieldReader(spec.task, self.env)
        self.rng = np.random.default_rng(spec.seed)
        functions = [
            program_function(item, spec.task, potential=False)
            for item in spec.population
        ]
        known = None
        if given is not None:
            most = spec.agent.buffer_size
            known = read_steps(given / REPLAY, shapes(spec.task, self.env), most)
        self._known = 0 if known is None else len(known)
        self.replay = SharedReplay(
            Population(functions),
            known,
            inherited=spec.inherited,
            sparse=spec.combine == "add",
            weight=spec.weight if spec.combine == "add" else 1.0,
        )
        self.thompson = Thompson(len(functions), self.settings.window, self.rng)
        self.agents = [self._agent(row) for row in range(len(functions))]
        self.elite = self._inherit(given) if given is not None else None
        self.steps = 0
        self._owed = 0

    def _agent(self, row: int) -> SAC:
        own = replace(self.spec, seed=self.spec.seed + row)
        made = sb3.make_agent(own, self.env)
        if not isinstance(made, SAC):
            raise UsageError(
                f"Programs are trained together by SAC; received --algorithm "
                f"{self.spec.agent.algorithm}."
            )
        made.replay_buffer = _View(self.replay, row, made, self.spec.seed)
        made.set_logger(configure(None, []))
        return made

    def _inherit(self, given: Path) -> dict[str, torch.Tensor] | None:
        """Give elites their policies, and all others the best one's; return that one."""
        tables = [
            load_file(given / weights_file(policy_file(row)))
            for row in range(self.spec.inherited)
        ]
        if not tables:
            return None
        for row, agent in enumerate(self.agents):
            agent.policy.load_state_dict(
                tables[row] if row < len(tables) else tables[0]
            )
        return tables[0]

    def turn(self) -> int:
        """Let the chosen policies play an episode each, then all learn; return the steps."""
        before = self.steps
        for arm in self.thompson.chosen():
            if self.steps < self.spec.steps:
                self.thompson.tell(arm, success=self.play(arm))
        made = self.steps - before
        if len(self.replay) >= self._random:
            self._owed += made
            every = self.spec.agent.steps_an_update(
                int(gym.spaces.flatdim(self.env.observation_space))
            )
            updates, self._owed = divmod(self._owed, every)
            self.learn(updates)
        return made

    @property
    def _random(self) -> int:
        """Steps of random actions before anything is learned, once in a search."""
        return min(self.spec.agent.learning_starts, max(1, self.spec.steps // 2))

    def play(self, arm: int) -> bool:
        """Play an episode with a policy, keep its steps, and tell whether it succeeded."""
        agent, rows, won = self.agents[arm], [], False
        seed = None if self.steps else self.spec.seed
        obs, info = self.env.reset(seed=seed)
        before = self._reader.read(obs, info, reset=True)
        ended = False
        while not ended and self.steps < self.spec.steps:
            action = self._action(agent, obs)
            # the environment may change the action in place
            given = np.array(action, np.float64)
            after, paid, terminated, truncated, info = self.env.step(action)
            now = self._reader.read(after, info)
            rows.append(self._row(obs, after, given, terminated, paid, before, now))
            obs, before = after, now
            self.steps += 1
            won = won or bool(info[IS_SUCCESS])
            ended = terminated or truncated
        self.replay.extend(
            Transitions.of(
                {name: np.stack([r[name] for r in rows]) for name in rows[0]}
            )
        )
        return won

    def _action(self, agent: SAC, obs: Any) -> Any:
        if self._known + self.steps < self._random:
            space: Any = self.env.action_space
            return self.rng.uniform(space.low, space.high).astype(space.dtype)
        return agent.predict(obs, deterministic=False)[0]

    def _row(
        self,
        obs: Any,
        after: Any,
        action: Any,
        terminated: bool,
        paid: Any,
        before: Any,
        now: Any,
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            "observations": np.asarray(obs, np.float64).reshape(-1),
            "following": np.asarray(after, np.float64).reshape(-1),
            "actions": np.asarray(self.agents[0].policy.scale_action(action)).reshape(
                -1
            ),
            "terminated": np.float64(terminated),
            "sparse": np.float64(paid),
        }
        for name in self.spec.task.parameters:
            if name == ACTION:
                value = action
            elif name.startswith(PREVIOUS):
                value = before[name.removeprefix(PREVIOUS)][0]
            else:
                value = now[name][0]
            row[f"value.{name}"] = np.asarray(value, np.float64)
        return row

    def learn(self, updates: int) -> None:
        """Let every policy take so many gradient steps on the shared buffer."""
        for row, agent in enumerate(self.agents):
            free = self.elite is None or row < self.spec.inherited
            for _ in range(updates):
                agent.train(1, self.settings.batch)
                if not free:
                    self._pull(agent)

    def _pull(self, agent: SAC) -> None:
        """Take a step towards the best elite: of pull/2 times the square distance."""
        share = self.spec.agent.learning_rate * self.settings.pull
        with torch.no_grad():
            for name, value in agent.policy.named_parameters():
                value.add_((self.elite or {})[name] - value, alpha=share)


def train(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Train a period; policies and the new steps are in ``folder / "weights"`` then.

    Args:
        spec: A :class:`PeriodSpec`.
        folder: Holds copies of the replay and the elites' policies, if there are any.
        tell: Is told the progress.

    Raises:
        UsageError: It is another kind of trial.
    """
    if not isinstance(spec, PeriodSpec):
        raise UsageError(f"A period is needed; received {type(spec).__name__}.")
    torch.set_num_threads(1)  # trials run beside each other
    given = folder / GIVEN
    period = Period(spec, given if given.exists() else None)
    began = last = time.monotonic()
    while period.steps < spec.steps:
        period.turn()
        now = time.monotonic()
        if now - last >= _OBSERVED:
            last = now
            tell(
                {"progress": {"steps": period.steps, "seconds": round(now - began, 1)}}
            )
    place = folder / WEIGHTS
    write_steps(Transitions.joined(period.replay.fresh), place / FRESH)
    for row, agent in enumerate(period.agents):
        path = place / weights_file(policy_file(row))
        write_weights(agent.policy.state_dict(), path)
    period.env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
