"""The parts of queries that are asked only where all else holds: NEAR, ATLEAST and the like. Pure.

Most stand on words whose places in the batch are known by number. What does not is asked of
the reference (`wirewatch.query.places`), which reads the article anew.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from wirewatch.index.arrays import Ints, Longs
from wirewatch.index.batch import Cut, Text, texts_of
from wirewatch.index.literals import is_cheap
from wirewatch.index.tokens import TokenTable
from wirewatch.index.vocabulary import Vocabulary
from wirewatch.query.explain import matches
from wirewatch.query.places import MAX_PLACES, joined, places_near
from wirewatch.query.reading import Place, Reading
from wirewatch.query.sought import parts_of
from wirewatch.query.tree import (
    SEARCHED,
    And,
    AtLeast,
    EntityLeaf,
    Filter,
    Leaf,
    Near,
    Not,
    Or,
    Placed,
    Query,
    TopicLeaf,
    inner_leaves,
)
from wirewatch.topics.alerts import Field

Mentioned = tuple[Place, bool]
"""Where a name stands, and whether a leaf without a field is looked for there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in a batch.

    `row_words` and `row_features` are where rows begin, and which; `mentions` are by article
    and entity; `texts` are the texts as they were before the cut wrote out what is irregular.
    """

    cut: Cut
    tokens: Ints
    table: TokenTable
    row_words: Longs
    row_features: Ints
    mentions: Mapping[tuple[int, str], Sequence[Mentioned]]
    texts: Sequence[Text]

    def texts_of(self, article: int) -> range:
        """Return the numbers of an article's texts."""
        return texts_of(self.texts, article)

    def words_of(self, articles: Iterable[int]) -> Longs:
        """Return the numbers of the words of some articles, in order."""
        texts = [self.texts_of(article) for article in sorted(set(articles))]
        bounds = self.cut.bounds
        spans = [np.arange(bounds[each.start], bounds[each.stop]) for each in texts]
        return np.concatenate([np.empty(0, np.int64), *spans])

    def is_regular(self, article: int) -> bool:
        """Say whether the offsets of the article's words are those of the original."""
        return all(
            self.cut.texts[number].text == self.texts[number].text
            for number in self.texts_of(article)
        )


class Occurrences:
    """Where some features stand in a batch, word by word."""

    def __init__(
        self, seen: Seen, features: Sequence[int], size: int, articles: Iterable[int]
    ) -> None:
        """`features` are some of the `size` that there are, looked for in some `articles`."""
        there = seen.words_of(articles)
        found = seen.table.occurrences(seen.tokens[there], features, size)
        numbers, first = np.unique(found >> 32, return_index=True)
        ranges = pairwise([*first.tolist(), len(found)])
        self._ranges = dict(zip(numbers.tolist(), ranges, strict=True))
        at = there[found & 0xFFFF_FFFF]
        cut = seen.cut
        self._words = at.tolist()
        texts = np.searchsorted(cut.bounds, at, side="right") - 1
        offsets = np.asarray(cut.offsets, np.int64)[texts]
        self._starts = (cut.starts[at] - offsets).tolist()
        self._ends = (cut.ends[at] - offsets).tolist()
        self._positions = (cut.positions[at] - cut.positions[cut.bounds[texts]]).tolist()

    def in_text(self, feature: int, text: Text, begin: int, end: int) -> list[Place]:
        """Return the places of a feature among the words `begin` to `end`, those of `text`."""
        first, last = self._ranges.get(feature, (0, 0))
        first = bisect_left(self._words, begin, first, last)
        last = bisect_left(self._words, end, first, last)
        return [
            Place(
                text.field,
                text.part,
                self._starts[at],
                self._ends[at],
                self._positions[at],
                self._positions[at],
            )
            for at in range(first, last)
        ]


class Judge:
    """Says whether dear parts of queries hold in the articles of one batch."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        seen: Seen,
        reading: Callable[[int], Reading],
        parts: Iterable[Query],
        articles: Iterable[int],
    ) -> None:
        """`parts` are what will be asked for, and of which articles.

        `reading` gives an article read anew.
        """
        self._seen = seen
        self._reading = reading
        self._known: dict[tuple[Query, int], bool] = {}
        self._found: dict[tuple[Leaf, int], Sequence[Place]] = {}
        self._plain = {part: _is_plain(part) for part in parts}
        self._features: dict[Leaf, int] = {
            leaf: vocabulary.base(leaf)
            for part, plain in self._plain.items()
            if plain
            for leaf in inner_leaves(part)
            if not isinstance(leaf, EntityLeaf | TopicLeaf)
        }
        features = list(self._features.values())
        self._words = Occurrences(seen, features, vocabulary.size, articles)

    def holds(self, part: Query, article: int) -> bool:
        """Say whether `part` holds in article number `article` of the batch."""
        key = (part, article)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._holds(part, article)
        return known

    def places(self, part: Query, article: int) -> Sequence[Place] | None:
        """Return where `part`, one of those to ask for, stands; None: only the reference knows."""
        if self._plain[part] and self._seen.is_regular(article):
            return self._places(part, article)  # type: ignore[arg-type]  # plain parts have places
        return None

    def _holds(self, part: Query, article: int) -> bool:
        found = self.places(part, article)
        return matches(part, self._reading(article)) if found is None else bool(found)

    def _places(self, part: Leaf | Placed, article: int) -> Sequence[Place]:
        match part:
            case Near(left, right, distance, ordered):
                sides = self._places(left, article), self._places(right, article)
                return places_near(*sides, distance, ordered=ordered)[:MAX_PLACES]
            case AtLeast(count, inner):
                found = self._places(inner, article)
                return found if len(found) >= count else []
            case Or(parts):
                return joined(self._places(each, article) for each in parts)  # type: ignore[arg-type]
            case _:
                key = (part, article)
                if key not in self._found:
                    self._found[key] = self._of_leaf(part, article)[:MAX_PLACES]
                return self._found[key]

    def _of_leaf(self, leaf: Leaf, article: int) -> Sequence[Place]:
        if isinstance(leaf, EntityLeaf | TopicLeaf):
            found = self._seen.mentions.get((article, leaf.entity_id), ())
            return [
                place
                for place, searched in found
                if (searched if leaf.field is None else place.field is leaf.field)
            ]
        feature = self._features[leaf]
        size = len(parts_of(leaf.text))  # type: ignore[union-attr]  # _is_plain has told
        places: list[Place] = []
        for number in self._texts(leaf.field, article):  # type: ignore[union-attr]
            places += self._in_text(number, feature, size)
        return places

    def _texts(self, wanted: Field | None, article: int) -> Iterator[int]:
        for number in self._seen.texts_of(article):
            text = self._seen.texts[number]
            if text.searched if wanted is None else text.field is wanted:
                yield number

    def _in_text(self, number: int, feature: int, size: int) -> list[Place]:
        cut, seen = self._seen.cut, self._seen
        begin, end = cut.bounds[number : number + 2].tolist()
        if size == 1:
            return self._words.in_text(feature, cut.texts[number], begin, end)
        first, last = np.searchsorted(seen.row_words, (begin, end))
        own = seen.row_features[first:last] == feature
        text, offset = cut.texts[number], cut.offsets[number]
        zero = int(cut.positions[begin]) if begin < end else 0
        return [
            Place(
                text.field,
                text.part,
                int(cut.starts[word]) - offset,
                int(cut.ends[word + size - 1]) - offset,
                int(cut.positions[word]) - zero,
                int(cut.positions[word + size - 1]) - zero,
            )
            for word in seen.row_words[first:last][own].tolist()
        ]


def _is_plain(part: Query) -> bool:
    """Say whether the places of `part` are known by number."""
    match part:
        case Near(left, right):
            return _is_plain(left) and _is_plain(right)
        case AtLeast(_, inner):
            return _is_plain(inner)
        case Or(parts):
            return all(map(_is_plain, parts))
        case And() | Not() | Filter():
            return False
        case EntityLeaf(_, _, wanted) | TopicLeaf(_, _, wanted):
            return wanted is None or wanted in SEARCHED
        case _:
            return is_cheap(part)
