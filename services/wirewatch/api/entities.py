"""/v1/entities: things by name, an operator's own ones beside those of the catalogue."""

import asyncio
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import UNSET

from wirewatch.api.answers import API, answer, body_of, found, int_parameter, page, paged
from wirewatch.api.bodies import EntityBody, EntityPatch, ImportBody, TextBody
from wirewatch.api.checks import check_text, query_mistake
from wirewatch.api.entity_views import entity_view, found_views, listed_view
from wirewatch.api.errors import Conflict, FieldError, Invalid, NotFound
from wirewatch.api.queries import MAX_EXPLAIN_BYTES
from wirewatch.api.store import Api
from wirewatch.api.subscriptions import ROUTING
from wirewatch.api.words import listed
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import piece
from wirewatch.entities.own import Imported, OwnError, described, own_id, with_import
from wirewatch.query.errors import QueryError
from wirewatch.query.fields import may_name
from wirewatch.query.parse import parse
from wirewatch.query.tree import EntityLeaf, TopicLeaf, inner_leaves
from wirewatch.topics.entities import Entity, Kind
from wirewatch.topics.subscriptions import Subscription

routes = web.RouteTableDef()

MAX_OWN = 100_000
"""Own entities in all: each process that matches holds their names."""
MAX_ENTITY_BYTES = 1024 * 1024
MAX_FOUND = 50
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@routes.post("/v1/entities")
async def create(request: web.Request) -> web.Response:
    """Add an own entity: 201, or 200 where it is there already as described."""
    api = request.app[API]
    body = await body_of(request, EntityBody, most=MAX_ENTITY_BYTES)
    entity = _new(body, api)
    async with api.locks.hold(ROUTING):
        there = api.entities.get(entity.id)
        if there is not None:
            return await _told(api, _same(there, body))
        _require_room(api)
        await api.entities.put(entity)
    return await _told(api, entity, HTTPStatus.CREATED)


async def _told(api: Api, entity: Entity, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    # The names of an entity that ships are collected in a second: others are served meanwhile.
    return answer(await asyncio.to_thread(entity_view, entity, api.catalogue), status)


def _new(body: EntityBody, api: Api) -> Entity:
    known = api.catalogue.entity(body.id) if body.id is not UNSET else None
    kind = _kind(body, known)
    now = api.clock()
    try:
        key = own_id(body.name, kind) if body.id is UNSET else body.id
        fields = body.given() | {"id": key, "kind": kind, "labels": {}, "created_at": now}
        return described(msgspec.convert(fields, Entity), now)
    except OwnError as error:
        raise Invalid([FieldError(error.field, str(error))]) from error


def _kind(body: EntityBody | ImportBody, known: Entity | None) -> Kind:
    if known is not None and body.kind not in {UNSET, known.kind}:
        raise Invalid([FieldError("kind", f"of {known.id} is {known.kind} in the catalogue")])
    if known is not None:
        return known.kind
    if body.kind is UNSET:
        raise Invalid([FieldError("kind", f"is required; there are {', '.join(Kind)}")])
    return body.kind


def _same(there: Entity, body: EntityBody) -> Entity:
    if any(getattr(there, name) != value for name, value in body.given().items()):
        raise Conflict(
            f"The entity {there.id} was made with this name and now differs: "
            f"PATCH /v1/entities/{there.id}."
        )
    return there


def _require_room(api: Api) -> None:
    if len(api.tables.entities) >= MAX_OWN:
        raise Conflict(f"There are {MAX_OWN} own entities, and no more are allowed: remove some.")


@routes.get("/v1/entities")
async def listing(request: web.Request) -> web.Response:
    """List the own entities, oldest first; with `search`, what in all begins with a name."""
    api = request.app[API]
    wanted = request.query.get("search")
    if wanted is None:
        entities, following = paged(_own(api), request)
        return page([listed_view(each.entity) for each in entities], following)
    check_text("search", wanted)
    limit = int_parameter(request, "limit", 20, MAX_FOUND)
    # All names are looked through, a tenth of a second: others are served meanwhile.
    matching = await asyncio.to_thread(api.catalogue.search, wanted, limit)
    return page(map(listed_view, matching), None)


class _Own:
    """An own entity as `paged` lists it."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.id = entity.id
        self.created_at = entity.created_at or _LONG_AGO


def _own(api: Api) -> Iterator[_Own]:
    return (_Own(each) for each in api.entities)


@routes.get("/v1/entities/{id}")
async def one(request: web.Request) -> web.Response:
    """Show an entity with all its names, those of the catalogue and the own ones."""
    api = request.app[API]
    key = request.match_info["id"]
    entity = api.entities.get(key) or api.catalogue.entity(key)
    if entity is None:
        raise NotFound(f"There is no entity {key[:100]}: GET /v1/entities?search=… finds them.")
    return await _told(api, entity)


@routes.patch("/v1/entities/{id}")
async def change(request: web.Request) -> web.Response:
    """Change an own entity; its id and kind stay."""
    api = request.app[API]
    body = await body_of(request, EntityPatch, most=MAX_ENTITY_BYTES)
    async with api.locks.hold(ROUTING):
        entity = found(api.entities, "entity", request)
        changed = msgspec.structs.replace(entity, **body.given())
        if changed != entity:
            try:
                entity = described(changed, api.clock())
            except OwnError as error:
                raise Invalid([FieldError(error.field, str(error))]) from error
            await _refuse_lost(api, entity)
            await api.entities.put(entity)
    return await _told(api, entity)


@routes.put("/v1/entities/{id}/imported")
async def take_import(request: web.Request) -> web.Response:
    """Put the names of an import into an entity; what the operator wrote or dropped stays."""
    api = request.app[API]
    body = await body_of(request, ImportBody, most=MAX_ENTITY_BYTES)
    key = request.match_info["id"]
    now = api.clock()
    async with api.locks.hold(ROUTING):
        there = api.entities.get(key)
        if there is None:
            _require_room(api)
        entity = there or Entity(
            id=key,
            kind=_kind(body, api.catalogue.entity(key)),
            labels={},
            name=body.name if body.name is not UNSET else "",
            created_at=now,
        )
        imported = Imported(labels=body.labels, aliases=body.aliases, demonyms=body.demonyms)
        try:
            entity = with_import(entity, imported, now)
        except OwnError as error:
            raise Invalid([FieldError(error.field, str(error))]) from error
        await api.entities.put(entity)
    status = HTTPStatus.CREATED if there is None else HTTPStatus.OK
    return await _told(api, entity, status)


@routes.delete("/v1/entities/{id}")
async def remove(request: web.Request) -> web.Response:
    """Remove an own entity. What ships under its id stays; refused while an alert asks for it."""
    api = request.app[API]
    async with api.locks.hold(ROUTING):
        entity = found(api.entities, "entity", request)
        if not api.catalogue.ships(entity.id):
            await _refuse_used(api, entity.id)
        await api.entities.remove(entity.id)
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def _refuse_lost(api: Api, changed: Entity) -> None:
    """Raise Conflict if an alert calls the entity by a name that it has no more."""
    users = await _users(api, changed.id)
    if not users:
        return
    after = api.catalogue.copy()
    after.put(changed)
    for each in users:
        if (mistake := query_mistake(each.query, after)) is not None:
            raise Conflict(
                f"The alert {each.name} ({each.id}) could not be read any more ({mistake}): "
                f"let it ask for entity:{changed.id} first."
            )


async def _refuse_used(api: Api, entity_id: str) -> None:
    if users := await _users(api, entity_id):
        named = listed([f"{each.name} ({each.id})" for each in users])
        raise Conflict(f"The entity {entity_id} is asked for by {named}: change those first.")


async def _users(api: Api, entity_id: str) -> list[Subscription]:
    """Return who asks for an entity. Every query is read, a minute's work for a million of them."""
    every = list(api.subscriptions)

    def work() -> list[Subscription]:
        return [each for each in every if _asks_for(each.query, entity_id, api.catalogue)]

    return await asyncio.to_thread(work)


def _asks_for(query: str, entity_id: str, catalogue: Catalogue) -> bool:
    if not may_name(query):
        return False
    try:
        parsed = parse(query, catalogue)
    except QueryError:
        return False
    return any(
        isinstance(leaf, EntityLeaf | TopicLeaf) and leaf.entity_id == entity_id
        for leaf in inner_leaves(parsed)
    )


@routes.post("/v1/entities/find")
async def find(request: web.Request) -> web.Response:
    """Say which entities and themes a text names, and where."""
    api = request.app[API]
    body = await body_of(request, TextBody, most=MAX_EXPLAIN_BYTES)
    title, text = (unicodedata.normalize("NFC", each) for each in (body.title, body.text))
    pieces = [piece(title, is_title=True), piece(text)]
    in_title, in_text = await asyncio.to_thread(api.finder.read, pieces, body.language)
    return answer(found_views(in_title, in_text, body, api.catalogue))
