"""A motion as terms and weights: read from JSON, checked strictly, written as a program.

A model's answer is data: names are looked up among the task's fields, numbers are checked,
and the program is composed here. Nothing that a model wrote becomes code. After Language to
Rewards (Yu et al., 2023), whose reward is a set of weights of known terms.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from reward_synth.errors import did_you_mean
from reward_synth.task import ACTION, TaskSpec

MOST_TERMS = 12
_HEAVIEST = 1e4
_LARGEST = 1e6
_KEYS = {
    "reach": ("kind", "of", "to", "norm", "weight"),
    "more": ("kind", "of", "weight"),
    "less": ("kind", "of", "weight"),
    "effort": ("kind", "weight"),
}
NORMS = ("distance", "square", "smooth")
_BLOCK = re.compile(r"```(?:json|JSON)?[ \t]*\n(.*?)```", re.DOTALL)
_ENTRY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[(\d{1,4})\])?")
_LONGEST = 20_000
_TITLE = 200


class TermsError(ValueError):
    """Terms that cannot be used; the text says which and what is expected."""


@dataclass(frozen=True, slots=True)
class MotionTerm:
    """One term of a motion."""

    kind: str
    weight: float
    of: str = ""
    """A field, or one entry of one; empty for ``effort``."""
    to: str | float | tuple[float, ...] = 0.0
    """Of ``reach``: likewise, or numbers."""
    norm: str = "distance"
    length: int = 0
    """Numbers of ``of``; 0: it is one number."""

    @property
    def name(self) -> str:
        """The component's name.

        Example:
            >>> MotionTerm("reach", 1.0, "cube_pos[2]", 0.3).name
            'reach_cube_pos_2'
        """
        plain = self.of.replace("[", "_").replace("]", "")
        return "_".join(part for part in (self.kind, plain) if part)


@dataclass(frozen=True, slots=True)
class Motion:
    """What is to be done, in words and as terms."""

    words: str
    terms: tuple[MotionTerm, ...]


def read_motion(text: str, task: TaskSpec) -> Motion:
    r"""Return the motion that an answer holds.

    Args:
        text: The answer; its last fenced block counts, else all of it.
        task: Its fields are what terms may name.

    Raises:
        TermsError: It holds none that can be used.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (1,)))
        >>> said = '{"motion": "Go.", "terms": [{"kind": "more", "of": "x", "weight": 1}]}'
        >>> read_motion(said, task).terms[0].name
        'more_x'
    """
    data = _parsed(text)
    _require_keys(data, ("motion", "terms"), ("motion", "terms"), "The answer")
    words, terms = data["motion"], data["terms"]
    if not isinstance(words, str) or not isinstance(terms, list):
        raise TermsError('"motion" must be a text and "terms" a list.')
    if not 1 <= len(terms) <= MOST_TERMS:
        raise TermsError(
            f'"terms" holds {len(terms)} terms; 1 to {MOST_TERMS} are expected.'
        )
    found = tuple(_term(item, number, task) for number, item in enumerate(terms, 1))
    names = [item.name for item in found]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise TermsError(f"Two terms are of one kind and one field: {twice[0]!r}.")
    if all(item.kind == "effort" for item in found):
        raise TermsError(
            "There must be a term beside effort, or nothing is to be done."
        )
    return Motion(words, found)


def motion_program(motion: Motion) -> str:
    """Return the reward program of a motion, in our reward language.

    Example:
        >>> print(motion_program(Motion("Stop.", (MotionTerm("reach", 2.0, "speed"),))))
        import numpy as np
        <BLANKLINE>
        <BLANKLINE>
        def compute_reward(speed):
            \"\"\"Stop.\"\"\"
            return {
                "reach_speed": -2.0 * np.abs(speed - 0.0),
            }
        <BLANKLINE>
    """
    names: dict[str, None] = {}
    for term in motion.terms:
        refs = [ref for ref in (term.of, term.to) if isinstance(ref, str) and ref]
        names |= dict.fromkeys(ref.split("[")[0] for ref in refs)
    if any(term.kind == "effort" for term in motion.terms):
        names[ACTION] = None
    plain = [name for name in names if name != ACTION]
    ordered = [*plain, *([ACTION] if ACTION in names else [])]
    rows = [f'        "{x.name}": {_value(x)},' for x in motion.terms]
    head = ["import numpy as np", "", "", f"def compute_reward({', '.join(ordered)}):"]
    body = [f'    """{_title(motion.words)}"""', "    return {", *rows, "    }", ""]
    return "\n".join([*head, *body])


def _value(term: MotionTerm) -> str:
    if term.kind == "effort":
        return f"-{term.weight!r} * np.mean(np.square(action))"
    if term.kind in ("more", "less"):
        return f"{'' if term.kind == 'more' else '-'}{term.weight!r} * {term.of}"
    gap = f"{term.of} - {_target(term.to)}"
    single = term.length == 0
    square = f"np.square({gap})" if single else f"np.sum(np.square({gap}))"
    size = {
        "distance": f"np.abs({gap})" if single else f"np.linalg.norm({gap})",
        "square": square,
        "smooth": f"(np.sqrt({square} + 0.01) - 0.1)",
    }[term.norm]
    return f"-{term.weight!r} * {size}"


def _target(to: str | float | tuple[float, ...]) -> str:
    if isinstance(to, tuple):
        return f"np.array([{', '.join(map(repr, to))}])"
    if isinstance(to, str):
        return to
    return f"({to!r})" if to < 0 else repr(to)


def _title(words: str) -> str:
    """Return words as a docstring that they cannot end."""
    plain = words.replace('"', "'").replace("\\", "")
    shown = "".join(c if c.isprintable() else " " for c in plain)
    return " ".join(shown.split())[:_TITLE] or "A motion."


def _parsed(text: str) -> Mapping[str, Any]:
    blocks = _BLOCK.findall(text)
    body = blocks[-1] if blocks else text[text.find("{") : text.rfind("}") + 1]
    if not body.strip() or len(body) > _LONGEST:
        raise TermsError(
            f"The answer holds no JSON of 1 to {_LONGEST} characters. Answer with one "
            "```json block."
        )
    try:
        data = json.loads(body, object_pairs_hook=_once, parse_constant=_no_number)
    except (json.JSONDecodeError, RecursionError) as error:
        raise TermsError(f"The block is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise TermsError('The JSON must be an object with "motion" and "terms".')
    return data


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twice = [key for key in keys if keys.count(key) > 1]
    if twice:
        raise TermsError(f"The key {twice[0]!r} stands twice in one object.")
    return dict(pairs)


def _no_number(name: str) -> NoReturn:
    raise TermsError(f"{name} is no number that a term can have.")


def _require_keys(
    given: Mapping[str, Any], known: Sequence[str], needed: Sequence[str], where: str
) -> None:
    for key in given:
        if key not in known:
            raise TermsError(
                f"{where} has an unknown key {key!r}.{did_you_mean(key, tuple(known))} "
                f"There are {', '.join(known)}."
            )
    missing = [key for key in needed if key not in given]
    if missing:
        raise TermsError(f"{where} lacks {missing[0]!r}.")


def _term(item: Any, number: int, task: TaskSpec) -> MotionTerm:
    where = f"Term {number}"
    if not isinstance(item, dict):
        raise TermsError(f"{where} must be an object, received {item!r}.")
    kind = item.get("kind")
    if kind not in _KEYS:
        raise TermsError(
            f"{where} has kind {kind!r}; it must be one of {', '.join(_KEYS)}."
        )
    known = _KEYS[kind]
    _require_keys(item, known, [key for key in known if key != "norm"], where)
    weight = _number(item["weight"], f"{where}: weight", _HEAVIEST)
    if weight <= 0.0:
        raise TermsError(f"{where}: weight must be above 0, received {weight!r}.")
    if kind == "effort":
        return MotionTerm(kind, weight)
    length = _length(item["of"], task, where)
    if kind in ("more", "less"):
        if length:
            raise TermsError(
                f"{where}: {item['of']!r} has {length} entries; {kind!r} needs one "
                f"number, such as {item['of']}[0]."
            )
        return MotionTerm(kind, weight, item["of"])
    norm = item.get("norm", "distance")
    if norm not in NORMS:
        raise TermsError(
            f"{where}: norm is {norm!r}; it must be one of {', '.join(NORMS)}."
        )
    target = _reached(item["to"], length, task, where)
    return MotionTerm(kind, weight, item["of"], target, norm, length)


def _reached(
    to: Any, length: int, task: TaskSpec, where: str
) -> str | float | tuple[float, ...]:
    if isinstance(to, str):
        other = _length(to, task, where)
        if other != length:
            raise TermsError(
                f"{where}: of and to must have one shape; they have {length or 'one'} "
                f"and {other or 'one'} numbers."
            )
        return to
    if isinstance(to, list):
        if len(to) != length:
            raise TermsError(
                f"{where}: to has {len(to)} numbers; of has {length or 'one'}."
            )
        return tuple(_number(x, f"{where}: to", _LARGEST) for x in to)
    return _number(to, f"{where}: to", _LARGEST)


def _length(ref: Any, task: TaskSpec, where: str) -> int:
    """Return how many numbers a field has, 0 for one; refuse what is none."""
    found = _ENTRY.fullmatch(ref) if isinstance(ref, str) else None
    fields = {item.name: item for item in task.fields}
    if found is None or found[1] not in fields:
        close = did_you_mean(found[1], tuple(fields)) if found else ""
        raise TermsError(
            f"{where}: {ref!r} is no field, nor an entry of one.{close} There are "
            f"{', '.join(fields)}."
        )
    field = fields[found[1]]
    if field.dtype == "bool" or len(field.shape) > 1:
        raise TermsError(
            f"{where}: {ref!r} is {field.dtype} of shape {field.shape}; terms read "
            "numbers and vectors of them."
        )
    size = field.shape[0] if field.shape else 0
    if found[2] is None:
        return size
    if not int(found[2]) < size:
        raise TermsError(
            f"{where}: {ref!r} is beyond the {size or 'one'} of its field."
        )
    return 0


def _number(value: Any, where: str, most: float) -> float:
    right = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or abs(value) > most:
        raise TermsError(
            f"{where} must be a number of at most {most:g} in size, received {value!r}."
        )
    return float(value)
