"""How long a training takes on this machine, from a short one."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from reward_synth.agents.surroundings import single_threaded
from reward_synth.agents.trial_spec import TrialSpec
from reward_synth.engine import Call, LocalEngine
from reward_synth.errors import NotAvailableError

_STEPS = 256
"""Of the short training, after its random steps; PPO takes a whole rollout."""
_RANDOM = 64
_LOOKED_AT = 200
"""Environment steps that are timed alone."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Processor seconds of one step."""

    training: float
    """With its share of learning."""
    evaluation: float
    """Without."""

    def seconds(self, spec: TrialSpec, steps: int) -> float:
        """Return about how long a training of so many steps takes, evaluations included.

        Example:
            >>> from reward_synth.envs import resolve
            >>> from reward_synth.task import Field, TaskSpec
            >>> task = TaskSpec("T", "go", (Field("x"),), Field("action"),
            ...     horizon=10).with_success("x > 0")
            >>> spec = TrialSpec(resolve("CartPole-v1"), task, "sparse", 1, 0, episodes=4,
            ...     evaluations=5)
            >>> Pace(0.1, 0.01).seconds(spec, 100)  # 10, and 6 times 4 episodes of 10
            12.4
        """
        horizon = spec.task.horizon or _LOOKED_AT
        looks = (spec.evaluations + 1) * spec.episodes * horizon
        return steps * self.training + looks * self.evaluation


def measure_pace(spec: TrialSpec) -> Pace:
    """Train for some seconds, without keeping anything, and time it.

    It runs in a process of its own, with one thread as trainings have. Processor time is
    taken, which other work on the machine changes little.

    Raises:
        NotAvailableError: The environment or the learner failed.
    """
    with single_threaded():
        (result,) = LocalEngine(1).run([Call("pace", timed, (spec,))])
    if result.status != "ok":
        raise NotAvailableError(f"A short training failed: {result.error}")
    found: Pace = result.value
    return found


def timed(spec: TrialSpec) -> Pace:
    """Do what :func:`measure_pace` says, in this process."""
    from reward_synth.agents import sb3, schedule  # noqa: PLC0415 - loads torch

    env = spec.build()
    alone = _time_alone(spec)
    hurried = replace(spec.agent, learning_starts=_RANDOM, buffer_size=1024)
    short = replace(spec, agent=hurried, steps=2 * _RANDOM + _STEPS)
    model = sb3.make_agent(short, env)
    if sb3.algorithm(spec, env) == "ppo":
        began = time.process_time()
        model.learn(schedule.ROLLOUT)
        took = (time.process_time() - began) / schedule.ROLLOUT
    else:
        model.learn(2 * _RANDOM)  # the first updates load what PyTorch loads late
        began = time.process_time()
        model.learn(_STEPS, reset_num_timesteps=False)
        took = (time.process_time() - began) / _STEPS
    env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
    return Pace(max(took, alone), alone)


def _time_alone(spec: TrialSpec) -> float:
    env = spec.build_for_measurement()
    env.action_space.seed(0)
    env.reset(seed=0)
    began = time.process_time()
    for _ in range(_LOOKED_AT):
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            env.reset()
    took = time.process_time() - began
    env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
    return took / _LOOKED_AT
