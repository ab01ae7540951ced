"""Encoders of frames from local files: torchscript, or weights of the user's module."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from reward_synth.errors import UsageError
from reward_synth.intrinsic.models.frames import Frames

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's pictures, channel by channel (arXiv 2103.00020)."""


class TorchEncoder:
    """Gives frames to a torch module: as shares of 255, channels first, to size, scaled.

    Args:
        module: Takes shape ``(n, 3, height, width)``, gives ``(n, width)``.
        size: Height and width that frames are brought to; None: as they are.
        mean: Taken off each channel.
        deviation: Each channel is divided by.

    Example:
        >>> encoder = TorchEncoder(nn.Flatten(), size=2)
        >>> encoder(np.full((1, 4, 4, 3), 255, np.uint8)).tolist()[0][:2]
        [1.0, 1.0]
    """

    def __init__(
        self,
        module: nn.Module,
        size: int | None = None,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        deviation: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> None:
        self.module = module.eval()
        self.size = size
        self._mean = torch.tensor(mean)[:, None, None]
        self._deviation = torch.tensor(deviation)[:, None, None]

    @torch.no_grad()
    def __call__(self, frames: Frames, /) -> Tensor:
        """Return a row for each frame."""
        given = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
        pictures = given.float() / 255.0
        if self.size is not None:
            pictures = nn.functional.interpolate(
                pictures, (self.size, self.size), mode="bilinear", antialias=True
            )
        rows: Tensor = self.module((pictures - self._mean) / self._deviation)
        return rows


def load_encoder(
    path: str | Path,
    module: nn.Module | None = None,
    *,
    size: int | None = None,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    deviation: Sequence[float] = (1.0, 1.0, 1.0),
) -> TorchEncoder:
    """Read an encoder from a local file; nothing is downloaded.

    Args:
        path: A torchscript file, which is a program: take one that you trust. Or, with
            ``module``, safetensors of its weights, which are numbers alone.
        module: Takes the weights.
        size: As of :class:`TorchEncoder`.
        mean: Likewise.
        deviation: Likewise.

    Raises:
        UsageError: It is no such file, or its weights are those of another module.
    """
    if not Path(path).is_file():
        raise UsageError(f"There is no file {path}; encoders are not downloaded.")
    try:
        if module is None:
            found: nn.Module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
        else:
            module.load_state_dict(safetensors.torch.load_file(str(path)))
            found = module
    except (RuntimeError, ValueError, safetensors.SafetensorError) as cause:
        kind = "torchscript" if module is None else f"the weights of {module!r}"
        said = str(cause).strip().splitlines()[0]
        raise UsageError(f"{path} does not hold {kind}: {said}") from cause
    return TorchEncoder(found, size, mean, deviation)
