"""Finds what environments do silently wrong, by playing them.

Each rule is one that learners rely on: kept observations stay as they were, a seed decides
the game, a time limit is no termination, observations lie in their space, rewards are
finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from reward_synth.errors import UsageError
from reward_synth.intrinsic.env_play import Make, Played, apart, equal, game, play

Verdict: TypeAlias = Literal["ok", "wrong", "unclear"]
_SEEDS = 5
_ENDS = 3
"""Episodes that end alike before a time limit is suspected."""
_SHORT = 200
"""Steps over which two games of one seed are compared."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one examination found."""

    check: str
    """What was examined."""
    verdict: Verdict
    text: str
    """What was seen."""
    cure: str = ""
    """What to do; empty where nothing need be done."""


def examine(make: Make, *, seed: int = 0, steps: int = 2000) -> list[Diagnosis]:
    """Play an environment and say what is wrong with it.

    Args:
        make: Makes the environment; called several times.
        seed: Of the games and of the actions.
        steps: Played with random actions.

    Raises:
        UsageError: ``steps`` is below 1.

    Example:
        >>> import gymnasium as gym
        >>> found = examine(lambda: gym.make("CartPole-v1"), steps=100)
        >>> {item.verdict for item in found}
        {'ok'}
    """
    if steps < 1:
        raise UsageError(f"steps must be at least 1; received {steps}.")
    env = make()
    try:
        played = play(env, seed, steps)
        options = _options(env)
        limit = _limit(env)
    finally:
        env.close()
    return [
        _raised(played),
        _aliased(played),
        *_seeded(make, seed, min(steps, _SHORT)),
        _ended(played, limit),
        _inside(played),
        _paid(played),
        options,
    ]


def _raised(played: Played) -> Diagnosis:
    if not played.raised:
        text = f"{played.steps} steps with random actions, none raised."
        return Diagnosis("steps", "ok", text)
    text = f"Step {played.steps + 1} with a random action raised {played.raised}."
    return Diagnosis("steps", "wrong", text, "Mend the environment's step.")


def _aliased(played: Played) -> Diagnosis:
    if not played.changed:
        text = "Observations stay as they were returned."
        return Diagnosis("kept observations", "ok", text)
    names = ", ".join(sorted(played.changed))
    return Diagnosis(
        "kept observations",
        "wrong",
        f"Observations change after they were returned ({names}): the environment "
        "reuses its arrays, so whoever keeps one sees later steps in it.",
        "Return copies, or wrap it: gymnasium.wrappers.TransformObservation(env, "
        "copy.deepcopy, env.observation_space).",
    )


def _seeded(make: Make, seed: int, steps: int) -> list[Diagnosis]:
    games = [game(make, seed, steps) for _ in range(2)]
    starts = [game(make, seed + 1 + number, 1)[0] for number in range(_SEEDS)]
    check = "reset(seed=)"
    if not equal(games[0][0], games[1][0]):
        reset = Diagnosis(
            check,
            "wrong",
            f"reset(seed={seed}) gave two different first observations: the seed is "
            "ignored, or does not decide everything.",
            "Draw all randomness from self.np_random after super().reset(seed=seed).",
        )
        unclear = "Not examined: games of one seed begin differently."
        return [reset, Diagnosis("determinism", "unclear", unclear)]
    parting = apart(games[0], games[1])
    if parting is None:
        text = f"Two games of one seed and the same actions agree over {steps} steps."
        steady = Diagnosis("determinism", "ok", text)
    else:
        steady = Diagnosis(
            "determinism",
            "wrong",
            f"Two games of one seed and the same actions part at step {parting}.",
            "Draw all randomness from self.np_random; look for time, sets and threads.",
        )
    if any(not equal(start, games[0][0]) for start in starts):
        text = "One seed gives one first observation, other seeds others."
        return [Diagnosis(check, "ok", text), steady]
    text = f"{_SEEDS + 1} seeds gave the same first observation"
    if not _moves(make, seed, steps, games[0]):
        said = f"{text} and the same game: nothing is random, or the seed is ignored."
        return [Diagnosis(check, "unclear", said), steady]
    said = f"{text}, and different games from there."
    return [Diagnosis(check, "ok", said), steady]


def _moves(make: Make, seed: int, steps: int, first: list[Any]) -> bool:
    """Tell whether other seeds lead to another game under the same actions."""
    others = [game(make, seed + n, steps, actions=seed) for n in range(1, _SEEDS)]
    return any(apart(first, other) is not None for other in others)


def _ended(played: Played, limit: int | None) -> Diagnosis:
    check, ends = "terminated and truncated", played.ends
    aborted = [one for one in ends if one.terminated and one.status == "ABORTED"]
    both = [one for one in ends if one.terminated and one.truncated]
    only = [one for one in ends if one.terminated and not one.truncated]
    at_limit = [one for one in only if one.length == limit]
    both = [one for one in both if one.length != limit]  # Gymnasium's own does that
    last = max((one.length for one in ends), default=0)
    alike = [one for one in ends if one.terminated and one.length == last]
    cure = (
        "Return truncated=True at the time limit, and terminated=False: a learner must "
        "go on to value what it cannot see."
    )
    if aborted or len(at_limit) >= _ENDS:
        said = "info calls it ABORTED" if aborted else f"its limit is {limit}"
        length = (aborted or at_limit)[0].length
        text = f"An episode of {length} steps ended as terminated, but {said}."
        return Diagnosis(check, "wrong", text, cure)
    if both:
        text = f"{len(both)} of {len(ends)} episodes ended as both at once."
        return Diagnosis(check, "unclear", text, cure)
    if len(alike) >= _ENDS and len(alike) == len(ends) and last > 1:
        text = f"All {len(ends)} episodes terminated after exactly {last} steps."
        return Diagnosis(check, "unclear", f"{text} Is that a time limit?", cure)
    if not ends:
        text = f"No episode ended in {played.steps} steps; play more of them."
        return Diagnosis(check, "unclear", text)
    ended = sum(one.terminated for one in ends)
    text = f"Of {len(ends)} episodes {ended} terminated, {len(ends) - ended} were cut."
    return Diagnosis(check, "ok", text)


def _inside(played: Played) -> Diagnosis:
    if not played.outside:
        text = "All observations lie in the observation space."
        return Diagnosis("observation space", "ok", text)
    cure = "Give the space the bounds, shape and type that observations have."
    return Diagnosis("observation space", "wrong", played.outside, cure)


def _paid(played: Played) -> Diagnosis:
    if not played.payments:
        return Diagnosis("rewards", "ok", "All rewards are finite numbers.")
    cure = "Return a finite float; no learner survives anything else."
    return Diagnosis("rewards", "wrong", played.payments, cure)


def _options(env: Any) -> Diagnosis:
    try:
        env.reset(options={})
    except Exception as cause:
        text = f"reset(options={{}}) raised {type(cause).__name__}: {cause}."
        cure = "Treat empty options as none."
        return Diagnosis("reset(options=)", "wrong", text, cure)
    return Diagnosis("reset(options=)", "ok", "Empty options are taken.")


def _limit(env: Any) -> int | None:
    spec = getattr(env, "spec", None)
    told = getattr(spec, "max_episode_steps", None)
    layer = env
    while told is None and hasattr(layer, "env"):  # Gymnasium's TimeLimit
        told = layer.__dict__.get("_max_episode_steps")
        layer = layer.env
    return told or getattr(env.unwrapped, "_max_episode_steps", None)
