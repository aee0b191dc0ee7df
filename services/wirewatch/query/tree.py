"""A query as a typed tree. Pure.

A leaf asks for one thing in an article; And, Or and Not join parts. A new kind of
leaf needs a class here, a line in the parser, one in the printer, one in `places`, and in
`wirewatch.index` one in `features`.
"""

from collections.abc import Iterator

import msgspec

from wirewatch.topics.alerts import Field

SEARCHED = (Field.TITLE, Field.LEAD, Field.BODY)
"""Where a leaf without a field of its own is looked for."""


class _Node(msgspec.Struct, frozen=True, gc=False, tag=True):
    """What all nodes have: `str` of a query is the query as it is understood.

    Structs of msgspec: a million queries are made of ten million nodes, and these are made and
    hashed eight times as fast as dataclasses.
    """

    def __str__(self) -> str:
        from wirewatch.query.printing import to_text  # noqa: PLC0415 - it imports this module

        return to_text(self)  # type: ignore[arg-type]  # each node below is a Query


class Word(_Node, frozen=True, gc=False, cache_hash=True):
    """A word in any form of its language, whatever case, accents or width."""

    text: str
    field: Field | None = None


class Phrase(_Node, frozen=True, gc=False, cache_hash=True):
    """Words one after the other, as written but for case, accents and width."""

    text: str
    field: Field | None = None


class Exact(_Node, frozen=True, gc=False, cache_hash=True):
    """Words one after the other exactly as written, capitals and accents too."""

    text: str
    field: Field | None = None


class Prefix(_Node, frozen=True, gc=False, cache_hash=True):
    """Any word that begins with this, whatever case, accents or width."""

    text: str
    field: Field | None = None


class EntityLeaf(_Node, frozen=True, gc=False, cache_hash=True):
    """A thing by any of its names in any language. `name` is what the query called it.

    For all things of a kind `entity_id` is that of the class (`entities.ids`).
    """

    entity_id: str
    name: str
    field: Field | None = None


class TopicLeaf(_Node, frozen=True, gc=False, cache_hash=True):
    """A theme by its words in any language. `name` is what the query called it."""

    entity_id: str
    name: str
    field: Field | None = None


class Filter(_Node, frozen=True, gc=False, cache_hash=True):
    """What is known of an article beside its text: `field` is LANG, SOURCE, FEED or COUNTRY."""

    field: Field
    value: str


class Near(_Node, frozen=True, gc=False, cache_hash=True):
    """A place of each side in one field, at most `distance` words apart; neighbours are 1 apart.

    With `ordered` the left side stands first. A side may be an Or.
    """

    left: "Placed"
    right: "Placed"
    distance: int
    ordered: bool = False


class AtLeast(_Node, frozen=True, gc=False, cache_hash=True):
    """At least `count` places of a part."""

    count: int
    part: "Placed"


class And(_Node, frozen=True, gc=False, cache_hash=True):
    """All parts hold; at least two."""

    parts: tuple["Query", ...]


class Or(_Node, frozen=True, gc=False, cache_hash=True):
    """One of the parts holds; at least two."""

    parts: tuple["Query", ...]


class Not(_Node, frozen=True, gc=False, cache_hash=True):
    """The part does not hold."""

    part: "Query"


TextLeaf = Word | Phrase | Exact | Prefix
NamedLeaf = EntityLeaf | TopicLeaf
Placed = TextLeaf | NamedLeaf | Near | Or
"""What stands at places of a text. An Or only if all of its parts do."""
Leaf = TextLeaf | NamedLeaf | Filter | Near | AtLeast
Query = Leaf | And | Or | Not


def leaves(query: Query) -> Iterator[Leaf]:
    """Yield the leaves of `query`, from left to right; a Near and an AtLeast are one each."""
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield query


def inner_leaves(part: Query) -> Iterator[Leaf]:
    """Yield the leaves of `part`; of a NEAR and an ATLEAST those inside of it."""
    match part:
        case Near(left, right):
            yield from inner_leaves(left)
            yield from inner_leaves(right)
        case AtLeast(_, inner) | Not(inner):
            yield from inner_leaves(inner)
        case And(parts) | Or(parts):
            for each in parts:
                yield from inner_leaves(each)
        case _:
            yield part


def is_placed(query: Query) -> bool:
    """Say whether `query` stands at places of a text, so that NEAR and ATLEAST can take it."""
    if isinstance(query, Or):
        return all(map(is_placed, query.parts))
    return not isinstance(query, And | Not | Filter | AtLeast)


def fields_of(placed: Placed) -> set[Field | None]:
    """Return the fields that the leaves of `placed` name; None where one names none."""
    match placed:
        case Near(left, right):
            return fields_of(left) | fields_of(right)
        case Or(parts):
            return {field for part in parts for field in fields_of(part)}  # type: ignore[arg-type]
        case _:
            return {placed.field}


def nears_in(placed: Placed) -> int:
    """Return how many NEAR are inside one another in `placed`."""
    match placed:
        case Near(left, right):
            return 1 + max(nears_in(left), nears_in(right))
        case Or(parts):
            return max(nears_in(part) for part in parts)  # type: ignore[arg-type]
        case _:
            return 0
