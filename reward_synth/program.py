"""A reward program: its text, the task it was written for, and where it came from."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.resources import files
from pathlib import Path

from reward_synth.errors import ProgramError, ProgramMismatchError, did_you_mean
from reward_synth.language import POTENTIAL, REWARD, Finding, ProgramIR, parse
from reward_synth.task import ACTION, PREVIOUS, TaskSpec

_TITLE = "# Reward program written by reward_synth."
_UNREADABLE = (OSError, UnicodeDecodeError)
_PACKAGED = "zoo:"
_DIGESTS: dict[tuple[str, tuple[str, ...]], str] = {}
"""Of texts that were normalised in this process."""
_MOST_DIGESTS = 1 << 16
ZOO = files("reward_synth") / "zoo" / "entries"
"""A folder a program that comes with the package; see :mod:`reward_synth.zoo`."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a program came from."""

    proposer: str = "hand-written"
    """``symbolic``, ``llm`` or ``hand-written``."""
    model: str = ""
    """The language model, if one wrote it."""
    request: str = ""
    """Digest of the request that it answers, in the run's store."""
    parents: tuple[str, ...] = ()
    """Digests of the programs that it was made from."""
    seed: int | None = None
    """Seed of the run."""
    version: str = ""
    """Version of reward_synth."""
    edited: bool = False
    """True if the text differs from what was saved: somebody changed it."""


@dataclass(frozen=True, slots=True)
class RewardProgram:
    r"""The text of a reward program for one task.

    Example:
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action", (2,)))
        >>> program = RewardProgram.of("def compute_reward(x):\n    return {'a': x}", task)
        >>> program.signature
        ('x: float',)
        >>> program.digest == RewardProgram.of(
        ...     "def compute_reward( x ):  # the same\n  return {'a': x}", task).digest
        True
    """

    source: str
    """Python text with ``compute_reward`` and/or ``compute_potential``."""
    task_id: str = ""
    """The task it was written for; empty if unknown."""
    signature: tuple[str, ...] = ()
    """Name, type and shape of each field that it reads; empty if unknown."""
    provenance: Provenance = Provenance()

    @classmethod
    def of(
        cls, source: str, task: TaskSpec, provenance: Provenance | None = None
    ) -> RewardProgram:
        """Return the program, with the signature of the fields that it reads."""
        used = _parameter_names(source)
        plain = {name.removeprefix(PREVIOUS) for name in used}
        signature = [item.signature for item in task.fields if item.name in plain]
        if ACTION in used:
            signature.append(task.action.signature)
        origin = provenance if provenance is not None else Provenance()
        return cls(source.strip() + "\n", task.id, tuple(signature), origin)

    @property
    def digest(self) -> str:
        """Identity: sha256 of the normalised source and the fields' signature."""
        found = _DIGESTS.get((self.source, self.signature))
        if found is None:
            text = json.dumps([_normalised(self.source), list(self.signature)])
            found = hashlib.sha256(text.encode()).hexdigest()
            self.known_as(found)
        return found

    def known_as(self, digest: str) -> RewardProgram:
        """Return the same program, whose digest was told before and is on record.

        Normalising takes milliseconds, and a search may go on with ten thousand programs.
        """
        if len(_DIGESTS) >= _MOST_DIGESTS:
            _DIGESTS.clear()
        _DIGESTS[self.source, self.signature] = digest
        return self

    def ir(self, task: TaskSpec) -> ProgramIR:
        """Return the typed form for ``task``.

        Raises:
            ProgramMismatchError: The program was written for other fields.
            ProgramError: It is outside the reward language; every finding is named.
        """
        self.require_fit(task)
        parsed = parse(self.source, task)
        if parsed.ir is None:
            raise ProgramError(_listed(parsed.findings))
        return parsed.ir

    def require_fit(self, task: TaskSpec) -> None:
        """Compare the fields that the program was written for with the task's.

        Raises:
            ProgramMismatchError: Fields are missing or of another shape; all are named.
        """
        have = {item.name: item.signature for item in (*task.fields, task.action)}
        differ = [
            _difference(wanted, have)
            for wanted in self.signature
            if have.get(wanted.split(":")[0]) != wanted
        ]
        if differ:
            raise ProgramMismatchError(
                f"This reward was written for {self.task_id or 'another task'} and does "
                f"not fit {task.id}: {'; '.join(differ)}."
            )

    def save(self, path: str | Path) -> None:
        """Write one readable ``.py`` file: a header of comments, then the program."""
        Path(path).write_text(self.to_text())

    def to_text(self) -> str:
        """Return the file's text."""
        header = {
            "task": self.task_id,
            "fields": "; ".join(self.signature),
            "digest": self.digest,
        }
        lines = [f"# {key}: {value}" for key, value in header.items() if value]
        lines.append(f"# provenance: {json.dumps(_slim(self.provenance))}")
        return "\n".join([_TITLE, *lines, "", self.source.strip(), ""])

    @classmethod
    def load(cls, path: str | Path) -> RewardProgram:
        """Read a program; an edited one says so in its provenance.

        Args:
            path: A file, or ``zoo:NAME`` for a program that comes with the package.

        Raises:
            ProgramError: The file cannot be read, or there is no such program.
        """
        if isinstance(path, str) and path.startswith(_PACKAGED):
            return cls.from_text(packaged(path.removeprefix(_PACKAGED)))
        try:
            text = Path(path).read_text()
        except _UNREADABLE as cause:
            raise ProgramError(
                f"Cannot read the reward file {path}: {cause}"
            ) from cause
        return cls.from_text(text)

    @classmethod
    def from_text(cls, text: str) -> RewardProgram:
        """Read what :meth:`to_text` gives, or any text without such a header."""
        header, source = _split_header(text)
        signature = tuple(item for item in header.get("fields", "").split("; ") if item)
        program = cls(
            source.strip() + "\n",
            header.get("task", ""),
            signature,
            _provenance(header.get("provenance", "{}")),
        )
        if "digest" in header and header["digest"] != program.digest:
            return program._as_edited()
        return program

    def _as_edited(self) -> RewardProgram:
        """Keep the old signature only for what the new text still reads."""
        used = {n.removeprefix(PREVIOUS) for n in _parameter_names(self.source)}
        kept = tuple(item for item in self.signature if item.split(":")[0] in used)
        origin = replace(self.provenance, edited=True)
        return replace(self, signature=kept, provenance=origin)


def packaged(name: str) -> str:
    """Return the file of a program that comes with the package.

    Raises:
        ProgramError: There is none of that name.
    """
    known = sorted(item.name for item in ZOO.iterdir() if item.is_dir())
    if name not in known:
        raise ProgramError(
            f"The zoo holds no program {name!r}.{did_you_mean(name, known)} "
            "`reward_synth zoo` lists what it holds."
        )
    return ZOO.joinpath(name, "reward.py").read_text()


def _parameter_names(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    functions = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in (REWARD, POTENTIAL)
    ]
    return {a.arg for f in functions for a in (*f.args.args, *f.args.kwonlyargs)}


def _normalised(source: str) -> str:
    """Return the text without comments, blank lines and layout."""
    try:
        return ast.unparse(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\n".join(source.splitlines()).strip()


def _difference(wanted: str, have: dict[str, str]) -> str:
    name, _, _ = wanted.partition(":")
    if name in have:
        return f"{wanted!r} is {have[name]!r} here"
    return f"{wanted!r} is missing.{did_you_mean(name, have)}".rstrip("?.")


def _listed(findings: Sequence[Finding]) -> str:
    return "The reward program cannot be used:\n" + "\n".join(
        f"  {item}" for item in findings
    )


def _slim(provenance: Provenance) -> dict[str, object]:
    data = asdict(provenance)
    empty = asdict(Provenance(proposer=""))
    return {key: value for key, value in data.items() if value != empty[key]}


def _split_header(text: str) -> tuple[dict[str, str], str]:
    lines = text.replace("\r\n", "\n").lstrip("\ufeff").split("\n")
    if not lines[0].startswith(_TITLE):
        return {}, "\n".join(lines)
    header: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=1):
        if not line.startswith("# "):
            return header, "\n".join(lines[number:])
        key, _, value = line[2:].partition(": ")
        header[key] = value
    return header, ""


def _provenance(text: str) -> Provenance:
    try:
        data = json.loads(text)
        known = {item.name for item in fields(Provenance)}
        kept = {key: value for key, value in data.items() if key in known}
        kept["parents"] = tuple(kept.get("parents", ()))
        return Provenance(**kept)
    except (ValueError, TypeError, AttributeError):
        return Provenance(proposer="unknown", edited=True)
