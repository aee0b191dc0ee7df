"""What the API shows of entities. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from wirewatch.api.bodies import TextBody
from wirewatch.entities.catalogue import Catalogue, label_of
from wirewatch.entities.decide import Mention, by_entity
from wirewatch.entities.notation import written_alias
from wirewatch.topics.entities import Entity, Kind

Span = tuple[int, int]


class ListedEntity(msgspec.Struct, frozen=True, kw_only=True):
    """An entity in a list."""

    id: str
    kind: Kind
    name: str
    is_own: bool


class EntityView(msgspec.Struct, frozen=True, kw_only=True):
    """An entity. `names` and `exceptions` are as an operator wrote them, by language.

    `found_by` are all names that count, by language, in the notation of docs/entities.md:
    of the catalogue, of the operator, of an import.
    """

    id: str
    kind: Kind
    name: str
    names: dict[str, str]
    exceptions: dict[str, str]
    context: tuple[str, ...]
    dropped: tuple[str, ...]
    labels: dict[str, str]
    found_by: dict[str, list[str]]
    is_own: bool
    imported_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None


class FoundView(msgspec.Struct, frozen=True, kw_only=True):
    """An entity in a text: `spans` count code points, the end not included.

    `beside` is the id of what made an ambiguous name count.
    """

    id: str
    kind: str
    name: str
    title_spans: list[Span]
    spans: list[Span]
    beside: str | None


class FoundsView(msgspec.Struct, frozen=True, kw_only=True):
    """What a text names."""

    entities: list[FoundView]


def listed_view(entity: Entity) -> ListedEntity:
    """Return the line of a list for `entity`."""
    return ListedEntity(
        id=entity.id,
        kind=entity.kind,
        name=entity.name or label_of(entity, "en"),
        is_own=entity.created_at is not None,
    )


def entity_view(entity: Entity, catalogue: Catalogue) -> EntityView:
    """Return what is shown of `entity`, an own one or one of the catalogue."""
    whole = catalogue.whole(entity.id) or entity
    found_by: dict[str, list[str]] = defaultdict(list)
    for alias in whole.aliases:
        found_by[alias.language].append(written_alias(alias))
    return EntityView(
        id=entity.id,
        kind=entity.kind,
        name=entity.name or label_of(whole, "en"),
        names=entity.names,
        exceptions=entity.exceptions,
        context=whole.context,
        dropped=entity.dropped,
        labels=whole.labels,
        found_by=dict(found_by),
        is_own=entity.created_at is not None,
        imported_at=entity.imported_at,
        created_at=entity.created_at,
        updated_at=entity.updated_at,
    )


def found_views(
    in_title: Sequence[Mention], in_text: Sequence[Mention], body: TextBody, catalogue: Catalogue
) -> FoundsView:
    """Return what was found, entity by entity."""
    views = [
        FoundView(
            id=entity_id,
            kind=str(entity.kind) if (entity := catalogue.entity(entity_id)) else "",
            name=catalogue.label(entity_id, body.language),
            title_spans=_spans(of_title),
            spans=_spans(of_text),
            beside=_beside([*of_title, *of_text]),
        )
        for entity_id, (of_title, of_text) in by_entity((in_title, in_text)).items()
    ]
    return FoundsView(entities=views)


def _spans(mentions: Sequence[Mention]) -> list[Span]:
    return [(each.start, each.end) for each in mentions]


def _beside(mentions: Sequence[Mention]) -> str | None:
    others = (each.beside for each in mentions if each.beside not in {"", each.entity_id})
    return next(others, None)
