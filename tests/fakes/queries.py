"""Random queries and articles over a small vocabulary, so that they often meet."""

from functools import cache

from hypothesis import strategies as st

from fakes.news import AT
from wirewatch.query.limits import MAX_NEARS
from wirewatch.query.parse import asks_for_something
from wirewatch.query.tree import (
    SEARCHED,
    And,
    AtLeast,
    EntityLeaf,
    Exact,
    Filter,
    Near,
    Not,
    Or,
    Phrase,
    Placed,
    Prefix,
    Query,
    TopicLeaf,
    Word,
    nears_in,
)
from wirewatch.topics.alerts import Field
from wirewatch.topics.articles import Article

WORDS = [
    "earthquake", "earthquakes", "Tōkyō", "tokyo", "running", "runs", "Ärzte", "Arzt", "日本",
    "地震", "covid-19", "army's", "U.S.", "Raketen", "militar", "الجيش", 'צה"ל', "북한", "№5",
]  # fmt: skip
"""What queries ask for."""
NAMES = ["North Korea", "Russia", "army", "Nordkoreas", "Armee", "北朝鮮", "russian army"]
FORMS = [
    "the", "covid", "19", "army", "s", "U", "S", "Raketenangriff", "rakete", "militares",
    "والجيش", "북한이", "no 5", "earth\u00adquake", "TOKYO", "日本で地震", "地 震", "ﬁ", "½", "🚀",
]  # fmt: skip
"""What else stands in articles: other forms of the same, and what parts words."""
BETWEEN = [" ", " ", " ", ", ", "-", "\n", ". ", "", "・"]
PREFIXES = ["earth", "to", "run", "ärz", "日本", "covid-1", "army's", "rak", "북한", "mil"]
NAMED = [
    EntityLeaf("Q423", "North Korea"),
    EntityLeaf("Q423", "Nordkorea"),
    EntityLeaf("Q159", "Q159"),
    TopicLeaf("topic:military", "military"),
]
FILTERS = [
    *(Filter(Field.LANG, value) for value in ("en", "de", "pt", "pt-br", "und", "ja", "ar")),
    *(Filter(Field.SOURCE, value) for value in ("news.example", "example", "b.news.example")),
    *(Filter(Field.FEED, value) for value in ("feed_1", "World News", "Tägliche Presse")),
    *(Filter(Field.COUNTRY, value) for value in ("JP", "DE")),
]
LANGUAGES = ["en", "de", "pt-BR", "und", "ja", "ar", "he", "ko", "nl", "uk", "zh-Hant", "xx"]
TEXT_FIELDS = [Field.TITLE, Field.LEAD, Field.BODY, Field.URL, Field.AUTHOR, Field.CATEGORY]


PHRASES = [
    "earthquake", "earthquakes Tōkyō", "the army", "army s", "russian army", "日本 地震",
    "covid 19", "covid-19 the", "地 震", "North Korea", 'the "army', "back\\slash army", "no 5",
    "running, runs",
]  # fmt: skip


def _text_leaves(*fields: Field | None) -> st.SearchStrategy[Placed]:
    field = st.sampled_from(fields)
    return st.one_of(
        st.builds(Word, st.sampled_from(WORDS), field),
        st.builds(Phrase, st.sampled_from(PHRASES), field),
        st.builds(Exact, st.sampled_from([*WORDS, *PHRASES]), field),
        st.builds(Prefix, st.sampled_from(PREFIXES), field),
    )


def _named(*fields: Field | None) -> st.SearchStrategy[Placed]:
    leaves = [type(leaf)(leaf.entity_id, leaf.name, field) for leaf in NAMED for field in fields]
    return st.sampled_from(leaves)


def _placed_in(field: Field | None) -> st.SearchStrategy[Placed]:
    """Leaves of one field or of none, as both sides of a NEAR have to be; and NEARs of them."""
    fields = (None, field)
    texts = _text_leaves(*fields)
    is_text_only = field is not None and field not in SEARCHED
    return st.recursive(
        texts if is_text_only else texts | _named(*fields),
        lambda inner: st.one_of(
            st.builds(_near, inner, inner, st.integers(1, 6), st.booleans()),
            st.lists(inner, min_size=2, max_size=2).map(lambda parts: _joined(parts, Or)),
        ),
        max_leaves=4,
    )


def _near(left: Placed, right: Placed, distance: int, ordered: bool) -> Placed:
    near = Near(left, right, distance, ordered)
    return near if nears_in(near) <= MAX_NEARS else left


@cache
def placed() -> st.SearchStrategy[Placed]:
    """What NEAR and ATLEAST take: leaves, NEAR inside of NEAR, and alternatives of them."""
    return st.one_of(*map(_placed_in, [None, *TEXT_FIELDS]))


@cache
def leaves() -> st.SearchStrategy[Query]:
    """One leaf of any kind; a NEAR and an ATLEAST are one each."""
    any_field = (None, None, None, *TEXT_FIELDS)
    return st.one_of(
        _text_leaves(*any_field),
        _text_leaves(*any_field),
        _named(None, *SEARCHED),
        st.sampled_from(FILTERS),
        placed().filter(lambda query: not isinstance(query, Or)),
        st.builds(AtLeast, st.integers(1, 4), placed()),
    )


def _joined(parts: list[Query] | list[Placed], kind: type[And] | type[Or]) -> Query:
    """Join as the parser does: no And directly in an And, no Or directly in an Or."""
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return kind(tuple(flat))


@cache
def queries() -> st.SearchStrategy[Query]:
    """Any tree that the parser can make."""
    return st.recursive(
        leaves(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: _joined(parts, And)),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: _joined(parts, Or)),
            inner.map(Not),
        ),
        max_leaves=6,
    ).filter(asks_for_something)


@cache
def texts(max_words: int = 12) -> st.SearchStrategy[str]:
    """A text in which queries often find something."""
    words = [*WORDS, *NAMES, *FORMS]
    pieces = st.sampled_from([word + between for word in words for between in BETWEEN])
    return st.lists(pieces, max_size=max_words).map("".join)


def _article(repeats: bool, **fields: object) -> Article:
    body = fields["lead"] if repeats else fields["body"]
    changed = {**fields, "body": body, "id": "art_1", "story_id": "art_1"}
    return Article(**changed, published_at=AT, fetched_at=AT)  # type: ignore[arg-type]


@cache
def articles() -> st.SearchStrategy[Article]:
    """An article of any language; now and then its body repeats its lead."""
    names = st.lists(st.sampled_from(["", *WORDS, *NAMES]), max_size=3).map(tuple)
    slugs = ["", "earthquake-tokyo", "covid-19/army", "Raketenangriff"]
    return st.builds(
        _article,
        st.sampled_from([False, False, True]),
        feed_id=st.sampled_from(["feed_1", "feed_2"]),
        feed_title=st.sampled_from(["", "world news", "Tägliche Presse"]),
        url=st.sampled_from([f"https://news.example/{slug}" for slug in slugs]),
        title=texts(6),
        lead=texts(),
        body=texts(24),
        language=st.sampled_from(LANGUAGES),
        authors=names,
        categories=names,
        source=st.sampled_from(["", "news.example", "a.b.news.example", "other.example"]),
        source_country=st.sampled_from(["", "JP", "DE"]),
    )
