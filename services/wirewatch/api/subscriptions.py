"""/v1/subscriptions: the standing queries."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import UNSET
from msgspec.structs import replace

from wirewatch.api.answers import API, answer, body_of, found, page, paged
from wirewatch.api.bodies import MuteBody, SnoozeBody, SubscriptionBody, SubscriptionPatch
from wirewatch.api.checks import check_subscription
from wirewatch.api.errors import Conflict, FieldError, Invalid, NotFound
from wirewatch.api.pace_checks import check_mute, check_mute_count, check_snooze
from wirewatch.api.store import Api
from wirewatch.api.views import pace_at, subscription_view
from wirewatch.topics.ids import subscription_id
from wirewatch.topics.subscriptions import Pace, Subscription
from wirewatch.web.hosts import comparable_host

routes = web.RouteTableDef()

ROUTING = "routing"
"""One lock for subscriptions and endpoints: no endpoint goes while somebody starts to use it."""


@routes.post("/v1/subscriptions")
async def create(request: web.Request) -> web.Response:
    """Add a subscription: 201, or 200 where it is there already as described."""
    api = request.app[API]
    body = await body_of(request, SubscriptionBody)
    now = api.clock()
    check_subscription(body, api.catalogue, now)
    key = subscription_id(body.name, body.query)
    async with api.locks.hold(ROUTING):
        there = api.subscriptions.get(key)
        if there is not None:
            return answer(subscription_view(_same(there, body, now), now))
        _require_endpoints(api, body.endpoint_ids)
        fields = body.record_fields() | {"id": key, "created_at": now, "updated_at": now}
        subscription = msgspec.convert(fields, Subscription)
        await api.subscriptions.put(subscription)
    return answer(subscription_view(subscription, now), HTTPStatus.CREATED)


def _same(there: Subscription, body: SubscriptionBody, now: datetime) -> Subscription:
    shown = replace(there, pace=pace_at(there.pace, now))
    if any(getattr(shown, name) != value for name, value in body.record_fields().items()):
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
    api = request.app[API]
    subscriptions, following = paged(api.subscriptions, request)
    now = api.clock()
    return page((subscription_view(each, now) for each in subscriptions), following)


@routes.get("/v1/subscriptions/{id}")
async def one(request: web.Request) -> web.Response:
    """Show one subscription."""
    api = request.app[API]
    found_one = found(api.subscriptions, "subscription", request)
    return answer(subscription_view(found_one, api.clock()))


@routes.patch("/v1/subscriptions/{id}")
async def change(request: web.Request) -> web.Response:
    """Change a subscription; its id stays."""
    api = request.app[API]
    body = await body_of(request, SubscriptionPatch)
    check_subscription(body, api.catalogue, api.clock())
    async with api.locks.hold(ROUTING):
        subscription = found(api.subscriptions, "subscription", request)
        if body.endpoint_ids is not UNSET:
            _require_endpoints(api, body.endpoint_ids)
        subscription = await _put(api, subscription, **body.record_fields())
    return answer(subscription_view(subscription, api.clock()))


async def _put(api: Api, subscription: Subscription, **fields: object) -> Subscription:
    changed = replace(subscription, **fields)
    if changed == subscription:
        return subscription
    changed = replace(changed, updated_at=api.clock())
    await api.subscriptions.put(changed)
    return changed


@routes.post("/v1/subscriptions/{id}/snooze")
async def snooze(request: web.Request) -> web.Response:
    """Be silent until a time; what is found until then is told in one digest."""
    body = await body_of(request, SnoozeBody)
    now = request.app[API].clock()
    check_snooze(body, now)
    for_s = timedelta(seconds=0 if body.for_s is UNSET else body.for_s)
    until = now + for_s if body.until is UNSET else body.until
    return await _pace(request, lambda pace: replace(pace, snoozed_until=until.astimezone(UTC)))


@routes.delete("/v1/subscriptions/{id}/snooze")
async def wake(request: web.Request) -> web.Response:
    """End a snooze, if there is one."""
    return await _pace(request, lambda pace: replace(pace, snoozed_until=None))


@routes.post("/v1/subscriptions/{id}/mutes")
async def mute(request: web.Request) -> web.Response:
    """Tell of a source or a story no more."""
    field, value = _mute(await body_of(request, MuteBody))

    def muted(pace: Pace) -> Pace:
        mutes: tuple[str, ...] = getattr(pace, field)
        if value in mutes:
            return pace
        check_mute_count(pace)
        return replace(pace, **{field: (*mutes, value)})

    return await _pace(request, muted)


@routes.delete("/v1/subscriptions/{id}/mutes")
async def unmute(request: web.Request) -> web.Response:
    """Tell of a source or a story again; it may be named in the URL, for clients without a body."""
    named = {name: request.query[name] for name in ("source", "story") if name in request.query}
    field, value = _mute(MuteBody(**named) if named else await body_of(request, MuteBody))

    def unmuted(pace: Pace) -> Pace:
        mutes: tuple[str, ...] = getattr(pace, field)
        if value not in mutes:
            raise NotFound(
                f"{value[:100]} is not muted here: the pace of the subscription says what is."
            )
        return replace(pace, **{field: tuple(each for each in mutes if each != value)})

    return await _pace(request, unmuted)


def _mute(body: MuteBody) -> tuple[str, str]:
    """Return the field of the pace and the value in it. Raises Invalid."""
    check_mute(body)
    if body.source is not UNSET:
        return "muted_sources", comparable_host(body.source)
    return "muted_stories", str(body.story)


async def _pace(request: web.Request, change: Callable[[Pace], Pace]) -> web.Response:
    api = request.app[API]
    async with api.locks.hold(ROUTING):
        subscription = found(api.subscriptions, "subscription", request)
        subscription = await _put(api, subscription, pace=change(subscription.pace))
    return answer(subscription_view(subscription, api.clock()))


@routes.delete("/v1/subscriptions/{id}")
async def remove(request: web.Request) -> web.Response:
    """Remove a subscription."""
    api = request.app[API]
    async with api.locks.hold(ROUTING):
        subscription = found(api.subscriptions, "subscription", request)
        await api.subscriptions.remove(subscription.id)
    return web.Response(status=HTTPStatus.NO_CONTENT)
