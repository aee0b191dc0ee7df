"""The API as an aiohttp application."""

from aiohttp import web

from wirewatch.api import (
    deliveries,
    endpoint_notices,
    endpoints,
    entities,
    entities_page,
    feeds,
    queries,
    replays,
    reports,
    subscriptions,
)
from wirewatch.api.answers import API, MAX_BODY_BYTES
from wirewatch.api.guard import counted, explained, local_host_only
from wirewatch.api.store import Api
from wirewatch.runtime.observe import Health, health_routes


def make_app(api: Api, health: Health) -> web.Application:
    """Return the application: REST under /v1, the page at /, /healthz and /readyz."""
    app = web.Application(
        middlewares=[counted, explained, local_host_only], client_max_size=MAX_BODY_BYTES
    )
    app[API] = api
    for room in (
        feeds,
        subscriptions,
        endpoints,
        endpoint_notices,
        entities,
        entities_page,
        queries,
        reports,
        deliveries,
        replays,
    ):
        app.add_routes(room.routes)
    app.add_routes(health_routes(health))
    return app
