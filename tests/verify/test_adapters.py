"""One verifier in five frameworks: nothing but usable numbers comes out."""

from __future__ import annotations

import asyncio
import inspect
import json
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from reward_synth.errors import UsageError
from reward_synth.verify import GoldError, ToolCallVerifier, VerifyResult
from reward_synth.verify.adapters import (
    GradedToolCalls,
    Guarded,
    NoScoreError,
    ToolCallGroupReward,
    ToolCallReward,
    ToolCallRewardV0,
    ToolCallRewardV1,
    ToolCallRubric,
    Verifier,
    compute_score,
    compute_score_batch,
)
from reward_synth.verify.adapters.trl import tool_call_reward_async
from reward_synth.verify.audit import Writer, built_in, corpus
from reward_synth.verify.verifier import failed

GOLD = [{"name": "f", "arguments": {"a": 1}}]
TEXT = json.dumps(GOLD)
RIGHT, WRONG, NOTHING = "f(a=1)", "g()", "No."
SCHEMA = {
    "name": "f",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
    },
}


def trl(answer: Any, gold: Any, verifier: Verifier | None = None) -> Any:
    return ToolCallReward(verifier=verifier)(completions=[answer], answer=[gold])[0]


def v0(answer: Any, gold: Any, verifier: Verifier | None = None) -> Any:
    return ToolCallRewardV0(verifier=verifier)(answer, gold)


def group(answer: Any, gold: Any, verifier: Verifier | None = None) -> Any:
    return ToolCallGroupReward(verifier=verifier)([answer], [gold])[0]


def trace_of(answer: Any) -> Any:
    messages = answer if isinstance(answer, list) else [{"content": answer}]
    own = [m for m in messages if m.get("role", "assistant") == "assistant"]
    return SimpleNamespace(assistant_messages=own)


def v1(answer: Any, gold: Any, verifier: Verifier | None = None) -> Any:
    reward = ToolCallRewardV1(verifier=verifier)
    return asyncio.run(reward(SimpleNamespace(answer=gold), trace_of(answer)))


def openenv(answer: Any, gold: Any, verifier: Verifier | None = None) -> Any:
    rubric = ToolCallRubric(verifier=verifier, low=-1.0)
    return rubric(answer, {"expected": gold})


class Ask:
    """An environment that asks for gold, and pays nothing."""

    def __init__(self, gold: Any) -> None:
        self.gold = gold
        self.spec = "of the environment"

    def reset(self, **options: Any) -> Any:
        return "Please.", {"expected": self.gold}

    def step(self, action: Any) -> Any:
        return "Done.", 0.0, True, False, {}


def gymnasium(answer: Any, gold: Any, verifier: Verifier | None = None) -> Any:
    env = GradedToolCalls(Ask(gold), verifier=verifier)
    env.reset(seed=1)
    return env.step(answer)[1]


def verl(answer: Any, gold: Any, verifier: Verifier | None = None) -> Any:
    if verifier is not None:
        pytest.skip("verl's function takes settings, no verifier")
    return compute_score("tools", answer, gold)["score"]


ALL: dict[str, Callable[..., Any]] = {
    item.__name__: item for item in (trl, v0, group, v1, openenv, gymnasium, verl)
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("gold", [GOLD, TEXT], ids=["calls", "text"])
def test_every_framework_gets_the_same_score(name: str, gold: Any) -> None:
    """Right is 1, nothing 0 and a stranger -0.5, whoever asks."""
    scores = [ALL[name](answer, gold) for answer in (RIGHT, NOTHING, WRONG)]
    # A stranger: G = P = U = 1 and S = 0, but f is missing too: -λ · 1/2.
    assert scores == [1.0, 0.0, -0.25]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("gold", [[], "[]"], ids=["calls", "text"])
def test_where_no_call_is_expected_abstaining_is_right(name: str, gold: Any) -> None:
    """An empty list is gold like any other: silence 1, a call -1/2."""
    assert [ALL[name](answer, gold) for answer in (NOTHING, WRONG)] == [1.0, -0.5]


def broken(kind: Any) -> Verifier:
    def verify(output: Any, expected: Any) -> VerifyResult:
        if isinstance(kind, type):
            raise kind("down")
        if isinstance(kind, str):
            return failed(kind, kind, "down", 0.7)  # type: ignore[arg-type]
        return VerifyResult(kind, {"format": math.nan})

    return verify


FAULTS = [
    *(math.nan, math.inf, -math.inf, 1e40),
    *("infra_error", "timeout", "not_applicable"),
    *(ValueError, TimeoutError, RecursionError),
]


@pytest.mark.parametrize("kind", FAULTS, ids=str)
@pytest.mark.parametrize("name", [name for name in ALL if name != "verl"])
def test_a_verifier_s_fault_is_never_a_number_that_spoils(name: str, kind: Any) -> None:
    """NaN, infinities, 1e40, exceptions and outages become the framework's own sign for
    no score: None in TRL, an exception in verifiers v1, the fallback elsewhere."""
    if name == "v1":
        with pytest.raises(NoScoreError):
            v1(RIGHT, GOLD, broken(kind))
        return
    assert ALL[name](RIGHT, GOLD, broken(kind)) == (None if name == "trl" else 0.0)


def test_a_score_below_the_least_is_the_least() -> None:
    """OpenEnv's scores begin at 0: a stranger gets no less."""
    assert ToolCallRubric()(WRONG, {"metadata": {"expected": GOLD}}) == 0.0


def keys_of(answer: Any, **settings: Any) -> tuple[str, ...]:
    return tuple(compute_score("t", answer, TEXT, None, **settings))


def test_verl_gets_the_same_keys_on_every_path() -> None:
    """Right, wrong, silent, unreadable, too long: the columns are the same, and of one
    kind each."""
    answers = [RIGHT, WRONG, NOTHING, "", "<tool_call>", "x" * 300_000]
    rows = compute_score_batch(["t"] * 6, answers, [TEXT] * 6)
    assert len({tuple(row) for row in rows}) == 1
    assert len({tuple(type(v) for v in row.values()) for row in rows}) == 1
    assert {row["status"] for row in rows} == {"ok", "invalid_output"}


def test_verl_s_settings_come_as_plain_data() -> None:
    """reward_kwargs set the policy, extra_info brings schemas."""
    loose = {"penalty": 1.0}
    assert compute_score("t", WRONG, TEXT, policy=loose)["score"] == -0.5
    bad = compute_score("t", 'f(a="1")', TEXT, {"tools": [SCHEMA]})
    assert bad["error_type"] == "schema"
    text = compute_score("t", 'f(a="1")', TEXT, {"tools": json.dumps([SCHEMA])})
    assert text == bad


def test_trl_s_function_travels() -> None:
    """It has a name, can be pickled after use, and is called from threads."""
    reward = ToolCallReward(verifier=ToolCallVerifier([SCHEMA]), name="mine")
    assert reward(completions=[RIGHT], answer=[GOLD]) == [1.0]
    again = pickle.loads(pickle.dumps(reward))
    assert again.__name__ == "mine"
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(again, [RIGHT], answer=[GOLD]) for _ in range(20)]
        assert [call.result() for call in calls] == [[1.0]] * 20


def test_trl_s_asynchronous_twin_is_a_coroutine_function() -> None:
    """TRL looks for `async def`; the rewards are the same."""
    assert inspect.iscoroutinefunction(tool_call_reward_async)
    found = asyncio.run(tool_call_reward_async([RIGHT, WRONG], answer=[GOLD, GOLD]))
    assert found == [1.0, -0.25]


def test_trl_s_log_gets_means() -> None:
    """Of two answers, one right: half succeed."""
    told: dict[str, float] = {}
    reward = ToolCallReward()
    reward([RIGHT, WRONG], log_metric=told.__setitem__, answer=[GOLD, GOLD])
    assert told["tool_calls/success"] == 0.5
    assert told["tool_calls/no_score"] == 0.0


def test_a_trajectory_of_messages_is_read() -> None:
    """TRL gives whole conversations: the model's calls count, the tool's words do not."""
    talk = [
        {
            "role": "assistant",
            "tool_calls": [{"type": "function", "function": GOLD[0]}],
        },
        {"role": "tool", "name": "f", "content": "f(a=1)"},
        {"role": "assistant", "content": "Done."},
    ]
    assert trl(talk, GOLD) == v0(talk, GOLD) == v1(talk, GOLD) == 1.0


def test_verifiers_v0_tells_groups_by_names() -> None:
    """A parameter called answers or completions makes a group; the other has neither."""
    plural = {"states", "prompts", "completions", "answers", "tasks", "infos"}
    one = set(inspect.signature(ToolCallRewardV0()).parameters)
    many = set(inspect.signature(ToolCallGroupReward()).parameters)
    assert not one & plural
    assert many <= plural
    info = {"calls": GOLD}
    assert ToolCallRewardV0("calls")(RIGHT, "", info) == 1.0
    assert ToolCallGroupReward("calls")([RIGHT], [""], [info]) == [1.0]


def test_verifiers_v1_records_metrics() -> None:
    """Each component becomes a metric of the trace, also where the answer is wrong."""
    told: dict[str, float] = {}
    trace = trace_of(WRONG)
    trace.record_metric = told.__setitem__
    asyncio.run(ToolCallRewardV1()(SimpleNamespace(answer=GOLD), trace))
    assert told["tool_calls/superfluous"] == 1.0
    assert all(isinstance(value, float) for value in told.values())


class Base:
    """What OpenEnv's Rubric does: it calls ``forward``, and tells hooks."""

    def __init__(self) -> None:
        self.told: list[float] = []

    def __call__(self, action: Any, observation: Any) -> float:
        score: float = self.forward(action, observation)  # type: ignore[attr-defined]
        self.told.append(score)
        return score


class Mixed(ToolCallRubric, Base):
    """Ours as one of OpenEnv's."""


def test_openenv_reads_mcp_s_calls() -> None:
    """A call of one tool is an action; listing tools calls none."""
    rubric = ToolCallRubric()
    action = SimpleNamespace(type="call_tool", tool_name="f", arguments={"a": 1})
    seen = SimpleNamespace(metadata={"expected": GOLD})
    assert rubric(action, seen) == rubric.last_score == 1.0
    assert rubric(SimpleNamespace(type="list_tools"), seen) == 0.0
    assert rubric(SimpleNamespace(message=RIGHT), seen) == 1.0


def test_openenv_s_own_base_keeps_its_hooks() -> None:
    """As the first base of a rubric, ours gives the score and theirs tells it."""
    rubric = Mixed()
    assert rubric(RIGHT, {"expected": GOLD}) == 1.0
    assert rubric.told == [1.0]


def test_gymnasium_keeps_the_own_reward() -> None:
    """Rewards are summed, or replaced; what was expected holds until it is told anew."""

    class Pays(Ask):
        def step(self, action: Any) -> Any:
            return "", 2.0, False, False, {}

    env = GradedToolCalls(Pays(GOLD), weight=0.5)
    env.reset()
    _, reward, *_, info = env.step(RIGHT)
    assert (reward, info["sparse_reward"]) == (2.5, 2.0)
    assert env.step(NOTHING)[1] == 2.0
    assert env.spec == "of the environment"
    other = GradedToolCalls(Pays(GOLD), replace=True)
    other.reset()
    assert other.step(RIGHT)[1] == 1.0


@pytest.mark.parametrize("name", ALL)
def test_broken_gold_raises(name: str) -> None:
    """What is expected is the user's: a call without a name is told, not scored."""
    with pytest.raises(GoldError):
        ALL[name](RIGHT, [{"nam": "f"}])


@pytest.mark.parametrize("name", [n for n in ALL if n not in ("trl", "verl")])
def test_missing_gold_is_told(name: str) -> None:
    """Nothing to compare with is no score of 0."""
    with pytest.raises(UsageError, match="compare"):
        ALL[name](RIGHT, None)


def test_trl_names_the_columns_that_are_there() -> None:
    """A wrong name of a column is told with those there are."""
    with pytest.raises(UsageError, match=r"missing.*'label'"):
        ToolCallReward()(completions=[RIGHT], label=[GOLD])


@pytest.mark.parametrize("bounds", [(1.0, 0.0), (0.0, math.inf), (math.nan, 1.0)])
def test_bounds_are_finite_and_in_order(bounds: tuple[float, float]) -> None:
    """Bounds that bound nothing are refused."""
    with pytest.raises(UsageError, match="finite"):
        Guarded(None, *bounds)


def test_no_case_of_the_corpus_leaves_the_bounds() -> None:
    """Every adversarial answer gives a finite number in [-1, 1] in every framework."""
    writer = Writer()
    row = built_in(writer)[0]
    gold = json.dumps(list(row.calls))
    cases = [c for c in corpus().values() if c.group not in ("resources", "judges")]
    for case in cases:
        answer = case.build(row, writer)
        for name, ask in ALL.items():
            if answer is None or (name == "verl" and not isinstance(answer, str)):
                continue
            score = ask(answer, gold)
            assert isinstance(score, float), (case.name, name)
            assert -1.0 <= score <= 1.0


def test_no_framework_is_imported() -> None:
    """The adapters load none of the frameworks that they are for."""
    names = ("trl", "verl", "verifiers", "openenv", "torch")  # Gymnasium is needed
    code = (
        "import sys, reward_synth.verify.adapters; "
        f"print([n for n in {names} if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
