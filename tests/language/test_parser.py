"""The reward language: what it takes, what it refuses, and what it says then."""

from __future__ import annotations

import pytest

from reward_synth.language import Finding, parse
from tests.programs import TASK


def refused(body: str, parameters: str = "tcp_pos, cube_pos, height") -> Finding:
    source = f"def compute_reward({parameters}):\n    {body}"
    parsed = parse(source, TASK)
    assert parsed.ir is None, f"accepted: {source}"
    return parsed.findings[0]


ACCEPTED = {
    "math": "return {'a': math.tanh(height) + math.pi}",
    "early return": "if height > 0:\n        return {'a': 1.0}\n    return {'a': 0.0}",
    "dict built up": "c = {'a': height}\n    c['b'] = 2.0\n    return c",
    "augmented": "x = 0.0\n    x += height\n    x *= 2\n    return {'a': x}",
    "swap": "x, y = height, 1.0\n    x, y = y, x\n    return {'a': x - y}",
    "annotation": "x: float = height\n    return {'a': x}",
    "chained comparison": "return {'a': 1.0 if 0 < height < 1 else 0.0}",
    "static slice": "return {'a': np.sum(cube_pos[:2] - tcp_pos[1:])}",
    "axis of a vector": "return {'a': np.linalg.norm(cube_pos, axis=-1)}",
    "len": "return {'a': np.sum(cube_pos) / len(cube_pos)}",
    "stack": "v = np.array([height, 1.0, cube_pos[0]])\n    return {'a': v @ cube_pos}",
    "builtin max": "return {'a': max(0.0, height, cube_pos[0])}",
    "bound with a name": "n = 3\n    x = 0.0\n    for i in range(n):\n        x += cube_pos[i]\n    return {'a': x}",
    "loop over numbers": "x = 0.0\n    for i in [0, 2]:\n        x += cube_pos[i]\n    return {'a': x}",
    "import inside": "import numpy as np\n    return {'a': height}",
    "string later": "x = height\n    'a remark'\n    return {'a': x}",
    "other shapes in branches": "if height > 0:\n        d = cube_pos\n        r = np.sum(d)\n    else:\n        d = 1.0\n        r = d\n    return {'a': r}",
    "docstring": "'''Doc.'''\n    return {'a': height}",
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED)
def test_what_authors_write_is_accepted(body: str) -> None:
    """Ordinary spellings of reward code are part of the language."""
    source = (
        "import numpy as np\nimport math\n\n"
        f"def compute_reward(tcp_pos, cube_pos, height):\n    {body}"
    )
    parsed = parse(source, TASK)
    assert parsed.findings == ()
    assert parsed.ir is not None


REFUSED = {
    "import inside": ("import os", "forbidden-import"),
    "while": ("while True: pass", "forbidden"),
    "data-dependent loop": ("for i in range(height): pass", "unbounded-loop"),
    "infinite budget": ("for i in range(10**9): x = i", "unbounded-loop"),
    "too long": ("for i in range(100000):\n        x = height + i", "too-long"),
    "attribute walk": ("return {'a': height.__class__}", "forbidden-attribute"),
    "method": ("return {'a': cube_pos.cumsum()[0]}", "forbidden-attribute"),
    "shape mismatch": (
        "return {'a': np.sum(cube_pos - cube_pos[:2])}",
        "shape-mismatch",
    ),
    "vector component": ("return {'a': cube_pos}", "shape-mismatch"),
    "unknown name": ("return {'a': hieght}", "unknown-name"),
    "forgotten parameter": ("return {'a': goal_pos[0]}", "unknown-name"),
    "out of range": ("return {'a': cube_pos[3]}", "out-of-range"),
    "not a dict": ("return height", "wrong-return"),
    "nothing returned": ("x = height", "missing-return"),
    "one branch only": (
        "if height > 0:\n        x = 1.0\n    return {'a': x}",
        "maybe-unset",
    ),
    "other components": (
        "if height > 0:\n        return {'a': 1.0}\n    return {'b': 1.0}",
        "missing-component",
    ),
    "empty dict": ("return {}", "missing-component"),
    "unknown function": ("return {'a': np.linalg.nrom(cube_pos)}", "forbidden-call"),
    "random": ("return {'a': np.random.rand()}", "forbidden-call"),
    "lambda": ("f = [lambda x: x]", "forbidden"),
    "comprehension": (
        "return {'a': np.sum([x for x in cube_pos if x > 0])}",
        "forbidden",
    ),
    "string": ("x = 'text'", "forbidden"),
    "truth of a number": ("return {'a': 1.0 if height else 0.0}", "not-a-condition"),
    "arithmetic on tests": (
        "return {'a': (height > 0) + (height > 1)}",
        "bool-arithmetic",
    ),
    "in place": ("cube_pos[0] = 1.0", "forbidden"),
    "huge power": ("return {'a': height ** 99}", "too-large"),
    "huge constant": ("return {'a': 1e30 * height}", "too-large"),
    "walrus": ("return {'a': (x := height)}", "forbidden"),
    "global": ("global x", "forbidden"),
    "f-string": ("x = f'{height}'", "forbidden"),
    "starred": ("return {'a': max(*cube_pos)}", "forbidden"),
    "keyword": ("return {'a': np.sum(cube_pos, where=height)}", "forbidden-keyword"),
    "match": ("match height:\n        case _:\n            pass", "forbidden"),
    "delete": ("del height", "forbidden"),
    "assert": ("assert height > 0", "forbidden"),
    "one entry is no number": ("return {'a': float(cube_pos[:1])}", "shape-mismatch"),
    "the same name twice": ("a, a = height, 1.0", "shape-mismatch"),
    "reduction of nothing": ("return {'a': np.sum(axis=0)}", "forbidden-keyword"),
    "lists are joined": (
        "return {'a': np.sum([height, 1.0] + [2.0, 3.0])}",
        "forbidden",
    ),
    "a list as a vector": ("x = [height, 1.0]\n    y = x + 1.0", "forbidden"),
    "vector changed in place": ("x = cube_pos\n    x += 1.0", "forbidden"),
    "whole numbers": (
        "return {'a': np.sum(np.array([height], dtype=int))}",
        "forbidden-keyword",
    ),
    "unreachable": ("return {'a': height}\n    yield 1", "unreachable"),
    "inner of matrices": (
        "m = np.array([cube_pos, tcp_pos])\n    return {'a': np.inner(m, m)[0, 0]}",
        "shape-mismatch",
    ),
    "float as a bound": ("n = 2.0\n    for i in range(n): x = i", "unbounded-loop"),
    "builtin as a name": ("len = 2.0", "forbidden"),
    "called without use": ("np.sum(cube_pos)", "forbidden"),
    "module as a name": ("np = 1.0", "forbidden"),
    "try": ("try:\n        pass\n    except: pass", "forbidden"),
}


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused_by_name(body: str, code: str) -> None:
    """What is outside the language gives an error with its code and a line."""
    finding = refused(body)
    assert (finding.code, finding.severity) == (code, "error")
    assert finding.line is not None
    assert finding.line >= 1


def test_an_unknown_field_names_the_nearest() -> None:
    """A misspelled parameter is answered with the field that was probably meant."""
    finding = refused("return {'a': 1.0}", parameters="cube_pso")
    assert finding.code == "unknown-field"
    assert "'cube_pos'" in finding.message


def test_a_field_that_reset_lacks_has_no_previous_value() -> None:
    """prev_<field> exists only for fields that reset delivers."""
    finding = refused("return {'a': prev_contact}", parameters="prev_contact")
    assert finding.code == "unknown-field"
    assert "reset" in finding.message


def test_a_potential_cannot_see_action_or_the_past() -> None:
    """A potential is a function of one state."""
    for name in ("action", "prev_height", "contact"):
        source = f"def compute_potential({name}):\n    return 1.0"
        assert parse(source, TASK).ir is None


@pytest.mark.parametrize(
    "source",
    [
        "import os\n",
        "from numpy import f2py\n",
        "X = 1\n",
        "class A: pass\n",
        "@np.vectorize\ndef compute_reward(height):\n    return {'a': height}\n",
        "def compute_reward(height, *args):\n    return {'a': height}\n",
        "def compute_reward(height=__import__('os')):\n    return {'a': 1.0}\n"
        "def compute_reward(x):\n    return {}\n",
        "",
        "x = (",
        "\0",
        "(" * 3000,
        "# " + "x" * 20_000,
    ],
)
def test_no_text_crashes_the_parser(source: str) -> None:
    """Any text gives findings, never an exception."""
    parsed = parse(source, TASK)
    assert parsed.ir is None
    assert parsed.findings


def test_every_problem_is_reported_once() -> None:
    """A wrong assignment is reported; what follows from it is not."""
    source = "def compute_reward(height):\n    x = nothing\n    y = x + 1\n    return {'a': y}"
    assert [item.code for item in parse(source, TASK).findings] == ["unknown-name"]


def test_a_component_keeps_the_value_it_was_given() -> None:
    """c['a'] = x holds x's value then, also when x is set anew afterwards."""
    source = (
        "def compute_reward(height):\n    x = height\n    c = {'a': x}\n"
        "    x = 5.0\n    c['b'] = x\n    return c"
    )
    parsed = parse(source, TASK)
    assert parsed.ir is not None
    assert parsed.ir.reward is not None
    from reward_synth.language import evaluate

    assert evaluate(parsed.ir.reward, {"height": 2.0}) == {"a": 2.0, "b": 5.0}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "head",
    [
        "def compute_reward(height: print(1)):",
        "def compute_reward(height) -> open('x'):",
        "def compute_reward(height=open('x')):",
        "def compute_reward(height, height):",
        "def compute_reward(height: [i for i in ()]):",
    ],
)
def test_nothing_is_run_when_a_saved_file_is_imported(head: str) -> None:
    """Annotations are types, defaults are numbers: importing the file runs neither."""
    assert parse(f"{head}\n    return {{'a': height}}", TASK).ir is None


def test_plain_annotations_and_defaults_are_dropped() -> None:
    """Types and constant defaults say nothing that the fields do not say."""
    source = (
        "def compute_reward(height: float = 0.0, cube_pos: np.ndarray = None) -> "
        "dict[str, float]:\n    return {'a': height}"
    )
    assert parse(source.replace(" = None", ""), TASK).ir is None  # Python's own rule
    plain = "def compute_reward(height: float = 0.0) -> dict[str, float]:"
    assert parse(f"{plain}\n    return {{'a': height}}", TASK).ir is not None
