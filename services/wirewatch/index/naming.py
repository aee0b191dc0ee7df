"""Where names are in a batch of articles, with numpy. Pure.

It finds what `wirewatch.entities.find` finds; a property test holds the two together. Each word
is looked at once for each language: what it names by itself becomes rows of numbers. Only where
a longer name may begin, or a script has no spaces, Python is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wirewatch.entities.find import Finder, longer_names, piece
from wirewatch.index.arrays import Growing, HashTable, Ints, Longs, Words64, rows
from wirewatch.index.batch import Cut, Text
from wirewatch.index.deciding import Collected, Named, Registry, Rows, decide
from wirewatch.index.kernels import kernels
from wirewatch.index.tokens import TokenTable
from wirewatch.query.tree import SEARCHED
from wirewatch.text.language import primary
from wirewatch.topics.articles import Article

MAX_PAIRS = 1_000_000
"""Pairs of words that are remembered for a language; beyond, all are forgotten."""
_MET, _NAMES, _BEGINS = 1, 2, 4
"""Marks of a word: it was met; it is a name; names of several words may begin with it."""
_NUMBER_BITS = 32
_MIX = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that different pairs stay different (Fibonacci hashing)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Articles and their texts, cut, and the numbers of the words."""

    articles: Sequence[Article]
    texts: Sequence[Text]
    cut: Cut
    tokens: Ints


class Naming:
    """Remembers of each word, by language, what it names."""

    def __init__(self, finder: Finder, table: TokenTable) -> None:
        self._finder = finder
        self._table = table
        self._known_at = (-1, -1)
        self._registry = Registry(finder.class_of)
        self._of_language: dict[str, _Words] = {}

    def named(self, batch: Batch, only: int | None = None) -> Named:
        """Return what the articles of a batch name, or one `only`."""
        now = self._table.generation, self._finder.generation
        if now != self._known_at:
            self._registry = Registry(self._finder.class_of)
            self._of_language.clear()
            self._known_at = now
        seen = Collected(self._registry)
        for language, numbers in _by_language(batch, only).items():
            self._find(batch, numbers, language, seen)
        return decide(seen.rows(), batch.texts, self._registry)

    def _find(self, batch: Batch, numbers: Sequence[int], language: str, seen: Collected) -> None:
        words = self._of_language.get(language)
        if words is None:
            words = self._of_language[language] = _Words(self._finder, language, self._registry)
        alike = [n for n in numbers if batch.cut.texts[n].text is batch.texts[n].text]
        for number in set(numbers).difference(alike):
            # What was irregular is written out in the cut: its offsets are not the original's.
            seen.add_hits(number, self._finder.hits(piece(batch.texts[number].text), language))
        if alike:
            words.grow(len(self._table))
            words.find(batch, np.asarray(alike, np.int64), seen)


def _by_language(batch: Batch, only: int | None) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    languages = [primary(article.language) for article in batch.articles]
    for number, text in enumerate(batch.texts):
        if text.field in SEARCHED and only in {None, text.article}:
            found.setdefault(languages[text.article], []).append(number)
    return found


class _Words:
    """What words name in one language, by the number of the word."""

    def __init__(self, finder: Finder, language: str, registry: Registry) -> None:
        self._finder = finder
        self._language = language
        self._registry = registry
        self._marks = Growing(np.uint8)
        self._first = Growing(np.int32)
        self._count = Growing(np.int32)
        self._names = [Growing(np.int64) for _ in range(7)]
        """Where a name begins and ends in the word; the rest as in `Rows`."""
        self._pairs = HashTable()

    def grow(self, size: int) -> None:
        """Make room for words up to number `size`."""
        for column in (self._marks, self._first, self._count):
            if len(column) < size:
                column.resize(size)

    def find(self, batch: Batch, numbers: Longs, seen: Collected) -> None:
        """Collect the names in the texts `numbers`."""
        bounds = batch.cut.bounds
        words, owners = rows(bounds[numbers], bounds[numbers + 1] - bounds[numbers])
        texts = numbers[owners]
        tokens = batch.tokens[words]
        if (new := np.flatnonzero(self._marks.view[tokens] == 0)).size:
            distinct, at = np.unique(tokens[new], return_index=True)
            self._meet(batch.cut, distinct, words[new[at]])
        marks = self._marks.view[tokens]
        names = np.flatnonzero(marks & _NAMES)
        self._add_words(batch, words[names], texts[names], seen)
        begins = np.flatnonzero(marks & _BEGINS)
        begins = begins[self._may_go_on(batch, words[begins])]
        self._add_longer(batch, words[begins], texts[begins], seen)
        for number in np.unique(texts[batch.cut.unspaced[words]]).tolist():
            text = batch.texts[number].text
            seen.add_hits(number, self._finder.unspaced(text, self._language))

    def _meet(self, cut: Cut, tokens: Ints, at: Longs) -> None:
        unspaced = cut.unspaced[at].tolist()
        for token, written, is_character in zip(
            tokens.tolist(), cut.written(at), unspaced, strict=True
        ):
            self._marks.view[token] = _MET if is_character else self._look_at(token, written)

    def _look_at(self, token: int, written: str) -> int:
        found = self._finder.names_of(written, self._language)
        self._first.view[token] = len(self._names[0])
        self._count.view[token] = len(found.alone)
        made = [(start, end, *self._registry.row(rule)) for rule, start, end in found.alone]
        for column, values in zip(self._names, zip(*made, strict=True), strict=False):
            column.extend(values)
        return _MET | _NAMES * bool(found.alone) | _BEGINS * bool(found.longer)

    def _add_words(self, batch: Batch, words: Longs, texts: Longs, seen: Collected) -> None:
        tokens = batch.tokens[words]
        at, owners = rows(self._first.view[tokens].astype(np.int64), self._count.view[tokens])
        texts = texts[owners]
        offsets = np.asarray(batch.cut.offsets, np.int64)[texts]
        base = batch.cut.starts[words[owners]] - offsets
        starts, ends, *rest = (column.view[at] for column in self._names)
        seen.add(Rows(texts, base + starts, base + ends, *rest))

    def _may_go_on(self, batch: Batch, words: Longs) -> NDArray[np.bool_]:
        """Say which words a longer name may begin with, as far as the words behind them tell."""
        tokens = batch.tokens.astype(np.uint64)
        following = np.minimum(words + 1, len(tokens) - 1)
        pairs = (
            (tokens[words] << np.uint64(_NUMBER_BITS) | tokens[following]) + np.uint64(1)
        ) * _MIX
        found = self._look_up(pairs)
        if (new := np.flatnonzero(found < 0)).size:
            self._remember(batch.cut, pairs, words, following, new)
            found = self._look_up(pairs)
        may: NDArray[np.bool_] = found > 0
        return may

    def _look_up(self, pairs: Words64) -> Ints:
        found: Ints = kernels.find(self._pairs.keys, self._pairs.values, pairs)
        return found

    def _remember(
        self, cut: Cut, pairs: Words64, words: Longs, following: Longs, new: Longs
    ) -> None:
        if len(self._pairs) + len(new) > MAX_PAIRS:
            self._pairs = HashTable()
            new = np.arange(len(pairs))
        _, first = np.unique(pairs[new], return_index=True)
        at = new[first]
        may = [
            self._finder.may_go_on(written, behind, self._language)
            for written, behind in zip(
                cut.written(words[at]), cut.written(following[at]), strict=True
            )
        ]
        self._pairs.put(pairs[at], np.asarray(may, np.int32))

    def _add_longer(self, batch: Batch, words: Longs, texts: Longs, seen: Collected) -> None:
        cut = batch.cut
        starts = cut.starts[words].tolist()
        for number, written, start in zip(texts.tolist(), cut.written(words), starts, strict=True):
            text = batch.texts[number].text
            for beginning in self._finder.names_of(written, self._language).longer:
                seen.add_hits(number, longer_names(text, start - cut.offsets[number], beginning))
