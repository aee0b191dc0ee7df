"""An article read once: folded, cut into words, stemmed, its names found. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wirewatch.entities.find import Finder
from wirewatch.query.tree import Leaf
from wirewatch.text.fold import Folded, fold
from wirewatch.text.language import primary
from wirewatch.text.stem import algorithm_of, stem_by
from wirewatch.text.words import Span, word_spans
from wirewatch.topics.alerts import Field
from wirewatch.topics.articles import Article


@dataclass(frozen=True, slots=True)
class FieldReading:
    """One field of an article.

    `words` and `spans` (in folded coordinates) run in parallel; `by_word` and
    `by_form` say at which of their positions a word stands, or any form of it.
    """

    field: Field
    folded: Folded
    words: Sequence[str]
    spans: Sequence[Span]
    stems: Sequence[str]
    by_word: Mapping[str, Sequence[int]]
    by_form: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a field of the original article, in code points."""

    field: Field
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """An article as queries see it. `language` is the primary subtag.

    `found` is the memory of `explain`: thousands of queries ask for the same few leaves.
    """

    article: Article
    language: str
    fields: Sequence[FieldReading]
    mentions: Mapping[str, Sequence[Place]]
    found: dict[Leaf, tuple[Place, ...]] = field(default_factory=dict, compare=False, repr=False)


def read(article: Article, finder: Finder) -> Reading:
    """Return `article` read; `finder` finds the names of entities and themes."""
    language = primary(article.language)
    texts = ((Field.TITLE, article.title), (Field.LEAD, article.lead), (Field.BODY, article.body))
    # Many feeds give the same text as summary and as content: it is read and proved once.
    fields = [
        _read_field(name, text, language)
        for name, text in texts
        if text and not (name is Field.BODY and text == article.lead)
    ]
    mentions: dict[str, list[Place]] = defaultdict(list)
    for read_field in fields:
        for mention in finder.find(read_field.folded, article.language):
            place = Place(read_field.field, mention.start, mention.end)
            mentions[mention.entity_id].append(place)
    return Reading(article, language, tuple(fields), dict(mentions))


def _read_field(name: Field, text: str, language: str) -> FieldReading:
    folded = fold(text)
    spans = word_spans(folded.folded)
    words = [folded.folded[start:end] for start, end in spans]
    algorithm = algorithm_of(language)
    stems = [stem_by(_written(folded, span), algorithm) for span in spans] if algorithm else words
    by_word: dict[str, list[int]] = defaultdict(list)
    by_form: dict[str, list[int]] = defaultdict(list)
    for position, (word, its_stem) in enumerate(zip(words, stems, strict=True)):
        by_word[word].append(position)
        by_form[word].append(position)
        if its_stem != word:
            by_form[its_stem].append(position)
    return FieldReading(name, folded, words, spans, stems, dict(by_word), dict(by_form))


def _written(folded: Folded, span: Span) -> str:
    start, end = folded.span(*span)
    return folded.original[start:end]
