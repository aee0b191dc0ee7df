"""Whether an article satisfies a query, and which words prove it. Pure.

This is the reference: the index of `match` may only be faster, never different.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, zip_longest

from wirewatch.query.printing import to_text
from wirewatch.query.reading import FieldReading, Place, Reading
from wirewatch.query.tree import And, EntityLeaf, Leaf, Not, Or, Phrase, Query, TopicLeaf, Word
from wirewatch.text.fold import fold
from wirewatch.text.stem import stem
from wirewatch.text.words import is_unspaced, word_spans
from wirewatch.topics.alerts import MAX_PROOFS, MAX_SNIPPET_CHARS, Proof

PLACES_PER_LEAF = 8
"""Places shown for one leaf; the first ones, the title before the body."""


def explain(query: Query, reading: Reading) -> tuple[Proof, ...] | None:
    """Return the proofs that `reading` satisfies `query`; None if it does not.

    Each leaf that holds and contributes has at least one proof, as long as
    there are no more than MAX_PROOFS of them; a NOT has none.
    """
    found = _satisfied(query, reading)
    if found is None:
        return None
    columns = [[(leaf, place) for place in _places(leaf, reading)] for leaf in dict.fromkeys(found)]
    # The first place of every leaf, then the second of every leaf: a cut leaves each its share.
    rows = zip_longest(*columns)
    picked = (pair for row in rows for pair in row if pair is not None)
    return tuple(_proof(leaf, place, reading) for leaf, place in islice(picked, MAX_PROOFS))


def matches(query: Query, reading: Reading) -> bool:
    """Say whether `reading` satisfies `query`."""
    return _satisfied(query, reading) is not None


def _satisfied(query: Query, reading: Reading) -> list[Leaf] | None:
    """Return the positive leaves that make `query` hold; None if it does not hold."""
    match query:
        case And(parts):
            found: list[Leaf] = []
            for part in parts:
                of_part = _satisfied(part, reading)
                if of_part is None:
                    return None
                found += of_part
            return found
        case Or(parts):
            held = [of for part in parts if (of := _satisfied(part, reading)) is not None]
            return [leaf for of in held for leaf in of] if held else None
        case Not(part):
            return [] if _satisfied(part, reading) is None else None
        case _:
            return [query] if next(_all_places(query, reading), None) is not None else None


def _places(leaf: Leaf, reading: Reading) -> list[Place]:
    return list(islice(_all_places(leaf, reading), PLACES_PER_LEAF))


def _all_places(leaf: Leaf, reading: Reading) -> Iterator[Place]:
    match leaf:
        case EntityLeaf(entity_id, _) | TopicLeaf(entity_id, _):
            yield from reading.mentions.get(entity_id, ())
        case Word(text):
            for field in reading.fields:
                yield from _in_field(text, field, reading.language, in_any_form=True)
        case Phrase(text):
            for field in reading.fields:
                yield from _in_field(text, field, reading.language, in_any_form=False)


@lru_cache(maxsize=65_536)
def sought(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a word or phrase folded, and the words in it."""
    folded = fold(text).folded
    return folded, tuple(folded[start:end] for start, end in word_spans(folded))


def _in_field(
    text: str, field: FieldReading, language: str, *, in_any_form: bool
) -> Iterator[Place]:
    folded, words = sought(text)
    if is_unspaced(folded):
        yield from _substrings("".join(folded.split()), field)
    elif in_any_form and len(words) == 1:
        for position in field.by_stem.get(stem(words[0], language), ()):
            yield _place(field, *field.spans[position])
    else:
        yield from _runs(words, field)


def _substrings(folded: str, field: FieldReading) -> Iterator[Place]:
    at = field.folded.folded.find(folded)
    while at >= 0:
        yield _place(field, at, at + len(folded))
        at = field.folded.folded.find(folded, at + len(folded))


def _runs(words: Sequence[str], field: FieldReading) -> Iterator[Place]:
    """Yield where `words` stand one after the other, whatever is between them."""
    size = len(words)
    for position in field.by_word.get(words[0], ()):
        if tuple(field.words[position : position + size]) == tuple(words):
            yield _place(field, field.spans[position][0], field.spans[position + size - 1][1])


def _place(field: FieldReading, start: int, end: int) -> Place:
    return Place(field.field, *field.folded.span(start, end))


def _proof(leaf: Leaf, place: Place, reading: Reading) -> Proof:
    original = next(f.folded.original for f in reading.fields if f.field is place.field)
    start, end = snippet_around(original, place.start, place.end)
    return Proof(
        leaf=to_text(leaf),
        entity_id=leaf.entity_id if isinstance(leaf, EntityLeaf | TopicLeaf) else None,
        field=place.field,
        start=place.start,
        end=place.end,
        text=original[place.start : place.end],
        snippet=original[start:end],
        mark_start=place.start - start,
        mark_end=place.end - start,
    )


def snippet_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the part of `text` shown around `text[start:end]`, cut between words.

    It has at most MAX_SNIPPET_CHARS code points, more only if the marked words have.
    """
    room = max(0, MAX_SNIPPET_CHARS - (end - start)) // 2
    first, last = max(0, start - room), min(len(text), end + room)
    if first > 0:
        space = text.find(" ", first, start)
        first = space + 1 if space >= 0 else first
    if last < len(text):
        space = text.rfind(" ", end, last)
        last = space if space >= 0 else last
    return first, last
