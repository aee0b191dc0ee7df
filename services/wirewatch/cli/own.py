"""The catalogue with an operator's own entities, as far as an API answers."""

from collections.abc import Iterator
from contextlib import suppress

from wirewatch.api.entity_views import EntityView, ListedEntity
from wirewatch.api.views import Page
from wirewatch.cli.client import ApiClient, client, run, segment
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.notation import NotationError, read_alias
from wirewatch.entities.own import OwnError, described
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.errors import Problem
from wirewatch.topics.entities import Alias, Entity, Role

PATH = "/v1/entities"
MAX_ASKED = 500
"""Own entities whose names are asked for; of more the API is asked by name."""


def catalogue_with_own() -> Catalogue | None:
    """Return the catalogue with the own entities beside it; None without an API or any of them."""
    try:
        own = run(_own())
    except Problem:
        return None
    catalogue = Catalogue.load().copy()
    for each in own:
        catalogue.put(each)
    return catalogue if own else None


async def _own() -> list[Entity]:
    async with client() as api:
        listed = await api.get(PATH, Page[ListedEntity], limit=str(MAX_ASKED))
        return [await _entity(api, each.id) for each in listed.items]


async def _entity(api: ApiClient, entity_id: str) -> Entity:
    view = await api.get(f"{PATH}/{segment(entity_id)}", EntityView)
    entity = Entity(
        id=view.id,
        kind=view.kind,
        labels={},
        name=view.name,
        names=view.names,
        exceptions=view.exceptions,
        context=view.context,
        dropped=view.dropped,
        imported=tuple(_imported(view)),
        imported_labels=view.labels,
    )
    try:
        return described(entity, utc_now())
    except OwnError as error:  # of an API of another version
        raise Problem(f"the entity {view.name} cannot be read: {error}.") from error


def _imported(view: EntityView) -> Iterator[Alias]:
    """Yield the names that an entity is found by, also those that are not the operator's."""
    for language, names in view.found_by.items():
        for name in names:
            with suppress(NotationError):
                yield from read_alias(name, Role.NAME, language)
