"""Python's short forms mean here what they mean in Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reward_synth.benchmarks.refusals import programs
from reward_synth.benchmarks.refusals_repairs import REPAIRS, repaired
from reward_synth.language import evaluate, parse
from reward_synth.sandbox import Job, ProcessSandbox
from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "T", "go", (Field("x"), Field("v", (3,)), Field("m", (2, 3))), Field("action", (2,))
)
STATE = {"x": np.array(0.5), "v": np.array([1.0, -2.0, 4.0]), "m": np.ones((2, 3))}


def value(body: str, top: str = "") -> float:
    """Evaluate a body that sets ``a``."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"{top}\ndef compute_reward(x, v, m):\n{lines}\n    return {{'a': a}}"
    parsed = parse(source, TASK)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    assert parsed.ir.reward is not None
    given = {name: STATE[name] for name, _ in parsed.ir.reward.parameters}
    return evaluate(parsed.ir.reward, given)["a"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a = sum([2.0 * e for e in v])", 6.0),
        ("a = sum(e * i for i, e in enumerate(v))", 6.0),
        ("a = min(abs(e) for e in v)", 1.0),
        ("a = sum(1.0 for e in v if e > 0)", 2.0),
        ("b, c = [x + i for i in range(2)]\na = 10.0 * b + c", 6.5),
        ("e = 3.0\nb = [e for e in v]\na = e + b[2]", 7.0),
        ("f = lambda t, k=2.0: k * t\na = f(x) + f(x, k=4.0)", 3.0),
        ("k = {'p': 2.0, 'q': x}\na = k['p'] * k['q']", 1.0),
        ("k = {'p': x}\nx = 9.0\na = k['p']", 0.5),
        ("a = np.sum(np.array([1.0, 2.0] * 3))", 9.0),
        ("a = ord('<')", 60.0),
        ("a = np.count_nonzero(v > 0)", 2.0),
        ("a = np.sum(np.isin(v, [1.0, 4.0, 5.0]))", 2.0),
        ("a = 1.0 if np.isclose(x, 0.50001, atol=1e-3) else 0.0", 1.0),
        ("a = np.interp(x, [0.0, 1.0, 2.0], [1.0, 3.0, 0.0])", 2.0),
        ("a = np.interp(v[1], [0.0, 1.0], [1.0, 3.0])", 1.0),
        ("a = np.interp(v[2], [0.0, 1.0], [1.0, 3.0])", 3.0),
        ("a = np.sum(np.append(v, x))", 3.5),
        ("a = np.sum(np.diff(v) * np.array([1.0, 10.0]))", 57.0),
        ("a = 1.0 if np.array_equal(v, v) else 0.0", 1.0),
        ("a = 1.0 if np.array_equal(v, m) else 0.0", 0.0),
        ("a = np.arcsinh(x)", math.asinh(0.5)),
        ("a = np.arcsinh(-x)", -math.asinh(0.5)),
    ],
)
def test_a_short_form_has_its_value(body: str, expected: float) -> None:
    """Values derived by hand for x = 0.5 and v = (1, -2, 4)."""
    assert value(body) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ("from math import sqrt as root, pi\n", math.sqrt(0.5) + math.pi),
        (
            "from typing import Dict\nroot = lambda t: t ** 0.5\npi = 3.0\n",
            0.5**0.5 + 3,
        ),
        ("root, pi = 2.0, 3.0\ndef f(t):\n    return t\n", None),
    ],
)
def test_the_top_of_a_file_may_import_and_name(
    top: str, expected: float | None
) -> None:
    """``from math import`` and lambdas are functions; unpacked numbers are constants."""
    if expected is None:
        assert value("a = root * f(x) + pi", top) == 4.0
    else:
        assert value("a = root(x) + pi", top) == pytest.approx(expected)


def test_a_constant_dict_is_read_by_name() -> None:
    """A dict at the top of a file holds numbers."""
    assert value("a = W['p'] * x", "W = {'p': 4.0, 'q': -1.0}\n") == 2.0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("a = W['r']", "unknown-name"),
        ("W['p'] = x\na = x", "forbidden"),
        ("a = [e for e in v for f in v][0]", "forbidden"),
        ("a = [e for e in v if e > 0][0]", "forbidden"),
        ("a = np.sum(e for e in v)", "forbidden"),
        ("a = np.interp(x, [1.0, 0.0], [1.0, 3.0])", "wrong-arguments"),
        ("a = np.interp(x, v, [1.0, 3.0, 2.0])", "not-constant"),
        ("a = ord('no')", "wrong-arguments"),
        ("a = [i for i in range(1000000000)][0]", "too-long"),
    ],
)
def test_what_is_not_known_before_the_run_stays_refused(body: str, code: str) -> None:
    """Lengths that depend on data, and dicts that are not one's own to fill."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    top = "W = {'p': 4.0}\n"
    source = f"{top}def compute_reward(x, v):\n{lines}\n    return {{'a': a}}"
    found = {item.code for item in parse(source, TASK).findings}
    assert code in found, found


def test_every_plausible_reward_means_in_python_what_it_means_here() -> None:
    """Text and typed form agree on random states, for each accepted program."""
    rng, sandbox = np.random.default_rng(0), ProcessSandbox()
    differ: list[object] = []
    for _, name, task, written in programs():
        text = written
        for repair in REPAIRS.get(name, ()):
            text = repaired(text, repair)
        ir = parse(text, task).ir
        assert ir is not None
        assert ir.reward is not None, name
        inputs = {}
        for parameter, field in ir.reward.parameters:
            values = rng.normal(size=(4, *field.shape)) * 3.0
            whole = field.dtype == "int"
            inputs[parameter] = (
                values > 0
                if field.dtype == "bool"
                else (np.abs(np.round(values)) + 1.0 if whole else values)
            )
        names = tuple(inputs)
        execution = sandbox.run(Job(text, "compute_reward", names, inputs))
        rows = [
            evaluate(ir.reward, {key: item[i] for key, item in inputs.items()})
            for i in range(4)
        ]
        if not execution.ok:
            differ.append((name, execution.status, execution.error))
            continue
        found = execution.values.tolist()
        expected = [[row[key] for key in execution.names] for row in rows]
        if not np.allclose(found, expected, rtol=1e-9, atol=1e-9, equal_nan=True):
            differ.append((name, found, expected))
    assert differ == []


@pytest.mark.parametrize("name", ["", "a\x1b[31m", "a" * 101, "a\n"])
@pytest.mark.parametrize(
    "form", ["return {{{0!r}: x}}", "k = {{}}\n    k[{0!r}] = x\n    return k"]
)
def test_a_component_has_a_printable_name(form: str, name: str) -> None:
    """Names end in logs and terminals: control characters are refused early."""
    source = f"def compute_reward(x):\n    {form.format(name)}\n"
    assert {item.code for item in parse(source, TASK).findings} == {"wrong-return"}
