"""Agents that learn from returns of whole episodes, through factors that a program tells.

    env = lare.latent(gym.make("Reacher-v5"), "factors.py", task)
    agent = lare.attach(SAC("MlpPolicy", env), env)
    agent.learn(100_000)
    env.fit.decoder.save("decoder.safetensors")

The environment's own reward reaches nobody before an episode has ended, and then as one
number, which only the decoder learns from. The agent is paid what the decoder says each
step contributed; see :mod:`reward_synth.agents.lare_decoder`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, SupportsFloat, TypeVar

import gymnasium as gym
import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.ppo import PPO

from reward_synth.agents.lare_decoder import Decoder, Episode, Lare, Refitting, Rows
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.task import TaskSpec
from reward_synth.wrappers import DenseReward, EpisodicReturn
from reward_synth.wrappers.sources import as_reward, program_function
from reward_synth.wrappers.words import COMPONENTS, SPARSE_REWARD

FACTORS = "factors"
"""Key of ``info``: the factors of the step, shape ``(K,)``."""
Agent = TypeVar("Agent", bound=BaseAlgorithm)


class LatentReward(gym.Wrapper[Any, Any, Any, Any]):
    """Pays what a decoder makes of a program's components.

    Args:
        env: A :class:`~reward_synth.wrappers.DenseReward` over an
            :class:`~reward_synth.wrappers.EpisodicReturn`.
        fit: The decoder and its descent; it is given every episode.
    """

    def __init__(self, env: gym.Env[Any, Any], fit: Refitting) -> None:
        super().__init__(env)
        self.fit = fit
        self.every = 0.0
        """Environment steps between two steps of the decoder's descent, of agents
        without a replay buffer; 0: somebody else calls them."""
        self._rows: list[Rows] = []
        self._due = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        self._rows = []
        return self.env.reset(seed=seed, options=options)

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the environment; pay what the decoder says now."""
        obs, _, terminated, truncated, info = self.env.step(action)
        parts = info[COMPONENTS]
        row = np.array(
            [parts.get(x, 0.0) for x in self.fit.decoder.names], np.float32
        )  # a step whose program failed tells zeros
        self._rows.append(row)
        if terminated or truncated:
            total = float(info[SPARSE_REWARD])
            self.fit.add(Episode(np.stack(self._rows), total))
        self._refit()
        paid = float(self.fit.decoder.rewards(row[None])[0])
        return obs, paid, terminated, truncated, {**info, FACTORS: row}

    def _refit(self) -> None:
        if self.every <= 0.0 or not self.fit.episodes:
            return
        self._due += 1.0 / self.every
        while self._due >= 1.0:
            self._due -= 1.0
            self.fit.step()


def latent(
    env: gym.Env[Any, Any],
    factors: RewardProgram | str | Path,
    task: TaskSpec,
    settings: Lare | None = None,
    *,
    gamma: float | None = None,
) -> LatentReward:
    """Return an environment that tells returns of episodes alone and pays a decoder's words.

    Args:
        env: The environment; what it pays is summed over each episode.
        factors: A program whose components are the factors, or its file.
        task: The task whose fields it reads.
        settings: Of the decoder.
        gamma: The agent's discount; the task's by default.

    Raises:
        ProgramError: The program does not fit the task.
        UsageError: It is a function, not a program.
    """
    program = as_reward(factors)
    if not isinstance(program, RewardProgram):
        raise UsageError(f"Factors come from a RewardProgram; received {program!r}.")
    names = program_function(program, task, potential=False).outputs
    inner = DenseReward(EpisodicReturn(env), program, task, "replace", gamma)
    return LatentReward(inner, Refitting(names, settings or Lare()))


def decoded(
    env: gym.Env[Any, Any],
    factors: RewardProgram | str | Path,
    decoder: str | Path,
    task: TaskSpec,
) -> LatentReward:
    """Return an environment that pays a saved decoder, which learns no more.

    Args:
        env: The environment.
        factors: The program that the decoder was fitted to.
        decoder: What :meth:`Decoder.save` wrote.
        task: The task whose fields the program reads.

    Raises:
        UsageError: The decoder is of other factors.
    """
    made = latent(env, factors, task)
    loaded = Decoder.load(decoder)
    if loaded.names != made.fit.decoder.names:
        raise UsageError(
            f"The decoder {decoder} is of the factors {', '.join(loaded.names)}; the "
            f"program has {', '.join(made.fit.decoder.names)}."
        )
    made.fit.decoder = loaded
    return made


class _Relabelled(ReplayBuffer):
    """A replay buffer whose rewards are decoded anew each time they are drawn."""

    fit: Refitting
    kept: Rows

    def follow(self, fit: Refitting) -> None:
        """Keep factors beside each transition."""
        self.fit = fit
        self.kept = np.zeros((self.buffer_size, len(fit.decoder.names)), np.float32)

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Keep a transition and its factors."""
        infos = kwargs["infos"] if "infos" in kwargs else args[-1]
        self.kept[self.pos] = infos[0][FACTORS]
        super().add(*args, **kwargs)

    def _get_samples(self, batch_inds: Any, env: Any = None) -> Any:
        """Return transitions with the newest rewards, then refit the decoder once."""
        samples = super()._get_samples(batch_inds, env)
        paid = self.fit.decoder.rewards(self.kept[batch_inds])
        rewards = samples.rewards.new_tensor(paid)[:, None]
        self.fit.step()
        return samples._replace(rewards=rewards)


class _RelabelledDict(_Relabelled, DictReplayBuffer):
    """The same for observations of several parts."""


def attach(agent: Agent, env: LatentReward) -> Agent:
    """Let an untrained agent learn from a decoder that is refitted while it learns.

    The decoder takes one step for each gradient step of the agent, as in the released
    code. With a replay buffer, rewards are decoded when transitions are drawn; PPO is
    paid what the decoder says at the time.

    Args:
        agent: Of Stable-Baselines3, made for ``env``.
        env: What :func:`latent` returned.

    Raises:
        UsageError: It has several environments, or is of no known kind.
    """
    if agent.n_envs != 1:
        raise UsageError(
            f"LaRe follows episodes of one environment; received {agent.n_envs}."
        )
    if isinstance(agent, OffPolicyAlgorithm) and agent.replay_buffer is not None:
        old: Any = agent.replay_buffer
        kind = _RelabelledDict if isinstance(old, DictReplayBuffer) else _Relabelled
        buffer = kind(
            old.buffer_size,
            old.observation_space,
            old.action_space,
            device=old.device,
            handle_timeout_termination=old.handle_timeout_termination,
        )
        buffer.follow(env.fit)
        agent.replay_buffer = buffer
    elif isinstance(agent, PPO):
        batches = -(-agent.n_steps // agent.batch_size)
        env.every = agent.n_steps / (agent.n_epochs * batches)
    else:
        raise UsageError(
            f"LaRe trains agents with a replay buffer, and PPO; received {agent!r}."
        )
    return agent
