"""/v1/endpoints: where alerts are delivered."""

import base64
import secrets
from http import HTTPStatus

import msgspec
from aiohttp import web

from wirewatch.api.answers import API, answer, body_of, found, page, paged
from wirewatch.api.bodies import EndpointBody, EndpointPatch
from wirewatch.api.checks import SECRET_PREFIX, check_endpoint
from wirewatch.api.errors import Conflict
from wirewatch.api.store import Api
from wirewatch.api.subscriptions import ROUTING
from wirewatch.api.views import endpoint_view, new_endpoint_view
from wirewatch.api.words import listed
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.ids import endpoint_id

routes = web.RouteTableDef()

SECRET_BYTES = 32


def new_secret() -> str:
    """Return a fresh Standard Webhooks secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


@routes.post("/v1/endpoints")
async def create(request: web.Request) -> web.Response:
    """Add an endpoint: 201 with its secret, or 200 without where it is there already."""
    api = request.app[API]
    body = await body_of(request, EndpointBody)
    check_endpoint(body)
    key = endpoint_id(body.url)
    async with api.locks.hold(ROUTING):
        there = api.endpoints.get(key)
        if there is not None:
            return answer(endpoint_view(_same(there, body)))
        now = api.clock()
        fields = {"secret": new_secret()} | body.given()
        fields |= {"id": key, "created_at": now, "updated_at": now}
        endpoint = msgspec.convert(fields, Endpoint)
        await api.endpoints.put(endpoint)
    return answer(new_endpoint_view(endpoint), HTTPStatus.CREATED)


def _same(there: Endpoint, body: EndpointBody) -> Endpoint:
    if any(getattr(there, name) != value for name, value in body.given().items()):
        raise Conflict(
            f"The endpoint {there.id} was made with this URL and now differs: "
            f"PATCH /v1/endpoints/{there.id}."
        )
    return there


@routes.get("/v1/endpoints")
async def listing(request: web.Request) -> web.Response:
    """List endpoints, oldest first."""
    endpoints, following = paged(request.app[API].endpoints, request)
    return page(map(endpoint_view, endpoints), following)


@routes.get("/v1/endpoints/{id}")
async def one(request: web.Request) -> web.Response:
    """Show one endpoint, without its secret."""
    return answer(endpoint_view(found(request.app[API].endpoints, "endpoint", request)))


@routes.patch("/v1/endpoints/{id}")
async def change(request: web.Request) -> web.Response:
    """Change an endpoint; its id stays."""
    api = request.app[API]
    body = await body_of(request, EndpointPatch)
    check_endpoint(body)
    async with api.locks.hold(ROUTING):
        endpoint = found(api.endpoints, "endpoint", request)
        changed = msgspec.structs.replace(endpoint, **body.given())
        if changed != endpoint:
            endpoint = msgspec.structs.replace(changed, updated_at=api.clock())
            await api.endpoints.put(endpoint)
    return answer(endpoint_view(endpoint))


@routes.delete("/v1/endpoints/{id}")
async def remove(request: web.Request) -> web.Response:
    """Remove an endpoint that no subscription uses."""
    api = request.app[API]
    async with api.locks.hold(ROUTING):
        endpoint = found(api.endpoints, "endpoint", request)
        _refuse_used(api, endpoint)
        await api.endpoints.remove(endpoint.id)
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _refuse_used(api: Api, endpoint: Endpoint) -> None:
    users = [f"{s.name!r} ({s.id})" for s in api.subscriptions if endpoint.id in s.endpoint_ids]
    if users:
        raise Conflict(
            f"The endpoint {endpoint.id} is used by {listed(users)}: "
            "give those another endpoint or remove them first."
        )
