"""Reports: what was measured, told as a page, as a table, or as data."""

from reward_synth.report.data import (
    Cost,
    DesignData,
    FindingData,
    Measured,
    ProgramData,
    RunData,
    TaskData,
    TrialData,
)

__all__ = [
    "Cost",
    "DesignData",
    "FindingData",
    "Measured",
    "ProgramData",
    "RunData",
    "TaskData",
    "TrialData",
]
