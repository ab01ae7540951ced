"""A file system that is held in memory; nothing here touches the machine's own."""
# ruff: noqa: D417 - the world is no argument of a tool

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reward_synth.envs.tooluse_functions import ToolError, ToolFunction
from reward_synth.envs.tooluse_tasks import Documents

_MOST_TEXT = 1_000_000
"""Characters of all files together."""


class Files:
    """What the tools act on: texts by path, and folders.

    Args:
        documents: The files, and the folders.
    """

    def __init__(self, documents: Documents) -> None:
        self.texts: dict[str, str] = dict(documents["texts"])
        self.folders: set[str] = set(documents["folders"])

    def state(self) -> Mapping[str, Any]:
        """Return texts by path, and all folders."""
        return {
            "texts": dict(sorted(self.texts.items())),
            "folders": sorted(self.folders),
        }

    def close(self) -> None:
        """Hold nothing."""

    def text(self, path: str) -> str:
        """Return the text of a file."""
        if path not in self.texts:
            raise ToolError("There is no file at this path.")
        return self.texts[path]

    def put(self, path: str, text: str) -> None:
        """Write a file into a folder that is there."""
        folder, slash, name = path.rpartition("/")
        if not (slash and name) or folder not in self.folders:
            raise ToolError("The path does not lie in a folder that is there.")
        others = sum(len(item) for key, item in self.texts.items() if key != path)
        if others + len(text) > _MOST_TEXT:
            raise ToolError("The disk is full.")
        self.texts[path] = text

    def inside(self, path: str, folder: str) -> str:
        """Return where a file would lie in another folder."""
        if folder not in self.folders:
            raise ToolError("There is no such folder.")
        return f"{folder}/{path.rpartition('/')[2]}"


def find_file(files: Files, name: str) -> dict[str, str]:
    """Look up the path of a file by its name.

    Args:
        name: The name without its folder.
    """
    for path in files.texts:
        if path.rpartition("/")[2] == name:
            return {"path": path}
    raise ToolError("There is no file of this name.")


def read_file(files: Files, path: str) -> dict[str, str]:
    """Read a file.

    Args:
        path: The whole path.
    """
    return {"text": files.text(path)}


def list_folder(files: Files, folder: str) -> dict[str, Any]:
    """List the files of a folder.

    Args:
        folder: Its whole path.
    """
    if folder not in files.folders:
        raise ToolError("There is no such folder.")
    return {
        "names": [path for path in files.texts if path.rpartition("/")[0] == folder]
    }


def write_file(files: Files, path: str, text: str) -> str:
    """Write a file, also over an old one.

    Args:
        path: The whole path; its folder must be there.
        text: What it holds then.
    """
    files.put(path, text)
    return f"written: {path}"


def copy_file(files: Files, path: str, folder: str) -> str:
    """Copy a file into another folder.

    Args:
        path: The whole path.
        folder: The other folder.
    """
    files.put(files.inside(path, folder), files.text(path))
    return f"copied into {folder}: {path}"


def move_file(files: Files, path: str, folder: str) -> str:
    """Move a file into another folder.

    Args:
        path: The whole path.
        folder: The other folder.
    """
    text, there = files.text(path), files.inside(path, folder)
    del files.texts[path]
    files.texts[there] = text
    return f"moved to {there}"


def delete_file(files: Files, path: str) -> str:
    """Delete a file.

    Args:
        path: The whole path.
    """
    files.text(path)
    del files.texts[path]
    return f"deleted: {path}"


def make_folder(files: Files, folder: str) -> str:
    """Make a folder.

    Args:
        folder: Its whole path.
    """
    parent, slash, name = folder.rpartition("/")
    if not (slash and name) or (parent and parent not in files.folders):
        raise ToolError("The folder around it is not there.")
    if folder in files.folders:
        raise ToolError("This folder is there already.")
    files.folders.add(folder)
    return f"made: {folder}"


def empty_folder(files: Files, folder: str) -> str:
    """Delete all files of a folder.

    Args:
        folder: Its whole path.
    """
    for path in list_folder(files, folder)["names"]:
        del files.texts[path]
    return f"emptied: {folder}"


_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    find_file,
    read_file,
    list_folder,
    write_file,
    copy_file,
    move_file,
    delete_file,
    make_folder,
    empty_folder,
)
TOOLS = tuple(map(ToolFunction.of, _FUNCTIONS))
