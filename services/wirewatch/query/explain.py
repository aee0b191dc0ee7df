"""Whether an article satisfies a query, and which words prove it. Pure.

This is the reference: the index of `match` may only be faster, never different.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, zip_longest

from wirewatch.query.printing import to_text
from wirewatch.query.reading import FieldReading, Place, Reading
from wirewatch.query.tree import And, EntityLeaf, Leaf, Not, Or, Phrase, Query, TopicLeaf, Word
from wirewatch.text.fold import fold
from wirewatch.text.stem import algorithm_of, forms
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


def _satisfied(query: Query, reading: Reading, *, wanted: bool = True) -> list[Leaf] | None:
    """Return the leaves in the article that make `query` hold; None if it does not hold.

    With `wanted` false the question is asked of `NOT query`.
    """
    match query:
        case Not(part):
            return _satisfied(part, reading, wanted=not wanted)
        case And(parts) | Or(parts):
            # By De Morgan a refused Or is an And of refusals, and the reverse.
            if isinstance(query, And) is wanted:
                return _all_satisfied(parts, reading, wanted=wanted)
            held = (_satisfied(part, reading, wanted=wanted) for part in parts)
            of_each = [found for found in held if found is not None]
            return [leaf for found in of_each for leaf in found] if of_each else None
        case _:
            if bool(_places(query, reading)) is not wanted:
                return None
            return [query] if wanted else []


def _all_satisfied(parts: Sequence[Query], reading: Reading, *, wanted: bool) -> list[Leaf] | None:
    leaves: list[Leaf] = []
    for part in parts:
        found = _satisfied(part, reading, wanted=wanted)
        if found is None:
            return None
        leaves += found
    return leaves


def _places(leaf: Leaf, reading: Reading) -> tuple[Place, ...]:
    found = reading.found.get(leaf)
    if found is None:
        found = reading.found[leaf] = tuple(islice(_all_places(leaf, reading), PLACES_PER_LEAF))
    return found


def _all_places(leaf: Leaf, reading: Reading) -> Iterator[Place]:
    match leaf:
        case EntityLeaf(entity_id, _) | TopicLeaf(entity_id, _):
            yield from reading.mentions.get(entity_id, ())
        case Word(text) | Phrase(text):
            for field in reading.fields:
                yield from _in_field(leaf, sought(text), field, algorithm_of(reading.language))


@dataclass(frozen=True, slots=True)
class Sought:
    """A word or phrase made ready: folded, and the words in it, folded and as written."""

    folded: str
    words: tuple[str, ...]
    written: tuple[str, ...]


@lru_cache(maxsize=65_536)
def sought(text: str) -> Sought:
    """Return what to look for, for the text of a word or phrase."""
    folded = fold(text)
    spans = word_spans(folded.folded)
    originals = (folded.span(*span) for span in spans)
    return Sought(
        folded="".join(folded.folded.split()) if is_unspaced(folded.folded) else folded.folded,
        words=tuple(folded.folded[start:end] for start, end in spans),
        written=tuple(text[start:end] for start, end in originals),
    )


@lru_cache(maxsize=65_536)
def word_forms(text: str, algorithm: str) -> tuple[frozenset[str], ...]:
    """Return the forms of each word in the text of a Word; `army's` has two words."""
    return tuple(forms(word, algorithm) for word in sought(text).written)


def _in_field(
    leaf: Word | Phrase, wanted: Sought, field: FieldReading, algorithm: str
) -> Iterator[Place]:
    if is_unspaced(wanted.folded):
        yield from _substrings(wanted.folded, field)
    elif isinstance(leaf, Word):
        yield from _rows(word_forms(leaf.text, algorithm), field, stemmed=True)
    else:
        yield from _rows([frozenset({word}) for word in wanted.words], field, stemmed=False)


def _substrings(folded: str, field: FieldReading) -> Iterator[Place]:
    at = field.folded.folded.find(folded)
    while at >= 0:
        yield _place(field, at, at + len(folded))
        at = field.folded.folded.find(folded, at + len(folded))


def _rows(
    parts: Sequence[frozenset[str]], field: FieldReading, *, stemmed: bool
) -> Iterator[Place]:
    """Yield where words stand one after the other that each have a form of their part.

    What is between them does not matter. The search goes by the rarest part.
    """
    by_form = field.by_form if stemmed else field.by_word
    counts = [sum(len(by_form.get(form, ())) for form in part) for part in parts]
    rarest = counts.index(min(counts))
    for position in sorted({p for form in parts[rarest] for p in by_form.get(form, ())}):
        first = position - rarest
        last = first + len(parts) - 1
        if first >= 0 and last < len(field.words) and _is_row(parts, field, first, stemmed):
            yield _place(field, field.spans[first][0], field.spans[last][1])


def _is_row(
    parts: Sequence[frozenset[str]], field: FieldReading, first: int, stemmed: bool
) -> bool:
    return all(
        field.words[at] in part or (stemmed and field.stems[at] in part)
        for at, part in enumerate(parts, first)
    )


def _place(field: FieldReading, start: int, end: int) -> Place:
    return Place(field.field, *field.folded.span(start, end))


def _proof(leaf: Leaf, place: Place, reading: Reading) -> Proof:
    original = next(f.folded.original for f in reading.fields if f.field is place.field)
    # Of a phrase longer than a snippet the beginning is shown.
    place_end = min(place.end, place.start + MAX_SNIPPET_CHARS)
    start, end = snippet_around(original, place.start, place_end)
    return Proof(
        leaf=to_text(leaf),
        entity_id=leaf.entity_id if isinstance(leaf, EntityLeaf | TopicLeaf) else None,
        field=place.field,
        start=place.start,
        end=place_end,
        text=original[place.start : place_end],
        snippet=original[start:end],
        mark_start=place.start - start,
        mark_end=place_end - start,
    )


def snippet_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the part of `text` shown around `text[start:end]`, cut between words.

    It has at most MAX_SNIPPET_CHARS code points, which `text[start:end]` must not exceed.
    """
    room = (MAX_SNIPPET_CHARS - (end - start)) // 2
    first, last = max(0, start - room), min(len(text), end + room)
    if first > 0:
        first = next((at + 1 for at in range(first, start) if text[at].isspace()), first)
    if last < len(text):
        last = next((at for at in range(last, end - 1, -1) if text[at].isspace()), last)
    return first, last
