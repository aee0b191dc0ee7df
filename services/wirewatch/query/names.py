"""Entities and topics by the names that a query calls them. Pure."""

from collections.abc import Sequence

from wirewatch.entities.catalogue import Catalogue, UnknownName, label_of
from wirewatch.entities.ids import class_id
from wirewatch.query.errors import QueryError, shown
from wirewatch.query.tokens import Token
from wirewatch.query.tree import EntityLeaf, NamedLeaf, Or, TopicLeaf
from wirewatch.topics.alerts import Field
from wirewatch.topics.entities import Entity, Kind

ANY = "any"
"""Stands for every entity of a kind: `country:any`."""
KINDS = {str(kind): kind for kind in Kind if kind is not Kind.THEME}
SALIENCES: dict[str, tuple[Field, ...]] = {
    "title": (Field.TITLE,),
    "lead": (Field.LEAD,),
    "body": (Field.BODY,),
    "top": (Field.TITLE, Field.LEAD),
}
"""Where a name has to stand to count: `entity:Russia~title`, `entity:Russia~top`."""


def named_leaf(name: str, token: Token, field: Field | None, catalogue: Catalogue) -> NamedLeaf:
    """Return the leaf for `entity:…`, `topic:…` or a kind's field such as `person:…`.

    Raises QueryError, with the candidates and their ids, for a name that is unknown or that
    several share.
    """
    if name in KINDS and token.text.strip().lower() == ANY:
        return EntityLeaf(class_id(Kind(name)), ANY, field)
    try:
        if name == "topic":
            return TopicLeaf(catalogue.resolve_topic(token.text).id, token.text, field)
        return EntityLeaf(catalogue.resolve(token.text, KINDS.get(name)).id, token.text, field)
    except UnknownName as error:
        raise _unknown(name, token, error) from error


def _unknown(name: str, token: Token, error: UnknownName) -> QueryError:
    called = f"{name} “{shown(token.text)}”"
    if error.is_ambiguous:
        several = " or ".join(each.id for each in error.candidates)
        message, hint = f"several things are called “{shown(token.text)}”", "say which: "
        hint += f"{_listed(error.candidates)}; write entity: and its id ({several})"
    else:
        message = f"there is no {called}"
        near = _listed(error.candidates)
        hint = f"did you mean {near}?" if near else ""
        if not near and name != "topic":
            hint = "add it with: wirewatch entities add, or wirewatch entities import"
    return QueryError(
        message, offset=token.offset, length=max(1, token.length), suggestion=hint or None
    )


def _listed(candidates: Sequence[Entity]) -> str:
    return ", ".join(
        label_of(each, "en") if each.kind is Kind.THEME else _told(each) for each in candidates
    )


def _told(entity: Entity) -> str:
    return f"{label_of(entity, 'en')} ({entity.id}, {entity.kind})"


def salient(leaf: NamedLeaf, token: Token, wanted: str) -> NamedLeaf | Or:
    """Return `leaf` where it stands in the part of an article that `wanted` names.

    Raises QueryError for a part that there is not, and inside a field.
    """
    fields = SALIENCES.get(wanted.lower())
    if fields is None or leaf.field is not None:
        known = ", ".join(f"~{each}" for each in SALIENCES)
        wrong = f"~{shown(wanted)} cannot stand behind a name here"
        raise QueryError(
            wrong, offset=token.offset, length=max(1, token.length), suggestion=f"there are {known}"
        )
    kind = type(leaf)
    leaves = tuple(kind(leaf.entity_id, leaf.name, field) for field in fields)
    return leaves[0] if len(leaves) == 1 else Or(leaves)
