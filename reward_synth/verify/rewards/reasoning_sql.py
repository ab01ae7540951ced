"""Reasoning-SQL's reward: execution, judge, syntax, schema, n-grams, format.

After Pourreza et al., 2025, "Reasoning-SQL", arXiv:2503.23157. There is no official code; the
weights are those of an open re-implementation. ``repaired=False`` does what that one does:

* results are compared as lists, so their order counts also where none is asked for;
* a result without rows is wrong, also where the expected one has none;
* a judge that fails gives 0.2.

Its endless loop where a model writes ``N/A`` is not kept.

Repaired (the default), rows are compared without order unless the expected query asks for
one; two results without rows are equal; a query that reads no table of the expected one
earns nothing for its result, so that constants cannot be guessed; a judge that fails is
``infra_error``, and the same holds of a data base.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from reward_synth.verify.result import Status
from reward_synth.verify.rewards.sql_text import jaccard, pairs, schema_items, words
from reward_synth.verify.rewards.sqlite import Query, SQLite

Judge = Callable[[str, str, str], float]
"""Grades a query beside the expected one, for a question: 0 to 1."""
PARTS = ("execution", "judge", "syntax", "schema", "ngram", "format")
"""Keys of :attr:`SQLScore.parts`."""
WEIGHTS: Mapping[str, float] = {
    "execution": 3.0,
    "judge": 2.0,
    "syntax": 1.0,
    "schema": 1.0,
    "ngram": 1.0,
    "format": 1.0,
}
_FORMAT = re.compile(
    r"\A\s*<reasoning>.*?</reasoning>\s*<answer>(?P<sql>.*?)</answer>\s*\Z", re.DOTALL
)
_FENCE = re.compile(r"\A\s*```(?:sql)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_TAGS = ("<reasoning>", "</reasoning>", "<answer>", "</answer>")
_LONGEST = 200_000
_FAILED_JUDGE = 0.2


@dataclass(frozen=True, slots=True)
class SQLScore:
    """The reward of one answer, and its parts before they are weighted."""

    score: float
    parts: Mapping[str, float]
    """Keys :data:`PARTS`, each 0 to 1."""
    status: Status = "ok"
    message: str = ""


class ReasoningSQL:
    """Scores answers that hold a query.

    Args:
        sqlite: Runs queries.
        judge: Grades queries that give another result; none: no such part.
        weights: Of the parts.
        repaired: False: as the open re-implementation does it.
    """

    def __init__(
        self,
        sqlite: SQLite,
        judge: Judge | None = None,
        weights: Mapping[str, float] = WEIGHTS,
        *,
        repaired: bool = True,
    ) -> None:
        self.sqlite = sqlite
        self.judge = judge
        self.weights = {**WEIGHTS, **weights}
        self.repaired = repaired
        self._gold: dict[tuple[str, str], Query] = {}

    def __call__(
        self,
        answer: str,
        gold: str,
        database: str,
        names: Iterable[str],
        question: str = "",
    ) -> SQLScore:
        """Return the reward of an answer.

        Args:
            answer: ``<reasoning>…</reasoning><answer>SQL</answer>``.
            gold: The expected query.
            database: A SQLite file.
            names: Tables and columns of the data base, in small letters.
            question: For the judge.
        """
        sql, formed = extract_sql(answer)
        parts = dict.fromkeys(PARTS, 0.0)
        parts["format"] = float(formed)
        if not sql:
            return self._summed(parts)
        known = set(names)
        parts["schema"] = jaccard(
            set(schema_items(sql, known)), set(schema_items(gold, known))
        )
        parts["ngram"] = jaccard(set(pairs(sql)), set(pairs(gold)))
        found, wanted = self.sqlite(database, sql), self._expected(database, gold)
        for query in (wanted, found):
            if query.status == "infra_error" or (query is wanted and query.error):
                return SQLScore(0.0, parts, "infra_error", query.error)
        parts["syntax"] = float(found.status in ("ok", "timeout", "too_large"))
        parts["execution"] = float(self._same(found, wanted, gold))
        return self._judged(parts, sql, gold, question)

    def _expected(self, database: str, gold: str) -> Query:
        key = database, gold
        if key not in self._gold:
            self._gold[key] = self.sqlite(database, gold)
        return self._gold[key]

    def _same(self, found: Query, wanted: Query, gold: str) -> bool:
        if found.status != "ok":
            return False
        if not self.repaired:
            return bool(wanted.rows) and list(found.rows) == list(wanted.rows)
        if wanted.tables and not found.tables & wanted.tables:
            return False
        if ordered(gold):
            return found.rows == wanted.rows
        return Counter(found.rows) == Counter(wanted.rows)

    def _judged(
        self, parts: dict[str, float], sql: str, gold: str, question: str
    ) -> SQLScore:
        if parts["execution"] or self.judge is None:
            return self._summed(parts)
        try:
            verdict = float(self.judge(question, gold, sql))
        except Exception as error:  # an outage is no verdict
            if self.repaired:
                said = f"The judge failed: {type(error).__name__}: {error}"[:300]
                return SQLScore(0.0, parts, "infra_error", said)
            verdict = _FAILED_JUDGE / (self.weights["judge"] or 1.0)
        if self.repaired and not 0.0 <= verdict <= 1.0:
            said = f"The judge gave {verdict!r}, not a number from 0 to 1."
            return SQLScore(0.0, parts, "infra_error", said)
        parts["judge"] = verdict
        return self._summed(parts)

    def _summed(self, parts: dict[str, float]) -> SQLScore:
        return SQLScore(sum(self.weights[key] * parts[key] for key in PARTS), parts)


def extract_sql(answer: str) -> tuple[str, bool]:
    r"""Return the query of an answer, and whether the answer has the form.

    Example:
        >>> extract_sql("<reasoning>r</reasoning>\n<answer>select 1;</answer>")
        ('select 1', True)
    """
    # Counted first: where a tag stands once, the pattern takes no long time.
    once = len(answer) <= _LONGEST and all(answer.count(tag) == 1 for tag in _TAGS)
    found = _FORMAT.match(answer) if once else None
    text = found["sql"] if found else ""
    fenced = _FENCE.match(text)
    return (fenced[1] if fenced else text).strip().rstrip(
        ";"
    ).strip(), found is not None


def ordered(sql: str) -> bool:
    """Return whether a query asks for an order outside of parentheses.

    Example:
        >>> ordered("select a from t order by a"), ordered("select (select 1 order by 1)")
        (True, False)
    """
    depth, before = 0, ""
    for word in words(sql):
        depth += (word == "(") - (word == ")")
        if depth == 0 and (before, word) == ("order", "by"):
            return True
        before = word
    return False


def names_of(sqlite: SQLite, database: str) -> set[str]:
    """Return tables and columns of a data base, in small letters.

    Read in the process of ``sqlite``, as queries are.
    """
    found = sqlite(database, "select name, sql from sqlite_master")
    names: set[str] = set()
    for name, made in found.rows:
        names.add(str(name).lower())
        names.update(word for word in words(made or "") if word.isidentifier())
    return names - _KEYWORDS


_KEYWORDS = frozenset(
    [
        "create",
        "table",
        "view",
        "as",
        "primary",
        "key",
        "foreign",
        "references",
        "not",
        "null",
        "unique",
        "default",
        "check",
        "integer",
        "int",
        "text",
        "real",
        "blob",
        "numeric",
        "varchar",
        "date",
        "select",
        "from",
        "where",
        "on",
        "and",
        "or",
        "autoincrement",
        "constraint",
    ]
)
