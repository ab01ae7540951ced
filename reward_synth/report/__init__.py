"""Reports: what was measured, told as a page, as a table, or as data."""

from reward_synth.report.data import (
    AuditData,
    Cost,
    DesignData,
    FindingData,
    LabelData,
    MatrixData,
    Measured,
    ProgramData,
    RunData,
    TaskData,
    TrialData,
)

__all__ = [
    "AuditData",
    "Cost",
    "DesignData",
    "FindingData",
    "LabelData",
    "MatrixData",
    "Measured",
    "ProgramData",
    "RunData",
    "TaskData",
    "TrialData",
]
