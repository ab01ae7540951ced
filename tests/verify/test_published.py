"""Published rewards do what their code does, gaps included; figures as it printed them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reward_synth.errors import UsageError
from reward_synth.verify import Tools, from_bfcl, verify
from reward_synth.verify.compat import (
    Turn,
    bfcl_calls,
    bfcl_turns,
    ftrl_step,
    igpo_advantages,
    igpo_outcome,
    reseek,
    tau_bench,
    tau_hash,
)


@pytest.mark.parametrize(
    ("calls", "unsolved", "score"),
    [
        ([("pop", "2100000")], {"pop": ["2100000"]}, 1.0),
        ([("pop", "unexpected argument 'x2100000'")], {"pop": ["2100000"]}, 1.0),
        ([("f", "garbage")], {"f": [""]}, 1.0),
        ([("f", "1")] + [("f", "no")] * 4, {"f": ["1"]}, 2 / 6),
        ([("f", "15")], {"f": ["5"]}, 1.0),
        ([("f", "1"), ("f", "1")], {"f": ["1"]}, 2 / 3),
        ([("f", {"a": "1, 2"})], {"f": ["1, 2"]}, 1.0),
    ],
    ids=["honest", "echo", "empty", "shotgun", "within", "consumed", "pieces"],
)
def test_ftrl_rewards_executed_calls(calls: Any, unsolved: Any, score: float) -> None:
    """2q/(n+1), with q found as substrings: an error's echo solves as well."""
    before = {key: list(value) for key, value in unsolved.items()}
    assert ftrl_step(calls, unsolved) == pytest.approx(score)
    assert unsolved == before


@pytest.mark.parametrize(
    ("variant", "score"),
    [("f1", 4 / 4), ("pr", 4 / 3), ("precision", 2 / 3), ("rate", 2)],
)
def test_ftrl_s_four_variants(variant: Any, score: float) -> None:
    """Three calls of which two solve: 2q/(n+1), q²/n, q/n, q."""
    calls = [("f", "1"), ("f", "2"), ("g", "9")]
    assert ftrl_step(calls, {"f": ["1", "2"]}, variant=variant) == pytest.approx(score)


@pytest.mark.parametrize(
    ("content", "answer", "rate", "score"),
    [
        ("", "x", 0.0, -0.5),
        ("<tool_call>", "x", 0.0, -0.3),
        ("It is 1,000.", "1000", 0.5, 1 / 3),
        ("anything", "x", 1.0, 0.5),
        ("anything", "x", 0.9, 0.0),
    ],
)
def test_ftrl_without_a_call(
    content: str, answer: str, rate: float, score: float
) -> None:
    """Two answers are unsolved; with all solved any text earns 0.5."""
    found = ftrl_step(
        [], {"f": ["1", "2"]}, content=content, answer=answer, solve_rate=rate
    )
    assert found == pytest.approx(score)


def tool(**types: Any) -> dict[str, Any]:
    properties = {
        name: kind if isinstance(kind, dict) else {"type": kind}
        for name, kind in types.items()
    }
    schema = {"type": "dict", "properties": properties, "required": list(types)}
    return {"name": "f", "parameters": schema}


FLOATS = {"type": "array", "items": {"type": "float"}}
OBJECTS = {"type": "array", "items": {"type": "dict"}}


@pytest.mark.parametrize(
    ("kind", "given", "accepted", "error"),
    [
        ("string", "-5", "5", ""),
        ("string", "1.5", "15", ""),
        ("string", "/etc/passwd", "etcpasswd", ""),
        ("string", "b", "a", "value_error:string"),
        ("integer", 1, 1, ""),
        ("integer", True, 1, "type_error:simple"),
        ("integer", "1", 1, "type_error:simple"),
        ("float", 1, 1.0, ""),
        ("integer", 2, 1, "value_error:others"),
        (FLOATS, [1, 2], [1.0, 2.0], "type_error:nested"),
        (FLOATS, [1.0, 2.0], [1.0, 2.0], ""),
        (FLOATS, [2.0, 1.0], [1.0, 2.0], "value_error:list"),
        ("dict", {"a": True}, {"a": [1]}, ""),
        ("dict", {"b": 1}, {"a": [1]}, "value_error:dict_key"),
        ("dict", {"a": 2}, {"a": [1]}, "value_error:dict_value"),
        ("dict", {}, {"a": [1, ""]}, ""),
        (OBJECTS, [{"a": 1}], [{"a": [1]}], ""),
        (OBJECTS, [], [{"a": [1]}], "value_error:list_dict_count"),
    ],
    ids=str,
)
def test_bfcl_s_values(kind: Any, given: Any, accepted: Any, error: str) -> None:
    """Signs and points of texts are dropped, integers are no floats within lists, and
    True is 1 within objects."""
    calls, gold = [{"f": {"a": given}}], [{"f": {"a": [accepted]}}]
    assert bfcl_calls(calls, gold, [tool(a=kind)]) == (not error, error)


def test_bfcl_s_names_and_counts() -> None:
    """Other functions in the same object are passed over; optional ones may be missing."""
    gold: Any = [{"f": {"a": [1], "b": ["", 2]}}]
    schema = tool(a="integer", b="integer")
    schema["parameters"]["required"] = ["a"]
    tools = [schema]
    assert bfcl_calls([{"f": {"a": 1}, "rm_rf": {}}], gold, tools) == (True, "")
    assert bfcl_calls([], gold, tools)[1] == "wrong_count"
    assert bfcl_calls([{"g": {}}], gold, tools)[1] == "wrong_func_name"
    assert bfcl_calls([{"f": {}}], gold, tools)[1] == "missing_required"
    assert bfcl_calls([{"f": {"a": 1, "c": 1}}], gold, tools)[1] == "unexpected_param"
    with pytest.raises(UsageError, match="named 'f'"):
        bfcl_calls([{"f": {}}], gold, [])


def test_bfcl_s_parallel_calls_are_matched_greedily() -> None:
    """{1 or 2} takes the 1 that {1} needs: valid calls are refused there, and not by the
    repaired twin."""
    calls = [{"f": {"x": 1}}, {"f": {"x": 2}}]
    gold = [{"f": {"x": [1, 2]}}, {"f": {"x": [1]}}]
    tools = [tool(x="integer")]
    assert bfcl_calls(calls, gold, tools, "parallel") == (False, "cannot_find_match")
    assert bfcl_calls(calls[::-1], gold, tools, "parallel") == (True, "")
    assert verify(calls, from_bfcl(gold), tools=Tools(tools)).score == 1.0


@pytest.mark.parametrize(("given", "accepted"), [("-5", "5"), ("/a", "a")])
def test_bfcl_s_repaired_twin_compares_whole_texts(given: str, accepted: str) -> None:
    """What BFCL takes for equal is not."""
    gold = [{"f": {"a": [accepted]}}]
    assert bfcl_calls([{"f": {"a": given}}], gold, [tool(a="string")])[0]
    assert not verify([{"f": {"a": given}}], from_bfcl(gold)).success


@pytest.mark.parametrize(
    ("turns", "error"),
    [
        ([Turn({"n": 1}, {"n": 1}, ["a", "b"], ["a"])], ""),
        ([Turn({"n": 1}, {"n": 1}, ["a"], []), Turn({}, {}, ["b"], ["a"])], ""),
        ([Turn({"n": 1}, {"n": 1}, [], ["a"])], "empty_turn_model_response"),
        ([Turn({"n": 2}, {"n": 1}, ["a"], ["a"])], "instance_state_mismatch"),
        ([Turn({"n": True}, {"n": 1}, ["a"], ["a"])], ""),
        ([Turn({}, {}, ["a"], ["a", "a"])], "execution_response_mismatch"),
    ],
)
def test_bfcl_s_turns(turns: list[Turn], error: str) -> None:
    """States by ``==`` after each turn; results among all that came so far."""
    assert bfcl_turns(turns) == (not error, error)


@pytest.mark.parametrize(
    ("state", "gold", "said", "outputs", "score"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, [], [], 1.0),
        ({"a": 1}, {"a": 1.0}, [], [], 0.0),
        ({"a": 1}, {"a": 1}, ["It is 15."], ["5"], 1.0),
        ({"a": 1}, {"a": 1}, ["It is 1,500"], ["1500"], 1.0),
        ({"a": 1}, {"a": 1}, ["No."], ["5"], 0.0),
        ({"a": {2, 1}}, {"a": {1, 2}}, [], [], 1.0),
    ],
)
def test_tau_bench(
    state: Any, gold: Any, said: Any, outputs: Any, score: float
) -> None:
    """A digest of the state, and outputs as parts of what was said."""
    assert tau_bench(state, gold, said, outputs) == score


def test_tau_bench_s_digest_is_of_the_text() -> None:
    """By hand: sha256 of ``(('a', 1),)``."""
    from hashlib import sha256

    assert tau_hash({"a": 1}) == sha256(b"(('a', 1),)").hexdigest()


@pytest.mark.parametrize(
    ("response", "gold", "score"),
    [
        ("<answer>Paris Paris Paris</answer>", "Paris", 1.0),
        ("<answer>Rome, Oslo, Bern, Paris</answer>", "Paris", 0.4),
        ("<answer>Rome</answer><answer>Paris</answer>", "Paris", 0.0),
        ("<answer>Paris", "Paris", -2.0),
        ("Paris", "Paris", -2.0),
        ("<answer>Lutetia</answer>", "Paris<|answer_split|>Lutetia", 1.0),
    ],
)
def test_igpo_s_outcome(response: str, gold: str, score: float) -> None:
    """Words as sets: four cities of which one is right earn 2·¼·1/(¼+1) = 0.4."""
    assert igpo_outcome(response, gold) == pytest.approx(score)


def test_igpo_s_advantages_in_both_forms() -> None:
    """Paper: all rewards of the group are centred and scaled, then summed to the end. By
    hand for 0, 2 | 0, 0: mean ½, deviation √¾. Code: sums first, less the group's mean."""
    paper = igpo_advantages([[0.0, 2.0], [0.0, 0.0]])
    scale = np.sqrt(0.75)
    np.testing.assert_allclose(paper[0], [1.0 / scale, 1.5 / scale])
    np.testing.assert_allclose(paper[1], [-1.0 / scale, -0.5 / scale])
    code = igpo_advantages([[0.0, 2.0], [0.0]], form="code")
    np.testing.assert_allclose(code[0], [1.0, 0.0])
    np.testing.assert_allclose(code[1], [-1.0])
    with pytest.raises(UsageError, match="one turn"):
        igpo_advantages([[]])


def test_reseek_pays_for_made_up_pairs() -> None:
    """A hundred at 0.3 each are worth thirty right answers."""
    made_up = "<information>x</information><judge>No</judge>" * 100
    assert reseek(made_up, "gold") == pytest.approx(30.0)
    assert reseek("<answer>gold</answer>", "gold") == 1.0
    assert reseek("<answer>gold</answer>" * 11, "gold") == 0.25


@pytest.mark.parametrize(
    ("judge", "answer", "similar", "score"),
    [
        ("Yes", "gold", True, 1.1),
        ("Yes", "no", True, -0.025),
        ("Yes", "no", False, -0.05),
        ("No", "no", True, -0.05),
        ("No", "gold", False, 1.02),
    ],
)
def test_reseek_with_a_reranker(
    judge: str, answer: str, similar: bool, score: float
) -> None:
    """Each line of its table, with the answer's own point."""
    text = (
        f"<information>x</information><judge>{judge}</judge><answer>{answer}</answer>"
    )
    found = reseek(text, "gold", "rerank", lambda gold, found: similar)
    assert found == pytest.approx(score)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ftrl_step([("f", "")], {}, variant="f2"),  # type: ignore[arg-type]
        lambda: bfcl_calls([], [], [], "serial"),  # type: ignore[arg-type]
        lambda: reseek("", "", "rerank"),
        lambda: reseek("", "", "s5"),  # type: ignore[arg-type]
        lambda: igpo_advantages([[1.0]], form="poster"),  # type: ignore[arg-type]
    ],
)
def test_unknown_settings_are_named(call: Any) -> None:
    """What is not there raises, and is not replaced."""
    with pytest.raises(UsageError):
        call()
