"""Dense rewards for environments of tool use."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym

from reward_synth.errors import UsageError, did_you_mean
from reward_synth.task import as_number
from reward_synth.wrappers.sources import EpisodeSums, checked_discount
from reward_synth.wrappers.tool_reward_scores import SCORES, TurnScore
from reward_synth.wrappers.words import COMPONENTS, EPISODE, SPARSE_REWARD


class DenseToolReward(
    gym.Wrapper[Any, Any, Any, Any],
    gym.utils.RecordConstructorArgs,
):
    """Adds a graded reward to an environment of tool use.

    ==============  ==================================================================
    ``graded``      The change of the verifier's score of all calls: sums up to it
    ``potential``   gamma Phi(s') - Phi(s), Phi the matched share of the expected
                    calls: what is optimal stays optimal
    ``toolrl``      ToolRL's correctness of the turn, -3 to 3, after its code
    ``ftrl``        FTRL's F1 of the turn's outputs, after its code
    ==============  ==================================================================

    ``info`` holds ``sparse_reward``, ``reward_components``, and at the end of an episode
    ``reward_synth`` with the sums, as with :class:`~reward_synth.wrappers.DenseReward`.

    Args:
        env: ``ToolUseEnv``, ``ToolChoiceEnv``, or one that tells the same in ``info``.
        reward: A name of the table, or a :class:`TurnScore` of your own.
        weight: Factor of the dense part.
        gamma: The agent's discount, for ``potential``.

    Raises:
        UsageError: There is no such reward, or a number is out of range.

    Example:
        >>> from reward_synth.envs.tooluse import ToolUseEnv
        >>> env = DenseToolReward(ToolUseEnv("shop"), "potential", gamma=0.5)
        >>> _ = env.reset(options={"task": 3})
        >>> env.step('restock(sku="P684", quantity=58)')[1]
        0.5
        >>> env.step("Done.")[1]
        0.0
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        reward: str | TurnScore = "graded",
        weight: float = 1.0,
        gamma: float = 0.99,
    ) -> None:
        discount = checked_discount(gamma, weight)
        gym.utils.RecordConstructorArgs.__init__(
            self, reward=reward, weight=weight, gamma=gamma
        )
        gym.Wrapper.__init__(self, env)
        self.reward = reward if isinstance(reward, str) else type(reward).__name__
        self.weight = weight
        self.gamma = discount
        self._score = _made(reward, discount)
        self._sums = EpisodeSums()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the environment and begin an episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._score.begin(info)
        self._sums = EpisodeSums()
        return obs, info

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the environment and score the turn."""
        obs, paid, terminated, truncated, info = self.env.step(action)
        sparse = as_number(paid)
        dense = self.weight * self._score(info, terminated=bool(terminated))
        reward, parts = sparse + dense, {self.reward: dense}
        self._sums.add(sparse, reward, parts)
        info[SPARSE_REWARD] = sparse
        info[COMPONENTS] = parts
        if terminated or truncated:
            info[EPISODE] = self._sums.summary()
        return obs, reward, bool(terminated), bool(truncated), info

    def action_masks(self) -> Any:
        """Return the environment's, for sb3-contrib's ``MaskablePPO``."""
        return self.env.get_wrapper_attr("action_masks")()


def _made(reward: str | TurnScore, gamma: float) -> TurnScore:
    if not isinstance(reward, str):
        return reward
    if reward not in SCORES:
        raise UsageError(
            f"There is no reward {reward!r}.{did_you_mean(reward, SCORES)} Known are "
            f"{', '.join(SCORES)}."
        )
    return SCORES[reward](gamma)
