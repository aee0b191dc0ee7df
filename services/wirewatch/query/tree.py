"""A query as a typed tree. Pure.

A leaf asks for one thing in an article; And, Or and Not join parts. A new kind of
leaf needs a class here, a line in the parser, one in the printer and one in `explain`.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A word in any form of its language, whatever case, accents or width."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words one after the other, as written but for case, accents and width."""

    text: str


@dataclass(frozen=True, slots=True)
class EntityLeaf:
    """A thing by any of its names in any language. `name` is what the query called it."""

    entity_id: str
    name: str


@dataclass(frozen=True, slots=True)
class TopicLeaf:
    """A theme by its words in any language. `name` is what the query called it."""

    entity_id: str
    name: str


Leaf = Word | Phrase | EntityLeaf | TopicLeaf


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold; at least two."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of the parts holds; at least two."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Query"


Query = Leaf | And | Or | Not


def leaves(query: Query) -> Iterator[Leaf]:
    """Yield the leaves of `query`, from left to right."""
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield query
