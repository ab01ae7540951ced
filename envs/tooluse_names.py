"""The environments of tool use that have ids."""

from __future__ import annotations

from collections.abc import Mapping

_DOMAINS = ("shop", "calendar", "files")
TEXTS: Mapping[str, str] = {f"ToolUse{name.title()}-v0": name for name in _DOMAINS}
"""Ids of the environments of texts, and their domains."""
CHOICES: Mapping[str, str] = {f"ToolChoice{name.title()}-v0": name for name in _DOMAINS}
"""Ids of those for learners of numbers."""
