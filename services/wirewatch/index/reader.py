"""Which features the articles of a batch have. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from wirewatch.entities.find import Finder, Mention
from wirewatch.index.arrays import Ints, Longs, Words64
from wirewatch.index.batch import Cut, Text, cut
from wirewatch.index.dear import Mentioned, Seen
from wirewatch.index.frequencies import Frequencies
from wirewatch.index.kernels import kernels
from wirewatch.index.naming import Batch, Naming
from wirewatch.index.tokens import TokenTable
from wirewatch.index.vocabulary import ALWAYS, Vocabulary
from wirewatch.query.places import filter_values
from wirewatch.query.reading import Place, algorithm_for, texts_of
from wirewatch.query.tree import SEARCHED
from wirewatch.text.fold import folded
from wirewatch.text.stem import algorithm_of
from wirewatch.topics.alerts import Field
from wirewatch.topics.articles import Article

BATCH_ARTICLES = 64
"""A bit of a plane for each."""
_NO_SCOPE: Ints = np.empty(0, np.int32)
_KNOWN = 65_536
"""Sources and languages whose features are at hand."""
BATCH_CHARS = 1_000_000
"""Characters of a batch, unless one article alone has more: 60 bytes of memory each."""
_FILTERED = (Field.LANG, Field.SOURCE, Field.FEED, Field.COUNTRY)


@dataclass(frozen=True, slots=True)
class Read:
    """A batch that was read, and its planes, which are the reader's own.

    `seen` tells more, for what is asked of few articles; `named` what one of them names, all
    entities and themes, text by text.
    """

    articles: Sequence[Article]
    planes: Words64
    seen: Callable[[], Seen]
    named: Callable[[int], Sequence[Mention]]


def batches(articles: Sequence[Article]) -> Iterator[Sequence[Article]]:
    """Yield `articles` in order, in batches within the limits."""
    begin, chars = 0, 0
    for at, article in enumerate(articles):
        size = len(article.title) + len(article.lead) + len(article.body)
        if at > begin and (at - begin == BATCH_ARTICLES or chars + size > BATCH_CHARS):
            yield articles[begin:at]
            begin, chars = at, 0
        chars += size
    if begin < len(articles):
        yield articles[begin:]


class BatchReader:
    """Turns batches of articles into planes of features."""

    def __init__(self, vocabulary: Vocabulary, finder: Finder) -> None:
        self._vocabulary = vocabulary
        self._tokens = TokenTable(vocabulary)
        self._naming = Naming(finder, self._tokens)
        self.frequencies = Frequencies()
        self._planes: Words64 = np.zeros(1, np.uint64)
        self._known_features: dict[tuple[str, ...], Sequence[int]] = {}
        self._scopes: dict[Field, Ints] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of memory, the vocabulary included as far as it is arrays."""
        own = int(self._planes.nbytes)
        maps = sum(int(scope.nbytes) for scope in self._scopes.values())
        return own + maps + self._tokens.nbytes + self.frequencies.nbytes + self._vocabulary.nbytes

    def refresh(self) -> None:
        """Take in what is new in the vocabulary."""
        self._tokens.refresh(self._vocabulary.settle())
        self._known_features.clear()
        self._scopes = {
            field: self._vocabulary.scope_map(field) for field in self._vocabulary.scopes
        }
        size = self._vocabulary.size
        if size > len(self._planes):
            # Some room: a table that grows with every change would be copied with every change.
            self._planes = np.zeros(size * 9 // 8 + 64, np.uint64)

    def read(self, articles: Sequence[Article]) -> Read:
        """Return what a batch has. `clean` it before the next is read."""
        try:
            return self._read(articles)
        except BaseException:
            self.clean()  # what is left of it would be found in the next batch
            raise

    def _read(self, articles: Sequence[Article]) -> Read:
        texts = self._texts(articles)
        words = cut(texts)
        tokens = self._tokens.numbers(words)
        in_rows = self._tokens.in_rows(tokens)
        row_words, row_features = self._vocabulary.rows.find(in_rows, words.positions)
        batch = Batch(articles, texts, words, tokens)
        names = self._vocabulary.names
        every = self._naming.named(batch) if names else None
        owners = np.searchsorted(words.bounds, row_words, side="right") - 1
        self._set_words(words, tokens)
        self._set_pairs(texts, owners, row_features)
        if every is not None:
            self._set_pairs(texts, *every.features(names))
        self._set_known(articles)
        self.frequencies.note(self._planes[: self._vocabulary.size], len(articles))

        @cache
        def seen() -> Seen:
            places = _places(words, every.mentions(names) if every else ())
            return Seen(words, tokens, self._tokens, row_words, row_features, places, tuple(texts))

        def named(at: int) -> Sequence[Mention]:
            # While no query asks for a name, articles are looked at one by one, when they match.
            found = self._naming.named(batch, only=at) if every is None else every
            return found.of_article(texts, at)

        return Read(articles, self._planes, seen, named)

    def _set_words(self, words: Cut, tokens: Ints) -> None:
        """Set the planes of the features of words, and of these in one field alone."""
        counts = np.diff(words.bounds)
        searched = [text.article if text.searched else -1 for text in words.texts]
        everywhere = np.repeat(np.asarray(searched, np.int64), counts)
        self._tokens.mark(self._planes, tokens, everywhere, _NO_SCOPE)
        for field, scope in self._scopes.items():
            own = [text.article if text.field is field else -1 for text in words.texts]
            there = np.repeat(np.asarray(own, np.int64), counts)
            self._tokens.mark(self._planes, tokens, there, scope)

    def _set_pairs(self, texts: Sequence[Text], owners: Longs, features: Ints) -> None:
        """Set the planes of features that were found in texts; `owners` are the texts' numbers."""
        if not len(features):
            return
        articles = np.asarray([text.article for text in texts], np.int64)[owners]
        searched = np.asarray([text.searched for text in texts], np.bool_)[owners]
        kernels.set_bits(self._planes, features[searched], articles[searched])
        for field, scope in self._scopes.items():
            own = np.asarray([text.field is field for text in texts], np.bool_)[owners]
            scoped = scope[features]
            own &= scoped > 0
            kernels.set_bits(self._planes, scoped[own], articles[own])

    def clean(self) -> None:
        """Take the batch that was read last out of the planes."""
        self._planes.fill(0)

    def _texts(self, articles: Sequence[Article]) -> list[Text]:
        """Return the texts of the articles, article by article; what nobody asks for is left."""
        scopes = set(self._vocabulary.scopes)
        more = bool(scopes.difference(SEARCHED))
        texts: list[Text] = []
        for number, article in enumerate(articles):
            algorithm = algorithm_of(article.language)
            texts.append(Text(number, Field.TITLE, 0, article.title, algorithm, True))
            if article.lead:
                texts.append(Text(number, Field.LEAD, 0, article.lead, algorithm, True))
            repeats = article.body == article.lead
            if article.body and not (repeats and Field.BODY not in scopes):
                texts.append(Text(number, Field.BODY, 0, article.body, algorithm, not repeats))
            if more:
                texts += _more_texts(number, article, scopes)
        return texts

    def _set_known(self, articles: Sequence[Article]) -> None:
        """Set the planes of what is known of the articles, and of what all have."""
        found = [(ALWAYS, number) for number in range(len(articles))]
        if self._vocabulary.known:
            for number, article in enumerate(articles):
                found += [(feature, number) for feature in self._known_of(article)]
        pairs = np.asarray(found, np.int64)
        kernels.set_bits(self._planes, pairs[:, 0].astype(np.int32), pairs[:, 1].copy())

    def _known_of(self, article: Article) -> Sequence[int]:
        key = (
            article.language,
            article.source,
            article.feed_id,
            article.feed_title,
            article.source_country,
        )
        found = self._known_features.get(key)
        if found is None:
            if len(self._known_features) >= _KNOWN:
                self._known_features.clear()
            found = self._known_features[key] = self._look_up_known(article)
        return found

    def _look_up_known(self, article: Article) -> Sequence[int]:
        known = self._vocabulary.known
        keys = [(field, value) for field in _FILTERED for value in filter_values(field, article)]
        found = {known[key] for key in keys if key in known}
        return list(found.union(self._vocabulary.feeds_called(folded(article.feed_title))))


def _more_texts(number: int, article: Article, wanted: set[Field]) -> Iterator[Text]:
    """Yield the texts beside title, lead and body."""
    for field, part, text in texts_of(article):
        if text and field in wanted and field not in SEARCHED:
            algorithm = algorithm_for(field, article.language)
            yield Text(number, field, part, text, algorithm, searched=False)


def _places(
    words: Cut, mentions: Iterable[tuple[int, Mention]]
) -> dict[tuple[int, str], list[Mentioned]]:
    """Return where names stand, by article and entity, as `wirewatch.query.reading` has it."""
    found: dict[tuple[int, str], list[Mentioned]] = defaultdict(list)
    for number, mention in mentions:
        text, offset = words.texts[number], words.offsets[number]
        begin, end = int(words.bounds[number]), int(words.bounds[number + 1])
        starts, ends = words.starts[begin:end], words.ends[begin:end]
        first = int(np.searchsorted(ends, offset + mention.start, side="right"))
        last = int(np.searchsorted(starts, offset + mention.end)) - 1
        touched = (-1, -1)
        if first <= last:
            positions = words.positions[begin:end]
            touched = (int(positions[first] - positions[0]), int(positions[last] - positions[0]))
        place = Place(text.field, text.part, mention.start, mention.end, *touched, mention.beside)
        found[text.article, mention.entity_id].append((place, text.searched))
    return dict(found)
