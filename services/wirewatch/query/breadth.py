"""What makes a query match more than was probably meant. Pure.

A warning does not keep a query from being used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wirewatch.query.frequent import frequent_in
from wirewatch.query.printing import to_text
from wirewatch.query.tree import (
    And,
    AtLeast,
    Filter,
    Leaf,
    Near,
    Not,
    Or,
    Phrase,
    Placed,
    Prefix,
    Query,
    Word,
)
from wirewatch.text.fold import folded
from wirewatch.text.words import is_unspaced

SHORT_CHARS = 2
"""Words and prefixes of no more letters stand in very many articles."""


@dataclass(frozen=True, slots=True)
class QueryWarning:
    """What may be too broad, in a sentence. `part` is the part of the query, as it is printed."""

    part: str
    message: str


def warnings_of(query: Query) -> tuple[QueryWarning, ...]:
    """Return what makes `query` broad: alternatives that ask for next to nothing."""
    found = (_warning(needed) for needed in _alternatives(query))
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _alternatives(query: Query) -> Iterator[Sequence[Leaf]]:
    """Yield for each alternative the leaves that it cannot do without.

    Of a part in which any of several will do nothing is needed for sure: it counts as an
    alternative only where it is the whole query.
    """
    if isinstance(query, Or):
        for part in query.parts:
            yield from _alternatives(part)
    elif isinstance(query, And):
        yield [leaf for part in query.parts for leaf in _needed(part)]
    else:
        yield _needed(query)


def _needed(part: Query) -> list[Leaf]:
    """Return the leaves of which one has to be there for `part` to hold."""
    match part:
        case Not():
            return []
        case Or(parts):
            each = [_needed(inner) for inner in parts]
            return [leaf for inner in each for leaf in inner] if all(each) else []
        case And(parts):
            return [leaf for inner in parts for leaf in _needed(inner)]
        case _:
            return [part]


def _warning(needed: Sequence[Leaf]) -> QueryWarning | None:
    if needed and all(isinstance(leaf, Filter) for leaf in needed):
        part = " ".join(dict.fromkeys(map(to_text, needed)))
        return QueryWarning(part, "every article that passes these filters matches: add a word")
    asked = [leaf for leaf in needed if not isinstance(leaf, Filter)]
    if not asked or not all(_is_short(leaf) or _languages(leaf) for leaf in asked):
        return None
    part = to_text(asked[0])
    if languages := _languages(asked[0]):
        volume = f"four of five articles in {languages}, by estimate"
        return QueryWarning(part, f"{part} stands in {volume}: add a rarer word")
    return QueryWarning(part, f"{part} stands in very many articles: add a longer word")


def _languages(leaf: Leaf) -> str:
    """Return the languages most articles of which have `leaf`, whatever they are about."""
    return frequent_in(leaf.text) if isinstance(leaf, Word | Phrase) and not leaf.field else ""


def _is_short(leaf: Leaf | Placed) -> bool:
    match leaf:
        case Word(text) | Prefix(text):
            plain = folded(text)
            return len(plain) <= SHORT_CHARS and not is_unspaced(plain)
        case Near(left, right):
            return _is_short(left) and _is_short(right)
        case AtLeast(_, part):
            return _is_short(part)
        case Or(parts):
            return any(_is_short(part) for part in parts)  # type: ignore[arg-type]
        case _:
            return False
