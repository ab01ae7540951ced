"""Acts without training: tries plans in a copy of the simulator, scored by a program.

At each step the simulator's state is copied into a twin, plans are played there, and the
first action of the best (or of the weighted mean) is taken. After predictive sampling in
MuJoCo MPC (Howell et al., "Predictive Sampling: Real-time Behaviour Synthesis with
MuJoCo", 2022) and MPPI (Williams et al., 2017); the code is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import numpy.typing as npt
from gymnasium.envs.mujoco.mujoco_env import MujocoEnv

from reward_synth.agents.mpc_spec import Mpc
from reward_synth.errors import UsageError
from reward_synth.kernels import RewardKernel
from reward_synth.language import FunctionIR
from reward_synth.reward import Array
from reward_synth.task import ACTION, PREVIOUS, FieldReader, TaskSpec
from reward_synth.wrappers.scoring import fields_read

Values = npt.NDArray[np.float64]
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
_SMALL = 1e-9
_OWN = "gymnasium.envs.mujoco"


class Twin:
    """A copy of an environment's simulator, in which plans are played.

    Args:
        env: Another environment of the same settings as the one that is acted in.
        task: The task whose fields the program reads.
        function: The program's reward.

    Raises:
        UsageError: It is none of Gymnasium's MuJoCo environments.
    """

    def __init__(
        self, env: gym.Env[Any, Any], task: TaskSpec, function: FunctionIR
    ) -> None:
        self.base = simulated(env)
        env.reset(seed=0)
        self._reader = FieldReader(task, env, fields_read(function))
        self._kernel = RewardKernel(function)
        self._names = [name for name, _ in function.parameters]

    def play(self, state: Values, plans: Values) -> Values:
        """Return what each plan earns, shape ``(K,)``.

        Args:
            state: Of the simulator, from :func:`state_of`.
            plans: Actions, shape ``(K, H, *action_shape)``.
        """
        rows: dict[str, list[Array]] = {name: [] for name in self._names}
        for plan in plans:
            self._play(state, plan, rows)
        values = {name: np.stack(found) for name, found in rows.items()}
        count = plans.shape[0] * plans.shape[1]
        out = np.empty((len(self._kernel.names) + 1, count))
        earned = self._kernel.batch(values, out)[-1]
        usable = np.where(np.isfinite(earned), earned, -np.inf)
        made: Values = usable.reshape(plans.shape[:2]).sum(axis=1)
        return made

    def _play(
        self, state: Values, plan: Values, rows: Mapping[str, list[Array]]
    ) -> None:
        base: Any = self.base
        mujoco.mj_setState(base.model, base.data, state, _STATE)
        mujoco.mj_forward(base.model, base.data)
        before = self._reader.read(base._get_obs(), {}, reset=True)
        for action in plan:
            obs, _, _, _, info = base.step(action)
            after = self._reader.read(obs, info)
            for name, found in rows.items():
                if name == ACTION:
                    found.append(action)
                elif name.startswith(PREVIOUS):
                    found.append(before[name.removeprefix(PREVIOUS)][0])
                else:
                    found.append(after[name][0])
            before = after


class Planner:
    """Chooses actions by looking ahead.

    Args:
        space: The actions.
        score: ``(state, plans) -> what each earns``; :meth:`Twin.play`.
        settings: How far and how wide.
        rng: Decides which plans are tried.

    Example:
        >>> space = gym.spaces.Box(-1.0, 1.0, (1,), np.float64)
        >>> far = lambda state, plans: -np.abs(plans - 0.5).sum((1, 2))
        >>> planner = Planner(space, far, Mpc(samples=64), np.random.default_rng(0))
        >>> for _ in range(20):
        ...     action = planner.act(np.zeros(0))
        >>> action.round(1)
        array([0.5])
    """

    def __init__(
        self,
        space: gym.spaces.Box,
        score: Callable[[Values, Values], Values],
        settings: Mpc,
        rng: np.random.Generator,
    ) -> None:
        if not space.is_bounded():
            raise UsageError(f"Planning needs actions with bounds; received {space}.")
        self.low, self.high = space.low.astype(float), space.high.astype(float)
        self.score, self.settings, self.rng = score, settings, rng
        self.reset()

    def reset(self) -> None:
        """Forget the plan: an episode begins."""
        middle = (self.low + self.high) / 2.0
        self.plan = np.repeat(middle[None], self.settings.horizon, axis=0)

    def act(self, state: Values) -> Values:
        """Return the action for a state of the simulator."""
        plans = self._plans()
        earned = self.score(state, plans)
        if self.settings.choice == "best" or not np.isfinite(earned).any():
            self.plan = plans[int(np.argmax(earned))]
        else:
            self.plan = np.tensordot(self._weights(earned), plans, axes=1)
        action: Values = self.plan[0].copy()
        self.plan = np.concatenate([self.plan[1:], self.plan[-1:]])
        return action

    def _plans(self) -> Values:
        """Return the last plan's rest, and variations of it."""
        settings = self.settings
        shape = (settings.samples, settings.knots, *self.low.shape)
        points = settings.noise * self.rng.standard_normal(shape)
        points[0] = 0.0
        places = np.linspace(0.0, settings.knots - 1.0, settings.horizon)
        left = np.minimum(places.astype(int), max(0, settings.knots - 2))
        right = np.minimum(left + 1, settings.knots - 1)
        share = (places - left).reshape(1, -1, *[1] * self.low.ndim)
        noise = (1.0 - share) * points[:, left] + share * points[:, right]
        varied: Values = self.plan + noise * (self.high - self.low) / 2.0
        return np.clip(varied, self.low, self.high)

    def _weights(self, earned: Values) -> Values:
        known = np.where(np.isfinite(earned), earned, np.nan)
        spread = float(np.nanstd(known)) + _SMALL
        above = (known - np.nanmax(known)) / (spread * self.settings.temperature)
        weights = np.nan_to_num(np.exp(above), nan=0.0)
        made: Values = weights / weights.sum()
        return made


def simulated(env: gym.Env[Any, Any]) -> MujocoEnv:
    """Return the simulator of an environment.

    Raises:
        UsageError: It is none of Gymnasium's MuJoCo environments, whose whole state
            MuJoCo knows.
    """
    base = env.unwrapped
    # others, such as Meta-World's, build on the same class and keep goals in Python
    own = type(base).__module__.startswith(_OWN)
    if not own or not isinstance(base, MujocoEnv):
        raise UsageError(
            f"Planning needs one of Gymnasium's MuJoCo environments, such as Reacher-v5; "
            f"{type(base).__name__} keeps a state that MuJoCo does not know."
        )
    return base


def state_of(env: gym.Env[Any, Any]) -> Values:
    """Return the simulator's state: positions, velocities, controls, time.

    Example:
        >>> env = gym.make("InvertedPendulum-v5")
        >>> _ = env.reset(seed=0)
        >>> bool(np.isfinite(state_of(env)).all())
        True
    """
    base: Any = simulated(env)
    state = np.empty(mujoco.mj_stateSize(base.model, _STATE))
    mujoco.mj_getState(base.model, base.data, state, _STATE)
    return state
