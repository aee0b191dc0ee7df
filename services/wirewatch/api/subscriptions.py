"""/v1/subscriptions: the standing queries."""

from collections.abc import Iterable
from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import UNSET

from wirewatch.api.answers import API, answer, body_of, found, page, paged
from wirewatch.api.bodies import SubscriptionBody, SubscriptionPatch
from wirewatch.api.checks import check_subscription
from wirewatch.api.errors import Conflict, FieldError, Invalid
from wirewatch.api.store import Api
from wirewatch.api.views import subscription_view
from wirewatch.topics.ids import subscription_id
from wirewatch.topics.subscriptions import Subscription

routes = web.RouteTableDef()

ROUTING = "routing"
"""One lock for subscriptions and endpoints: no endpoint goes while somebody starts to use it."""


@routes.post("/v1/subscriptions")
async def create(request: web.Request) -> web.Response:
    """Add a subscription: 201, or 200 where it is there already as described."""
    api = request.app[API]
    body = await body_of(request, SubscriptionBody)
    check_subscription(body, api.catalogue)
    key = subscription_id(body.name, body.query)
    async with api.locks.hold(ROUTING):
        there = api.subscriptions.get(key)
        if there is not None:
            return answer(subscription_view(_same(there, body)))
        _require_endpoints(api, body.endpoint_ids)
        now = api.clock()
        fields = body.given() | {"id": key, "created_at": now, "updated_at": now}
        subscription = msgspec.convert(fields, Subscription)
        await api.subscriptions.put(subscription)
    return answer(subscription_view(subscription), HTTPStatus.CREATED)


def _same(there: Subscription, body: SubscriptionBody) -> Subscription:
    if any(getattr(there, name) != value for name, value in body.given().items()):
        raise Conflict(
            f"The subscription {there.id} was made with this name and query and now differs: "
            f"PATCH /v1/subscriptions/{there.id}, or choose another name."
        )
    return there


def _require_endpoints(api: Api, endpoint_ids: Iterable[str]) -> None:
    missing = [key for key in endpoint_ids if api.endpoints.get(key) is None]
    if missing:
        named = ", ".join(key[:100] for key in missing)
        raise Invalid([FieldError("endpoint_ids", f"there is no endpoint {named}")])


@routes.get("/v1/subscriptions")
async def listing(request: web.Request) -> web.Response:
    """List subscriptions, oldest first."""
    subscriptions, following = paged(request.app[API].subscriptions, request)
    return page(map(subscription_view, subscriptions), following)


@routes.get("/v1/subscriptions/{id}")
async def one(request: web.Request) -> web.Response:
    """Show one subscription."""
    found_one = found(request.app[API].subscriptions, "subscription", request)
    return answer(subscription_view(found_one))


@routes.patch("/v1/subscriptions/{id}")
async def change(request: web.Request) -> web.Response:
    """Change a subscription; its id stays."""
    api = request.app[API]
    body = await body_of(request, SubscriptionPatch)
    check_subscription(body, api.catalogue)
    async with api.locks.hold(ROUTING):
        subscription = found(api.subscriptions, "subscription", request)
        if body.endpoint_ids is not UNSET:
            _require_endpoints(api, body.endpoint_ids)
        changed = msgspec.structs.replace(subscription, **body.given())
        if changed != subscription:
            subscription = msgspec.structs.replace(changed, updated_at=api.clock())
            await api.subscriptions.put(subscription)
    return answer(subscription_view(subscription))


@routes.delete("/v1/subscriptions/{id}")
async def remove(request: web.Request) -> web.Response:
    """Remove a subscription."""
    api = request.app[API]
    async with api.locks.hold(ROUTING):
        subscription = found(api.subscriptions, "subscription", request)
        await api.subscriptions.remove(subscription.id)
    return web.Response(status=HTTPStatus.NO_CONTENT)
