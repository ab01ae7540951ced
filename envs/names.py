"""Field names from what environments call things: words in, identifiers out."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import replace

from reward_synth.task import ACTION, PREVIOUS, Field

_FILLER = frozenset(
    {"the", "a", "an", "to", "be", "that", "and", "on", "in", "is", "for", "its"}
    | {"along", "coordinate", "value"}
)
_SHORT = {"cosine": "cos", "sine": "sin"}
_FUNCTION = re.compile(r"\b(cos|sin|tan)\((\w+)\)")
_ALONG = re.compile(r"(?P<what>.+?) of (?P<whom>.+) along the (?P<axis>[xyz])-axis")
_ASIDE = re.compile(r"\([^)]*\)|in global coordinates")
_SPLIT = re.compile(r"\b(?:of|between)\b")


def identifier(text: str) -> str:
    """Return ``text`` as a usable field name, for example of a key or a body.

    Example:
        >>> identifier("robot0:Grip"), identifier("2nd"), identifier("prev_x")
        ('robot0_grip', 'x_2nd', 'x_prev_x')
    """
    name = re.sub(r"\W+", "_", text.lower(), flags=re.ASCII).strip("_") or "x"
    if name[0].isdigit() or name.startswith(PREVIOUS):
        return f"x_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name == ACTION else name


def field_name(text: str) -> str:
    """Return a name for an observation that is described in English.

    ``B of A`` becomes ``a_b``, fillers and asides go.

    Example:
        >>> field_name("velocity of the x-coordinate of the torso")
        'torso_x_velocity'
        >>> field_name("angle of the thigh joint"), field_name("x = cos(theta)")
        ('thigh_joint_angle', 'cos_theta')
    """
    text = text.lower().split("=")[-1].replace("`", "")
    text = _ASIDE.sub(" ", _FUNCTION.sub(r"\1 \2", text))
    text = _ALONG.sub(r"\g<axis> \g<what> of \g<whom>", text)
    words = " ".join(reversed(_SPLIT.split(text)))
    kept = [_SHORT.get(word, word) for word in re.findall(r"[a-z0-9_]+", words)]
    name = "_".join(word for word in kept if word not in _FILLER)
    return identifier(name.replace("angle_angular_velocity", "angular_velocity"))


def unique(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Number the second and later fields of one name.

    Example:
        >>> [item.name for item in unique([Field("x"), Field("x"), Field("x")])]
        ['x', 'x_2', 'x_3']
    """
    taken: set[str] = set()
    result = []
    for item in fields:
        name, count = item.name, 1
        while name in taken:
            count += 1
            name = f"{item.name}_{count}"
        taken.add(name)
        result.append(replace(item, name=name))
    return tuple(result)
