"""/v1/feeds: what is polled."""

from http import HTTPStatus

import msgspec
from aiohttp import web

from wirewatch.api.answers import API, answer, body_of, found, page, paged
from wirewatch.api.bodies import FeedBody, FeedPatch
from wirewatch.api.checks import check_feed
from wirewatch.api.errors import Conflict
from wirewatch.api.store import Api
from wirewatch.api.views import FeedView, feed_view
from wirewatch.topics.feeds import Feed
from wirewatch.topics.ids import feed_id

routes = web.RouteTableDef()


def _view(api: Api, feed: Feed) -> FeedView:
    return feed_view(feed, api.tables.feed_states.get(feed.id), api.clock())


@routes.post("/v1/feeds")
async def create(request: web.Request) -> web.Response:
    """Add a feed: 201, or 200 where it is there already as described."""
    api = request.app[API]
    body = await body_of(request, FeedBody)
    check_feed(body)
    key = feed_id(body.url)
    async with api.locks.hold(key):
        there = api.feeds.get(key)
        if there is not None:
            return answer(_view(api, _same(there, body)))
        now = api.clock()
        feed = msgspec.convert(
            body.given() | {"id": key, "created_at": now, "updated_at": now}, Feed
        )
        await api.feeds.put(feed)
    return answer(_view(api, feed), HTTPStatus.CREATED)


def _same(there: Feed, body: FeedBody) -> Feed:
    if any(getattr(there, name) != value for name, value in body.given().items()):
        raise Conflict(
            f"The feed {there.id} has this URL and other settings: PATCH /v1/feeds/{there.id}."
        )
    return there


@routes.get("/v1/feeds")
async def listing(request: web.Request) -> web.Response:
    """List feeds with their health, oldest first."""
    api = request.app[API]
    feeds, following = paged(api.feeds, request)
    return page((_view(api, feed) for feed in feeds), following)


@routes.get("/v1/feeds/{id}")
async def one(request: web.Request) -> web.Response:
    """Show one feed with its health."""
    api = request.app[API]
    return answer(_view(api, found(api.feeds, "feed", request)))


@routes.patch("/v1/feeds/{id}")
async def change(request: web.Request) -> web.Response:
    """Change a feed."""
    api = request.app[API]
    body = await body_of(request, FeedPatch)
    check_feed(body)
    async with api.locks.hold(request.match_info["id"]):
        feed = found(api.feeds, "feed", request)
        changed = msgspec.structs.replace(feed, **body.given())
        if changed != feed:
            feed = msgspec.structs.replace(changed, updated_at=api.clock())
            await api.feeds.put(feed)
    return answer(_view(api, feed))


@routes.delete("/v1/feeds/{id}")
async def remove(request: web.Request) -> web.Response:
    """Remove a feed; its articles stay."""
    api = request.app[API]
    async with api.locks.hold(request.match_info["id"]):
        feed = found(api.feeds, "feed", request)
        await api.feeds.remove(feed.id)
    return web.Response(status=HTTPStatus.NO_CONTENT)
