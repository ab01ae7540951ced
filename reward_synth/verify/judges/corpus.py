"""Search in a local corpus by Okapi BM25."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reward_synth.errors import UsageError
from reward_synth.verify.rewards.tokens import tokens


@dataclass(frozen=True, slots=True)
class Found:
    """A text of the corpus, and how well it fits."""

    name: str
    text: str
    score: float


class Corpus:
    r"""Texts by name, searched by words.

    A text's score is :math:`\sum_q \mathrm{idf}(q)\,f(k+1) / (f + k(1 - b + b\,l/\bar l))`
    with f the count of a word q in it, l its length, and
    :math:`\mathrm{idf}(q) = \ln(1 + (N - n + 1/2)/(n + 1/2))` where n of N texts hold q:
    Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, with the form of
    idf that is never negative.

    Args:
        texts: Name to text.
        k: How soon repeating a word stops to count.
        b: How much long texts are discounted, 0 to 1.

    Raises:
        UsageError: There is no text, or a setting is out of range.

    Example:
        >>> corpus = Corpus({"fr": "Paris is in France.", "it": "Rome is in Italy."})
        >>> [found.name for found in corpus.search("where is Rome", 1)]
        ['it']
    """

    def __init__(
        self, texts: Mapping[str, str], k: float = 1.5, b: float = 0.75
    ) -> None:
        if not texts or not (k > 0 and 0.0 <= b <= 1.0):
            raise UsageError(
                "A corpus needs a text, k above 0 and b from 0 to 1; received "
                f"{len(texts)} texts, {k} and {b}."
            )
        self.texts = dict(texts)
        self.k = k
        self.b = b
        self._lengths: dict[str, int] = {}
        self._places: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for name, text in self.texts.items():
            words = Counter(tokens(text))
            self._lengths[name] = words.total()
            for word, count in words.items():
                self._places[word][name] = count
        self._mean = max(1.0, sum(self._lengths.values()) / len(texts))

    def search(self, query: str, most: int = 3) -> list[Found]:
        """Return the texts that fit best, best first; equal ones in the given order."""
        scores: defaultdict[str, float] = defaultdict(float)
        for word in dict.fromkeys(tokens(query)):
            holding = self._places.get(word, {})
            idf = math.log1p(
                (len(self.texts) - len(holding) + 0.5) / (len(holding) + 0.5)
            )
            for name, count in holding.items():
                scores[name] += idf * self._weight(name, count)
        order = [name for name in self.texts if name in scores]
        best: Sequence[str] = sorted(order, key=lambda name: -scores[name])[:most]
        return [Found(name, self.texts[name], scores[name]) for name in best]

    def _weight(self, name: str, count: int) -> float:
        length = 1.0 - self.b + self.b * self._lengths[name] / self._mean
        return count * (self.k + 1.0) / (count + self.k * length)
