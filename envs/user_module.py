"""Imports the modules in which users register environments."""

from __future__ import annotations

import importlib
import sys

from reward_synth.envs.families import families
from reward_synth.errors import (
    MissingExtraError,
    NotAvailableError,
    UnknownEnvError,
    UsageError,
)


def import_user_module(module: str, folder: str) -> None:
    """Import a user's module as ``python -m`` would, from ``folder`` first.

    Args:
        module: Its dotted name.
        folder: Looked at before the installed packages.

    Raises:
        UnknownEnvError: There is no such module.
        NotAvailableError: It needs a package that is not installed.
        UsageError: It raised, or called ``exit``.
    """
    if folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()  # the file may be younger than the folder's listing
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as cause:
        if cause.name and module.startswith(cause.name):
            raise UnknownEnvError(
                f"There is no module {module!r} in {folder} or among the installed "
                "packages. Run in the folder that holds it, or install it."
            ) from cause
        raise missing_package(module, cause) from cause
    except (Exception, SystemExit) as cause:
        raise UsageError(
            f"The module {module!r} cannot be imported: {type(cause).__name__}: {cause}"
        ) from cause


def missing_package(name: str, cause: Exception) -> NotAvailableError:
    """Return the error for a missing package, with our extra where there is one."""
    origin = cause
    while not isinstance(origin, ModuleNotFoundError) and origin.__cause__ is not None:
        origin = origin.__cause__  # type: ignore[assignment]  # only exceptions here
    package = (getattr(origin, "name", None) or "").split(".")[0]
    for family in families():
        if package and package == family.package:
            return MissingExtraError(package, family.extra)
    return NotAvailableError(f"{name} needs a package that is not installed: {cause}")
