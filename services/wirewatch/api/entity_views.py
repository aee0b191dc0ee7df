"""What the API shows of entities. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from wirewatch.api.bodies import TextBody
from wirewatch.entities.catalogue import Catalogue, label_of
from wirewatch.entities.find import Mention
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode

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
        found_by[alias.language].append(_noted(alias))
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


def _noted(alias: Alias) -> str:
    marks = ("?" if alias.weak else "") + ("^" if alias.case is Case.INITIAL else "")
    ending = {Mode.INFLECT: "~", Mode.PREFIX: "*"}.get(alias.mode, "")
    return marks + alias.text + ending


def found_views(
    in_title: Sequence[Mention], in_text: Sequence[Mention], body: TextBody, catalogue: Catalogue
) -> FoundsView:
    """Return what was found, entity by entity."""
    spans: dict[str, tuple[list[Span], list[Span]]] = defaultdict(lambda: ([], []))
    beside: dict[str, str] = {}
    for where, mentions in enumerate((in_title, in_text)):
        for mention in mentions:
            spans[mention.entity_id][where].append((mention.start, mention.end))
            if mention.beside not in {"", mention.entity_id}:
                beside[mention.entity_id] = mention.beside
    views = [
        FoundView(
            id=entity_id,
            kind=str(entity.kind) if (entity := catalogue.entity(entity_id)) else "",
            name=catalogue.label(entity_id, body.language),
            title_spans=title_spans,
            spans=text_spans,
            beside=beside.get(entity_id),
        )
        for entity_id, (title_spans, text_spans) in spans.items()
    ]
    return FoundsView(entities=views)
