"""Finding the program in whatever models answer."""

from __future__ import annotations

import json
import random
import time

import pytest

from reward_synth.llm import extract_code

BODY = "def compute_reward(x):\n    return {'x': x}"
CODE = BODY + "\n"
OTHER = "def compute_reward(x):\n    return {'y': 2.0 * x}"
PHI = "def compute_potential(x):\n    return -x"
DOCUMENTED = (
    'def compute_reward(x):\n    """Reach.\n\nThen hold.\n    """\n    return x'
)
IMPORTED = f"import numpy as np\n\n\n{BODY}"


def fence(code: str, lang: str = "python") -> str:
    return f"```{lang}\n{code}\n```"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (fence(BODY), CODE),
        (fence(BODY, ""), CODE),
        (fence(BODY, "py"), CODE),
        (fence(BODY, " python"), CODE),
        (fence(BODY, "python title=reward.py"), CODE),
        (fence(BODY, "{python}"), CODE),
        (fence(BODY).replace("```", "````"), CODE),
        (fence(BODY).replace("```", "~~~"), CODE),
        (f"Here it is: {fence(BODY)}", CODE),
        (f"```python\n{BODY}```", CODE),
        (f"Sure.\n\n{fence(BODY)}\n\nThis rewards x.", CODE),
        ("- so:\n" + "\n".join("  " + li for li in fence(BODY).split("\n")), CODE),
        (fence(BODY).replace("\n", "\r\n"), CODE),
        ("\ufeff" + fence("\ufeff" + BODY), CODE),
        (fence(BODY.replace(" ", "\u00a0")), CODE),
        (fence(BODY + "   \n\n\n"), CODE),
        (fence(IMPORTED), IMPORTED + "\n"),
    ],
)
def test_one_fenced_block(answer: str, expected: str) -> None:
    """A fence of any usual form gives its content, dedented, with plain line ends."""
    assert extract_code(answer).code == expected
    assert extract_code(answer).reason == ""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (f"{fence(OTHER)}\nBetter:\n{fence(BODY)}", CODE),
        (f"{fence(BODY)}\nCall it:\n{fence('compute_reward(3)')}", CODE),
        (f"{fence(BODY)}\nand\n{fence(PHI)}", CODE),
        (f"{fence('x = 1')}\nand\n{fence(PHI)}", PHI + "\n"),
        (f"{fence(BODY)}\nAgain:\n```python\ndef compute_reward(x):\n    re", CODE),
        (f"{fence('pip install numpy', 'bash')}\n{BODY}\n", CODE),
    ],
    ids=["last", "not the call", "reward first", "potential", "whole", "raw behind"],
)
def test_several_blocks(answer: str, expected: str) -> None:
    """The last whole block with compute_reward counts, else with compute_potential."""
    assert extract_code(answer).code == expected


@pytest.mark.parametrize(
    "answer",
    [
        f"<think>Maybe {fence(OTHER)}?</think>\n{fence(BODY)}",
        f"Maybe\n{fence(OTHER)}\n</think>\n{fence(BODY)}",
        f"<Thinking>{OTHER}</Thinking>{fence(BODY)}<think>Now {fence(OTHER)}",
        f"{fence(BODY)}\n<reasoning>\n{fence(OTHER)}",
    ],
    ids=["closed", "opened by the prompt", "two", "unclosed"],
)
def test_thoughts_are_no_answer(answer: str) -> None:
    """Code within a thinking part is never taken."""
    assert extract_code(answer).code == CODE


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"code": BODY}),
        json.dumps({"reasoning": "define x: def is short", "program": BODY}),
        json.dumps({"answer": {"reward": BODY}}),
        json.dumps([{"code": BODY}]),
        fence(json.dumps({"code": BODY}), "json"),
        json.dumps({"code": fence(BODY)}),
        "Here {you} are: " + json.dumps({"code": BODY}) + " Done.",
        '{"code": "' + BODY + '"}',
    ],
)
def test_code_in_json(answer: str) -> None:
    """A JSON object that holds the program as a string is unpacked."""
    assert extract_code(answer).code == CODE


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (BODY, CODE),
        (f"Sure, here it is:\n\n{BODY}\n\nThis rewards x.", CODE),
        (f"Sure:\n{IMPORTED}\n\nNote: x is in metres.\n- one\n", IMPORTED + "\n"),
        (f"W = 2.0\n{BODY}", CODE),
        (
            f"import math\nSCALE = 2.0\n# weights\n\n{BODY}\nHope this helps!",
            f"import math\nSCALE = 2.0\n# weights\n\n{CODE}",
        ),
        (f"{OTHER}\n\nBetter is this:\n\n{BODY}", CODE),
        (DOCUMENTED, DOCUMENTED + "\n"),
    ],
)
def test_bare_code(answer: str, expected: str) -> None:
    """Without a fence the code begins at import or def and ends before prose."""
    assert extract_code(answer).code == expected
    assert extract_code(answer).reason == ""


@pytest.mark.parametrize("cut", [25, 30, 40])
def test_a_truncated_block_is_given_so_far(cut: int) -> None:
    """An answer that ends within its block gives the code up to there, and says so."""
    got = extract_code("Here:\n```python\n" + BODY[:cut])
    assert got.reason == "truncated"
    assert got.code is not None
    assert got.code.rstrip("\n") == BODY[:cut].rstrip()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("I cannot do that.", "holds no code"),
        ("<think>Let me see. " + fence(BODY), "within its thoughts"),
        (fence("def reward(x):\n    return x"), "defines reward, but neither"),
        (fence("def compute_rewards(x):\n    return x"), "compute_rewards"),
        ("def helper(x):\n    return x\n", "defines helper"),
        ("```python\nimport numpy as np\n", "ends before compute_reward"),
        (json.dumps({"code": "no"}), "holds no code"),
        ("x" * 1_000_001, "1000001 characters"),
    ],
)
def test_no_program(answer: str, says: str) -> None:
    """Where there is no program, a sentence tells the model what to do."""
    got = extract_code(answer)
    assert got.code is None
    assert says in got.reason
    assert got.reason.endswith(".")


@pytest.mark.parametrize(
    "unit",
    [
        *("`", "```", "```\n", "~", "~~~ ", "{", '{"', '{"a":', "[", "<think>"),
        *("</think>", "<think>\n```py\n", "def ", "def compute_reward(", '"""', " "),
        *("\n", "\t\n", "import a\n", "a = ", "a:", "from a.", "\r", "(", "\\"),
        *('{"code": {', "<", "def compute_reward(x):\n", "_" * 81 + ":"),
    ],
    ids=repr,
)
def test_no_answer_takes_long(unit: str) -> None:
    """A million characters of anything repeated are read in linear time.

    0.3 s here; an algorithm of quadratic time would need hours.
    """
    answer = (unit * (1_000_000 // len(unit) + 1))[:1_000_000]
    began = time.process_time()
    extract_code(answer)
    assert time.process_time() - began < 5.0


def test_random_pieces_never_raise() -> None:
    """Any mixture of the pieces that answers are made of gives a result.

    What is returned as code always defines one of the two entry points.
    """
    rng = random.Random(20)
    pieces = ["```", "python\n", "\n", BODY, PHI, "{", "}", '"code": ', '"', "<think>"]
    pieces += [
        "</think>",
        "prose ",
        "\ufeff",
        "\r\n",
        "~~~",
        "  ",
        "\\",
        "\ud800",
        "'''",
    ]
    for _ in range(5_000):
        answer = "".join(rng.choices(pieces, k=rng.randrange(12)))
        code = extract_code(answer).code
        assert code is None or "def compute_" in code
