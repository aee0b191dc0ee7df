"""An article read once: folded, cut into words, stemmed, its names found. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wirewatch.entities.find import Finder
from wirewatch.text.fold import Folded, fold
from wirewatch.text.language import primary
from wirewatch.text.stem import stem
from wirewatch.text.words import Span, word_spans
from wirewatch.topics.alerts import Field
from wirewatch.topics.articles import Article


@dataclass(frozen=True, slots=True)
class FieldReading:
    """One field of an article.

    `words` and `spans` (in folded coordinates) run in parallel; `by_word` and
    `by_stem` say at which of their positions a word or a stem stands.
    """

    field: Field
    folded: Folded
    words: Sequence[str]
    spans: Sequence[Span]
    by_word: Mapping[str, Sequence[int]]
    by_stem: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a field of the original article, in code points."""

    field: Field
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """An article as queries see it. `language` is the primary subtag."""

    article: Article
    language: str
    fields: Sequence[FieldReading]
    mentions: Mapping[str, Sequence[Place]]


def read(article: Article, finder: Finder) -> Reading:
    """Return `article` read; `finder` finds the names of entities and themes."""
    language = primary(article.language)
    texts = ((Field.TITLE, article.title), (Field.LEAD, article.lead), (Field.BODY, article.body))
    # Many feeds give the same text as summary and as content: it is read and proved once.
    fields = [
        _read_field(field, text, language)
        for field, text in texts
        if text and not (field is Field.BODY and text == article.lead)
    ]
    mentions: dict[str, list[Place]] = defaultdict(list)
    for field in fields:
        for mention in finder.find(field.folded, article.language):
            place = Place(field.field, mention.start, mention.end)
            mentions[mention.entity_id].append(place)
    return Reading(article, language, tuple(fields), dict(mentions))


def _read_field(field: Field, text: str, language: str) -> FieldReading:
    folded = fold(text)
    spans = word_spans(folded.folded)
    words = [folded.folded[start:end] for start, end in spans]
    by_word: dict[str, list[int]] = defaultdict(list)
    by_stem: dict[str, list[int]] = defaultdict(list)
    for position, word in enumerate(words):
        by_word[word].append(position)
        by_stem[stem(word, language)].append(position)
    return FieldReading(field, folded, words, spans, dict(by_word), dict(by_stem))
