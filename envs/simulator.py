"""Fields from MuJoCo: where bodies and sites are, whatever the observation holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reward_synth.envs.names import identifier
from reward_synth.envs.spaces import Described
from reward_synth.task import Field

MOST = 32
"""More bodies (or sites) than this are named in a remark, not described."""
_SCALAR_JOINTS = (2, 3)
"""mjJNT_SLIDE and mjJNT_HINGE, whose position is one number."""
LAG = (
    "Positions of bodies and sites are those at the start of the last simulation "
    "substep, as MuJoCo leaves them."
)


def has_mujoco(base: Any) -> bool:
    """Tell whether an unwrapped environment holds a MuJoCo model and its data."""
    return hasattr(base, "model") and hasattr(getattr(base, "data", None), "xpos")


def scalar_joints(base: Any) -> frozenset[str]:
    """Return the names of hinges and slides."""
    if not has_mujoco(base):
        return frozenset()
    joints = (base.model.joint(index) for index in range(base.model.njnt))
    return frozenset(j.name for j in joints if int(j.type[0]) in _SCALAR_JOINTS)


def simulator_fields(base: Any, taken: frozenset[str]) -> Described:
    """Describe positions of named bodies and sites, and the torso's orientation.

    Args:
        base: An unwrapped environment.
        taken: Names of the observation's fields, which are preferred.
    """
    if not has_mujoco(base):
        return Described()
    bodies = [base.model.body(index).name for index in range(1, base.model.nbody)]
    sites = [base.model.site(index).name for index in range(base.model.nsite)]
    found = _places("body", bodies, taken)
    used = taken | {item.name for item in found.fields}
    found += _places("site", sites, used)
    if "torso" in bodies:
        found += Described((_TORSO,))
    return found + Described(remarks=(LAG,)) if found.fields else found


_TORSO = Field(
    "torso_quat",
    (4,),
    meaning="Orientation of the torso, quaternion w, x, y, z.",
    source="body.torso.xquat",
    train_only=True,
)


def _places(kind: str, names: list[str], taken: frozenset[str]) -> Described:
    named = [name for name in names if name and not set(name) & set(".[]()")]
    if len(named) > MOST:
        return Described(remarks=(_too_many(kind, named),))
    return Described(tuple(_fields(kind, named, taken)))


def _fields(kind: str, names: list[str], taken: frozenset[str]) -> Iterator[Field]:
    for name in names:
        label = f"{identifier(name)}_pos"
        if label in taken and kind == "body":
            continue  # the observation holds it, so agents see it too
        yield Field(
            f"{identifier(name)}_{kind}_pos" if label in taken else label,
            (3,),
            unit="m",
            meaning=f"World position of the {kind} {name!r}.",
            source=f"{kind}.{name}.xpos",
            train_only=True,
        )


def _too_many(kind: str, names: list[str]) -> str:
    return (
        f"{len(names)} {kind} positions are left out (more than {MOST}); each can be "
        f"added to the task file as source '{kind}.NAME.xpos'."
    )
