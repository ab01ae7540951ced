"""Programs under the programs that they were made from, as lists within lists."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reward_synth.report.page.lineage import Node, told_scores
from reward_synth.report.page.svg import tag
from reward_synth.report.page.templating import anchor
from reward_synth.report.words import short

_DEEPEST = 60
"""Lists within lists; what lies deeper stands in the last one."""


def nested(nodes: Sequence[Node]) -> Markup:
    """Return nodes, each of which stands after its parent, as nested lists.

    Example:
        >>> from reward_synth.report.data import ProgramData
        >>> rows = [Node(ProgramData("a", ""), 0, True), Node(ProgramData("b", ""), 1, False)]
        >>> text = nested(rows)
        >>> text.count("<ul>"), text.count("</ul>"), text.count("<li>"), text.count("</li>")
        (2, 2, 2, 2)
    """
    parts, depth = [], -1
    for node in nodes:
        level = min(node.generation, _DEEPEST)
        if level > depth:
            parts.append(Markup("<ul><li>"))
        else:
            parts.append(Markup("</li></ul>") * (depth - level) + Markup("</li><li>"))
        parts.append(_entry(node))
        depth = level
    return Markup("").join(parts) + Markup("</li></ul>") * (depth + 1)


def _entry(node: Node) -> Markup:
    program = node.program
    name = tag(
        "a", tag("code", short(program.digest)), href=f"#{anchor(program.digest)}"
    )
    mark = " ★ chosen" if program.chosen else ""
    more = [short(parent) for parent in program.parents[1:]]
    also = f" also from {', '.join(more)}" if more else ""
    told = f" {told_scores(program)}{also}{mark}"
    return name + tag("span", told, class_="own" if node.ancestor else "quiet")
