"""An article read once: cut into words, folded, stemmed, its names found. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from wirewatch.entities.find import Finder, Mention, piece_of
from wirewatch.query.tree import SEARCHED, Leaf
from wirewatch.text.fold import folded
from wirewatch.text.language import primary
from wirewatch.text.stem import NO_ALGORITHM, algorithm_of, forms_in_text
from wirewatch.text.words import Token, tokens
from wirewatch.topics.alerts import Field, Proof
from wirewatch.topics.articles import Article

UNSTEMMED = (Field.URL, Field.AUTHOR)
"""Fields whose words are in no language."""


class FieldReading:
    """One field of an article, or one of its authors or categories: number `part` of them.

    It is cut into words when they are first asked for. `tokens`, `words` (folded) and `forms`
    run in parallel. `by_word` and `by_form` say at which of their places a folded word stands,
    or a word that has this form.
    """

    def __init__(self, field: Field, part: int, text: str, algorithm: str) -> None:
        self.field = field
        self.part = part
        self.text = text
        self.algorithm = algorithm

    @cached_property
    def tokens(self) -> Sequence[Token]:
        """The words of the text."""
        return tokens(self.text)

    @cached_property
    def words(self) -> Sequence[str]:
        """The words, folded."""
        return [folded(token.text) for token in self.tokens]

    @cached_property
    def forms(self) -> Sequence[tuple[str, ...]]:
        """What each word is compared by."""
        algorithm = self.algorithm
        return [
            (word,) if token.is_unspaced else forms_in_text(token.text, algorithm)
            for word, token in zip(self.words, self.tokens, strict=True)
        ]

    @cached_property
    def by_word(self) -> Mapping[str, Sequence[int]]:
        """Where each folded word stands."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, word in enumerate(self.words):
            found[word].append(at)
        return dict(found)

    @cached_property
    def by_form(self) -> Mapping[str, Sequence[int]]:
        """Where a word stands that has this form."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, forms in enumerate(self.forms):
            for form in forms:
                found[form].append(at)
        return dict(found)


class Place(NamedTuple):
    """A place in a field of the original article, in code points.

    `part` tells the authors of an article apart, and its categories. `first` and `last` are
    the positions of its words, for NEAR. `beside` is the id of what makes an ambiguous name
    count here, empty for all else.
    """

    field: Field
    part: int
    start: int
    end: int
    first: int = 0
    last: int = 0
    beside: str = ""


class Reading:
    """An article as queries see it. `language` is the primary subtag.

    `searched` are the fields that a leaf without a field is looked for in: all texts, but for
    a body that only repeats the lead. `found` is the memory of `places`: thousands of queries
    ask for the same few leaves, and who knows where some stand (the index does) puts them there.
    `proofs` is that of `explain`.
    """

    def __init__(self, article: Article, finder: Finder) -> None:
        """`finder` finds the names of entities and themes."""
        self.article = article
        self.language = primary(article.language)
        self.fields = tuple(
            FieldReading(name, part, text, algorithm_for(name, self.language))
            for name, part, text in texts_of(article)
            if text
        )
        # Many feeds give the same text as summary and as content: it is proved once.
        repeats = article.body == article.lead
        self.searched = tuple(
            each
            for each in self.fields
            if each.field in SEARCHED and not (repeats and each.field is Field.BODY)
        )
        self.found: dict[Leaf, Sequence[Place]] = {}
        self.proofs: dict[tuple[Leaf, Place], Proof] = {}
        self._finder = finder

    @cached_property
    def mentions(self) -> Mapping[str, Sequence[Place]]:
        """Where each entity and theme is named."""
        found: dict[str, list[Place]] = defaultdict(list)
        fields = [each for each in self.fields if each.field in SEARCHED]
        pieces = [
            piece_of(each.text, each.tokens, is_title=each.field is Field.TITLE) for each in fields
        ]
        named = self._finder.read(pieces, self.article.language)
        for each, mentions in zip(fields, named, strict=True):
            for mention in mentions:
                place = _mentioned(mention, each)
                found[mention.entity_id].append(place)
                if (whole_class := self._finder.class_of(mention.entity_id)) is not None:
                    found[whole_class].append(place)
        return dict(found)

    def of(self, wanted: Field | None) -> Sequence[FieldReading]:
        """Return the fields that a leaf of field `wanted` is looked for in."""
        if wanted is None:
            return self.searched
        return [read_field for read_field in self.fields if read_field.field is wanted]


def texts_of(article: Article) -> Iterator[tuple[Field, int, str]]:
    """Yield every text of `article` that words are looked for in: field, part and text."""
    yield Field.TITLE, 0, article.title
    yield Field.LEAD, 0, article.lead
    yield Field.BODY, 0, article.body
    yield Field.URL, 0, article.url
    for part, author in enumerate(article.authors):
        yield Field.AUTHOR, part, author
    for part, category in enumerate(article.categories):
        yield Field.CATEGORY, part, category


def algorithm_for(wanted: Field, language: str) -> str:
    """Return the stemming algorithm for the words of a field in an article of `language`."""
    return NO_ALGORITHM if wanted in UNSTEMMED else algorithm_of(language)


def read(article: Article, finder: Finder) -> Reading:
    """Return `article` read; `finder` finds the names of entities and themes."""
    return Reading(article, finder)


def _mentioned(mention: Mention, read_field: FieldReading) -> Place:
    """Return where a name stands; it takes the positions of the words that it touches."""
    touched = [
        token.position
        for token in read_field.tokens
        if token.start < mention.end and token.end > mention.start
    ]
    first, last = (touched[0], touched[-1]) if touched else (-1, -1)
    return Place(read_field.field, 0, mention.start, mention.end, first, last, mention.beside)
