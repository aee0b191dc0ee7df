"""Entities and topics by the names that a query calls them. Pure."""

from wirewatch.entities.catalogue import Catalogue, UnknownName
from wirewatch.query.errors import QueryError, shown
from wirewatch.query.tokens import Token
from wirewatch.query.tree import EntityLeaf, NamedLeaf, TopicLeaf
from wirewatch.topics.alerts import Field


def named_leaf(name: str, token: Token, field: Field | None, catalogue: Catalogue) -> NamedLeaf:
    """Return the leaf for `entity:…` or `topic:…`. Raises QueryError for an unknown name."""
    try:
        if name == "topic":
            return TopicLeaf(catalogue.resolve_topic(token.text).id, token.text, field)
        return EntityLeaf(catalogue.resolve(token.text).id, token.text, field)
    except UnknownName as error:
        meant = ", ".join(error.suggestions)
        raise QueryError(
            f"there is no {name} “{shown(token.text)}”",
            offset=token.offset,
            length=max(1, token.length),
            suggestion=f"did you mean {meant}?" if meant else None,
        ) from error
