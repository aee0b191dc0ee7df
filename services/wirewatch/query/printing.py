"""A query as text: parse(to_text(query)) == query. Pure."""

from wirewatch.query.tree import And, EntityLeaf, Not, Or, Phrase, Query, TopicLeaf, Word


def to_text(query: Query) -> str:  # noqa: PLR0911 - one line for each kind of node
    """Return `query` in the query language, with no more parentheses than it needs."""
    match query:
        case Word(text):
            return text
        case Phrase(text):
            return _quoted(text)
        case EntityLeaf(_, name):
            return f"entity:{_bare_or_quoted(name)}"
        case TopicLeaf(_, name):
            return f"topic:{_bare_or_quoted(name)}"
        case Not(part):
            return f"NOT {_within(part, And, Or)}"
        case And(parts):
            return " AND ".join(_within(part, And, Or) for part in parts)
        case Or(parts):
            return " OR ".join(_within(part, Or) for part in parts)


def _within(part: Query, *weaker: type[And] | type[Or]) -> str:
    text = to_text(part)
    return f"({text})" if isinstance(part, weaker) else text


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bare_or_quoted(name: str) -> str:
    return name if name.isalnum() else _quoted(name)
