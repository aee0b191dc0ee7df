"""Trying queries: whether one can be used, and what it finds in an article. Nothing is stored."""

import asyncio

from aiohttp import web

from wirewatch.api.answers import API, answer, body_of
from wirewatch.api.bodies import ExplainBody, QueryBody
from wirewatch.api.errors import FieldError, Invalid
from wirewatch.api.query_views import check_view, explanation_view, refused_view
from wirewatch.query.errors import QueryError
from wirewatch.query.sample import article_of, mistakes
from wirewatch.query.understand import understand

routes = web.RouteTableDef()

MAX_EXPLAIN_BYTES = 1024 * 1024
"""A body as long as articles may have, in any script, with room for the escapes of JSON."""


@routes.post("/v1/queries/check")
async def check_query(request: web.Request) -> web.Response:
    """Say whether a query can be used, how it is understood, or what is wrong where."""
    body = await body_of(request, QueryBody)
    try:
        understood = understand(body.query, body.dialect, request.app[API].catalogue)
    except QueryError as error:
        return answer(refused_view(error))
    return answer(check_view(understood))


@routes.post("/v1/queries/explain")
async def explain_query(request: web.Request) -> web.Response:
    """Say which parts of a query an article satisfies where, or what it lacks."""
    body = await body_of(request, ExplainBody, most=MAX_EXPLAIN_BYTES)
    api = request.app[API]
    wrong = [FieldError(f"article.{field}", message) for field, message in mistakes(body.article)]
    try:
        understood = understand(body.query, body.dialect, api.catalogue)
    except QueryError as error:
        wrong.insert(0, FieldError("query", error.in_words()))
    if wrong:
        raise Invalid(wrong)
    # A long article takes a tenth of a second: others are served meanwhile.
    article = await asyncio.to_thread(article_of, body.article)
    view = await asyncio.to_thread(explanation_view, understood, article, api.finder)
    return answer(view)
