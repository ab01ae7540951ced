"""What a hostile program of the corpus is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

Aim: TypeAlias = Literal["escape", "leak", "change", "stop", "junk", "state", "cheat"]
"""What it counts as where it succeeds.

escape: a file, a process or a connection outside.  leak: an object that holds more than
arithmetic needs.  change: something of the host or of the interpreter is other than
before.  stop: time, memory or the process are used up.  junk: a result that is no
reward.  state: a result that depends on more than the arguments.  cheat: the answer.
"""
HOST_WORDS = ("CANARY", "TARGET", "FOLDER", "VICTIM", "PARENT", "TCP", "UDP")
"""What a program's text is filled in with."""
SOURCES: dict[str, str] = {
    "own": "written beside the validator",
    "RestrictedPython": "RestrictedPython 9.0, tests and advisories, re-expressed",
    "smolagents": "smolagents 1.26, security tests, advisories and issues, re-expressed",
    "jails": "public collections of Python jails (jailctf/pyjail-collection and "
    "write-ups of its challenges), re-expressed",
    "numba": "numba's public issues on memory safety, re-expressed",
    "generator": "made by a seeded generator of attribute chains",
}
"""Where programs come from."""


_END = "    return {'done': 1.0 + x}\n"


class Hostile(NamedTuple):
    """A program that means harm, and where it is from.

    In it, words in capitals are filled in: CANARY (a file that holds a secret), TARGET
    (a path that must not come to be), FOLDER, TCP and UDP (ports that are listened
    on), VICTIM and PARENT (process ids).
    """

    name: str
    family: str
    aim: Aim
    origin: str
    """A key of :data:`SOURCES`."""
    text: str
    """The body of ``compute_reward(x, v, held)``, or a whole program."""
    unrestricted: bool = True
    """Whether it needs all of Python's builtins to come to its point."""

    @property
    def source(self) -> str:
        """The whole program."""
        if "def compute_reward" in self.text:
            return textwrap.dedent(self.text).strip("\n") + "\n"
        body = textwrap.indent(textwrap.dedent(self.text).strip(), "    ")
        head = "import numpy as np\n\n\ndef compute_reward(x, v, held):\n"
        last = body.splitlines()[-1]
        end = "" if last.startswith("    return ") else _END
        return f"{head}{body}\n{end}"


def cases(
    family: str,
    aim: Aim,
    origin: str,
    texts: Mapping[str, str],
    *,
    unrestricted: bool = True,
) -> Iterator[Hostile]:
    """Yield a case for each text.

    An escape must touch the host: a text that names nothing of it only reaches objects,
    and counts as a leak.

    Example:
        >>> texts = {"file": "open('CANARY')", "walk": "().__class__"}
        >>> [case.aim for case in cases("files", "escape", "own", texts)]
        ['escape', 'leak']
    """
    for name, text in texts.items():
        touches = any(word in text for word in HOST_WORDS)
        meant: Aim = "leak" if aim == "escape" and not touches else aim
        yield Hostile(name, family, meant, origin, text, unrestricted)
