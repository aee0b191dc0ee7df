"""A query as text: parse(to_text(query)) == query. Pure."""

from wirewatch.entities.ids import CLASS_PREFIX
from wirewatch.query.tree import (
    And,
    AtLeast,
    EntityLeaf,
    Exact,
    Filter,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    TopicLeaf,
    Word,
)
from wirewatch.topics.alerts import Field


def to_text(query: Query) -> str:  # noqa: C901, PLR0911 - one line for each kind of node
    """Return `query` in the query language, with no more parentheses than it needs."""
    match query:
        case Word(text, field):
            return f"{_scope(field)}{text}"
        case Prefix(text, field):
            return f"{_scope(field)}{text}*"
        case Phrase(text, field):
            return f"{_scope(field)}{quoted(text)}"
        case Exact(text, field):
            return f"{_scope(field)}={_bare_or_quoted(text)}"
        case EntityLeaf(entity_id, name, field):
            kind = entity_id.removeprefix(CLASS_PREFIX)
            what = f"{kind}:" if kind != entity_id else "entity:"
            return _named(what + _bare_or_quoted(name), field)
        case TopicLeaf(_, name, field):
            return _named(f"topic:{_bare_or_quoted(name)}", field)
        case Filter(field, value):
            bare = all(c.isalnum() or c in ".-_" for c in value) and value[0].isalnum()
            return f"{field}:{value if bare else quoted(value)}"
        case Near(left, right, distance, ordered):
            operator = f"{'ONEAR' if ordered else 'NEAR'}/{distance}"
            return f"{_within(left, Or)} {operator} {_within(right, Or, Near)}"
        case AtLeast(count, part):
            return f"ATLEAST/{count} {_within(part, Or, Near)}"
        case Not(part):
            return f"NOT {_within(part, And, Or)}"
        case And(parts):
            return " AND ".join(_within(part, And, Or) for part in parts)
        case Or(parts):
            return " OR ".join(_within(part, Or) for part in parts)


def _scope(field: Field | None) -> str:
    return "" if field is None else f"{field}:"


def _named(text: str, field: Field | None) -> str:
    return text if field is None else f"{field}:({text})"


def _within(part: Query, *weaker: type[And] | type[Or] | type[Near]) -> str:
    text = to_text(part)
    return f"({text})" if isinstance(part, weaker) else text


def quoted(text: str) -> str:
    """Return `text` as a phrase."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bare_or_quoted(name: str) -> str:
    return name if name.isalnum() else quoted(name)
