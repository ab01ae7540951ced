"""Builds ManiSkill environments: plain Gymnasium, no questions asked, nothing printed."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any, TypeAlias

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from reward_synth.envs.maniskill_render import Rendering, load_simulator, rendering
from reward_synth.envs.maniskill_tasks import TASKS
from reward_synth.errors import (
    NotAvailableError,
    UnknownEnvError,
    UsageError,
    did_you_mean,
)

Env: TypeAlias = gym.Env[Any, Any]

NAMESPACE = "ManiSkill/"
DEFAULT_TASK = "PickCube-v1"
DEFAULT_CONTROL = "pd_ee_delta_pos"
_DRAWN = frozenset(
    [
        "rgb",
        "rgbd",
        "depth",
        "segmentation",
        "position",
        "normal",
        "albedo",
        "pointcloud",
        "sensor_data",
    ]
)
"""Parts of an ``obs_mode`` that need a renderer."""
_DOWNLOAD = "python -m mani_skill.utils.download_asset"
_ROBOT = re.compile(r"Robot (\S+) definition file not found")


@dataclass(frozen=True, slots=True)
class Settings:
    """How an environment is made."""

    control_mode: str | None = DEFAULT_CONTROL
    """What actions mean; None: ManiSkill's default for the robot."""
    obs_mode: str = "state"
    """``state``: one flat vector; ``state_dict``: by name."""
    reward_mode: str = "sparse"
    """``sparse``, or ManiSkill's own ``dense`` or ``normalized_dense`` reward."""
    ignore_terminations: bool = False
    """True if success does not end the episode."""
    exact_reset: bool = False
    """True for :class:`ExactReset`."""
    max_episode_steps: int | None = None
    """None: the task's own."""
    render_mode: str | None = None
    """``rgb_array`` where frames can be drawn."""
    num_envs: int = 1
    """Scenes that are stepped at once; more than one needs a GPU."""
    batched: bool = False
    """True to keep ManiSkill's tensors over scenes also where there is only one."""
    others: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of ManiSkill."""

    @classmethod
    def of(cls, task: str, overrides: Mapping[str, Any]) -> Settings:
        """Return the defaults of a task with ``overrides``."""
        names = {item.name for item in fields(cls)} - {"others"}
        own = {key: value for key, value in overrides.items() if key in names}
        others = {key: value for key, value in overrides.items() if key not in own}
        if task not in TASKS:
            own = {"control_mode": None} | own  # other robots know other modes
        return cls(**own, others=others)

    @property
    def drawn(self) -> str:
        """What of the settings needs a renderer, or ``""``."""
        if _DRAWN.intersection(self.obs_mode.split("+")):
            return f"obs_mode {self.obs_mode!r}"
        return f"render_mode {self.render_mode!r}" if self.render_mode else ""

    @property
    def plain(self) -> bool:
        """True if the environment gives NumPy values and Python scalars."""
        return self.num_envs == 1 and not self.batched

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ManiSkill's own ``gym.make``."""
        steps = self.max_episode_steps
        return {
            "obs_mode": self.obs_mode,
            "reward_mode": self.reward_mode,
            "control_mode": self.control_mode,
            "render_mode": self.render_mode,
            "num_envs": self.num_envs,
            "sim_backend": "physx_cpu" if self.num_envs == 1 else "physx_cuda",
            "render_backend": "cpu" if self.drawn else "none",
            **({} if steps is None else {"max_episode_steps": steps}),
            **self.others,
        }


class ExactReset(gym.Wrapper[Any, Any, Any, Any]):
    """Builds the scene anew at each reset, which takes 0.13 s.

    Only then does the same seed give exactly the same episode: PhysX keeps contacts from
    the episode before.
    """

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        return self.env.reset(
            seed=seed, options={**(options or {}), "reconfigure": True}
        )


class ManiSkillEnv(gym.Wrapper[Any, Any, Any, Any]):
    """The outermost layer, whose ``spec`` knows the horizon and can be made again.

    Args:
        env: ManiSkill's environment in its ``CPUGymWrapper``.
        spec: How :func:`gymnasium.make` builds it again.
    """

    def __init__(self, env: Env, spec: EnvSpec) -> None:
        super().__init__(env)
        self._cached_spec = spec  # what Gymnasium's `Wrapper.spec` returns


def make(task: str = DEFAULT_TASK, **overrides: Any) -> Env:
    """Make a ManiSkill environment with NumPy values and Python scalars.

    With ``num_envs`` above 1, or with ``batched=True``, it is ManiSkill's own batch of
    tensors, which :class:`~reward_synth.wrappers.BatchedDenseReward` and, inside a
    ``ManiSkillVectorEnv``, :class:`~reward_synth.wrappers.VectorDenseReward` take.

    Args:
        task: For example ``"PushCube-v1"``.
        overrides: Fields of :class:`Settings`, and arguments of ManiSkill.

    Raises:
        UnknownEnvError: ManiSkill has no such task.
        NotAvailableError: ManiSkill, an asset, or a renderer is missing.
        UsageError: The task does not have this mode.
    """
    state = rendering()
    known = load_simulator(state)
    name = task.removeprefix(NAMESPACE)
    if name not in known:
        raise UnknownEnvError(
            f"ManiSkill has no task {name!r}.{did_you_mean(name, known)}"
        )
    settings = Settings.of(name, overrides)
    _refuse_missing_assets(name)
    _refuse_reward_mode(name, settings.reward_mode, known[name].cls)
    _refuse_frames(name, settings, state)
    _refuse_batch(name, settings)
    inner = _unattended(name, settings.arguments())
    return _wrapped(name, inner, settings, dict(overrides))


def _wrapped(name: str, inner: Env, settings: Settings, given: dict[str, Any]) -> Env:
    wrappers = import_module("mani_skill.utils.wrappers.gymnasium")
    utils = import_module("mani_skill.utils.gym_utils")
    spec = EnvSpec(
        f"{NAMESPACE}{name}",
        entry_point=f"{__name__}:make",
        max_episode_steps=utils.find_max_episode_steps_value(inner),
        order_enforce=False,
        disable_env_checker=True,
        kwargs={"task": name, **given},
    )
    env = inner
    if settings.plain:
        env = wrappers.CPUGymWrapper(
            inner,
            ignore_terminations=settings.ignore_terminations,
            record_metrics=False,
        )
    return ManiSkillEnv(ExactReset(env) if settings.exact_reset else env, spec)


def _refuse_missing_assets(name: str) -> None:
    assets = import_module("mani_skill.utils.assets")
    needed = assets.expand_data_group_into_individual_data_source_ids(name)
    missing = sorted(
        item for item in needed if not assets.is_data_source_downloaded(item)
    )
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""  # noqa: PLR2004
        raise NotAvailableError(
            f"{NAMESPACE}{name} needs the asset {', '.join(missing[:3])}{more}, which is "
            f"not on this machine. Get it with: {_DOWNLOAD} {name}"
        )


def _refuse_reward_mode(name: str, mode: str, kind: Any) -> None:
    modes = kind.SUPPORTED_REWARD_MODES
    if mode not in modes:
        raise UsageError(
            f"{NAMESPACE}{name} has no reward_mode {mode!r}; it has {', '.join(modes)}."
        )


def _refuse_frames(name: str, settings: Settings, state: Rendering) -> None:
    if settings.drawn and not state.usable:
        raise NotAvailableError(
            f"{NAMESPACE}{name} cannot be made with {settings.drawn}: {state}."
        )


def _refuse_batch(name: str, settings: Settings) -> None:
    count: Any = settings.num_envs
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UsageError(f"num_envs must be a whole number from 1; received {count!r}.")
    if not settings.plain and settings.ignore_terminations:
        raise UsageError(
            "ignore_terminations of several scenes is an argument of ManiSkill's "
            "ManiSkillVectorEnv, which resets them; leave it out here."
        )
    if count > 1 and not import_module("torch").cuda.is_available():
        raise NotAvailableError(
            f"{NAMESPACE}{name} with num_envs={count} needs an NVIDIA GPU, and torch "
            "sees none. On the CPU, step single scenes in processes: "
            "gymnasium.vector.AsyncVectorEnv([lambda: reward_synth.make("
            f"'{NAMESPACE}{name}')] * {count})."
        )


def _unattended(name: str, arguments: dict[str, Any]) -> Env:
    """Make ManiSkill's environment; where it would ask to download, say what to do."""
    download: Any = import_module("mani_skill.utils.download_asset")
    heard = io.StringIO()
    ask, download.prompt_yes_no = download.prompt_yes_no, lambda _: False
    try:
        with redirect_stdout(heard):
            return gym.make(name, **arguments)
    except SystemExit as cause:  # its way to say that a robot's files are missing
        raise _no_robot(name, heard.getvalue()) from cause
    except FileNotFoundError as cause:
        raise NotAvailableError(
            f"{NAMESPACE}{name} lacks a file: {cause}. `{_DOWNLOAD}` lists what can be "
            "downloaded."
        ) from cause
    except RuntimeError as cause:
        if "GPU PhysX" not in str(cause):
            raise
        raise NotAvailableError(
            f"{NAMESPACE}{name}: scenes on the GPU must be made before any on the CPU "
            f"in the same process ({cause}). Make them first, or in another process."
        ) from cause
    except AttributeError as cause:  # a task that reads from its own looks
        raise NotAvailableError(
            f"{NAMESPACE}{name} cannot be made here ({cause}). {rendering()}."
        ) from cause
    except (AssertionError, KeyError, NotImplementedError, TypeError) as cause:
        reason = str(cause).partition(" was raised from")[0]
        raise UsageError(
            f"{NAMESPACE}{name} cannot be made with {_given(arguments)}: "
            f"{type(cause).__name__}: {reason}"
        ) from cause
    finally:
        download.prompt_yes_no = ask


def _no_robot(name: str, heard: str) -> NotAvailableError:
    match = _ROBOT.search(heard)
    what = match[1] if match else name
    return NotAvailableError(
        f"{NAMESPACE}{name} needs the robot {what}, whose files are not on this machine. "
        f"Get them with: {_DOWNLOAD} {what}"
    )


def _given(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in arguments.items() if v is not None)
