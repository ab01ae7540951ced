"""Queries on real SQLite files, in a process of their own, and their reward."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reward_synth.errors import UsageError
from reward_synth.verify.rewards import (
    QueryLimits,
    ReasoningSQL,
    SQLite,
    extract_sql,
    names_of,
)
from reward_synth.verify.rewards.reasoning_sql import PARTS, ordered

ENDLESS = (
    "with recursive c(x) as (select 1 union all select x + 1 from c) "
    "select count(*) from c"
)
GROWING = (
    "with recursive c(x) as (select randomblob(50000) union select randomblob(50000) "
    "from c) select count(*) from c"
)
"""Fills a gigabyte in a second where nothing stops it."""


@pytest.fixture(scope="module")
def sqlite() -> Iterator[SQLite]:
    with SQLite(QueryLimits(seconds=1.0, rows=100, chars=100_000)) as found:
        yield found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    made = sqlite3.connect(path)
    made.executescript(
        "create table goods (name text, price real, stock integer);"
        "insert into goods values ('tea', 2.5, 3), ('cake', 4, 0), ('milk', 1, 7);"
        "create table empty (name text);"
    )
    made.commit()
    made.close()
    return str(path)


def answer(sql: str) -> str:
    return f"<reasoning>Look.</reasoning>\n<answer>{sql}</answer>"


@pytest.mark.parametrize(
    "sql",
    [
        "drop table goods",
        "delete from goods",
        "insert into goods values ('x', 1, 1)",
        "create table t (a)",
        "attach database '/tmp/other.db' as other",
        "pragma writable_schema = 1",
        "select load_extension('x')",
        "vacuum into '/tmp/copy.db'",
    ],
)
def test_a_query_can_only_read(sqlite: SQLite, shop: str, sql: str) -> None:
    """Whatever would write, attach or load is refused, and the file stays as it is."""
    before = Path(shop).read_bytes()
    assert sqlite(shop, sql).status in ("refused", "error")
    assert Path(shop).read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "status"),
    [
        ("select name from goods", "ok"),
        ("select nme from goods", "error"),
        ("", "ok"),
        ("N/A", "error"),
        ("select 1; select 2", "error"),
        ("select '\0'", "error"),
        (ENDLESS, "timeout"),
        ("select a.name from goods a, goods b, goods c, goods d, goods e", "too_large"),
        ("select zeroblob(1000000000)", "error"),
        ("select '" + "x" * 200_000 + "'", "too_large"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_whatever_a_query_says_is_data(
    sqlite: SQLite, shop: str, sql: str, status: str
) -> None:
    """Wrong, endless and huge queries end in time, and nothing raises."""
    began = time.monotonic()
    assert sqlite(shop, sql).status == status
    assert time.monotonic() - began < 20


def test_memory_has_a_limit(shop: str) -> None:
    """What grows without an end is stopped before it fills the machine."""
    with SQLite(QueryLimits(seconds=30.0)) as patient:
        assert patient(shop, GROWING).status == "too_large"


def test_a_missing_data_base_is_the_user_s_mistake(sqlite: SQLite) -> None:
    """It raises, and no empty file is made."""
    with pytest.raises(UsageError, match="no data base"):
        sqlite("missing.db", "select 1")
    assert not Path("missing.db").exists()


def test_the_tables_that_were_read_are_known(sqlite: SQLite, shop: str) -> None:
    """Also in another spelling, and not those that are only named in a text."""
    assert sqlite(shop, "select NAME from GOODS").tables == {"goods"}
    assert sqlite(shop, "select 'goods'").tables == frozenset()


def scored(sqlite: SQLite, shop: str, sql: str, gold: str, **more: Any) -> Any:
    names = names_of(sqlite, shop)
    return ReasoningSQL(sqlite, **more)(answer(sql), gold, shop, names)


def test_the_expected_query_earns_everything_but_the_judge(
    sqlite: SQLite, shop: str
) -> None:
    """3 + 1 + 1 + 1 + 1: the judge counts only where the result is wrong."""
    gold = "SELECT name FROM goods WHERE stock > 0"
    found = scored(sqlite, shop, gold, gold, judge=lambda *texts: 1.0)
    assert (found.score, found.status) == (7.0, "ok")
    assert tuple(found.parts) == PARTS


@pytest.mark.parametrize(
    ("sql", "gold", "published", "repaired"),
    [
        ("select name from goods order by name", "select name from goods", 0, 1),
        ("select name from goods", "select name from goods order by name", 0, 0),
        ("select name from empty", "select name from empty where name = 'x'", 0, 1),
        ("select 3", "select count(*) from goods", 1, 0),
        ("select 3.0 as n from goods limit 1", "select count(*) from goods", 1, 1),
        ("select name, price from goods", "select name from goods", 0, 0),
    ],
    ids=["order of its own", "order asked", "empty", "constant", "float", "columns"],
)
def test_results_are_compared(
    sqlite: SQLite, shop: str, sql: str, gold: str, published: int, repaired: int
) -> None:
    """Published: as lists, empty ones wrong, constants right. Repaired: without order
    unless it is asked for, empty ones equal, and a table of the expected query is read."""
    was = scored(sqlite, shop, sql, gold, repaired=False)
    now = scored(sqlite, shop, sql, gold)
    assert (was.parts["execution"], now.parts["execution"]) == (published, repaired)


def test_parts_by_hand(sqlite: SQLite, shop: str) -> None:
    """Schema: {name, goods} of {name, price, goods}, 2/3. Pairs of words: 'select name',
    'from goods' and 'name from' of those and 'name ,', ', price', 'price from': 2 of 6...
    by counting: left {sn, nf, fg}, right {sn, n,, ,p, pf, fg}: 2 common, 6 in all."""
    found = scored(
        sqlite, shop, "select name from goods", "select name, price from goods"
    )
    assert found.parts["schema"] == pytest.approx(2 / 3)
    assert found.parts["ngram"] == pytest.approx(2 / 6)
    assert found.score == pytest.approx(1 + 2 / 3 + 1 / 3 + 1)


def test_a_judge_that_fails_is_an_outage(sqlite: SQLite, shop: str) -> None:
    """Published: 0.2 for free. Repaired: infra_error; so is a verdict beyond 1."""

    def down(*texts: str) -> float:
        raise ConnectionError("down")

    wrong, gold = "select price from goods", "select name from goods"
    free = scored(sqlite, shop, wrong, gold, judge=down, repaired=False)
    none = scored(sqlite, shop, wrong, gold, repaired=False)
    assert free.score - none.score == pytest.approx(0.2)
    assert scored(sqlite, shop, wrong, gold, judge=down).status == "infra_error"
    high = scored(sqlite, shop, wrong, gold, judge=lambda *texts: 1e9)
    assert high.status == "infra_error"


@pytest.mark.parametrize(
    ("text", "sql", "formed"),
    [
        (answer("select 1"), "select 1", True),
        (answer("```sql\nselect 1;\n```"), "select 1", True),
        ("select 1", "", False),
        (answer("select 1") + answer("drop"), "", False),
        ("<answer>select 1</answer>", "", False),
    ],
)
def test_the_form_of_an_answer(text: str, sql: str, formed: bool) -> None:
    """One reasoning, one answer, nothing else; a fence may stand around the query."""
    assert extract_sql(text) == (sql, formed)


def test_an_answer_without_a_query_earns_its_form_at_most(
    sqlite: SQLite, shop: str
) -> None:
    """Nothing is run for N/A of no form, and an empty query is no query."""
    names = names_of(sqlite, shop)
    reward = ReasoningSQL(sqlite)
    gold = "select name from goods"
    assert reward("N/A", gold, shop, names).score == 0.0
    assert reward(answer(""), gold, shop, names).score == 1.0


def test_hostile_texts_take_no_long_time() -> None:
    """Brackets, tags and spaces without an end: a tenth of a second is far too much."""
    hostile = [
        "[" * 20_000,
        "'" * 19_999,
        "/*" * 10_000,
        "<reasoning></reasoning><answer>" * 300_000,
        "<reasoning>" + "</reasoning> " * 10_000,
        "<reasoning></reasoning>" + " " * 10_000_000,
    ]
    for text in hostile:
        began = time.process_time()
        extract_sql(text)
        ordered(text)
        assert time.process_time() - began < 1.0


def test_order_is_asked_for_outside_of_parentheses_and_texts() -> None:
    """In a subquery or a quoted text it does not count."""
    assert ordered("select a from t ORDER  BY a")
    assert not ordered("select a from (select a from t order by a)")
    assert not ordered("select 'order by' from t -- order by a")
