"""Requests of an archive: what it holds, and what may be wished for."""

from __future__ import annotations

from typing import Any

import numpy as np

from reward_synth.envs.tooluse_files import TOOLS, Files
from reward_synth.envs.tooluse_tasks import Documents, Domain, Fact, Lookup, Wish
from reward_synth.envs.tooluse_words import names


def documents(rng: np.random.Generator, size: int) -> Documents:
    """Draw ``size`` files of different names and texts, and half as many folders."""
    drawn = [name.replace(" ", "-") for name in names(rng, 3 * size)]
    folders = [f"/{name}" for name in drawn[: max(3, size // 2)]]
    texts = {
        f"{folders[i % len(folders)]}/{drawn[size + i]}.txt": drawn[2 * size + i]
        for i in range(size)
    }
    return {"texts": texts, "folders": folders}


def _drawn(rng: np.random.Generator, items: Any) -> Any:
    return items[int(rng.integers(len(items)))]


def _path(rng: np.random.Generator, given: Documents) -> Fact:
    path = _drawn(rng, list(given["texts"]))
    name = Fact("name", path.rpartition("/")[2])
    return Fact(
        "path", path, lookup=Lookup("find_file", {"name": name}, "the file {name}")
    )


def _folder(rng: np.random.Generator, given: Documents, path: str) -> Fact:
    """Return a folder that a file does not lie in."""
    here = path.rpartition("/")[0]
    return Fact(
        "folder", _drawn(rng, [item for item in given["folders"] if item != here])
    )


def _write(rng: np.random.Generator, given: Documents) -> Wish:
    source = _path(rng, given)
    words = "what {path} holds"
    text = Fact(
        "text",
        given["texts"][source.value],
        lookup=Lookup("read_file", {"path": source}, words),
    )
    name = names(rng, 1)[0].replace(" ", "_")
    target = Fact("path", f"{_drawn(rng, given['folders'])}/{name}.txt")
    wordings = (
        "Write into {path}: {text}.",
        "{text} shall stand in a new file {path}.",
    )
    return Wish("write_file", {"path": target, "text": text}, wordings)


def _copy(rng: np.random.Generator, given: Documents) -> Wish:
    path = _path(rng, given)
    facts = {"path": path, "folder": _folder(rng, given, path.value)}
    wordings = (
        "Copy {path} into {folder}.",
        "In {folder} there shall be a copy of {path}.",
    )
    return Wish("copy_file", facts, wordings)


def _move(rng: np.random.Generator, given: Documents) -> Wish:
    path = _path(rng, given)
    facts = {"path": path, "folder": _folder(rng, given, path.value)}
    wordings = ("Move {path} to {folder}.", "{folder} is where {path} belongs.")
    return Wish("move_file", facts, wordings)


def _delete(rng: np.random.Generator, given: Documents) -> Wish:
    wordings = ("Delete {path}.", "Nobody needs {path} any more.")
    return Wish("delete_file", {"path": _path(rng, given)}, wordings)


def _make(rng: np.random.Generator, given: Documents) -> Wish:
    parent = _drawn(rng, given["folders"])
    name = names(rng, 1)[0].replace(" ", "_")  # old ones have a dash there
    wordings = ("Make a folder {folder}.", "There shall be a folder {folder}.")
    return Wish("make_folder", {"folder": Fact("folder", f"{parent}/{name}")}, wordings)


DOMAIN = Domain(
    "files",
    "You keep the files of an archive in order.",
    TOOLS,
    documents,
    Files,
    (_write, _copy, _move, _delete, _make),
    ("name", "path", "text", "folder"),
    frozenset({"name", "path", "text", "folder"}),
)
