"""A query as a typed tree. Pure.

A leaf asks for one thing in an article; And, Or and Not join parts. A new kind of
leaf needs a class here, a line in the parser, one in the printer and one in `explain`.
"""

from collections.abc import Iterator
from dataclasses import dataclass


class _Node:
    """What all nodes have: `str` of a query is the query as it is understood."""

    __slots__ = ()

    def __str__(self) -> str:
        from wirewatch.query.printing import to_text  # noqa: PLC0415 - it imports this module

        return to_text(self)  # type: ignore[arg-type]  # each node below is a Query


@dataclass(frozen=True, slots=True)
class Word(_Node):
    """A word in any form of its language, whatever case, accents or width."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase(_Node):
    """Words one after the other, as written but for case, accents and width."""

    text: str


@dataclass(frozen=True, slots=True)
class EntityLeaf(_Node):
    """A thing by any of its names in any language. `name` is what the query called it."""

    entity_id: str
    name: str


@dataclass(frozen=True, slots=True)
class TopicLeaf(_Node):
    """A theme by its words in any language. `name` is what the query called it."""

    entity_id: str
    name: str


Leaf = Word | Phrase | EntityLeaf | TopicLeaf


@dataclass(frozen=True, slots=True)
class And(_Node):
    """All parts hold; at least two."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or(_Node):
    """One of the parts holds; at least two."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Not(_Node):
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
