"""Makes texts for the fuzzer: programs by grammar, programs spoilt, and noise."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Sequence

from reward_synth.benchmarks.hostile_corpus import corpus
from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "Fuzz/All-v0",
    "Score states.",
    (
        Field("x"),
        Field("y"),
        Field("v", (3,)),
        Field("w", (3,)),
        Field("q", (4,)),
        Field("m", (2, 3)),
        Field("held", (), "bool"),
        Field("n", (), "int"),
    ),
    Field("action", (2,)),
)
_SCALARS = ("x", "y", "n", "v[0]", "w[1]", "q[-1]", "m[0, 1]", "prev_x", "action[0]")
_VECTORS = ("v", "w", "prev_v", "q[:3]", "m[1]", "(v - w)", "np.abs(w)")
_ONE = ("np.tanh", "np.exp", "np.sqrt", "np.log1p", "np.sin", "abs", "np.square", "-")
_TWO = ("np.maximum", "np.minimum", "np.hypot", "np.arctan2", "max", "min")
_OVER = ("np.sum", "np.mean", "np.max", "np.linalg.norm", "np.std", "np.prod")
_TOKENS = (
    "(", ")", "[", "]", "{", "}", ":", ",", ".", "=", "==", "**", "//", "@", "|", "&",
    "~", "lambda", "for", "in", "if", "else", "while", "import", "return", "yield",
    "del", "global", "class", "def", "try", "except", "with", "async", "await", "not",
    "np", "math", "__class__", "__import__", "None", "True", "1e999", "0x_1", "1j",
    "'a'", "f'{x}'", "...", ":=", "*", "->", "#", "\\\n", "\n", "\n    ", "\t", ";",
    "np.where", "np.inf", "np.nan", "x", "v", "m", "held", "print", "\uff43", "\u00b2",
)  # fmt: skip
_SPLIT = re.compile(r"\w+|\s+|[^\w\s]")
_BASES = 600
_PARAMETERS = (
    "x", "y", "v", "w", "q", "m", "held", "n", "prev_x", "prev_v", "prev_held", "action",
)  # fmt: skip


def _often(rng: random.Random, share: float) -> bool:
    return rng.random() < share


def _scalar(rng: random.Random, depth: int) -> str:
    if depth <= 0 or _often(rng, 0.2):
        return rng.choice(_SCALARS) if _often(rng, 0.75) else f"{rng.gauss(0, 2):.3g}"
    inner = depth - 1
    forms = (
        lambda: f"{rng.choice(_ONE)}({_scalar(rng, inner)})",
        lambda: f"{rng.choice(_TWO)}({_scalar(rng, inner)}, {_scalar(rng, inner)})",
        lambda: f"{rng.choice(_OVER)}({_vector(rng, inner)})",
        lambda: (
            f"({_scalar(rng, inner)} if {_test(rng, inner)} else {_scalar(rng, inner)})"
        ),
        lambda: f"np.dot({_vector(rng, inner)}, {_vector(rng, inner)})",
        lambda: _binary(rng, inner),
        lambda: _binary(rng, inner),
    )
    return forms[rng.randrange(len(forms))]()


def _binary(rng: random.Random, depth: int) -> str:
    sign = rng.choice("+-*/" if _often(rng, 0.9) else "%")
    return f"({_scalar(rng, depth)} {sign} {_scalar(rng, depth)})"


def _vector(rng: random.Random, depth: int) -> str:
    if depth <= 0 or _often(rng, 0.4):
        return rng.choice(_VECTORS)
    form = rng.randrange(3)
    if form == 0:
        return f"np.cross({_vector(rng, depth - 1)}, {_vector(rng, depth - 1)})"
    if form == 1:
        return f"np.clip({_vector(rng, depth - 1)}, -1.0, {_scalar(rng, depth - 1)})"
    return f"({_vector(rng, depth - 1)} {rng.choice('+-*')} {_vector(rng, depth - 1)})"


def _test(rng: random.Random, depth: int) -> str:
    if _often(rng, 0.2):
        return rng.choice(("held", "not held", "n > 2", "prev_held"))
    return f"{_scalar(rng, depth - 1)} {rng.choice('<>')} {_scalar(rng, depth - 1)}"


def by_grammar(rng: random.Random) -> str:
    """Return a program that the language should take.

    Example:
        >>> by_grammar(random.Random(0)).startswith("import numpy as np")
        True
    """
    lines, names = [], []
    for number in range(rng.randrange(3)):
        names.append(f"t{number}")
        lines.append(f"    t{number} = {_scalar(rng, 2)}")
        if _often(rng, 0.25):
            lines.append(
                f"    if {_test(rng, 1)}:\n        t{number} += {_scalar(rng, 1)}"
            )
    parts = [*names, _scalar(rng, 2)][-2:]
    shown = ", ".join(f'"c{i}": {part}' for i, part in enumerate(parts))
    text = "\n".join([*lines, f"    return {{{shown}}}"])
    used = [name for name in _PARAMETERS if re.search(rf"\b{name}\b", text)]
    return f"import numpy as np\n\ndef compute_reward({', '.join(used)}):\n{text}\n"


class Texts:
    """An endless supply of texts, each a function of the seed and its number.

    Args:
        seed: Of everything.
    """

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.seed = seed
        self.bases = [by_grammar(rng) for _ in range(_BASES)]
        self.spans = [_spans(base) for base in self.bases]
        self.hostile = [line for case in corpus() for line in case.text.splitlines()]
        self._makers: Sequence[tuple[str, float, Callable[[random.Random], str]]] = (
            ("bytes", 0.42, self._bytes),
            ("tokens", 0.34, self._tokens),
            ("grammar", 0.07, by_grammar),
            ("spliced", 0.10, self._spliced),
            ("hostile line", 0.07, self._hostile),
        )

    def make(self, number: int) -> tuple[str, str]:
        """Return the way in which text ``number`` is made, and the text."""
        rng = random.Random(self.seed * 1_000_003 + number)
        left = rng.random()
        for name, share, maker in self._makers:
            left -= share
            if left < 0.0:
                return name, maker(rng)
        return "grammar", by_grammar(rng)

    def _spliced(self, rng: random.Random) -> str:
        """Put expressions in place of others; shapes may or may not fit."""
        which = rng.randrange(_BASES)
        text = self.bases[which]
        for start, end in sorted(rng.sample(self.spans[which], 1), reverse=True):
            other = rng.randrange(_BASES)
            first, last = rng.choice(self.spans[other])
            text = text[:start] + self.bases[other][first:last] + text[end:]
        return text

    def _tokens(self, rng: random.Random) -> str:
        parts = _SPLIT.findall(rng.choice(self.bases))
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(parts))
            form = rng.randrange(3)
            if form == 0:
                parts[place] = rng.choice(_TOKENS)
            elif form == 1:
                parts.insert(place, rng.choice(_TOKENS))
            else:
                parts.insert(place, parts.pop(rng.randrange(len(parts))))
        return "".join(parts)

    def _bytes(self, rng: random.Random) -> str:
        text = list(rng.choice(self.bases))
        for _ in range(rng.randint(1, 12)):
            code = rng.choice((rng.randrange(128), rng.randrange(0x110000)))
            text[rng.randrange(len(text))] = chr(code)
        return "".join(text)

    def _hostile(self, rng: random.Random) -> str:
        lines = rng.choice(self.bases).splitlines()
        line = rng.choice(self.hostile).strip()
        lines.insert(rng.randrange(3, len(lines)), f"    {line}")
        return "\n".join(lines)


def _spans(text: str) -> list[tuple[int, int]]:
    """Return where the expressions of the body stand, as offsets."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return [
        (
            starts[node.lineno - 1] + node.col_offset,
            starts[end - 1] + node.end_col_offset,
        )
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.expr) and not isinstance(node, ast.Dict)
        if (end := node.end_lineno) is not None and node.end_col_offset is not None
    ]
