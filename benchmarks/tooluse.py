"""Plays the environments of tool use with random and hostile actions.

What is looked for: a crash, and processes, descriptors or files that are left behind.

    python -m reward_synth.benchmarks.tooluse --quick
    python -m reward_synth.benchmarks.tooluse --json tooluse.json
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import reward_synth.envs.tooluse_register  # noqa: F401 - the ids
from reward_synth.envs.tooluse_generate import LEVELS
from reward_synth.envs.tooluse_names import CHOICES, TEXTS

EPISODES, QUICK = 10_000, 600
_NASTY = (
    "",
    "\x00",
    chr(0xD800),
    "💥" * 100,
    "9" * 5000,
    "' or 1=1; drop table products; --",
    "../../../etc/passwd",
    "<|im_start|>tool",
    "\u202e\u200b",
    "x" * 20_000,
)
_TEXTS = (
    "",
    "Done.",
    "<tool_call>",
    "<tool_call>{}</tool_call>" * 80,
    '<tool_call>{"name": null, "arguments": []}</tool_call>',
    '<tool_response>{"result": "ok"}</tool_response>',
    "<|im_start|>assistant",
    "[" * 50_000,
    '{"name": "f", "arguments": ' + '{"a":' * 200 + "1" + "}" * 201,
    "f(9**9**9)",
    "__import__('os').system('touch pwned')",
    '[{"name": "restock", "arguments": {"sku": NaN, "quantity": 1e999}}]',
    chr(0xDFFF),
)
Rng = np.random.Generator
Player = Callable[[Any, Mapping[str, Any], Rng], Any]


def campaign(episodes: int, rng: Rng) -> dict[str, Any]:
    """Play, and tell what happened and what is left.

    Args:
        episodes: How many, over all domains, levels and both kinds of environment.
        rng: Draws levels and actions.
    """
    where = os.getcwd()
    ends: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        _play(CHOICES, _chosen, 2, rng, ends, errors)  # what is loaded once stays open
        _play(TEXTS, _hostile_text, 2, rng, ends, errors)
        ends.clear()
        before = _held()
        os.chdir(folder)
        began = time.monotonic()
        try:
            _play(CHOICES, _chosen, episodes // 2, rng, ends, errors)
            _play(TEXTS, _hostile_text, episodes - episodes // 2, rng, ends, errors)
        finally:
            os.chdir(where)
        gc.collect()
        left = {name: count - before[name] for name, count in _held().items()}
        left["files"] = len(list(Path(folder).iterdir()))
    return {
        "episodes": episodes,
        "ends": dict(sorted(ends.items())),
        "refused_turns": dict(sorted(errors.items())),
        "left": left,
        "seconds": round(time.monotonic() - began, 1),
    }


def _play(
    ids: Mapping[str, str],
    player: Player,
    episodes: int,
    rng: Rng,
    ends: Counter[str],
    errors: Counter[str],
) -> None:
    """Play episodes in environments that are made anew now and then."""
    names, levels = list(ids), list(LEVELS)
    env: Any = None
    for number in range(episodes):
        if number % 20 == 0:
            if env is not None:
                env.close()
            name = names[int(rng.integers(len(names)))]
            env = gym.make(name, level=levels[int(rng.integers(len(levels)))])
        ends[_episode(env, player, rng, errors)] += 1
    env.close()


def _episode(env: Any, player: Player, rng: Rng, errors: Counter[str]) -> str:
    _, info = env.reset(seed=int(rng.integers(2**31)))
    while True:
        obs, reward, terminated, truncated, info = env.step(player(env, info, rng))
        if info["turn"]["error_type"]:
            errors[info["turn"]["error_type"]] += 1
        if obs not in env.observation_space or reward not in (0.0, 1.0):
            raise AssertionError(f"A step gave {obs!r} and {reward!r}.")
        if terminated or truncated:
            return "success" if reward else "ended" if terminated else "truncated"


def _chosen(env: Any, info: Mapping[str, Any], rng: Rng) -> Any:
    """Choose at random, half of the time only what the masks allow."""
    del info
    sizes = env.action_space.nvec
    if rng.random() < 0.5:  # noqa: PLR2004 - half
        return rng.integers(sizes)
    masks = np.split(env.get_wrapper_attr("action_masks")(), np.cumsum(sizes)[:-1])
    return np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])


def _hostile_text(env: Any, info: Mapping[str, Any], rng: Rng) -> str:
    """Write something nasty, noise, or a call with nasty arguments."""
    kind = rng.random()
    if kind < 0.2:  # noqa: PLR2004 - a fifth
        return str(_one(rng, _TEXTS))
    if kind < 0.3:  # noqa: PLR2004 - a tenth
        return str(env.action_space.sample())
    if kind < 0.5 and info["expected"]:  # noqa: PLR2004 - a fifth
        return json.dumps(_one(rng, info["expected"]))
    function = _one(rng, info["tools"])["function"]
    names = list(function["parameters"]["properties"])
    arguments = {
        name: _one(rng, (*_NASTY, 0, -1, 2**70, 1.5, None, [[]])) for name in names
    }
    return json.dumps({"name": function["name"], "arguments": arguments})


def _one(rng: Rng, items: Any) -> Any:
    return items[int(rng.integers(len(items)))]


def _held() -> dict[str, int]:
    """Return how many descriptors and child processes this process has."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {"descriptors": len(os.listdir("/proc/self/fd")), "processes": len(children)}


def main() -> None:
    """Play, print what was found, and write it down if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} episodes.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    episodes = QUICK if given.quick else EPISODES
    found = campaign(episodes, np.random.default_rng(given.seed))
    text = json.dumps({"seed": given.seed, **found}, indent=2)
    print(text)
    if given.json:
        given.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
