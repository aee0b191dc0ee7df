"""Deliveries that a person asks for: a test of an endpoint, and its verification once more."""

import secrets
from http import HTTPStatus

from aiohttp import web

from wirewatch.api.answers import API, answer, body_of, found
from wirewatch.api.endpoint_bodies import NoBody
from wirewatch.api.endpoint_views import DeliveryStarted
from wirewatch.api.endpoints import PATH
from wirewatch.api.errors import Conflict
from wirewatch.api.store import Api
from wirewatch.topics.deliveries import DELIVERIES, Delivery
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoints import Endpoint, Verification
from wirewatch.topics.ids import notice_id

routes = web.RouteTableDef()

CHALLENGE_BYTES = 32


@routes.post(PATH + "/{id}/test")
async def test(request: web.Request) -> web.Response:
    """Send an `endpoint.test`, whatever the endpoint's state: 202 with the delivery's id."""
    api, endpoint = await _asked(request)
    return await _start(api, endpoint, NoticeType.ENDPOINT_TEST)


@routes.post(PATH + "/{id}/verify")
async def verify(request: web.Request) -> web.Response:
    """Ask the endpoint once more to prove that it wants what it is sent: 202."""
    api, endpoint = await _asked(request)
    if endpoint.verification is Verification.NONE:
        raise Conflict(
            f"The endpoint {endpoint.id} needs no verification: PATCH its `verification` first."
        )
    return await _start(api, endpoint, NoticeType.ENDPOINT_VERIFY)


async def _asked(request: web.Request) -> tuple[Api, Endpoint]:
    api = request.app[API]
    await body_of(request, NoBody)
    return api, found(api.endpoints, "endpoint", request)


async def _start(api: Api, endpoint: Endpoint, kind: NoticeType) -> web.Response:
    delivery = _delivery(api, endpoint, kind, secrets.token_urlsafe(CHALLENGE_BYTES))
    await api.publish(DELIVERIES, [delivery])
    started = DeliveryStarted(delivery_id=delivery.id, endpoint_id=endpoint.id)
    return answer(started, HTTPStatus.ACCEPTED)


def _delivery(api: Api, endpoint: Endpoint, kind: NoticeType, nonce: str) -> Delivery:
    now = api.clock()
    notice = Notice(
        type=kind,
        endpoint_id=endpoint.id,
        endpoint_name=endpoint.name,
        endpoint_url=endpoint.url,
        challenge=nonce if kind is NoticeType.ENDPOINT_VERIFY else "",
        at=now,
    )
    return Delivery(
        id=notice_id(str(kind), endpoint.id, nonce),
        endpoint_id=endpoint.id,
        due_at=now,
        created_at=now,
        notice=notice,
    )
