"""Where an article has what a leaf asks for. Pure, and plain: this is what leaves mean.

The index of `wirewatch.index` may only be faster, never different; a property test holds
the two together.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from wirewatch.query.reading import FieldReading, Place, Reading
from wirewatch.query.sought import cased_of, forms_of, parts_of
from wirewatch.query.tree import (
    AtLeast,
    EntityLeaf,
    Exact,
    Filter,
    Leaf,
    Near,
    Or,
    Phrase,
    Prefix,
    TextLeaf,
    TopicLeaf,
    Word,
)
from wirewatch.text.fold import folded
from wirewatch.text.stem import begins_compound, cased
from wirewatch.topics.alerts import Field
from wirewatch.topics.articles import Article

MAX_PLACES = 10_000
"""Places of one leaf in one article that are told apart: the first ones, field by field."""


def places(leaf: Leaf | Or, reading: Reading) -> Sequence[Place]:
    """Return where `leaf` stands, field by field and in the order of the text.

    A leaf holds if there is a place; an AtLeast has places only if there are enough.
    """
    if isinstance(leaf, Or):
        return joined(places(part, reading) for part in leaf.parts)  # type: ignore[arg-type]
    found = reading.found.get(leaf)
    if found is None:
        found = reading.found[leaf] = _places(leaf, reading)
    return found


def _places(leaf: Leaf, reading: Reading) -> Sequence[Place]:
    match leaf:
        case EntityLeaf(entity_id, _, field) | TopicLeaf(entity_id, _, field):
            return _mentions(entity_id, field, reading)
        case Filter(field, value):
            known = what_is_known(field, reading.article)
            holds = filter_holds(field, value, reading.article)
            return [Place(field, 0, 0, len(known))] if holds else []
        case Near(left, right, distance, ordered):
            near = places_near(
                places(left, reading), places(right, reading), distance, ordered=ordered
            )
            return near[:MAX_PLACES]
        case AtLeast(count, part):
            found = places(part, reading)
            return found if len(found) >= count else []
        case _:
            fields = reading.of(leaf.field)
            found = [place for each in fields for place in _in_field(leaf, each)]
            return found[:MAX_PLACES]


def joined(sides: Iterable[Sequence[Place]]) -> Sequence[Place]:
    """Return the places of several leaves as those of one, each place once."""
    found = {place: None for side in sides for place in side}
    return sorted(found, key=_order)[:MAX_PLACES]


def _order(place: Place) -> tuple[int, int, int, int, int, int]:
    field = _FIELD_ORDER[place.field]
    return field, place.part, place.first, place.last, place.start, place.end


_FIELD_ORDER = {field: number for number, field in enumerate(Field)}


def _mentions(entity_id: str, field: Field | None, reading: Reading) -> Sequence[Place]:
    fields = {each.field for each in reading.of(field)}
    found = reading.mentions.get(entity_id, ())
    return [place for place in found if place.field in fields][:MAX_PLACES]


def what_is_known(field: Field, article: Article) -> str:
    """Return what a Filter of `field` is held against."""
    known = {
        Field.LANG: article.language,
        Field.SOURCE: article.source,
        Field.FEED: article.feed_id,
        Field.COUNTRY: article.source_country,
    }
    return known[field]


def filter_holds(field: Field, value: str, article: Article) -> bool:
    """Say whether what is known of `article` passes.

    `lang:pt` takes `pt-BR` too (RFC 4647 basic filtering), `source:bbc.co.uk` its subdomains,
    `feed:` takes the id or the title of a feed, whatever its case and accents.
    """
    return value in filter_values(field, article) or (
        field is Field.FEED and folded(value) == folded(article.feed_title)
    )


def filter_values(field: Field, article: Article) -> Sequence[str]:
    """Return every value that a Filter of `field` may have to take `article`, titles aside."""
    known = what_is_known(field, article)
    if field is Field.LANG:
        subtags = known.lower().replace("_", "-").split("-")
        return ["-".join(subtags[:end]) for end in range(1, len(subtags) + 1)]
    if field is Field.SOURCE:
        labels = known.lower().split(".")
        return [".".join(labels[start:]) for start in range(len(labels))] if known else []
    return [known]


Fits = Callable[[int, int], bool]
"""Whether part number i of a leaf is the word at place k of a field."""


def _in_field(leaf: TextLeaf, field: FieldReading) -> Iterator[Place]:
    parts = parts_of(leaf.text)
    first, fits = _first_and_fits(leaf, field)
    for at in first:
        end = at + len(parts)
        if end <= len(field.tokens) and all(
            fits(number, at + number)
            and field.tokens[at + number].position - field.tokens[at].position == part.offset
            for number, part in enumerate(parts)
        ):
            yield _place(field, at, end - 1)


def _first_and_fits(leaf: TextLeaf, field: FieldReading) -> tuple[Sequence[int], Fits]:
    """Return where the leaf's first word may stand, and how its words are compared."""
    parts = parts_of(leaf.text)
    words = [part.word for part in parts]
    match leaf:
        case Word(text):
            forms = forms_of(text, field.algorithm)
            at = {place for form in forms[0] for place in field.by_form.get(form, ())}
            if len(parts) == 1:
                compounds = (
                    place
                    for word, found in field.by_word.items()
                    if begins_compound(words[0], word, field.algorithm)
                    for place in found
                )
                at.update(compounds)
                return sorted(at), lambda _, __: True
            return sorted(
                at
            ), lambda number, place: not forms[number].isdisjoint(field.forms[place])
        case Exact(text):
            wanted = cased_of(text)
            return field.by_word.get(
                words[0], ()
            ), lambda number, place: cased(field.tokens[place].text) == wanted[number]
        case Prefix():
            last = len(words) - 1
            return (
                range(len(field.tokens)),
                lambda number, place: (
                    field.words[place].startswith(words[number])
                    if number == last
                    else field.words[place] == words[number]
                ),
            )
        case Phrase():
            return field.by_word.get(
                words[0], ()
            ), lambda number, place: field.words[place] == words[number]


def _place(field: FieldReading, first: int, last: int) -> Place:
    begin, end = field.tokens[first], field.tokens[last]
    return Place(field.field, field.part, begin.start, end.end, begin.position, end.position)


def places_near(
    left: Sequence[Place], right: Sequence[Place], distance: int, *, ordered: bool
) -> Sequence[Place]:
    """Return the places that begin with a place of one side and end with one of the other.

    Both come in the order of `places`. A name without words is near to nothing.
    """
    found: dict[Place, None] = {}
    by_field: dict[tuple[Field, int], list[Place]] = {}
    for place in right:
        by_field.setdefault((place.field, place.part), []).append(place)
    firsts = {key: [place.first for place in side] for key, side in by_field.items()}
    longest = max((place.last - place.first for place in right), default=0)
    for place in left:
        key = place.field, place.part
        others = by_field.get(key, [])
        begin = bisect_left(firsts.get(key, []), place.first - distance - longest)
        for other in others[begin:]:
            if other.first > place.last + distance:
                break
            if (near := _near(place, other, distance, ordered=ordered)) is not None:
                found[near] = None
        if len(found) > MAX_PLACES:
            break
    return sorted(found, key=_order)


def _near(one: Place, other: Place, distance: int, *, ordered: bool) -> Place | None:
    if one.first < 0 or other.first < 0:
        return None
    if one.last < other.first <= one.last + distance:
        return Place(one.field, one.part, one.start, other.end, one.first, other.last)
    if not ordered and other.last < one.first <= other.last + distance:
        return Place(one.field, one.part, other.start, one.end, other.first, one.last)
    return None
