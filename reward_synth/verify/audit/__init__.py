"""Audits of reward functions: what they pay for answers that are not right."""

from reward_synth.verify.audit.corpus import corpus
from reward_synth.verify.audit.data import load_samples
from reward_synth.verify.audit.loading import FORMS, Address, parse_address
from reward_synth.verify.audit.outcome import Outcome
from reward_synth.verify.audit.page import page
from reward_synth.verify.audit.report import Audit, Baseline, Row
from reward_synth.verify.audit.rules import RULES, Case
from reward_synth.verify.audit.run import Settings, audit
from reward_synth.verify.audit.sample import (
    GOLDS,
    SYNTAXES,
    Sample,
    Writer,
    built_in,
)

__all__ = [
    "FORMS",
    "GOLDS",
    "RULES",
    "SYNTAXES",
    "Address",
    "Audit",
    "Baseline",
    "Case",
    "Outcome",
    "Row",
    "Sample",
    "Settings",
    "Writer",
    "audit",
    "built_in",
    "corpus",
    "load_samples",
    "page",
    "parse_address",
]
