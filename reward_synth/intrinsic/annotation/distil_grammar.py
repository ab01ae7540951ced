"""Which answers are rules: a few patterns of bounded cost, and nothing that runs."""

from __future__ import annotations

import json
import re
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation.grammar import Grammar
from reward_synth.intrinsic.annotation.rules import Rule, RuleAnnotator

MOST_RULES = 8
LONGEST_PATTERN = 120
"""Characters."""
MOST_REPEATS = 1
"""Of ``*`` and ``+`` in a pattern: two of them can take the third power of a caption's
length, and groups of them any time at all."""
MOST_OPTIONAL = 2
"""Of ``?`` in a pattern; each doubles what a search may cost."""
_PART = re.compile(
    r"""\\[dwsb]|\\[^A-Za-z0-9]         # a class, an edge, an escaped sign
    |\[[A-Za-z0-9 ,.'_-]+\]             # a set
    |[^\\()\[\]{}*+?]                   # itself, or . | ^ $
    |(?P<repeat>[*+])|(?P<optional>\?)
    """,
    re.VERBOSE,
)


def pattern_trouble(pattern: str) -> str:
    r"""Tell why a pattern is outside the grammar; empty: it is inside.

    Searching a caption of n characters for one that is inside takes of the order of n²
    steps at most.

    Example:
        >>> pattern_trouble(r"unlock|\\d+ gold pieces?")
        ''
        >>> pattern_trouble("(a+)+")
        "the pattern '(a+)+' has '(' at 0, which patterns have not"
    """
    if not 0 < len(pattern) <= LONGEST_PATTERN:
        return f"a pattern has 1 to {LONGEST_PATTERN} characters, not {len(pattern)}"
    place, repeats, optional = 0, 0, 0
    while place < len(pattern):
        part = _PART.match(pattern, place)
        if part is None:
            said = f"{pattern[place]!r} at {place}, which patterns have not"
            return f"the pattern {pattern!r} has {said}"
        repeats += part["repeat"] is not None
        optional += part["optional"] is not None
        place = part.end()
    if repeats > MOST_REPEATS or optional > MOST_OPTIONAL:
        return (
            f"the pattern {pattern!r} has {repeats} of * and + and {optional} of ?; at "
            f"most {MOST_REPEATS} and {MOST_OPTIONAL} are allowed, so make two rules of it"
        )
    return _meaning_trouble(pattern)


def read_rules(answer: str, grammar: Grammar) -> RuleAnnotator | str:
    """Return the rules that an answer is, or the sentence that says why it is none.

    Example:
        >>> said = '{"rules": [{"pattern": "key", "label": "helpful"}], '
        >>> rules = read_rules(said + '"otherwise": "unsure"}', Grammar())
        >>> rules.judge_now("a key").name, rules.judge_now("a rat").status
        ('helpful', 'abstained')
        >>> read_rules("import os", Grammar())
        'it is no JSON object'
    """
    try:
        data = json.loads(answer)
    except (ValueError, RecursionError):
        return "it is no JSON object"
    trouble = _shape_trouble(data)
    if trouble:
        return trouble
    for one in data["rules"]:
        trouble = pattern_trouble(one["pattern"])
        if trouble:
            return trouble
    try:
        rules = [Rule(one["pattern"], one["label"]) for one in data["rules"]]
        return RuleAnnotator(rules, data["otherwise"], grammar)
    except UsageError as cause:  # a label that the grammar lacks
        return str(cause)


def rules_schema(grammar: Grammar) -> str:
    """Return the JSON schema of an answer, for servers that constrain what models write.

    Example:
        >>> json.loads(rules_schema(Grammar()))["required"]
        ['rules', 'otherwise']
    """
    label = {"type": "string", "enum": list(grammar.words)}
    rule = _closed({"pattern": {"type": "string"}, "label": label})
    rules = {"type": "array", "maxItems": MOST_RULES, "items": rule}
    return json.dumps(_closed({"rules": rules, "otherwise": label}))


def rules_data(rules: RuleAnnotator) -> dict[str, Any]:
    """Return rules in the form of an answer.

    Example:
        >>> rules_data(RuleAnnotator([Rule("key", "helpful")], "unsure"))["otherwise"]
        'unsure'
    """
    parts = [{"pattern": one.pattern, "label": one.label} for one in rules.rules]
    return {"rules": parts, "otherwise": rules.otherwise}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    shape = {"type": "object", "properties": properties, "required": [*properties]}
    return {**shape, "additionalProperties": False}


def _shape_trouble(data: object) -> str:
    if not isinstance(data, dict):
        return "it is no JSON object"
    if set(data) != {"rules", "otherwise"} or not isinstance(data["otherwise"], str):
        return 'it must have "rules" and "otherwise", a label, and nothing else'
    rules = data["rules"]
    if not isinstance(rules, list) or len(rules) > MOST_RULES:
        return f'"rules" must be a list of at most {MOST_RULES}'
    for one in rules:
        if not isinstance(one, dict) or set(one) != {"pattern", "label"}:
            return 'a rule must have "pattern" and "label", and nothing else'
        if not all(isinstance(text, str) for text in one.values()):
            return "pattern and label must be texts"
    return "" if data["otherwise"] else '"otherwise" must be a label'


def _meaning_trouble(pattern: str) -> str:
    try:
        everything = Rule(pattern, "").fits("")
    except UsageError as cause:
        return str(cause)
    return f"the pattern {pattern!r} fits every text" if everything else ""
