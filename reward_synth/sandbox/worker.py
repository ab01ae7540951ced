"""The script that a worker process runs; the work is in :mod:`serve`.

Arguments: folder of NumPy, process id of the parent, memory in bytes, processor
time in seconds; or, for the server that workers are forked from: folder of NumPy,
``serve``, process id of the parent, descriptor of the line to it.
"""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path


def _bare_package(name: str, folder: Path) -> None:
    """Make a package whose ``__init__`` does not run.

    The worker shares a few modules with the library, and must hold nothing else
    of it: no model client, no environment, no reward.
    """
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package


def main() -> None:
    """Set up the imports and serve one job, or fork those that do."""
    site, *numbers = sys.argv[1:]
    here = Path(__file__).resolve().parent
    sys.path.append(site)
    _bare_package("reward_synth", here.parent)
    _bare_package("reward_synth.sandbox", here)
    module = "serve"
    if numbers[0] == "serve":
        module, numbers = "forking", numbers[1:]
    importlib.import_module(f"reward_synth.sandbox.{module}").main(*map(int, numbers))


if __name__ == "__main__":
    main()
