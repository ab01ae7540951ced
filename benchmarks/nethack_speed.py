"""How fast our door to NetHack and our PPO are, beside NLE itself and Stable-Baselines3.

    python -m reward_synth.benchmarks.nethack_speed [--quick] [--json FILE]

* adapter: steps a second of an environment as ``resolve`` makes it (copied observations,
  seeds, time limits) over those of NLE's own, with the same keys and actions.
* ppo: steps a second of our PPO over those of Stable-Baselines3's, with the same game,
  view, network, rollout, minibatches and epochs. Ours has a second value besides.

Both of a pair take turns in one process, block by block; told is the median of the ratios
of blocks, which other work on the machine changes little.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from reward_synth.agents.intrinsic_run import keyroom_learning
from reward_synth.agents.ppo import PPO
from reward_synth.agents.ppo_rollout import make_envs
from reward_synth.agents.ppo_sight import NetHackSight
from reward_synth.envs import resolve

ENV = "NetHackScore-v0"
FEW = ("glyphs", "blstats", "message")
_SEEN = ("chars", "message", "blstats")
_LANES = 8
Row = dict[str, Any]
Block = Callable[[], float]
"""Does a piece of work and returns its seconds."""


def ratio(ours: Block, theirs: Block, blocks: int, steps: int) -> Row:
    """Return steps a second of both, in turns, and the median of their ratios."""
    pairs = [(ours(), theirs()) for _ in range(blocks)]
    return {
        "blocks": blocks,
        "steps of each": steps,
        "ratio": round(median(theirs / ours for ours, theirs in pairs), 3),
        "ours, steps a second": round(steps / median(pair[0] for pair in pairs)),
        "theirs, steps a second": round(steps / median(pair[1] for pair in pairs)),
    }


def adapter(keys: tuple[str, ...] | None, *, quick: bool) -> Row:
    """Compare our environment with NLE's own."""
    steps = 500 if quick else 4000
    given: dict[str, Any] = {} if keys is None else {"observation_keys": keys}
    ours: Any = resolve(ENV).make(**given)
    import_module("nle")
    theirs: Any = gym.make(ENV, disable_env_checker=True, **given).unwrapped
    actions = np.random.default_rng(0).integers(theirs.action_space.n, size=steps)
    walks = [_walk(env, actions.tolist()) for env in (ours, theirs)]
    found = ratio(walks[0], walks[1], 4 if quick else 20, steps)
    ours.close()
    theirs.close()
    return found


def _walk(env: Any, actions: list[int]) -> Block:
    """Return a block of steps with given actions; games begin anew where they end."""
    env.reset()

    def walk() -> float:
        began = time.perf_counter()
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return time.perf_counter() - began

    return walk


def ppo(*, quick: bool) -> Row:
    """Compare our PPO with Stable-Baselines3's."""
    torch.set_num_threads(1)
    config = keyroom_learning()
    steps = _LANES * config.rollout
    updates = 1 if quick else 3
    ours = PPO(make_envs([_game] * _LANES), config, seed=0, sight=NetHackSight())
    theirs = _sb3(config)
    learns = [
        _learn(lambda: ours.learn(steps * updates)),
        _learn(lambda: theirs.learn(steps * updates, reset_num_timesteps=False)),
    ]
    for learn in learns:
        learn()  # caches fill
    return ratio(learns[0], learns[1], 2 if quick else 10, steps * updates)


def _learn(learn: Callable[[], Any]) -> Block:
    def block() -> float:
        began = time.perf_counter()
        learn()
        return time.perf_counter() - began

    return block


def _game() -> Any:
    return resolve(ENV).make(observation_keys=_SEEN)


class _Sees(gym.ObservationWrapper[Any, Any, Any]):
    """Gives Stable-Baselines3 the rows that our PPO sees."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self._sight = NetHackSight()
        width = self._sight.width
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (width,), np.float32)

    def observation(self, observation: Any) -> Any:
        """Return the row of one observation."""
        return self._sight({k: np.asarray(v)[None] for k, v in observation.items()})[0]


def _sb3(config: Any) -> Any:
    import stable_baselines3 as sb3
    from stable_baselines3.common.vec_env import DummyVecEnv

    return sb3.PPO(
        "MlpPolicy",
        DummyVecEnv([lambda: _Sees(_game())] * _LANES),
        n_steps=config.rollout,
        batch_size=_LANES * config.rollout // config.batches,
        n_epochs=config.epochs,
        learning_rate=config.rate,
        ent_coef=config.entropy,
        policy_kwargs={"net_arch": list(config.hidden)},
        device="cpu",
        seed=0,
    )


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    found: Row = {
        "command": "python -m reward_synth.benchmarks.nethack_speed",
        "env": ENV,
        "versions": {
            name: version(name) for name in ("nle", "torch", "stable-baselines3")
        },
        "load": round(os.getloadavg()[0], 1),
    }
    parts: dict[str, Callable[[], Row]] = {
        "adapter, three keys": lambda: adapter(FEW, quick=given.quick),
        "adapter, all keys": lambda: adapter(None, quick=given.quick),
        "ppo": lambda: ppo(quick=given.quick),
    }
    for name, part in parts.items():
        found[name] = part()
        print(f"{name}: {json.dumps(found[name])}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
