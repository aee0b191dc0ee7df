"""Everything that queries ask for, as numbers: features. Pure.

A feature is what an article has or has not: a word in any form, a word as written, a row of
words, a name, a source … Equal leaves share one. `tokens.py` finds the features of an
article's words; a word that nobody asks for has none.
"""

import math
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from wirewatch.index.arrays import Ints
from wirewatch.index.rows import RowTable
from wirewatch.index.stems import StemTable
from wirewatch.query.sought import cased_of, parts_of
from wirewatch.query.tree import (
    EntityLeaf,
    Exact,
    Filter,
    Leaf,
    Phrase,
    Prefix,
    TopicLeaf,
    Word,
)
from wirewatch.text.fold import folded, folded_each
from wirewatch.text.stem import (
    COMPOUNDING,
    HAVING_MORE_FORMS,
    MIN_COMPOUND_CHARS,
    MIN_COMPOUND_REST_CHARS,
    NO_ALGORITHM,
    cased,
    more_forms,
    spelled,
)
from wirewatch.text.words import is_one_word
from wirewatch.topics.alerts import Field

ALWAYS = 0
"""The feature that every article has."""
MILLION = 1_000_000.0
TOPIC_GUESS, ENTITY_GUESS, ROW_GUESS = 50_000.0, 10_000.0, 300.0
"""Of a million articles so many are thought to have one, before any were seen."""
FILTER_GUESSES = {
    Field.LANG: 200_000.0,
    Field.SOURCE: 2_000.0,
    Field.FEED: 1_000.0,
    Field.COUNTRY: 50_000.0,
}
_IN_ONE_FIELD = 0.5
_FOR_PREFIX = 4.0
_INT_BYTES = 28
_KNOWN = 65_536
"""Leaves that were asked for and whose features are at hand."""


def word_guess(word: str) -> float:
    """Guess how many of a million articles have `word`: short words are frequent."""
    return MILLION / math.pow(max(1, len(word) - 1), 2.5)


class TokenFeatures(NamedTuple):
    """What a word of an article has: all its features, and its number in rows (0: in none)."""

    features: tuple[int, ...]
    in_rows: int


_NO_FEATURES = TokenFeatures((), 0)


@dataclass(slots=True)
class Fresh:
    """What was added since it was last asked, so that words met before are looked at again.

    `folded` are folded words and `prefixes` their beginnings; `stems` are by algorithm.
    """

    folded: set[str]
    prefixes: set[str]
    stems: dict[str, set[str]]

    def __bool__(self) -> bool:
        return bool(self.folded or self.prefixes or any(self.stems.values()))


class State(msgspec.Struct, frozen=True):
    """A vocabulary without its rows, as it is written to a snapshot."""

    guesses: bytes
    spelling: list[str]
    folds_apart: dict[int, str]
    word_features: bytes
    as_written: dict[str, int]
    cased: dict[str, dict[str, int]]
    prefixes: dict[str, int]
    names: dict[str, int]
    known: list[tuple[str, str, int]]
    scoped: dict[str, dict[int, int]]
    algorithms: tuple[str, ...]


class Vocabulary:
    """The features of all queries."""

    def __init__(self) -> None:
        self.size = 1
        self._guesses = array("f", (MILLION,))  # of ALWAYS
        self.rows = RowTable()
        self._words: dict[str, int | tuple[int, ...]] = {}
        self._spelling: list[str] = []
        self._word_features = array("i")
        self._as_written: dict[str, int] = {}
        self._cased: dict[str, dict[str, int]] = {}
        self._prefixes: dict[str, int] = {}
        self._prefix_sizes: set[int] = set()
        self._stems: dict[str, StemTable] = {}
        self.names: dict[str, int] = {}
        self.known: dict[tuple[str, str], int] = {}
        self._feed_titles: dict[str, list[int]] = {}
        self._scoped: dict[Field, dict[int, int]] = {}
        self._fresh_words: list[int] = []
        self._bases: dict[Leaf, int] = {}
        self._folds_apart: dict[int, str] = {}
        self._longest = 0
        self._fresh = Fresh(set(), set(), {})

    @property
    def nbytes(self) -> int:
        """Bytes of memory; words count with what Python needs for them."""
        tables = (self._words, self._as_written, self._prefixes, self._cased, self.names)
        stems = sum(table.nbytes for table in self._stems.values())
        dicts = sum(sys.getsizeof(table) for table in tables)
        words = sum(map(sys.getsizeof, self._words)) + sum(map(sys.getsizeof, self._as_written))
        spellings = sum(map(sys.getsizeof, self._spelling)) + sys.getsizeof(self._spelling)
        numbers = _INT_BYTES * (len(self._words) + len(self._as_written))
        arrays = self.rows.nbytes + 4 * (len(self._guesses) + len(self._word_features))
        return stems + dicts + words + spellings + numbers + arrays

    def _new(self, guess: float) -> int:
        """Return a new feature; of a million articles `guess` are thought to have it."""
        number = self.size
        self.size += 1
        self._guesses.append(guess)
        return number

    def guesses(self) -> NDArray[np.float32]:
        """Return for each feature how many of a million articles are thought to have it."""
        return np.array(self._guesses, np.float32)

    def feature(self, leaf: Leaf) -> int:
        """Return the feature of a cheap leaf (`literals.is_cheap`); it is made if need be."""
        if isinstance(leaf, Filter):
            return self._filter(leaf)
        base = self._base(leaf)
        field = leaf.field  # type: ignore[union-attr]  # cheap leaves but filters have one
        if field is None:
            return base
        scope = self._scoped.setdefault(field, {})
        if base not in scope:
            scope[base] = self._new(self._guesses[base] * _IN_ONE_FIELD)
        return scope[base]

    def base(self, leaf: Leaf) -> int:
        """Return the feature of a cheap leaf without its field."""
        found = self._bases.get(leaf)
        if found is None:
            if len(self._bases) >= _KNOWN:
                self._bases.clear()
            found = self._bases[leaf] = self._base(leaf)
        return found

    def _base(self, leaf: Leaf) -> int:
        if type(leaf) is Word and is_one_word(leaf.text):
            return self._word(leaf.text)  # nearly all are such, and matching below takes its time
        match leaf:
            case EntityLeaf(entity_id) | TopicLeaf(entity_id):
                guess = TOPIC_GUESS if isinstance(leaf, TopicLeaf) else ENTITY_GUESS
                return self._get(self.names, entity_id, guess)
            case Word(text) if len(parts_of(text)) == 1 and not parts_of(text)[0].is_unspaced:
                return self._word(parts_of(text)[0].written)
            case Exact(text):
                return self._exact(text)
            case Prefix(text) if len(parts_of(text)) == 1 and not parts_of(text)[0].is_unspaced:
                return self._prefix(parts_of(text)[0].word)
            case Word(text) | Phrase(text) | Prefix(text):
                return self._row(text)
            case _:
                raise TypeError(f"{type(leaf).__name__} is not cheap")

    def _get(self, table: dict[str, int], key: str, guess: float) -> int:
        number = table.get(key)
        if number is None:
            number = table[key] = self._new(guess)
        return number

    def _filter(self, leaf: Filter) -> int:
        key = (str(leaf.field), leaf.value)
        if key not in self.known:
            self.known[key] = self._new(FILTER_GUESSES[leaf.field])
            if leaf.field is Field.FEED:
                self._feed_titles.setdefault(folded(leaf.value), []).append(self.known[key])
        return self.known[key]

    def feeds_called(self, title: str) -> Sequence[int]:
        """Return the features of feed filters with this folded title."""
        return self._feed_titles.get(title, ())

    def _word(self, written: str) -> int:
        # By the folded word, as the reference has it: what an invisible character keeps apart
        # in it is composed in its spelling.
        spelling, word = spelled(written), folded(written)
        held = self._words.get(word)
        if held is None:
            self._words[word] = number = self._new_word(word, spelling)
            return self._word_features[number]
        numbers = held if isinstance(held, tuple) else (held,)
        for number in numbers:
            if self._spelling[number] == spelling:
                return self._word_features[number]
        number = self._new_word(word, spelling)
        self._words[word] = (*numbers, number)
        return self._word_features[number]

    def _new_word(self, word: str, spelling: str) -> int:
        number = len(self._spelling)
        # Most are spelled as they fold: one string for both.
        self._spelling.append(word if word == spelling else spelling)
        if folded(spelling) != word:
            self._folds_apart[number] = word
        self._longest = max(self._longest, len(word))
        self._word_features.append(self._new(word_guess(word)))
        self._fresh_words.append(number)
        self._fresh.folded.add(word)
        return number

    def _exact(self, text: str) -> int:
        word = parts_of(text)[0].word
        by_case = self._cased.setdefault(word, {})
        if cased_of(text)[0] not in by_case:
            self._fresh.folded.add(word)
        return self._get(by_case, cased_of(text)[0], word_guess(word))

    def _prefix(self, word: str) -> int:
        if word not in self._prefixes:
            self._prefix_sizes.add(len(word))
            self._fresh.prefixes.add(word)
        return self._get(self._prefixes, word, word_guess(word) * _FOR_PREFIX)

    def _row(self, text: str) -> int:
        numbers = [self._written(part.word) for part in parts_of(text)]
        if len(numbers) == 1:
            return numbers[0]
        feature = self.rows.feature(numbers)
        if feature == 0:
            feature = self._new(ROW_GUESS)
            self.rows.add(numbers, feature)
        return feature

    def _written(self, word: str) -> int:
        if word not in self._as_written:
            self._fresh.folded.add(word)
        return self._get(self._as_written, word, word_guess(word))

    # What an article's words have.

    def of_tokens(
        self,
        written: Sequence[str],
        words: Sequence[str],
        forms: tuple[Sequence[str], Sequence[str]],
        algorithm: str,
    ) -> list[TokenFeatures]:
        """Return what words of articles have, given as written, and folded.

        `forms` are what they are compared by with the words of queries: folded, and as stems.
        """
        like = self._words_like(*forms, algorithm)
        return [
            self._of_token(own, word, like.get(at, ()))
            for at, (own, word) in enumerate(zip(written, words, strict=True))
        ]

    def _of_token(self, written: str, word: str, like: Iterable[int]) -> TokenFeatures:
        """Return what one word has, of the words of queries that it is `like`."""
        in_rows = self._as_written.get(word, 0)
        found = [in_rows] if in_rows else []
        if like:
            features = self._word_features
            found += [features[number] for number in like]
        for size in self._prefix_sizes:
            if (prefix := self._prefixes.get(word[:size])) and size <= len(word):
                found.append(prefix)
        if by_case := self._cased.get(word):
            feature = by_case.get(cased(written))
            found += [] if feature is None else [feature]
        return TokenFeatures(tuple(found), in_rows) if found else _NO_FEATURES

    def _words_like(
        self, words: Sequence[str], stems: Sequence[str], algorithm: str
    ) -> dict[int, set[int]]:
        """Return which words of queries words of articles are: their numbers, by place."""
        found: dict[int, set[int]] = defaultdict(set)
        for forms in (words, stems):
            for at, form in enumerate(forms):
                if (held := self._words.get(form)) is not None:
                    found[at].update(held if isinstance(held, tuple) else (held,))
        if algorithm == NO_ALGORITHM:
            return found
        table = self._stem_table(algorithm)
        for forms in (words, stems):
            for at, numbers in table.words(forms):
                found[at].update(numbers)
        if algorithm in HAVING_MORE_FORMS or algorithm in COMPOUNDING:
            for at, word in enumerate(words):
                if more := set(self._more_words_like(word, algorithm, table)):
                    found[at] |= more
        return found

    def _more_words_like(self, word: str, algorithm: str, table: StemTable) -> Iterator[int]:
        if forms := list(more_forms(word, algorithm)):
            for form in forms:
                yield from self._numbers(form)
            for _, numbers in table.words(forms):
                yield from numbers
        if algorithm in COMPOUNDING:
            yield from self._beginning(word)

    def _beginning(self, word: str) -> Iterator[int]:
        """Yield the numbers of the words that the compound `word` begins with.

        As `begins_compound` has it, without a call for each beginning.
        """
        longest = min(self._longest, len(word) - MIN_COMPOUND_REST_CHARS)
        for size in range(MIN_COMPOUND_CHARS, longest + 1):
            if word[:size] in self._words:
                yield from self._numbers(word[:size])

    def _numbers(self, word: str) -> tuple[int, ...]:
        held = self._words.get(word, ())
        return held if isinstance(held, tuple) else (held,)

    def _stem_table(self, algorithm: str) -> StemTable:
        if algorithm not in self._stems:
            table = self._stems[algorithm] = StemTable(algorithm)
            # The fresh ones, the last, come with the next `settle`.
            self._add_to(table, range(len(self._spelling) - len(self._fresh_words)))
        return self._stems[algorithm]

    def settle(self) -> Fresh:
        """Make what was added searchable; return what is new since the last time."""
        self.rows.settle()
        fresh, self._fresh = self._fresh, Fresh(set(), set(), {})
        if self._fresh_words:
            for algorithm, table in self._stems.items():
                fresh.stems[algorithm] = set(self._add_to(table, self._fresh_words))
            self._fresh_words = []
        return fresh

    def _add_to(self, table: StemTable, numbers: Sequence[int]) -> list[str]:
        spellings = [self._spelling[number] for number in numbers]
        words = folded_each(spellings)
        if self._folds_apart:
            pairs = zip(numbers, words, strict=True)
            words = [self._folds_apart.get(number, word) for number, word in pairs]
        return table.add(numbers, spellings, words)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The stemming algorithms of the articles that came."""
        return tuple(self._stems)

    @property
    def scopes(self) -> Iterable[Field]:
        """The fields that some leaf is asked for in alone."""
        return self._scoped.keys()

    def scope_map(self, field: Field) -> Ints:
        """Return for each feature the feature that stands for it in `field` alone, else 0."""
        table = np.zeros(self.size, np.int32)
        scope = self._scoped.get(field, {})
        table[list(scope)] = list(scope.values())
        return table

    # What a snapshot needs.

    def state(self) -> State:
        """Return copies of everything but rows, quickly."""
        return State(
            guesses=self._guesses.tobytes(),
            spelling=self._spelling.copy(),
            folds_apart=self._folds_apart.copy(),
            word_features=self._word_features.tobytes(),
            as_written=self._as_written.copy(),
            cased={word: by_case.copy() for word, by_case in self._cased.items()},
            prefixes=self._prefixes.copy(),
            names=self.names.copy(),
            known=[(field, value, number) for (field, value), number in self.known.items()],
            scoped={str(field): scope.copy() for field, scope in self._scoped.items()},
            algorithms=tuple(self._stems),
        )

    def restore(self, raw: bytes) -> None:
        """Take in what `state` gave, encoded; there may be nothing before.

        Raises msgspec.DecodeError.
        """
        state = msgspec.msgpack.decode(raw, type=State)
        self._guesses = array("f", state.guesses)
        self.size = len(self._guesses)
        self._spelling = state.spelling
        self._word_features = array("i", state.word_features)
        self._folds_apart = state.folds_apart
        for number, spelling in enumerate(self._spelling):
            word = self._folds_apart.get(number) or folded(spelling)
            self._longest = max(self._longest, len(word))
            held = self._words.get(word)
            if held is None:
                self._words[word] = number
            else:
                self._words[word] = (*(held if isinstance(held, tuple) else (held,)), number)
        self._as_written = state.as_written
        self._cased = state.cased
        self._prefixes = state.prefixes
        self._prefix_sizes = set(map(len, state.prefixes))
        self.names = state.names
        for field, value, number in state.known:
            self.known[field, value] = number
            if field == Field.FEED:
                self._feed_titles.setdefault(folded(value), []).append(number)
        self._scoped = {Field(field): scope for field, scope in state.scoped.items()}
        for algorithm in state.algorithms:
            self._stem_table(algorithm)
