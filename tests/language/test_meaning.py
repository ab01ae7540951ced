"""What the language takes means what plain Python and NumPy say, and the kernel agrees."""

from __future__ import annotations

import numpy as np
import pytest

from reward_synth.kernels import RewardKernel
from reward_synth.language import Finding, FunctionIR, evaluate, parse
from reward_synth.reward import Array
from tests.programs import TASK, random_values

HEAD = "import math\nimport numpy as np\n\n"
SIGNATURE = (
    "def compute_reward(tcp_pos, cube_pos, goal_pos, height, is_grasped, action):\n"
)


def function_of(source: str) -> FunctionIR:
    parsed = parse(source, TASK)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    assert parsed.ir.reward is not None
    return parsed.ir.reward


def plain(source: str, function: FunctionIR, values: dict[str, Array]) -> list[float]:
    """Run the text as Python: it stands in this file."""
    names: dict[str, object] = {}
    exec(source, names)
    given = [
        bool(values[name]) if field.dtype == "bool" else values[name].astype(float)[()]
        for name, field in function.parameters
    ]
    with np.errstate(all="ignore"):
        result = names["compute_reward"](*given)  # type: ignore[operator]
    return [float(result[name]) for name in function.outputs]


def agree(source: str) -> None:
    function = function_of(source)
    kernel = RewardKernel(function)
    for seed in range(8):
        values = random_values(seed)
        expected = plain(source, function, values)
        for found in (evaluate(function, values), kernel.one(values)):
            np.testing.assert_allclose(
                [found[name] for name in function.outputs], expected, 1e-9, 1e-12
            )


MATRICES = """    m = np.array([tcp_pos, cube_pos, goal_pos])
    n = np.stack([tcp_pos, cube_pos], axis=1)
"""
EXPRESSIONS = {
    "indices": (
        MATRICES,
        [
            "m[1, 2]",
            "m[:, 0].sum()",
            "m[-1][::2].max()",
            "m[..., 1].min()",
            "m.T[0, 1]",
        ],
    ),
    "index lists": (
        MATRICES,
        [
            "np.sum(m[[0, 2]])",
            "m[:, [2, 0]][1, 0]",
            "(tcp_pos[:, None] * cube_pos)[2, 1]",
        ],
    ),
    "axes": (
        MATRICES,
        [
            "np.linalg.norm(m - goal_pos, axis=-1).max()",
            "np.sum(np.sum(m, axis=0) * np.mean(m, 1))",
            "m.std(axis=1)[0] + m.var(0)[2]",
            "np.max(m, axis=1)[1] - m.min(axis=-2)[0] + np.prod(m, axis=0)[1]",
            "1.0 * np.all(m > -1.0, axis=1)[0] + 2.0 * np.any(m > 1.0, axis=0)[1]",
        ],
    ),
    "norms": (
        MATRICES,
        [
            "np.linalg.norm(tcp_pos, ord=1)",
            "np.linalg.norm(tcp_pos, 2)",
            "np.linalg.norm(tcp_pos, ord=np.inf)",
            "np.linalg.norm(m)",
            "np.linalg.norm(m, ord=1, axis=1)[2]",
            "np.linalg.norm(m, axis=None)",
        ],
    ),
    "products": (
        MATRICES,
        [
            "(m @ cube_pos)[0]",
            "(m @ n)[2, 1]",
            "np.outer(tcp_pos, cube_pos)[1, 2]",
            "(np.eye(3) @ tcp_pos)[1] + np.trace(m)",
            "tcp_pos.dot(cube_pos) + m.dot(goal_pos)[1]",
            "np.matmul(n.T, goal_pos)[1]",
        ],
    ),
    "making": (
        MATRICES,
        [
            "np.concatenate([tcp_pos, action])[4]",
            "np.concatenate((m, m), axis=1)[2, 4]",
            "np.vstack([m, goal_pos])[3, 1] + np.hstack([m, m])[1, 5]",
            "np.column_stack((tcp_pos, cube_pos))[2, 1]",
            "np.full((2, 2), height)[1, 0] + np.zeros((2, 3)).sum() + np.ones(m.shape)[2, 2]",
            "np.reshape(m, (9,))[5] + m.reshape(-1)[7] + m.ravel()[2] + m.flatten()[4]",
            "np.transpose(n)[1, 2] + m.T.T[0, 1] + np.ravel(n)[3]",
        ],
    ),
    "sizes": (
        MATRICES,
        ["m.shape[0] + 0.0", "n.size * height", "m.ndim * height", "len(n) * height"],
    ),
    "methods": (
        MATRICES,
        [
            "tcp_pos.sum() + tcp_pos.mean() + (tcp_pos - cube_pos).max()",
            "np.abs(tcp_pos).min() + tcp_pos.prod()",
            "tcp_pos.copy()[0] + (tcp_pos > 0).astype(float)[1]",
            "tcp_pos.clip(-0.1, 0.2)[0] + tcp_pos.clip(max=0.1)[1] + tcp_pos.clip(0.0)[2]",
            "tcp_pos[:1].item()",
            "1.0 * (tcp_pos > 0).any() - 2.0 * (tcp_pos > 0).all() + (tcp_pos > 0).sum()",
        ],
    ),
    "functions": (
        "",
        [
            "np.exp2(height) + math.exp2(0.5 * height) + np.log2(abs(height) + 1.0)",
            "np.clip(height, None, 0.1) + np.clip(height, a_min=0.0, a_max=None)",
            "1.0 * np.isinf(height / 0.0) + 2.0 * np.isinf(height) + 1.0 * math.isinf(height)",
            "np.nan_to_num(np.log(height), nan=-1.0)",
            "np.nan_to_num(np.float64(height) / 0.0, posinf=2.0, neginf=-3.0)",
            "np.nan_to_num(0.0 * (tcp_pos / 0.0))[1]",
            "1.0 if any((height > 0, is_grasped)) else 2.0",
            "1.0 if all(tcp_pos > -1.0) else 2.0",
            "1.0 if -1 < height <= tcp_pos[0] < 2 else 0.0",
            "min((height, 0.1)) + max([height, tcp_pos[0]]) + sum((height, 1.0))",
        ],
    ),
}


@pytest.mark.parametrize(("lines", "values"), EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_expressions_mean_what_numpy_says(lines: str, values: list[str]) -> None:
    """Each spelling gives NumPy's own value, in reference and kernel, to rounding."""
    parts = ", ".join(f'"c{number}": {value}' for number, value in enumerate(values))
    agree(f"{HEAD}{SIGNATURE}{lines}    return {{{parts}}}\n")


PROGRAMS = {
    "keywords and defaults": """
def near(a, b=0.0, *, sharpness=2.0, shift=(0.5, 1.0)):
    low, high = shift
    return 1.0 - np.tanh(sharpness * abs(a - b) + low * high)

def compute_reward(height, tcp_pos):
    return {"a": near(height), "b": near(b=height, a=tcp_pos[0], sharpness=1.0),
            "c": near(height, 2.0, shift=(height, tcp_pos[1]))}
""",
    "early returns": """
def stage(d, held):
    if d > 1.0:
        return -1.0
    bonus = 0.0
    if held:
        if d < 0.5:
            return 2.0 - d
        bonus = 0.25
    elif d < 0.1:
        return 0.5
    for limit in (0.2, 0.4, 0.8):
        if d < limit:
            bonus += limit
            if held:
                return bonus
        bonus = bonus + 0.01
    return bonus - d

def compute_reward(height, is_grasped, tcp_pos):
    return {"a": stage(abs(height), is_grasped), "b": stage(abs(tcp_pos[0]), not is_grasped),
            "c": stage(0.3, is_grasped)}
""",
    "vectors and tuples": """
def split(v, flip=False):
    if v[0] > 0:
        return v[:2] * 2.0, (v[2], v[0] > 0.5)
    return v[1:], (0.0, 1.0)

def compute_reward(tcp_pos, cube_pos):
    flat, (z, big) = split(tcp_pos)
    pair = split(cube_pos)
    _, _ = pair
    (x, y), rest = pair
    return {"a": flat.sum() + z, "b": 1.0 * big, "c": x - y + rest[0] + pair[1][-1],
            "d": 1.0 * len(pair)}
""",
    "constants": """
SCALE = 2.0 * 3.0
N: int = 3
GOAL = HOME = np.array([0.1, 0.2, 0.3]) * SCALE
BOUNDS = (0.0, N * 0.5)

def inside(x, bounds=BOUNDS):
    return bounds[0] < x < bounds[1]

def compute_reward(height, tcp_pos, scale=SCALE):
    total = 0.0
    for i in range(2 * N - N):
        total += scale * (tcp_pos[i] - GOAL[i])
    scale = scale + height
    return {"a": total, "b": 1.0 * inside(height), "c": scale * HOME[1]}
""",
    "closures see the latest value": """
def compute_reward(height):
    gain = 1.0

    def shaped(x):
        local = gain * x
        return local

    first = shaped(height)
    gain = 3.0 + height
    if height > 0.2:
        gain = 0.5
    return {"a": first, "b": shaped(height)}
""",
    "names of their own": """
x = 5.0

def double(x):
    x = 2.0 * x
    height = x + 1.0
    return height

def compute_reward(height):
    y = double(height)
    return {"a": y + height, "b": double(double(y)) * x}
""",
    "loops over values": """
def compute_reward(tcp_pos, cube_pos, height):
    total = 0.0
    for i, (a, b) in enumerate(zip(tcp_pos, cube_pos)):
        total += (i + 1) * a * b
    for weight, value in [(0.5, height), (2.0, tcp_pos[1])]:
        total -= weight * value
    v = tcp_pos
    for x in v:
        v = v + x
    for row in np.array([tcp_pos, cube_pos]):
        total = total + row[0] * row @ row
    for n, x in enumerate(v[:2], start=2):
        total += n * x
    return {"a": total, "b": v[2], "c": 1.0 * i}
""",
    "tuples keep their values": """
def compute_reward(height, tcp_pos):
    pair = (height, tcp_pos)
    height = height + 1.0
    tcp_pos = 2.0 * tcp_pos
    first, second = pair
    one, two = first, height
    one, two = two, one
    return {"a": first + second[0], "b": one - 2.0 * two, "c": pair[0] + np.array([height, 1.0])[0],
            "d": np.sum(pair[1:][0])}
""",
    "potential as a helper": """
def compute_potential(height, cube_pos):
    return height - np.linalg.norm(cube_pos)

def compute_reward(height, prev_height, cube_pos, prev_cube_pos):
    after = compute_potential(height, cube_pos)
    return {"a": after - compute_potential(prev_height, prev_cube_pos)}
""",
    "one branch returns": """
def compute_reward(height, tcp_pos):
    d = height * 2.0
    b = height > 0
    if height > 0.1:
        d = tcp_pos
        b = 2.0
        return {"a": np.sum(d) * b}
    else:
        y = d
    return {"a": d + y if b else y}
""",
    "rotations": """
from reward_synth.rotation import quat_from_axis_angle as turn, quat_to_axis_angle
from reward_synth.rotation import quat_rotate

def compute_reward(tcp_pos, cube_pos, height, action):
    q = turn(tcp_pos, height)
    axis, angle = quat_to_axis_angle(action)
    return {"a": quat_rotate(q, cube_pos)[1], "b": axis[0] * angle,
            "c": np.linalg.norm(quat_rotate(action, tcp_pos)) - np.linalg.norm(tcp_pos)}
""",
    "helpers of helpers": """
def square(x):
    return x * x

def length(v):
    total = 0.0
    for x in v:
        total += square(x)
    return math.sqrt(total)

def compute_reward(tcp_pos, cube_pos):
    def gap():
        return length(tcp_pos - cube_pos)
    return {"a": gap() if gap() > square(1.0) else -gap()}
""",
}


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_mean_what_python_says(source: str) -> None:
    """Helpers, constants, tuples and loops have Python's scoping and order."""
    agree(HEAD + source)


REFUSED = {
    "recursion": (
        "def f(x):\n    return f(x - 1)\n",
        "return {'a': f(height)}",
        "recursion",
        "range",
    ),
    "recursion of two": (
        "def f(x):\n    return g(x)\ndef g(x):\n    return f(x)\n",
        "return {'a': f(height)}",
        "recursion",
        "range",
    ),
    "helper never called": (
        "def f(x):\n    return x\n",
        "return {'a': height}",
        "unreachable",
        "Drop",
    ),
    "inner helper never called": (
        "",
        "def f():\n        return 1.0\n    return {'a': height}",
        "unreachable",
        "Drop",
    ),
    "other shapes returned": (
        "def f(x):\n    if x > 0:\n        return x, x\n    return x\n",
        "return {'a': f(height)}",
        "shape-mismatch",
        "same shapes",
    ),
    "open end": (
        "def f(x):\n    if x > 0:\n        return x\n",
        "return {'a': f(height)}",
        "missing-return",
        "every path",
    ),
    "too many arguments": (
        "def f(x):\n    return x\n",
        "return {'a': f(height, 1.0)}",
        "wrong-arguments",
        "f(x)",
    ),
    "unknown keyword": (
        "def f(margin):\n    return margin\n",
        "return {'a': f(margni=1.0)}",
        "wrong-arguments",
        "f(margin)",
    ),
    "starred parameters": (
        "def f(*x):\n    return 1.0\n",
        "return {'a': f(height)}",
        "forbidden",
        "Name each",
    ),
    "default from data": (
        "",
        "def f(x=height):\n        return x\n    return {'a': f()}",
        "forbidden",
        "number",
    ),
    "constant set later": (
        "SCALE = 2.0\n",
        "y = SCALE * height\n    SCALE = y\n    return {'a': SCALE}",
        "unknown-name",
        "another name",
    ),
    "constant from data": ("X = open('f')\n", "return {'a': X}", "forbidden-call", ""),
    "constant twice": (
        "X = 1.0\nX = 2.0\n",
        "return {'a': X}",
        "forbidden",
        "own name",
    ),
    "tuple in sums": (
        "",
        "t = (height, 1.0)\n    return {'a': np.sum(t + t)}",
        "forbidden",
        "np.array",
    ),
    "tuples joined": (
        "",
        "if height > 0:\n        t = (1.0, 2.0)\n    else:\n        t = (2.0, 1.0)\n"
        "    return {'a': t[0]}",
        "maybe-unset",
        "",
    ),
    "method of a number": (
        "",
        "return {'a': height.clip(0, 1)}",
        "forbidden-attribute",
        "np.clip",
    ),
    "unknown method": ("", "return {'a': action.sort()}", "forbidden-attribute", "sum"),
    "keepdims": (
        "",
        "return {'a': np.sum(action, keepdims=True)[0]}",
        "forbidden-keyword",
        "None",
    ),
    "no such axis": (
        "",
        "return {'a': np.sum(action, axis=1)}",
        "out-of-range",
        "axes",
    ),
    "largest of tests": (
        "",
        "return {'a': 1.0 * np.max(action > 0)}",
        "bool-arithmetic",
        "any",
    ),
    "vector in math": ("", "return {'a': math.exp(action)}", "shape-mismatch", "np"),
    "unknown rotation": (
        "from reward_synth.rotation import quat_rotat\n",
        "return {'a': height}",
        "forbidden-import",
        "quat_rotate",
    ),
    "module of ours": (
        "from reward_synth import rotation\n",
        "return {'a': height}",
        "forbidden-import",
        "rotation",
    ),
    "while": ("", "while height > 0:\n        pass", "forbidden", "for i in range"),
    "comprehension": ("", "v = [x for x in action if x > 0]", "forbidden", "loop"),
    "lambda": ("", "f = (lambda x: x)(1.0)", "forbidden-call", "documented"),
    "helper as a value": (
        "def f(x):\n    return x\n",
        "g = f\n    return {'a': g(height)}",
        "forbidden",
        "Call",
    ),
    "argument changed": (
        "def f(v):\n    v += 1.0\n    return v\n",
        "return {'a': f(action)[0]}",
        "forbidden",
        "v = v + 1.0",
    ),
    "components in a helper": (
        "def f(x):\n    return {'b': x}\n",
        "return {'a': f(height)}",
        "wrong-return",
        "tuple",
    ),
    "module as a parameter": (
        "def f(np):\n    return np.sum(1.0)\n",
        "return {'a': f(height)}",
        "forbidden",
        "another name",
    ),
    "default of a broken constant": (
        "X = nothing\ndef f(x=X):\n    return x\n",
        "return {'a': f()}",
        "unknown-name",
        "",
    ),
    "rotation not imported": (
        "",
        "return {'a': quat_angle(action, action)}",
        "forbidden-call",
        "from reward_synth.rotation import quat_angle",
    ),
    "rounding": ("", "return {'a': round(height)}", "forbidden-call", "np.floor"),
    "float32": ("", "return {'a': np.float32(height)}", "forbidden-call", "float64"),
    "steps of zero": ("", "return {'a': np.sum(action[::0])}", "out-of-range", ""),
}


def refused(top: str, body: str) -> Finding:
    source = f"{top}def compute_reward(height, action):\n    {body}\n"
    parsed = parse(source, TASK)
    assert parsed.ir is None, f"accepted: {source}"
    return parsed.findings[0]


@pytest.mark.parametrize(("top", "body", "code", "fix"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_what_to_write(
    top: str, body: str, code: str, fix: str
) -> None:
    """What is outside gives a code, a line, and the nearest thing that is inside."""
    finding = refused(top, body)
    assert (finding.code, finding.severity) == (code, "error"), str(finding)
    assert finding.line is not None
    assert fix in finding.fix, str(finding)


def test_a_problem_in_a_helper_names_the_call() -> None:
    """The line is the helper's; the message says from where it was called; told once."""
    source = (
        "def f(v):\n    return v[5]\n\n"
        "def compute_reward(action):\n    a = f(action)\n    return {'a': a + f(action)}"
    )
    (finding,) = parse(source, TASK).findings
    assert (finding.code, finding.line) == ("out-of-range", 2)
    assert "called in line 5" in finding.message


def test_calls_that_double_end_at_the_budget() -> None:
    """f30 calls f29 twice, and so on: 2**30 calls are refused after the budget's 6,000."""
    steps = "".join(
        f"def f{n}(x):\n    return f{n - 1}(x) + f{n - 1}(x)\n" for n in range(1, 15)
    )
    source = f"def f0(x):\n    return x\n{steps}"
    finding = refused(source, "return {'a': f14(height)}")
    assert finding.code == "too-long"


def test_deep_early_returns_are_findings_not_crashes() -> None:
    """A thousand early returns in a loop are refused or taken, never a crash."""
    source = (
        "def f(x):\n    for i in range(1000):\n        if x > i:\n            return x\n"
        "    return 0.0\ndef compute_reward(height):\n    return {'a': f(height)}"
    )
    assert parse(source, TASK).findings


def doubled(rounds: int) -> str:
    """A helper in which each round's rest is copied: about 2**rounds times 17 steps."""
    return (
        "def f(x):\n    t = 0.0\n"
        f"    for i in range({rounds}):\n"
        "        if x > i:\n"
        "            if x < 2 * i:\n"
        "                return t\n"
        "        t += x\n"
        "    return t\n"
    )


def test_what_an_early_return_copies_is_named() -> None:
    """Beyond the budget the message names the if; within it the meaning is Python's."""
    finding = refused(doubled(20), "return {'a': f(height)}")
    assert finding.code == "too-long"
    assert "In f(), called in line" in finding.message
    assert "The if in line 4 returns on some of its paths only" in finding.message
    assert "return once at the end" in finding.fix
    assert parse(
        f"{doubled(4)}def compute_reward(height):\n    return {{'a': f(height)}}", TASK
    ).ir


def test_a_long_loop_is_not_blamed_on_its_early_return() -> None:
    """A return that ends its branch copies nothing, so the usual advice stands."""
    top = (
        "def f(x):\n    for i in range(2000):\n        if x > i:\n"
        "            return 1.0 * i\n    return 0.0\n"
    )
    finding = refused(top, "return {'a': f(height)}")
    assert finding.code == "too-long"
    assert "returns on some" not in finding.message


@pytest.mark.parametrize(("count", "taken"), [(20, True), (50, False)])
def test_products_of_matrices_are_charged_by_their_sums(
    count: int, taken: bool
) -> None:
    """4 x 4 times 4 x 4 is 16 sums of 4 products: 112 operations, and 32 for the names.

    20 of them are below the budget's 6,000, and 50 are above it.
    """
    source = (
        "import numpy as np\n\ndef compute_reward(action):\n"
        f"    m = np.outer(action, action)\n    for i in range({count}):\n"
        "        m = m @ m\n    return {'a': np.sum(m)}"
    )
    assert (parse(source, TASK).ir is not None) == taken


def test_a_constant_with_parts_stays_small() -> None:
    """Constants are computed when read, so doubling one forty times costs forty lines."""
    lines = "".join(f"C{n} = C{n - 1} + C{n - 1}\n" for n in range(1, 25))
    source = (
        f"import numpy as np\nC0 = np.array([1.0, 2.0])\n{lines}"
        "def compute_reward(height):\n    return {'a': height * C24[1]}"
    )
    function = function_of(source)
    values = {"height": np.asarray(1.0)}
    assert evaluate(function, values) == {"a": 2.0 * 2**24}
