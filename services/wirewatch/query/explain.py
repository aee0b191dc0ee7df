"""Whether an article satisfies a query, which words prove it, and what was missing. Pure.

This is the reference: the index of `wirewatch.index` may only be faster, never different.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from wirewatch.query.places import places, what_is_known
from wirewatch.query.printing import to_text
from wirewatch.query.reading import Place, Reading
from wirewatch.query.tree import And, EntityLeaf, Leaf, Not, Or, Query, TopicLeaf
from wirewatch.topics.alerts import MAX_PROOFS, MAX_SNIPPET_CHARS, Proof

PLACES_PER_LEAF = 8
"""Places shown for one leaf; the first ones, the title before the body."""
MAX_LACKS = 32
"""Sets of missing leaves that are weighed against one another; most queries have fewer."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A leaf that kept an article from matching. With `unwanted` it was there under a NOT."""

    leaf: Leaf
    unwanted: bool


_Lack = tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an article matches, or does not.

    `proofs` show the leaves that were found (also where the whole did not match), `missing`
    is the smallest set of leaves that would have to change; it is empty for a match.
    """

    matches: bool
    proofs: tuple[Proof, ...]
    missing: tuple[Missing, ...]


def explain(query: Query, reading: Reading) -> tuple[Proof, ...] | None:
    """Return the proofs that `reading` satisfies `query`; None if it does not.

    Each leaf that holds and contributes has at least one proof, as long as
    there are no more than MAX_PROOFS of them; a NOT has none.
    """
    found = _satisfied(query, reading)
    return None if found is None else _proofs(found, reading)


def matches(query: Query, reading: Reading) -> bool:
    """Say whether `reading` satisfies `query`."""
    return _satisfied(query, reading) is not None


def explain_in_full(query: Query, reading: Reading) -> Explanation:
    """Return why `reading` satisfies `query`, or what it lacks."""
    found = _satisfied(query, reading)
    if found is not None:
        return Explanation(matches=True, proofs=_proofs(found, reading), missing=())
    missing = _missing(query, reading, wanted=True)[0]
    unwanted = [each.leaf for each in missing if each.unwanted]
    there = [leaf for leaf in _positive(query, wanted=True) if places(leaf, reading)]
    return Explanation(matches=False, proofs=_proofs([*there, *unwanted], reading), missing=missing)


def _positive(query: Query, *, wanted: bool) -> list[Leaf]:
    """Return the leaves that are asked for, not denied."""
    match query:
        case Not(part):
            return _positive(part, wanted=not wanted)
        case And(parts) | Or(parts):
            return [leaf for part in parts for leaf in _positive(part, wanted=wanted)]
        case _:
            return [query] if wanted else []


def _missing(query: Query, reading: Reading, *, wanted: bool) -> list[_Lack]:
    """Return sets of leaves that keep `query` from holding, the smallest first; none if it holds.

    To change all leaves of one of them would do. Where a leaf stands in several parts the best
    set of the whole is not made of the best sets of the parts, so some others are kept too.
    """
    match query:
        case Not(part):
            return _missing(part, reading, wanted=not wanted)
        case And(parts) | Or(parts):
            each = [_missing(part, reading, wanted=wanted) for part in parts]
            if isinstance(query, And) is wanted:
                return _all_of([lacks for lacks in each if lacks])
            return _smallest(lack for lacks in each for lack in lacks) if all(each) else []
        case _:
            is_there = bool(places(query, reading))
            return [] if is_there is wanted else [(Missing(query, unwanted=not wanted),)]


def _all_of(each: Sequence[Sequence[_Lack]]) -> list[_Lack]:
    together: list[_Lack] = [()] if each else []
    for lacks in each:
        pairs = ((*one, *other) for one in together for other in lacks)
        together = _smallest(tuple(dict.fromkeys(pair)) for pair in pairs)
    return together


def _smallest(lacks: Iterable[_Lack]) -> list[_Lack]:
    return sorted(dict.fromkeys(lacks), key=len)[:MAX_LACKS]


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
            if bool(places(query, reading)) is not wanted:
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


def _proofs(found: Sequence[Leaf], reading: Reading) -> tuple[Proof, ...]:
    columns = [
        [(leaf, place) for place in places(leaf, reading)[:PLACES_PER_LEAF]]
        for leaf in dict.fromkeys(found)
    ]
    # The first place of every leaf, then the second of every leaf: a cut leaves each its share.
    rows = zip_longest(*columns)
    picked = (pair for row in rows for pair in row if pair is not None)
    return tuple(_proof(leaf, place, reading) for leaf, place in islice(picked, MAX_PROOFS))


def _proof(leaf: Leaf, place: Place, reading: Reading) -> Proof:
    # Subscriptions that match one article often ask for the same: it is cut out once.
    known = reading.proofs.get((leaf, place))
    if known is None:
        known = reading.proofs[leaf, place] = _new_proof(leaf, place, reading)
    return known


def _new_proof(leaf: Leaf, place: Place, reading: Reading) -> Proof:
    original = _text(place, reading)
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
        beside=place.beside or None,
    )


def _text(place: Place, reading: Reading) -> str:
    texts = (e.text for e in reading.fields if (e.field, e.part) == (place.field, place.part))
    return next(texts, "") or what_is_known(place.field, reading.article)


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
