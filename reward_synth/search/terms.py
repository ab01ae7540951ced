"""Terms of symbolic rewards: each is a few lines of the reward language."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reward_synth.search.conditions import names_in

Kind = Literal[
    "near",
    "behind",
    "progress",
    "limit",
    "bonus",
    "speed",
    "still",
    "control",
    "grasp",
    "turn",
    "level",
    "time",
]
_SHAPES = ("tanh", "inverse", "exp", "linear")


@dataclass(frozen=True, slots=True)
class Term:
    """One component of a symbolic reward."""

    kind: Kind
    fields: tuple[str, ...]
    """Names, or for limits the text of the value."""
    weight: float = 1.0
    sharpness: float = 5.0
    """How fast it falls with distance, per metre or per span."""
    shape: str = "tanh"
    gate: str = ""
    """Name of the component that multiplies this one, or empty."""
    numbers: tuple[float, ...] = ()
    """Bounds and spans."""

    @property
    def name(self) -> str:
        """The component's name."""
        parts = [_word(item) for item in self.fields]
        if self.kind == "limit" and not self.numbers[2]:
            parts.append("max")  # a range has two limits on one value
        return "_".join([self.kind, *dict.fromkeys(parts)]) if parts else self.kind

    @property
    def state_only(self) -> bool:
        """True if it is a function of the state, so that it can be a potential."""
        return self.kind in (
            "near",
            "behind",
            "limit",
            "speed",
            "grasp",
            "turn",
            "level",
        )


def _word(text: str) -> str:
    plain = text.replace("[", "_").replace("]", "")
    if not plain.isidentifier():  # a computed value
        return "_".join(
            re.findall(r"[A-Za-z]\w*", re.sub(r"\bnp\.(linalg\.)?", "", text))
        )
    return plain.removesuffix("_pos").removesuffix("_quat")


def closeness(distance: str, term: Term) -> str:
    """Return an expression that is 1 at distance 0 and falls with it.

    Example:
        >>> closeness("d", Term("near", ("a", "b"), sharpness=5.0))
        '1.0 - np.tanh(5.0 * d)'
    """
    scaled = f"{term.sharpness} * {distance}"
    return {
        "tanh": f"1.0 - np.tanh({scaled})",
        "inverse": f"1.0 / (1.0 + {scaled})",
        "exp": f"np.exp(-{scaled})",
        "linear": f"-{scaled}",
    }[term.shape]


def lines(term: Term) -> list[str]:
    """Return the lines that set ``<name>`` to the term's unweighted value."""
    return _WRITERS[term.kind](term)


def parameters(term: Term) -> set[str]:
    """Return the parameters that the term reads."""
    plain: set[str] = set().union(*(names_in(item) for item in term.fields))
    if term.kind == "progress":
        return plain | {f"prev_{item}" for item in plain}
    if term.kind == "control":
        return {"action"}
    return plain


def _near(term: Term) -> list[str]:
    a, b = term.fields
    return [f"{term.name} = {closeness(f'np.linalg.norm({a} - {b})', term)}"]


def _behind(term: Term) -> list[str]:
    """The point from which pushing moves the object to the goal."""
    hand, thing, goal = term.fields
    (gap,) = term.numbers
    return [
        f"way = {goal} - {thing}",
        "ahead = way / (np.linalg.norm(way) + 1e-6)",
        f"contact = {thing} - {gap} * ahead",
        f"{term.name} = {closeness(f'np.linalg.norm({hand} - contact)', term)}",
    ]


def _progress(term: Term) -> list[str]:
    a, b = term.fields
    return [
        f"{term.name} = {term.sharpness} * (np.linalg.norm(prev_{a} - prev_{b}) "
        f"- np.linalg.norm({a} - {b}))"
    ]


def _limit(term: Term) -> list[str]:
    """Distance from satisfying one condition of the success rule."""
    (value,) = term.fields
    bound, span, above = term.numbers
    short = f"{bound} - {value}" if above else f"{value} - ({bound})"
    away = f"np.maximum({short}, 0.0) / {span:.6g}"
    return [f"away = {away}", f"{term.name} = {closeness('away', term)}"]


def _bonus(term: Term) -> list[str]:
    """All scalar conditions of the success rule at once."""
    groups = [term.numbers[i : i + 2] for i in range(0, len(term.numbers), 2)]
    tests = [
        f"{value} {'>=' if above else '<='} {bound}"
        for value, (bound, above) in zip(term.fields, groups, strict=True)
    ]
    return [f"{term.name} = 1.0 if {' and '.join(tests)} else 0.0"]


def _speed(term: Term) -> list[str]:
    (value,) = term.fields
    (size,) = term.numbers
    return [f"{term.name} = np.abs({value}) / {size:.6g}"]


def _still(term: Term) -> list[str]:
    (value,) = term.fields
    return [f"{term.name} = {closeness(f'np.linalg.norm({value})', term)}"]


def _level(term: Term) -> list[str]:
    """The height of a thing above where it was seen lowest."""
    (value,) = term.fields
    low, span = term.numbers
    return [f"{term.name} = np.clip(({value} - ({low:.6g})) / {span:.6g}, 0.0, 1.0)"]


def _turn(term: Term) -> list[str]:
    """Unit quaternions agree where their product is 1 or -1."""
    a, b = term.fields
    return [f"{term.name} = np.abs(np.dot({a}, {b}))"]


_WRITERS: dict[str, Callable[[Term], list[str]]] = {
    "near": _near,
    "behind": _behind,
    "progress": _progress,
    "limit": _limit,
    "bonus": _bonus,
    "speed": _speed,
    "still": _still,
    "level": _level,
    "turn": _turn,
    "control": lambda term: [f"{term.name} = -np.mean(np.square(action))"],
    "grasp": lambda term: [f"{term.name} = 1.0 * {term.fields[0]}"],
    "time": lambda term: [f"{term.name} = -1.0"],
}


def mutate(term: Term, rng: np.random.Generator) -> Term:
    """Return the term with another weight, sharpness or shape."""
    what = rng.integers(3)
    if what == 0:
        return replace(
            term, weight=round(term.weight * float(rng.choice([0.5, 2.0])), 4)
        )
    if what == 1:
        factor = float(rng.choice([0.5, 2.0]))
        return replace(term, sharpness=round(term.sharpness * factor, 4))
    return replace(term, shape=str(rng.choice(_SHAPES[:3])))


def render(terms: tuple[Term, ...], title: str, at_reset: Collection[str] = ()) -> str:
    """Return the program that these terms make.

    Args:
        terms: In the order of the components.
        title: The docstring.
        at_reset: Fields that reset delivers; the potential is made of them alone.

    Example:
        >>> print(render((Term("control", (), weight=0.1),), "Go."))
        import numpy as np
        <BLANKLINE>
        <BLANKLINE>
        def compute_reward(action):
            \"\"\"Go.\"\"\"
            control = -np.mean(np.square(action))
            return {
                "control": 0.1 * control,
            }
        <BLANKLINE>
    """
    text = ["import numpy as np", "", "", *_function("compute_reward", terms, title)]
    state = tuple(term for term in terms if _potential_term(term, terms, at_reset))
    if state:
        text += [
            "",
            "",
            *_function("compute_potential", state, "Potential of the same."),
        ]
    return "\n".join([*text, ""])


def _potential_term(
    term: Term, terms: tuple[Term, ...], at_reset: Collection[str]
) -> bool:
    gates = [item for item in terms if item.name == term.gate]
    return all(
        item.state_only and parameters(item) <= set(at_reset) for item in (term, *gates)
    )


def _function(name: str, terms: tuple[Term, ...], title: str) -> list[str]:
    names = sorted(set().union(*(parameters(term) for term in terms)))
    plain = [item for item in names if item != "action"]
    ordered = plain + (["action"] if "action" in names else [])
    text = [f"def {name}({', '.join(ordered)}):", f'    """{title}"""']
    for term in terms:
        text += [f"    {line}" for line in lines(term)]
    values = [
        f"{term.weight} * {term.name}{f' * {term.gate}' if term.gate else ''}"
        for term in terms
    ]
    if name == "compute_potential":
        return [*text, f"    return {' + '.join(values)}"]
    named = zip(terms, values, strict=True)
    entries = [f'        "{term.name}": {value},' for term, value in named]
    return [*text, "    return {", *entries, "    }"]
