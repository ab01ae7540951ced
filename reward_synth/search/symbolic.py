"""The built-in proposer: composes reward programs from the task description alone.

No language model and no knowledge of particular tasks: it sees names, units, ranges and
the success rule, and samples among the forms that reward authors use (distances between
named positions, staged products, progress, conditions of the success rule, velocity,
orientation, control cost). It is a fair no-model baseline and the default without an
endpoint.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reward_synth.errors import NothingUsableError
from reward_synth.program import Provenance, RewardProgram
from reward_synth.search.outcome import Outcome
from reward_synth.search.roles import Roles, find_roles
from reward_synth.search.terms import Term, mutate, render
from reward_synth.task import TaskSpec

Genome = tuple[Term, ...]
_TRIES = 50
"""Draws a candidate before a repeated program is accepted as a sign of exhaustion."""
_PARENTS = 3
_TITLE = 75
"""Characters of the docstring."""
_SHARP = (2.0, 5.0, 10.0)
_SMOOTH = ("tanh", "inverse", "exp")
_EARNING = ("near", "behind", "grasp", "turn", "level", "still", "limit", "speed")
"""Kinds that pay at most their weight in every step, also without success."""
_BONUS = 5.0
"""Weight of success where it does not end the episode."""
_MARGIN = 1.25
"""How much more than going on for ever success is worth at least."""


class SymbolicProposer:
    """Samples reward programs and recombines the best ones that it is told of.

    Args:
        task: The task.
        seed: The same seed and outcomes give the same programs.

    Example:
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "reach the goal", (Field("tcp_pos", (3,), unit="m"),
        ...     Field("goal_pos", (3,), unit="m")), Field("action", (4,)))
        >>> programs = SymbolicProposer(task, seed=0).ask(2)
        >>> ["tcp_pos" in program.source for program in programs]
        [True, True]
    """

    name = "symbolic"

    def __init__(self, task: TaskSpec, seed: int, version: str = "") -> None:
        self.task = task
        self.seed = seed
        self.version = version
        self._roles = find_roles(task)
        self._rng = np.random.default_rng(seed)
        self._genomes: dict[str, Genome] = {}
        self._outcomes: list[Outcome] = []

    def ask(self, n: int) -> Sequence[RewardProgram]:
        """Return up to ``n`` programs that were not proposed before.

        Raises:
            NothingUsableError: The task has no fields that a reward could be made of.
        """
        if not any(self._fresh() for _ in range(_TRIES)):
            raise NothingUsableError(
                f"The symbolic proposer finds nothing in the fields of {self.task.id!r} "
                "to make a reward of. Give a task file with units and positions "
                "(--task-spec), or use a language model (--model)."
            )
        programs: list[RewardProgram] = []
        for number in range(n):
            program = self._new(recombine=number % 2 == 0)
            if program is None:
                break
            programs.append(program)
        return programs

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Keep outcomes; the best become parents."""
        self._outcomes += [
            item for item in outcomes if item.program.digest in self._genomes
        ]
        self._outcomes.sort(key=lambda item: (-item.score, item.program.digest))

    def restart(self) -> None:
        """Draw anew: what was told has no children."""
        self._outcomes = []

    def _new(self, *, recombine: bool) -> RewardProgram | None:
        for _ in range(_TRIES):
            parents = self._parents() if recombine else []
            genome = self._child(parents) if parents else self._fresh()
            if not genome:  # a draw may leave out all that there is
                continue
            program = self._program(genome, tuple(p.program.digest for p in parents))
            if program.digest not in self._genomes:
                self._genomes[program.digest] = genome
                return program
        return None

    def _fresh(self) -> Genome:
        return _draw(self._roles, self.task, self._rng)

    def _parents(self) -> list[Outcome]:
        good = [item for item in self._outcomes[:_PARENTS] if item.report.ok]
        if not good:
            return []
        picks = self._rng.integers(len(good), size=2)
        return list({good[i].program.digest: good[i] for i in picks}.values())

    def _child(self, parents: Sequence[Outcome]) -> Genome:
        genomes = [self._genomes[item.program.digest] for item in parents]
        terms = list(genomes[0])
        for term in genomes[-1]:
            if term.name not in {item.name for item in terms} and _chance(
                self._rng, 0.5
            ):
                terms.append(term)
        place = int(self._rng.integers(len(terms)))
        terms[place] = mutate(terms[place], self._rng)
        return _whole(tuple(terms), self.task)

    def _program(self, genome: Genome, parents: tuple[str, ...]) -> RewardProgram:
        origin = Provenance(
            "symbolic", parents=parents, seed=self.seed, version=self.version
        )
        known = [item.name for item in self.task.fields if item.at_reset]
        text = render(genome, _title(self.task.instruction), known)
        return RewardProgram.of(text, self.task, origin)


def _title(instruction: str) -> str:
    """Return a docstring's line: the first sentence, without what would end it."""
    plain = instruction.replace('"', "'").replace("\\", "")
    plain = "".join(c if c.isprintable() else " " for c in plain)
    first = " ".join(plain.split()).split(". ")[0]
    return textwrap.shorten(first.rstrip("."), _TITLE, placeholder="") + "."


def _whole(terms: Genome, task: TaskSpec) -> Genome:
    """Open gates whose component is not there."""
    names = [term.name for term in terms]
    kept = [
        term if not term.gate or term.gate in names[:place] else replace(term, gate="")
        for place, term in enumerate(terms)
    ]
    return _balanced(tuple(kept), task)


def _balanced(terms: Genome, task: TaskSpec) -> Genome:
    """Let time cost, or success pay, more than can be earned without finishing.

    Where success ends the episode, rewards above zero would be a reason not to end it:
    at most r a step collects r / (1 - gamma) by never finishing. The bonus is no larger
    than that needs, since the scale of rewards is what critics find hard to learn.
    """
    earned = sum(term.weight for term in terms if term.kind in _EARNING)
    least = round(_MARGIN * earned * _steps(task), 1) if task.ends_on_success else 0.0

    def weight(term: Term) -> float:
        if term.kind == "time":
            return earned
        return least if least and term.kind == "bonus" else term.weight

    return tuple(replace(term, weight=weight(term)) for term in terms)


def _steps(task: TaskSpec) -> float:
    """Return how many times one step's reward a discounted life without end is worth."""
    return 1.0 / (1.0 - min(task.gamma, 0.995))


def _draw(roles: Roles, task: TaskSpec, rng: np.random.Generator) -> Genome:
    terms = [
        *_manipulation(roles, rng),
        *_conditions(roles, rng),
        *_motion(roles, rng),
    ]
    if terms and roles.action_size and _chance(rng, 0.5):
        terms.append(Term("control", (), weight=float(rng.choice([0.01, 0.05]))))
    if terms and task.ends_on_success and not roles.limits:
        terms.append(Term("time", ()))
    known = {item.name for item in task.fields if item.at_reset}
    terms = [t for t in terms if t.kind != "progress" or known.issuperset(t.fields)]
    return _whole(tuple(terms), task)


def _manipulation(roles: Roles, rng: np.random.Generator) -> list[Term]:
    """Reach, grasp, carry; each stage weighs more than the one before."""
    if not roles.goals and not roles.objects:
        return []
    hand = _one(roles.agents, rng)
    thing = _one(roles.objects, rng)
    goal = _one(roles.goals, rng)
    sharp, shape = float(rng.choice(_SHARP)), str(rng.choice(_SMOOTH))
    terms: list[Term] = []
    if hand and thing:
        terms.append(_reach(hand, thing, goal, sharp, shape, rng))
    gate = terms[-1].name if terms and _chance(rng, 0.4) else ""
    if roles.grasps and thing and _chance(rng, 0.5):
        terms.append(Term("grasp", (roles.grasps[0],), weight=1.0))
        gate = terms[-1].name if _chance(rng, 0.6) else gate
    mover = thing or hand
    if mover and goal:
        carry = Term("near", (mover, goal), 2.0, sharp, shape, gate)
        terms.append(carry)
        if _chance(rng, 0.3):
            terms.append(
                Term("progress", (mover, goal), 1.0, float(rng.choice([5, 20])))
            )
    for pair in roles.turns:
        if _chance(rng, 0.5):
            terms.append(Term("turn", pair))
    return terms


def _reach(
    hand: str,
    thing: str,
    goal: str,
    sharp: float,
    shape: str,
    rng: np.random.Generator,
) -> Term:
    if goal and _chance(rng, 0.5):
        gap = float(rng.choice([0.025, 0.04]))
        return Term("behind", (hand, thing, goal), 1.0, sharp, shape, numbers=(gap,))
    return Term("near", (hand, thing), 1.0, sharp, shape)


def _conditions(roles: Roles, rng: np.random.Generator) -> list[Term]:
    """Terms from the success rule's own scalar conditions."""
    terms: list[Term] = []
    for limit in roles.limits:
        weight = float(rng.choice([0.5, 1.0, 2.0]))
        sharp = float(rng.choice([1.0, 2.0, 5.0]))
        shape = str(rng.choice(["tanh", "inverse", "linear"]))
        scale = (limit.bound, limit.span, float(limit.above))
        term = Term("limit", (limit.text,), weight, sharp, shape, numbers=scale)
        if term.name not in {item.name for item in terms}:
            terms.append(term)
    if roles.limits:
        numbers = tuple(n for i in roles.limits for n in (i.bound, float(i.above)))
        texts = tuple(limit.text for limit in roles.limits)
        terms.append(Term("bonus", texts, _BONUS, numbers=numbers))
    return terms


def _motion(roles: Roles, rng: np.random.Generator) -> list[Term]:
    terms = []
    for name, size in roles.speeds[:2]:
        if _chance(rng, 0.7):
            weight = float(rng.choice([0.5, 1.0, 2.0]))
            terms.append(Term("speed", (name,), weight, numbers=(size,)))
    return terms


def _one(names: Sequence[str], rng: np.random.Generator) -> str:
    return str(names[int(rng.integers(len(names)))]) if names else ""


def _chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)
