"""What a training process sees of the machine: variables, files, devices."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reward_synth.envs import EnvRef
from reward_synth.kernels.compile import CACHE
from reward_synth.sandbox.confine import (
    Allowance,
    libraries,
    outermost,
    physical_memory,
)
from reward_synth.sandbox.confine_files import Paths

PASS = "REWARD_SYNTH_PASS_ENV"
"""Environment variable: names of further ones, with commas, that trainings may read."""
_NAMES = frozenset(
    ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV",
     "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
)  # fmt: skip
_PREFIXES = (
    "LC_", "PYTHON", "XDG_", "NUMBA_", "TORCH_", "CUDA_", "NVIDIA_", "VK_", "MUJOCO_",
    "MS_", "SAPIEN_", "SDL_", "PYGAME_", "EGL_", "LIBGL_", "MESA_", "__EGL_", "__GLX_",
    "GALLIUM_", "LP_",
)  # fmt: skip
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL", re.IGNORECASE)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_ASSETS = (".maniskill", ".sapien", ".mujoco")
"""Folders of the home in which simulators and kernels keep their files."""
_DRIVERS = (
    "/dev/dri", "/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm",
    "/dev/nvidia-modeset", "/dev/nvidia-caps",
)  # fmt: skip
_DRIVER_FILES = ("/etc/vulkan", "/etc/glvnd", "/sys/class/drm", "/sys/dev/char",
                 "/sys/devices", "/proc/driver/nvidia")  # fmt: skip
_DRAWING = re.compile(r"rgb|depth|image|pixel|cuda|gpu", re.IGNORECASE)


def scrubbed(given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment variables of a training process.

    Args:
        given: Those of this process.
        folder: Where it may write, also what libraries keep for a moment.

    Example:
        >>> kept = scrubbed({"LANG": "C", "OPENAI_API_KEY": "x", "MS_TOKEN": "y"}, Path())
        >>> sorted(kept)[:2], "OPENAI_API_KEY" in kept, "MS_TOKEN" in kept
        (['LANG', 'MKL_NUM_THREADS'], False, False)
    """
    asked = {name.strip() for name in given.get(PASS, "").split(",")}
    kept = {
        name: value
        for name, value in given.items()
        if name in asked
        or ((name in _NAMES or name.startswith(_PREFIXES)) and not _SECRET.search(name))
    }
    threads = dict.fromkeys(_ONE_THREAD, "1")  # trainings run beside each other
    own = dict.fromkeys(("TMPDIR", "MPLCONFIGDIR"), str(folder))
    # numba's cache holds pickles, so who runs generated code neither reads nor writes it.
    return {**kept, **threads, **own, CACHE: ""}


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let processes that the block starts compute with one thread, as trainings do.

    Libraries read these variables when they are loaded; later it is too late.

    Example:
        >>> with single_threaded():
        ...     os.environ["OMP_NUM_THREADS"]
        '1'
    """
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def allowance(env: EnvRef, folder: Path) -> Allowance:
    """Return what a training in ``env`` may use, as little as is known to do.

    Args:
        env: The environment.
        folder: The one folder that it may write.
    """
    home = Path.home()
    read = [*libraries(), *(home / name for name in _ASSETS), *_named_files(env)]
    devices = [Path(os.devnull)]
    opened: dict[str, str] = {}
    draws = any(_DRAWING.search(str(value)) for value in env.kwargs.values())
    if draws or env.family == "ManiSkill":
        found = [path for path in map(Path, _DRIVERS) if path.exists()]
        devices += found
        read += map(Path, _DRIVER_FILES)
        if found:
            named = ", ".join(map(str, found))
            opened["devices"] = f"opened for {env.name}: {named}"
            opened["rlimits"] = f"no limit of memory: {env.name} may map a GPU's"
    roots = outermost(path.resolve() for path in read)
    inside = [path for path in roots if home.is_relative_to(path)]
    if inside:
        opened["landlock_files"] = (
            f"{inside[0]} is on Python's path, so the whole home can be read; start "
            "Python in another folder"
        )
    memory = None if "rlimits" in opened else physical_memory()
    paths = Paths((folder,), roots, tuple(devices))
    return Allowance(paths, memory_bytes=memory, opened=opened)


def _named_files(env: EnvRef) -> Iterator[Path]:
    """Yield what the environment's own settings name."""
    yield from (Path(env.folder),) if env.folder else ()
    for name in ("MS_ASSET_DIR", "XDG_CACHE_HOME"):
        if os.environ.get(name):
            yield Path(os.environ[name])
    yield from map(Path, _existing(dict(env.kwargs)))


def _existing(value: Any) -> Iterator[str]:
    """Yield every text in nested settings that is the path of something."""
    if isinstance(value, str):
        if os.path.isabs(value) and os.path.exists(value) and value != os.sep:
            yield value
    elif isinstance(value, Mapping):
        yield from (path for item in value.values() for path in _existing(item))
    elif isinstance(value, (list, tuple)):
        yield from (path for item in value for path in _existing(item))
