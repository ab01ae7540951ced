"""One SQLite file a run: whatever was paid for or computed is kept there.

Rows are only ever added. A row that a method has returned from survives ``kill -9``
and power loss, so that the same command goes on where a run was stopped.

Example:
    >>> import tempfile
    >>> folder = new_run_folder(tempfile.mkdtemp(), name="PushCube-v1")
    >>> with RunStore.open(folder, {"rounds": 3}) as store:
    ...     store.programs.record_score("c0ffee", "success", 0.5)
    >>> with RunStore.read(folder) as store:
    ...     store.programs.scores("c0ffee"), store.finished
    ({'success': 0.5}, False)
"""

from reward_synth.store.calls import CallLog
from reward_synth.store.files import whole_file
from reward_synth.store.folders import latest_unfinished, new_run_folder
from reward_synth.store.garbage import Garbage, collect_garbage
from reward_synth.store.inspection import Inspection, Trouble, inspect_run
from reward_synth.store.preferences import PreferenceLog
from reward_synth.store.programs import ProgramLog
from reward_synth.store.repair import Repair, repair_run
from reward_synth.store.rows import Event, ProgramRow, TrialRow
from reward_synth.store.run import RunStore
from reward_synth.store.summary import RunSummary, summarise_run, summarise_runs

__all__ = [
    "CallLog",
    "Event",
    "Garbage",
    "Inspection",
    "PreferenceLog",
    "ProgramLog",
    "ProgramRow",
    "Repair",
    "RunStore",
    "RunSummary",
    "TrialRow",
    "Trouble",
    "collect_garbage",
    "inspect_run",
    "latest_unfinished",
    "new_run_folder",
    "repair_run",
    "summarise_run",
    "summarise_runs",
    "whole_file",
]
