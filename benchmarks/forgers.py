"""Trainers that cheat: each takes the place of what trains in the confined process."""

from __future__ import annotations

import json
import os
import pickle
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from safetensors.torch import save

from reward_synth.agents import TrialSpec, sb3
from reward_synth.agents.progress import CURVES, EVALUATIONS, FAILED, TRIAL, WEIGHTS
from reward_synth.agents.schedule import FINAL, weights_file

Tell = Callable[[Mapping[str, Any]], None]
PERFECT = {"success_any": 1.0, "success_last": 1.0, "env_return": 1e9, "length": 1.0}
RAN = "ran"
"""A file that unpickled bytes would make, if they were unpickled."""


def _policy(spec: TrialSpec) -> dict[str, torch.Tensor]:
    """Return an untrained policy's weights: what an honest process could leave."""
    env: gym.Env[Any, Any] = spec.build_for_measurement()
    torch.manual_seed(0)
    return dict(sb3.make_policy(spec, env).state_dict())


def _names(spec: TrialSpec) -> list[str]:
    points = sb3.evaluation_points(spec, spec.build_for_measurement())
    return [*map(weights_file, points), weights_file(FINAL)]


def _leave(spec: TrialSpec, folder: Path, data: bytes | None = None) -> None:
    content = save(_policy(spec)) if data is None else data
    for name in _names(spec):
        fresh = folder / WEIGHTS / "fresh"
        fresh.write_bytes(content)
        fresh.rename(folder / WEIGHTS / name)


def untrained(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Leave weights that were never trained; say nothing."""
    _leave(spec, folder)


def forged_files(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Write results wherever readers look for them, and one's own folder, too."""
    for place in (folder, folder.parent):
        for name in (EVALUATIONS, FAILED, TRIAL, "result.json"):
            try:
                (place / name).write_text(json.dumps(PERFECT) + "\n")
            except OSError:
                continue
    _leave(spec, folder)


def forged_messages(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Send results, progress of other types, and a second list of layers."""
    tell({"layers": {"seccomp": "forged"}, "result": PERFECT, **PERFECT})
    tell({"progress": {"steps": "<b>", "seconds": {}}})
    tell({"progress": {"steps": 10**30, "seconds": -1.0}})
    tell({"done": True, "value": PERFECT, "selection": PERFECT})
    os.write(1, b"\x80\x04K\x01.\n{{{{\n" + b"[" * 10_000 + b"\n")
    _leave(spec, folder)


def forged(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Do both."""
    forged_messages(spec, folder, tell)
    forged_files(spec, folder, tell)


def flood(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Send one line without an end."""
    while True:
        tell({"progress": "x" * (1 << 20)})


def hostile_pickle(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Leave a pickle that makes a file when it is loaded."""
    _leave(spec, folder, pickle.dumps(_Bomb(str(folder.parent / RAN))))


class _Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def nothing(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Leave no weights, and say that all went well."""
    tell({"done": True})


def not_finite(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Leave weights of which one number is NaN."""
    tensors = _policy(spec)
    tensors[sorted(tensors)[-1]].view(-1)[0] = float("nan")
    _leave(spec, folder, save(tensors))


def wrong_shapes(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Leave a larger network."""
    tensors = {name: value.repeat(2) if value.ndim == 1 else value
               for name, value in _policy(spec).items()}  # fmt: skip
    _leave(spec, folder, save(tensors))


def huge_header(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Announce a header of 10 GB."""
    _leave(spec, folder, struct.pack("<Q", 10 * 10**9) + b"{}")


def link_out(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Leave links to a file elsewhere, or the weights in a folder moved elsewhere."""
    for name in _names(spec):
        os.symlink("/etc/hostname", folder / WEIGHTS / name)


def raises(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Fail with a text that would clear a screen."""
    raise ValueError("\x1b[2Jno\nluck")


def dies(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """End at once, as a crash in native code does."""
    os.write(2, b"Segmentation fault\n")
    os._exit(139)


def hangs(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Never end."""
    (folder / "process").write_text(str(os.getpid()))
    time.sleep(600)


def breaks_out(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Try what the confinement is there for, and tell by an error what worked."""
    attempts: dict[str, Callable[[], Any]] = {
        "write": lambda: (folder.parent.parent / "out").write_text("x"),
        "home": lambda: (Path.home() / "out").write_text("x"),
        "read": lambda: Path("/etc/shadow").read_text(),
        "list": lambda: os.listdir("/"),
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "fork": os.fork,
        "network": lambda: socket.socket().connect(("127.0.0.1", 9)),
        "signal": lambda: os.kill(os.getppid(), 0),
        "owner": lambda: os.chown(folder, 1, 1),
        "mode": lambda: os.chmod(folder, 0o777),
        "link": lambda: os.symlink("/", folder / "link"),
        "pipe": lambda: os.mkfifo(folder / "pipe"),
        "memory": lambda: open(f"/proc/{os.getppid()}/mem", "rb").close(),
        "key": lambda: os.environ["OPENAI_API_KEY"],
    }
    worked = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except (OSError, KeyError):
            continue
        worked.append(name)
    if worked:
        raise RuntimeError(f"worked: {', '.join(worked)}")
    _leave(spec, folder)


def rising(spec: TrialSpec, folder: Path, tell: Tell) -> None:  # noqa: ARG001
    """Tell of episodes that pay more and more, with weights that were never trained."""
    lines = [
        json.dumps({"step": step, "components": {"speed": float(step)}})
        for step in range(1, spec.steps + 1)
    ]
    (folder / CURVES).write_text("\n".join(lines) + "\n")
    _leave(spec, folder)
