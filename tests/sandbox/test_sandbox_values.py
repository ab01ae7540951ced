"""What a program computes comes back as it is, and what it must not do is named."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

from reward_synth.sandbox import Execution, Job, ProcessSandbox
from reward_synth.sandbox.job import Column


def run(
    body: str,
    *,
    rows: int = 4,
    function: str = "compute_reward",
    unrestricted: bool = False,
) -> Execution:
    """Run a body on ``x`` = 0, 1, 2, … and ``v`` = (x, x + 1, x + 2)."""
    text = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    x = np.arange(float(rows))
    inputs = {"x": x, "v": x[:, None] + np.arange(3.0)}
    source = f"import numpy as np\nimport math\ndef {function}(x, v):\n{text}\n"
    job = Job(source, function, ("x", "v"), inputs, unrestricted)
    return ProcessSandbox().run(job)


REACH = """
import numpy as np


def compute_reward(tcp, goal, held, prev_tcp, action):
    distance = np.linalg.norm(tcp - goal)
    closer = np.linalg.norm(prev_tcp - goal) - distance
    return {
        "reach": 1.0 - np.tanh(5.0 * distance),
        "closer": closer * held,
        "effort": -0.1 * np.sum(np.square(action)),
        "held": held,
    }
"""


@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_numpy_to_the_last_bit(seed: int) -> None:
    """Each row is the same expression, evaluated by NumPy in this process."""
    rng, n = np.random.default_rng(seed), 300
    inputs: dict[str, Column] = {
        "tcp": rng.normal(size=(n, 3)),
        "goal": rng.normal(size=(n, 3)),
        "held": rng.random(n) > 0.5,
        "prev_tcp": rng.normal(size=(n, 3)),
        "action": rng.normal(size=(n, 7)),
        "unused": np.zeros((n, 2)),
    }
    arguments = ("tcp", "goal", "held", "prev_tcp", "action")
    execution = ProcessSandbox().run(Job(REACH, "compute_reward", arguments, inputs))
    space: dict[str, object] = {}
    exec(REACH, space)
    function = space["compute_reward"]
    assert callable(function)
    rows = [function(*(inputs[name][i] for name in arguments)) for i in range(n)]
    assert execution.names == ("reach", "closer", "effort", "held")
    expected = [[float(row[name]) for name in execution.names] for row in rows]
    assert execution.values.tolist() == expected
    assert execution.values.dtype == np.float64
    assert execution.error == ""
    assert 0 < execution.seconds_per_call * n < execution.seconds


def test_arguments_arrive_as_described() -> None:
    """Scalars are float and bool, arrays float64, C-ordered, writable, and fresh."""
    inputs: dict[str, Column] = {
        "s": np.array([1.5, 2.5]),
        "b": np.array([True, False]),
        "a": np.asfortranarray(np.ones((2, 3, 2))),
        "m": np.array([[True, False], [False, True]]),
    }
    source = """
def compute_reward(s, b, a, m):
    return {
        "s": type(s) is np.float64 and isinstance(s, float),
        "b": type(b) is bool,
        "a": a.dtype == np.float64 and a.flags.c_contiguous and a.base is None,
        "w": a.flags.writeable and a.shape == (3, 2),
        "m": m.dtype == np.float64 and m.sum() == 1.0,
    }
"""
    job = Job(source, "compute_reward", tuple(inputs), inputs, unrestricted=True)
    execution = ProcessSandbox().run(job)
    assert execution.values.tolist() == [[1.0] * 5] * 2, execution


def test_every_kind_of_number_is_accepted() -> None:
    """Python and NumPy numbers and arrays without axes become float64."""
    execution = run("""
        return {
            "bool": True, "int": 2, "float": 0.5, "np_bool": np.bool_(True),
            "np_int": np.int32(-3), "np_float": np.float32(0.25), "array": np.array(7),
            "nan": np.nan, "inf": -math.inf,
        }
    """)
    expected = [1.0, 2.0, 0.5, 1.0, -3.0, 0.25, 7.0, np.nan, -np.inf]
    assert execution.ok, execution
    np.testing.assert_array_equal(execution.values, [expected] * 4)


def test_a_potential_is_one_number() -> None:
    """A bare number of ``compute_potential`` is named ``potential``."""
    execution = run("return -x", function="compute_potential")
    assert execution.names == ("potential",)
    assert execution.values[:, 0].tolist() == [0.0, -1.0, -2.0, -3.0]


def test_components_may_come_in_another_order() -> None:
    """Columns follow the first row; a later row may name them in another order."""
    execution = run("""
        if x > 1:
            return {"b": 2.0, "a": x}
        return {"a": x, "b": 2.0}
    """)
    assert execution.names == ("a", "b")
    assert execution.values.tolist() == [[0, 2], [1, 2], [2, 2], [3, 2]]


INVALID = {
    "none": ("return None", "of type NoneType"),
    "text": ('return {"a": "1"}', "component a is of type str"),
    "complex": ('return {"a": 1j}', "of type complex"),
    "array": ('return {"a": v}', "an array of shape (3,)"),
    "list": ("return [1.0]", "of type list"),
    "no_component": ("return {}", "without components"),
    "name": ("return {1: 1.0}", "name is of type int"),
    "empty_name": ('return {"": 1.0}', "printable"),
    "control_name": ('return {"a\\x1b": 1.0}', "printable"),
    "long_name": ('return {"a" * 101: 1.0}', "printable"),
    "big_int": ('return {"a": 10 ** 400}', "too large for a float"),
    "generator": ("return (i for i in range(3))", "of type generator"),
    "datetime": ('return {"a": np.timedelta64(3)}', "of type timedelta64"),
    "other_names": (
        'return {"a": x} if x < 2 else {"b": x}',
        "row 2 has the components b, but row 0 has a",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_other_results_are_invalid_and_say_what_was_seen(name: str) -> None:
    """Anything but named numbers is ``invalid_output``, with the type in the text."""
    body, expected = INVALID[name]
    execution = run(body)
    assert execution.status == "invalid_output"
    assert expected in execution.error
    assert execution.values.shape == (4, 0)


def test_a_subclass_of_float_is_not_a_number() -> None:
    """A number that carries a program's own code is refused."""
    body = """
        class Odd(float):
            def __float__(self):
                return 9.0
        return {"a": Odd(1.0)}
    """
    execution = run(body, unrestricted=True)
    assert execution.status == "invalid_output"
    assert "of type Odd" in execution.error


def test_a_potential_with_components_is_invalid() -> None:
    """``compute_potential`` returns one scalar, by contract."""
    execution = run('return {"a": x}', function="compute_potential")
    assert execution.status == "invalid_output"
    assert "not one number" in execution.error


@pytest.mark.parametrize("rows", [1, 2, 50])
@pytest.mark.parametrize(
    "body",
    [
        'return {"a": np.random.default_rng().random()}',
        'compute_reward.calls = 1 + sum(compute_reward.__dict__.values())\n'
        'return {"a": compute_reward.calls}',
        'memory = compute_reward.__dict__\n'
        'memory["n"] = 1 + memory.setdefault("n", 0)\nreturn {"a": memory["n"] % 2}',
        'memory = compute_reward.__dict__\n'
        'memory["n"] = 1 + memory.setdefault("n", 0)\n'
        'return {"a": x} if memory["n"] == 1 else None',
    ],
    ids=["random", "counter", "parity", "second_call_differs_in_kind"],
)  # fmt: skip
def test_a_program_that_does_not_repeat_itself_is_told(body: str, rows: int) -> None:
    """All rows are run again in another order; any difference is named."""
    execution = run(body, rows=rows)
    # With more rows than one, the first pass already sees a result of another kind.
    early = rows > 1 and "None" in body
    expected = "invalid_output" if early else "nondeterministic"
    assert execution.status == expected, execution


def test_an_order_that_matters_is_told() -> None:
    """A count that starts again at row 0 repeats; only the shuffle shows it."""
    body = """
        memory = compute_reward.__dict__
        if x == 0:
            memory["calls"] = 0
        memory["calls"] = memory.setdefault("calls", 0) + 1
        return {"a": memory["calls"]}
    """
    assert run(body, rows=5).status == "nondeterministic"


def test_nan_repeats_itself() -> None:
    """NaN in both passes is the same value, and is passed on."""
    execution = run('return {"a": np.log(-1.0 - x)}')
    assert execution.ok
    assert np.isnan(execution.values).all()


@pytest.mark.parametrize(
    "idiom",
    [
        "v[0] = 9.0",
        "v += 1.0",
        "v[1:] *= 2.0",
        "v.flat[0] = 9.0",
        "np.copyto(v, 9.0)",
        "np.add(v, 1.0, out=v)",
        "v.fill(9.0)",
        "np.ascontiguousarray(v)[0] = 9.0",
        "np.fill_diagonal(v.reshape(3, 1), 9.0)",
        "v.shape = (3, 1)",
        "v.reshape(-1).partition(1) or v.view(np.int64).__setitem__(0, 5)",
    ],
)
def test_a_changed_argument_is_told(idiom: str) -> None:
    """An argument is the same, byte for byte, before and after each call."""
    execution = run(f'{idiom}\nreturn {{"a": 1.0}}')
    assert execution.status == "mutated", execution
    assert execution.error == "the program changes its argument v"


def test_the_callers_arrays_stay_as_they_are() -> None:
    """A program that changes its arguments changes copies in another process."""
    x = np.ones((2, 3))
    source = "def compute_reward(x):\n    x[:] = 9.0\n    return {'a': 1.0}"
    ProcessSandbox().run(Job(source, "compute_reward", ("x",), {"x": x}))
    assert x.tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize(
    ("body", "error", "line"),
    [
        ("return {'a': missing}", "NameError: name 'missing' is not defined", 4),
        ("y = 1\nreturn {'a': y / 0}", "ZeroDivisionError: division by zero", 5),
        ("return {'a': v[3]}", "IndexError: index 3 is out of bounds", 4),
        ("import os", "ImportError: only 'import numpy as np'", 4),
        ("from numpy import f2py", "ImportError: only 'import numpy as np'", 4),
        ("open('x')", "NameError: name 'open' is not defined", 4),
        ("return {'a': 1", "SyntaxError: '{' was never closed", 4),
    ],
)
def test_an_error_is_told_with_its_line(body: str, error: str, line: int) -> None:
    """The line is that of the program's text; the body starts at line 4."""
    execution = run(body)
    assert execution.status == "raised"
    assert execution.error.startswith(error)
    assert execution.line == line


def test_a_missing_function_is_told() -> None:
    """A program without the function that the job names is the program's fault."""
    job = Job("x = 1", "compute_reward", ("x",), {"x": np.ones(1)})
    execution = ProcessSandbox().run(job)
    assert execution.status == "raised"
    assert execution.error == "NameError: the program defines no compute_reward"


def test_large_inputs_and_outputs_fit_through_the_pipe() -> None:
    """8 MB there and 0.8 MB back are far over a pipe's 64 KiB."""
    x = np.random.default_rng(0).normal(size=(1000, 1000))
    body = "return {f'c{i}': x[i] for i in range(100)}"
    source = f"def compute_reward(x):\n    {body}"
    execution = ProcessSandbox().run(Job(source, "compute_reward", ("x",), {"x": x}))
    np.testing.assert_array_equal(execution.values, x[:, :100])
