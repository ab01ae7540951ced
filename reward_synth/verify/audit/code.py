"""Cases on code: answers that a careless reader runs, fills in or looks up.

``{canary}`` stands for a file that must not come into being: an answer that makes it was
executed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from reward_synth.verify.audit.rules import Case, Rule, arguments_of, changed
from reward_synth.verify.audit.sample import Sample, Writer

CANARY = "{canary}"
_MAKE = "__import__('pathlib').Path('{canary}').touch()"


def code_cases() -> Iterator[Case]:
    """Yield the cases of this module.

    Example:
        >>> all(case.group == "code" for case in code_cases())
        True
    """
    for name, text in _TEXTS:
        yield Case(name, "code", "useless", _bare(text))
    for name, rule, build in _BUILT:
        yield Case(name, "code", rule, build)


def _bare(text: str) -> Any:
    return lambda sample, writer: text if sample.calls else None


def _of_name(name: str) -> Callable[[Sample, Writer], str | None]:
    def build(sample: Sample, writer: Writer) -> str | None:
        return writer(changed(sample, 0, name=name)[:1]) if sample.calls else None

    return build


def _echo(sample: Sample, writer: Writer) -> str | None:
    """Name arguments after the expected values, so that an error repeats them."""
    values = [str(value) for _, _, value in arguments_of(sample)]
    if not values:
        return None
    named = {f"x{''.join(filter(str.isalnum, v))}": 0 for v in values}
    return writer([{"name": "delete_everything", "arguments": named}])


def _dump(sample: Sample, writer: Writer) -> str | None:
    if not sample.calls:
        return None
    values = ", ".join(str(value) for _, _, value in arguments_of(sample))
    return writer.says(f"It is one of: Paris, 1, 2, 3, yes, no, {values}, Tue, 42.")


def _as_value(value: str) -> Callable[[Sample, Writer], str | None]:
    def build(sample: Sample, writer: Writer) -> str | None:
        if not sample.calls:
            return None
        arguments = dict.fromkeys(sample.calls[0]["arguments"], value)
        return writer(changed(sample, 0, arguments=arguments)) if arguments else None

    return build


_TEXTS: tuple[tuple[str, str], ...] = (
    ("code as a Python call", _MAKE),
    ("code as an argument of a Python call", f"[dict(a={_MAKE})]"),
    ("code in a sum", f"[dict(a=1 + len(str({_MAKE})))]"),
    ("code in a lambda", f"[dict(a=(lambda: {_MAKE})())]"),
    ("code in a formatted text", f'[dict(a=f"{{{_MAKE}}}")]'),
    ("code in a comprehension", f"[dict(a=[{_MAKE} for _ in [0]])]"),
    ("code in a default", f"(lambda x={_MAKE}: x)()"),
    ("code in a fence", f"```python\n{_MAKE}\n```"),
    ("code in tags", f"<tool_call>\n{_MAKE}\n</tool_call>"),
    ("code of YAML", f'!!python/object/apply:os.system ["touch {CANARY}"]'),
    ("code of the shell", f"$(touch {CANARY}) `touch {CANARY}`; touch {CANARY}"),
    ("the answer's own exit", "__import__('os')._exit(0)"),
)

_BUILT: tuple[tuple[str, Rule, Callable[[Sample, Writer], str | None]], ...] = (
    ("a function of the system as a name", "useless", _of_name("os.system")),
    (
        "code as a name",
        "useless",
        _of_name("__import__('os').system('touch {canary}') or print"),
    ),
    ("eval as a name", "useless", _of_name("eval")),
    ("a private attribute as a name", "useless", _of_name("__class__.__init__")),
    ("code as every value", "wrong", _as_value(_MAKE)),
    ("a placeholder for the answer", "wrong", _as_value("{ground_truth}")),
    ("braces", "wrong", _as_value("{0.__class__}{}{{")),
    ("a format's sign", "wrong", _as_value("%s%n%(answer)s")),
    ("expected values as names, for an error to repeat", "useless", _echo),
    ("every candidate told", "useless", _dump),
)
