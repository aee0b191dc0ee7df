"""What an endpoint is told about itself or about others. Pure."""

from collections.abc import Iterable
from datetime import datetime

from wirewatch.notify.outcome import Failure
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoint_states import EndpointState, verification_of
from wirewatch.topics.endpoints import Endpoint, OperationalEvent
from wirewatch.topics.ids import content_id


def verification(endpoint: Endpoint, now: datetime) -> Delivery:
    """Return the delivery that asks `endpoint` to prove itself; the same for the same question."""
    asked = verification_of(endpoint)
    key = content_id("msg", "verify", endpoint.id, asked)
    notice = Notice(
        type=NoticeType.ENDPOINT_VERIFY,
        endpoint_id=endpoint.id,
        endpoint_name=endpoint.name,
        endpoint_url=endpoint.url,
        challenge=content_id("challenge", key, endpoint.sealed, str(endpoint.created_at)),
        at=now,
    )
    return Delivery(id=key, endpoint_id=endpoint.id, due_at=now, created_at=now, notice=notice)


def disabled(
    endpoint: Endpoint, state: EndpointState, told: Iterable[Endpoint], now: datetime
) -> list[Delivery]:
    """Return the deliveries that tell `told` that notify has disabled `endpoint`."""
    notice = Notice(
        type=NoticeType.ENDPOINT_DISABLED,
        endpoint_id=endpoint.id,
        endpoint_name=endpoint.name,
        endpoint_url=endpoint.url,
        reason=state.disabled_reason or "",
        detail=state.last_detail,
        failing_since=state.failing_since,
        at=now,
    )
    return _told(notice, endpoint, told, OperationalEvent.ENDPOINT_DISABLED, str(now))


def exhausted(
    endpoint: Endpoint,
    delivery: Delivery,
    failure: Failure,
    told: Iterable[Endpoint],
    now: datetime,
) -> list[Delivery]:
    """Return the deliveries that tell `told` that `delivery` was given up.

    One for each endpoint and hour: an endpoint that is down gives up by thousands.
    """
    notice = Notice(
        type=NoticeType.DELIVERY_EXHAUSTED,
        endpoint_id=endpoint.id,
        endpoint_name=endpoint.name,
        endpoint_url=endpoint.url,
        reason=failure.reason,
        detail=failure.detail,
        delivery_id=delivery.id,
        alert_id=delivery.alert_id,
        subscription_id=delivery.subscription_id,
        attempts=delivery.attempts + 1,
        at=now,
    )
    return _told(notice, endpoint, told, OperationalEvent.DELIVERY_EXHAUSTED, f"{now:%Y-%m-%d %H}")


def _told(
    notice: Notice,
    endpoint: Endpoint,
    told: Iterable[Endpoint],
    event: OperationalEvent,
    when: str,
) -> list[Delivery]:
    return [
        Delivery(
            id=content_id("msg", event, endpoint.id, when, watcher.id),
            endpoint_id=watcher.id,
            due_at=notice.at,
            created_at=notice.at,
            notice=notice,
        )
        for watcher in told
        if event in watcher.events and watcher.id != endpoint.id
    ]
