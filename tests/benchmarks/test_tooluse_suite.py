"""The suite of tool use: its designs are what they are called, in the arms of trials."""

from __future__ import annotations

from typing import Any

import numpy as np

from reward_synth.agents import TrialSpec
from reward_synth.benchmarks.suite import load_suite
from reward_synth.envs import resolve
from reward_synth.wrappers import DenseToolReward


def test_every_design_is_trained_with_its_own_reward_and_measured_without() -> None:
    """Each dense arm has the wrapper of its name around the environment, with the agent's
    discount; the sparse arm and all measurements have none; all tell ``is_success``."""
    suite = load_suite("tooluse")
    rng = np.random.default_rng(0)
    for item in suite.tasks:
        ref = resolve(item.env, item.env_kwargs)
        task = ref.describe(rollouts=1)
        assert task.success is not None
        assert task.sparse
        for name, design in suite.designs.items():
            agent = suite.agents[item.agent]
            arm: Any = "sparse" if name == "sparse" else "expert"
            kwargs = getattr(design, "env_kwargs", {})
            spec = TrialSpec(ref, task, arm, 1, 0, agent, expert=kwargs)
            for env, expected in (
                (spec.build(), name),
                (spec.build_for_measurement(), ""),
            ):
                found = wrapper(env)
                assert (found.reward if found else "sparse") == (expected or "sparse")
                if found:
                    assert found.gamma == spec.gamma
                env.reset(seed=0)
                *_, info = env.step(np.asarray(rng.integers(env.action_space.nvec)))  # type: ignore[attr-defined]
                assert info["is_success"] is False
                env.close()  # type: ignore[no-untyped-call]


def wrapper(env: Any) -> DenseToolReward | None:
    """Return the dense wrapper of a stack, if it has one."""
    while hasattr(env, "env"):
        if isinstance(env, DenseToolReward):
            return env
        env = env.env
    return None
