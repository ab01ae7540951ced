"""One trial of an agent that learns from returns of episodes, through a program's factors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from stable_baselines3.common.monitor import Monitor

from reward_synth.agents import lare, sb3
from reward_synth.agents.lare_decoder import Lare
from reward_synth.agents.progress import DECODER
from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from reward_synth.agents.trainer import Tell
    from reward_synth.agents.trial_spec import TrialSpec


def train(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Train as :func:`reward_synth.agents.sb3.train`, paid by a decoder.

    The decoder is in ``folder`` then. What is summed over an episode is the
    environment's own reward, as the user made it.

    Args:
        spec: The trial; its program's components are the factors.
        folder: Takes logs, weights and the decoder.
        tell: Is told the progress.

    Raises:
        UsageError: It has no program.
    """
    torch.set_num_threads(1)  # trials run beside each other
    if spec.program is None:
        raise UsageError("The dense arm needs a reward program.")
    env = lare.latent(
        spec.env.make(),
        spec.program,
        spec.task,
        Lare(seed=spec.seed),
        gamma=spec.gamma,
    )
    watched: Monitor[Any, Any] = Monitor(env)
    agent = lare.attach(sb3.make_agent(spec, watched), env)
    sb3.learn(spec, agent, folder, tell)
    env.fit.decoder.save(folder / DECODER)
    watched.close()
