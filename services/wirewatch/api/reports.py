"""What happened: alerts, attempts, dead letters, the status."""

from aiohttp import web

from wirewatch.api.answers import API, answer, int_parameter, page, time_parameter
from wirewatch.api.errors import FieldError, Invalid
from wirewatch.api.page import render_page
from wirewatch.api.status import status_of
from wirewatch.api.views import alert_views, attempt_views, dead_letter_views, endpoint_in
from wirewatch.topics.dead_letters import DeadReason

routes = web.RouteTableDef()

DEFAULT_RECENT = 50
MAX_RECENT = 1_000
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The status page loads nothing and runs nothing, whatever a feed puts into a title."""


def _recent(request: web.Request) -> int:
    return int_parameter(request, "limit", DEFAULT_RECENT, MAX_RECENT)


@routes.get("/v1/alerts")
async def alerts(request: web.Request) -> web.Response:
    """List recent alerts, newest first; `subscription` chooses those of one."""
    limit = _recent(request)
    chosen = request.query.get("subscription")
    records = request.app[API].tables.alerts.values()
    views = alert_views(r for r in records if chosen is None or r.subscription_id == chosen)
    return page(views[:limit], None)


@routes.get("/v1/attempts")
async def attempts(request: web.Request) -> web.Response:
    """List recent attempts, newest first; `endpoint` and `alert` choose."""
    limit = _recent(request)
    endpoint, alert = request.query.get("endpoint"), request.query.get("alert")
    views = attempt_views(
        record
        for record in request.app[API].tables.attempts.values()
        if endpoint in (None, record.endpoint_id) and alert in (None, record.alert_id)
    )
    return page(views[:limit], None)


@routes.get("/v1/dead-letters")
async def dead_letters(request: web.Request) -> web.Response:
    """List recent dead letters, newest first; `reason`, `endpoint` and `since` choose."""
    limit = _recent(request)
    reason, endpoint = request.query.get("reason"), request.query.get("endpoint")
    since = time_parameter(request, "since")
    if reason is not None and reason not in tuple(DeadReason):
        raise Invalid([FieldError("reason", f"must be one of {', '.join(DeadReason)}")])
    views = dead_letter_views(
        letter
        for letter in request.app[API].tables.dead_letters.values()
        if reason in (None, letter.reason)
        and (endpoint is None or endpoint == endpoint_in(letter))
        and (since is None or letter.died_at >= since)
    )
    return page(views[:limit], None)


@routes.get("/v1/status")
async def status(request: web.Request) -> web.Response:
    """Say how the whole does, in numbers."""
    api = request.app[API]
    now = api.clock()
    return answer(status_of(api.tables.holdings(now), now))


@routes.get("/")
async def status_page(request: web.Request) -> web.Response:
    """Show the status to a person."""
    api = request.app[API]
    now = api.clock()
    refresh = request.query.get("refresh") != "off"
    text = render_page(api.tables.holdings(now), now, refresh=refresh)
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)
