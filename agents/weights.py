"""Policy weights as they cross from a training process, which is not trusted.

A file of the safetensors format holds names, types, shapes and numbers, and nothing that
runs.  It is taken only if it is a plain file in the folder that was opened before the
training began, not larger than the policy, and holds exactly the policy's tensors, all of
them finite.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from reward_synth.agents.failures import WeightsError
from reward_synth.agents.plain import open_plain

_HEADER = 1 << 20
"""Most bytes of names, types and shapes."""
_PREFIX = 8
"""Bytes at the front that tell the header's length."""
_SHOWN = 3
Tensors = Mapping[str, torch.Tensor]


def write_weights(tensors: Tensors, path: Path) -> None:
    """Write tensors; a reader sees the whole file or none."""
    # Modules may share tensors, which the format refuses; each is written.
    own = {name: value.detach().clone() for name, value in tensors.items()}
    fresh = path.with_suffix(".tmp")
    fresh.write_bytes(save(own))
    os.replace(fresh, path)


def read_weights(folder: int, name: str, expected: Tensors) -> dict[str, torch.Tensor]:
    """Return the tensors of a file, if they are what a policy expects.

    Args:
        folder: Descriptor of the folder.
        name: The file's name in it.
        expected: The policy's own tensors: their names, shapes and types.

    Raises:
        FileNotFoundError: There is no such file (yet).
        WeightsError: It is not taken; says why.
    """
    size = sum(value.numel() * value.element_size() for value in expected.values())
    data = _bytes(folder, name, _PREFIX + _HEADER + size)
    header = int.from_bytes(data[:_PREFIX], "little")
    if len(data) < _PREFIX or header > _HEADER:
        raise WeightsError(
            name, f"are no safetensors: a header of {header} bytes is announced"
        )
    try:
        tensors: dict[str, torch.Tensor] = load(data)
    except (SafetensorError, ValueError, KeyError) as cause:
        raise WeightsError(name, f"are no safetensors: {cause}") from cause
    _compare(name, tensors, expected)
    return tensors


def _bytes(folder: int, name: str, most: int) -> bytes:
    """Read a plain file through the folder's descriptor."""
    try:
        with open_plain(name, folder) as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise WeightsError(
                    name, f"have {size} bytes; the policy has at most {most}"
                )
            return file.read(most)  # it may still grow
    except OSError as cause:
        if cause.errno == errno.ENOENT:
            raise
        raise WeightsError(name, f"cannot be opened: {cause.strerror}") from cause


def _compare(name: str, tensors: Tensors, expected: Tensors) -> None:
    odd = sorted(tensors.keys() ^ expected.keys())
    if odd:
        missing = [item for item in odd if item in expected]
        which = "lack" if missing else "have"
        shown = ", ".join(repr(item[:80]) for item in (missing or odd)[:_SHOWN])
        raise WeightsError(name, f"{which} {shown}, unlike the policy")
    for key, value in expected.items():
        found = tensors[key]
        if (found.shape, found.dtype) != (value.shape, value.dtype):
            raise WeightsError(
                name,
                f"have {key} as {tuple(found.shape)} {found.dtype}; the policy's is "
                f"{tuple(value.shape)} {value.dtype}",
            )
        if not bool(torch.isfinite(found).all()):
            raise WeightsError(name, f"hold numbers in {key} that are not finite")
