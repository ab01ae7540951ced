"""What accepted programs of the fuzzer are run in, beside the reference interpreter."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from reward_synth.benchmarks.fuzz_texts import TASK
from reward_synth.language import FunctionIR, evaluate, parse
from reward_synth.program import RewardProgram
from reward_synth.sandbox import Job, ProcessSandbox
from reward_synth.task import Field, TaskSpec
from reward_synth.wrappers import DenseReward

Inputs = dict[str, npt.NDArray[Any]]
AGREE = 1e-6
"""Error up to which two computations of a program are the same."""


def states(seed: int, rows: int) -> Inputs:
    """Return random states, with zeros and large numbers among them."""
    rng = np.random.default_rng(seed)
    found: Inputs = {}
    for name, field in TASK.parameters.items():
        values = rng.normal(size=(rows, *field.shape)) * rng.choice(
            [0.0, 1.0, 1.0, 10.0], size=(rows, *[1] * len(field.shape))
        )
        if field.dtype == "bool":
            found[name] = values > 0.0
        else:
            found[name] = np.round(values) if field.dtype == "int" else values
    return found


def reference(
    function: FunctionIR, inputs: Inputs, counts: Counter[str]
) -> npt.NDArray[np.float64]:
    """Return the components of each state; count it if the states were changed."""
    rows = len(inputs["x"])
    before = [value.tobytes() for value in inputs.values()]
    states_ = ({name: value[i] for name, value in inputs.items()} for i in range(rows))
    values = np.array([list(evaluate(function, state).values()) for state in states_])
    if before != [value.tobytes() for value in inputs.values()]:
        counts["inputs changed"] += 1
    return values


class _Line(gym.Env[Any, Any]):
    """Emits given states."""

    def __init__(self, inputs: Inputs) -> None:
        names = [field.name for field in TASK.fields]
        self.rows = [
            {name: np.asarray(inputs[name][i], np.float64) for name in names}
            for i in range(len(inputs["x"]))
        ]
        self.observation_space = gym.spaces.Dict(
            {
                name: gym.spaces.Box(-np.inf, np.inf, value.shape, np.float64)
                for name, value in self.rows[0].items()
            }
        )
        self.action_space = gym.spaces.Box(-1.0, 1.0, (2,))
        self.at = 0

    def reset(self, **options: Any) -> Any:
        super().reset(**options)
        self.at = 0
        return self.rows[0], {}

    def step(self, _: Any) -> Any:
        self.at = (self.at + 1) % len(self.rows)
        return self.rows[self.at], 0.0, False, False, {}


def guarded(texts: list[str], seed: int) -> Counter[str]:
    """Run programs in the wrapper, on states where they give no finite number."""
    counts: Counter[str] = Counter()
    warnings.simplefilter("ignore")
    fields = tuple(_placed(field) for field in TASK.fields)
    task = TaskSpec(TASK.id, TASK.instruction, fields, TASK.action)
    for text in texts:
        env = DenseReward(
            _Line(states(seed + 1, 4)), RewardProgram.of(text, task), task
        )
        env.reset(seed=seed)
        for _ in range(8):
            _, reward, _, _, info = env.step(np.zeros(2, np.float32))
            counts["guarded steps"] += 1
            parts = info["reward_components"].values()
            if not np.isfinite([float(reward), *parts]).all():
                counts["not finite past the guard"] += 1
        counts["guarded programs"] += 1
    return counts


def _placed(field: Field) -> Field:
    return replace(field, source=f"obs.{field.name}")


def plainly(texts: list[str], seed: int) -> Counter[str]:
    """Run programs as plain Python in the locked worker; compare with the reference."""
    counts: Counter[str] = Counter()
    sandbox, inputs = ProcessSandbox(), states(seed, 4)
    for text in texts:
        ir = parse(text, TASK).ir
        if ir is None or ir.reward is None:
            continue
        names = tuple(name for name, _ in ir.reward.parameters)
        given = {name: inputs[name] for name in names} or {"x": inputs["x"]}
        execution = sandbox.run(Job(text, "compute_reward", names or ("x",), given))
        counts[f"plain: {execution.status}"] += 1
        if execution.ok:
            expected = reference(ir.reward, inputs, counts)
            order = [execution.names.index(name) for name in ir.reward.outputs]
            same = np.allclose(
                execution.values[:, order], expected, AGREE, AGREE, equal_nan=True
            )
            counts["plain agrees" if same else "plain differs"] += 1
    return counts
