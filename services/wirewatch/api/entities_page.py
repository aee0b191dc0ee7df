"""/entities: find things by name, add and remove one's own."""

import asyncio
import secrets
from functools import cache
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from wirewatch.api.answers import API
from wirewatch.api.entity_views import listed_view
from wirewatch.topics.entities import Kind

routes = web.RouteTableDef()

MAX_FOUND = 25
MAX_OWN = 200
MAX_SEARCH_CHARS = 200
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'nonce-{nonce}'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Only our own script runs, whatever stands in a name."""


@routes.get("/entities")
async def entities_page(request: web.Request) -> web.Response:
    """Show the page."""
    api = request.app[API]
    search = request.query.get("search", "").strip()[:MAX_SEARCH_CHARS]
    found = None
    if search:
        entities = await asyncio.to_thread(api.catalogue.search, search, MAX_FOUND)
        found = [listed_view(each) for each in entities]
    own = sorted(map(listed_view, api.entities), key=lambda each: each.name.casefold())
    nonce = secrets.token_urlsafe(16)
    text = _template().render(
        search=search,
        found=found,
        own=own[:MAX_OWN],
        more=max(0, len(own) - MAX_OWN),
        kinds=[str(kind) for kind in Kind],
        nonce=nonce,
    )
    headers = {"Content-Security-Policy": _POLICY.format(nonce=nonce)}
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("entities.html")
